//! The files of a language as they stand in the repository.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};

/// The files of one language.
pub(crate) struct Language {
    pub(crate) files: BTreeMap<String, Vec<Text>>,
    /// What could not be parsed.
    pub(crate) junk: Vec<String>,
}

/// A message, or an attribute of one.
pub(crate) struct Text {
    /// `W101`, `W101.fix`.
    pub(crate) key: String,
    /// With `{ $name }` for variables, and every variant of a selector.
    pub(crate) shown: String,
    pub(crate) variables: BTreeSet<String>,
}

impl Language {
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.files.values().flatten()
    }
}

pub(crate) fn read(language: &str) -> Language {
    let folder = format!("{}/locales/{language}", env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut junk) = (BTreeMap::new(), Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder of a language") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).expect("UTF-8");
        let resource = parser::parse(source.as_str()).unwrap_or_else(|(resource, errors)| {
            junk.push(format!("{name}: {errors:?}"));
            resource
        });
        let mut texts = Vec::new();
        for entry in &resource.body {
            match entry {
                Entry::Message(message) => {
                    if let Some(value) = &message.value {
                        texts.push(of(message.id.name.to_owned(), value));
                    }
                    for attribute in &message.attributes {
                        texts.push(of(format!("{}.{}", message.id.name, attribute.id.name), &attribute.value));
                    }
                }
                Entry::Junk { content } => junk.push(format!("{name}: {content}")),
                _ => {}
            }
        }
        files.insert(name, texts);
    }
    Language { files, junk }
}

fn of(key: String, pattern: &Pattern<&str>) -> Text {
    let mut text = Text { key, shown: String::new(), variables: BTreeSet::new() };
    walk(pattern, &mut text);
    text
}

fn walk(pattern: &Pattern<&str>, text: &mut Text) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => text.shown.push_str(value),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
                InlineExpression::StringLiteral { value } => text.shown.push_str(value),
                InlineExpression::VariableReference { id } => {
                    text.shown.push_str(&format!("{{ ${} }}", id.name));
                    text.variables.insert(id.name.to_owned());
                }
                other => panic!("{}: only texts and variables are used here, not {other:?}", text.key),
            },
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                if let InlineExpression::VariableReference { id } = selector {
                    text.variables.insert(id.name.to_owned());
                }
                variants.iter().for_each(|variant| walk(&variant.value, text));
            }
        }
    }
}
