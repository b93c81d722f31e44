//! SCHEMA: JSON schemas of the types that write themselves as one text or number.

/// The schema of a type that is a text or a number in JSON.
macro_rules! of {
    ($name:ident, $kind:literal) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": $kind })
            }
        }
    };
}
pub(crate) use of;
