//! What the compiler says about a wrong handler names what is wrong.

#[test]
fn a_wrong_handler_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
