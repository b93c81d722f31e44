//! The Fluent files of a language, parsed when the first text of it is asked for.

use std::sync::OnceLock;

use fluent_bundle::{FluentResource, concurrent::FluentBundle};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use unic_langid::LanguageIdentifier;

use crate::{Args, Lang};

include!(concat!(env!("OUT_DIR"), "/EN.rs"));
include!(concat!(env!("OUT_DIR"), "/ZH.rs"));

/// Names and packed texts of the files of a language.
pub(crate) const fn files(lang: Lang) -> &'static [(&'static str, &'static [u8])] {
    match lang {
        Lang::En => EN,
        Lang::Zh => ZH,
    }
}

/// All texts of one language.
pub(crate) struct Catalogue {
    bundle: FluentBundle<&'static FluentResource>,
    /// Leaked once for each language: they live as long as the process anyway.
    resources: Vec<&'static FluentResource>,
}

/// The catalogue of a language. What a file has wrong is left out; the tests find it.
pub(crate) fn catalogue(lang: Lang) -> &'static Catalogue {
    static ALL: [OnceLock<Catalogue>; 2] = [const { OnceLock::new() }; 2];
    ALL[lang as usize].get_or_init(|| {
        // Both are well-formed; the default would only mean the plural rules of no language.
        let locale: LanguageIdentifier = lang.as_str().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Directional marks around each value would end up in terminals and comparisons.
        bundle.set_use_isolating(false);
        let resources: Vec<_> = files(lang).iter().map(|(_, packed)| parse(wechaty_embed::text(packed))).collect();
        for resource in &resources {
            // A key that is there twice keeps its first text.
            let _ = bundle.add_resource(*resource);
        }
        Catalogue { bundle, resources }
    })
}

fn parse(text: String) -> &'static FluentResource {
    let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
    Box::leak(Box::new(resource))
}

impl Catalogue {
    /// Keys of the messages, terms not among them, as they stand in the files.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.resources.iter().flat_map(|resource| resource.entries()).filter_map(|entry| match entry {
            Entry::Message(message) => Some(message.id.name),
            _ => None,
        })
    }

    /// The text of a message or of one of its attributes.
    pub(crate) fn format(&self, key: &str, attribute: Option<&str>, args: &Args) -> Option<String> {
        let message = self.bundle.get_message(key)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        // A value that is missing shows as `{$name}`.
        let mut missing = Vec::new();
        Some(self.bundle.format_pattern(pattern, Some(&args.fluent()), &mut missing).into_owned())
    }

    /// The variables in the text of a message, attributes not among them.
    pub(crate) fn variables(&self, key: &str) -> Vec<&'static str> {
        let found = self.resources.iter().flat_map(|resource| resource.entries()).find_map(|entry| match entry {
            Entry::Message(message) if message.id.name == key => message.value.as_ref(),
            _ => None,
        });
        let mut names = Vec::new();
        if let Some(pattern) = found {
            in_pattern(pattern, &mut names);
        }
        names
    }
}

fn in_pattern(pattern: &'static Pattern<&'static str>, names: &mut Vec<&'static str>) {
    for element in &pattern.elements {
        match element {
            PatternElement::Placeable { expression: Expression::Inline(inline) } => in_inline(inline, names),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                in_inline(selector, names);
                variants.iter().for_each(|variant| in_pattern(&variant.value, names));
            }
            PatternElement::TextElement { .. } => {}
        }
    }
}

fn in_inline(inline: &'static InlineExpression<&'static str>, names: &mut Vec<&'static str>) {
    if let InlineExpression::VariableReference { id } = inline
        && !names.contains(&id.name)
    {
        names.push(id.name);
    }
}
