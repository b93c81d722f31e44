//! The files of each template, embedded. A name that ends with `.in` loses that: tools would take the files for their own.

use crate::args::Template;

include!(concat!(env!("OUT_DIR"), "/CONFIG.rs"));
include!(concat!(env!("OUT_DIR"), "/RUST.rs"));
include!(concat!(env!("OUT_DIR"), "/PLUGIN.rs"));
include!(concat!(env!("OUT_DIR"), "/PUPPET.rs"));

/// Paths below the project's folder, and contents with placeholders.
pub(super) fn files(template: Template) -> impl Iterator<Item = (&'static str, String)> {
    let files = match template {
        Template::Config => CONFIG,
        Template::Rust => RUST,
        Template::Plugin => PLUGIN,
        Template::Puppet => PUPPET,
    };
    files.iter().map(|(name, packed)| (name.strip_suffix(".in").unwrap_or(name), wechaty_embed::text(packed)))
}
