//! A whole file as JSON: the texts of a page that fills them in itself.

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};
use serde_json::{Map, Value};

use crate::{Lang, bundle::files};

/// One object, key to text, of `locales/<lang>/<file>.ftl`; `None`: there is no such file, or it holds something the
/// page could not fill in. In a text only `{ $name }` is left to fill in.
pub fn strings(lang: Lang, file: &str) -> Option<String> {
    let (_, packed) = files(lang).iter().find(|(name, _)| name.strip_suffix(".ftl") == Some(file))?;
    let text = wechaty_embed::text(packed);
    let mut all = Map::new();
    for entry in parser::parse(&*text).ok()?.body {
        if let Entry::Message(message) = entry {
            all.insert(message.id.name.to_owned(), Value::String(plain(&message.value?)?));
        }
    }
    Some(Value::Object(all).to_string())
}

fn plain(pattern: &Pattern<&str>) -> Option<String> {
    let mut text = String::new();
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => text.push_str(value),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
                InlineExpression::StringLiteral { value } => text.push_str(value),
                InlineExpression::VariableReference { id } => text.push_str(&format!("{{ ${} }}", id.name)),
                _ => return None,
            },
            PatternElement::Placeable { .. } => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<String> {
        match parser::parse(text).expect("it parses").body.remove(0) {
            Entry::Message(message) => plain(&message.value?),
            _ => None,
        }
    }

    #[test]
    fn only_variables_are_left_to_fill_in() {
        assert_eq!(one("a = Hi {$name}, {\"{\"}x\n").as_deref(), Some("Hi { $name }, {x"));
        assert_eq!(one("a = two\n    lines\n").as_deref(), Some("two\nlines"));
        assert_eq!(one("a = { $n ->\n  [one] x\n *[other] y\n }\n"), None);
        assert_eq!(strings(Lang::En, "no-such-file"), None);
    }
}
