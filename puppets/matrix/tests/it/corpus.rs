//! The fuzzing corpus as a plain test.

use std::{fs, path::Path};

#[test]
fn no_event_of_the_corpus_panics() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/matrix_event");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the corpus") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
        if let Ok(text) = std::str::from_utf8(&bytes) {
            wechaty_puppet_matrix::fuzz(text);
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
