//! CATALOGUE: every word users read, in English and Chinese, and the codes of all errors.
//!
//! The texts are Fluent files, `locales/<language>/*.ftl`, embedded when this is built: a new file is found by itself.
//! A message whose id is a code (`W101`) is an error, with the attributes `.cause` and `.fix`; a code is never given to
//! another error once it is released. The hundreds say where: 1 and 2 command line, 4 and 5 web chat and HTTP. `C005` is a
//! fault in a configuration file: crates/config gives those codes.
//!
//! ```
//! use wechaty_catalogue::{Args, Lang, explain, text};
//!
//! let args = Args::new().set("name", "terminl");
//! assert_eq!(text(Lang::En, "W101", &args), "there is no puppet `terminl`");
//! assert!(text(Lang::Zh, "W101", &args).contains("terminl"));
//! assert!(!explain(Lang::Zh, "W101").expect("it is listed").fix.is_empty());
//! ```

mod args;
mod bundle;
mod lang;
mod strings;

pub use args::Args;
pub use lang::Lang;
pub use strings::strings;

use bundle::catalogue;

/// A text by its key. A key that does not exist gives the key: better a strange word than none.
pub fn text(lang: Lang, key: &str, args: &Args) -> String {
    lookup(lang, key, args).unwrap_or_else(|| key.to_owned())
}

/// A text by its key, if there is one.
pub fn lookup(lang: Lang, key: &str, args: &Args) -> Option<String> {
    catalogue(lang).format(key, None, args)
}

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The message, with `…` where an error has its particulars.
    pub message: String,
    /// How it comes about.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

/// Cause and fix of a code; `None`: there is no such code.
pub fn explain(lang: Lang, code: &str) -> Option<Explained> {
    if !is_code(code) {
        return None;
    }
    let all = catalogue(lang);
    let mut args = Args::new();
    for name in all.variables(code) {
        args = args.set(name, "…");
    }
    Some(Explained {
        message: all.format(code, None, &args)?,
        cause: all.format(code, Some("cause"), &Args::new())?,
        fix: all.format(code, Some("fix"), &Args::new())?,
    })
}

/// What to do about a code; empty if there is no such code.
pub fn fix(lang: Lang, code: &str) -> String {
    catalogue(lang).format(code, Some("fix"), &Args::new()).unwrap_or_default()
}

/// Every code, in order.
pub fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = catalogue(Lang::En).keys().filter(|key| is_code(key)).collect();
    codes.sort_unstable();
    codes
}

/// Whether it has the form of a code: `W`, or `C` for what is wrong with a configuration file, and three digits.
pub fn is_code(key: &str) -> bool {
    key.len() == 4 && key.starts_with(['W', 'C']) && key[1..].bytes().all(|byte| byte.is_ascii_digit())
}
