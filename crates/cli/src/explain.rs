//! `wechaty explain`: what a code means, why it comes, what to do.

use wechaty_catalogue::{Args, Lang, codes, explain, text};

use crate::{args::ExplainArgs, failure::Failure, output};

pub(crate) fn run(args: ExplainArgs, lang: Lang) -> Result<(), Failure> {
    match args.code {
        Some(code) => output::print(&one(&code, lang)?),
        None => output::print(&list(lang)),
    }
}

fn list(lang: Lang) -> String {
    let known = codes().into_iter().filter_map(|code| explain(lang, code).map(|told| (code, told)));
    known.map(|(code, told)| format!("{code}  {}\n", told.message)).collect()
}

fn one(code: &str, lang: Lang) -> Result<String, Failure> {
    // As copied from a message: `[w101]`; or only the digits.
    let wanted = code.trim().trim_matches(['[', ']']).to_uppercase();
    let wanted = if wanted.starts_with(['W', 'C']) { wanted } else { format!("W{wanted}") };
    let Some(told) = explain(lang, &wanted) else {
        let failure = Failure::usage("W130").set("code", code);
        return Err(match nearest(&wanted) {
            Some(name) => failure.tell("did-you-mean", Args::new().set("name", name)),
            None => failure,
        });
    };
    let line = |key, told: String| text(lang, key, &Args::new().set("text", told));
    Ok(format!("{wanted}  {}\n{}\n{}\n", told.message, line("cause", told.cause), line("fix", told.fix)))
}

/// The code with the most characters in the same places; letters that look like digits are read as those.
fn nearest(wanted: &str) -> Option<&'static str> {
    let digit = |(i, c): (usize, char)| match c {
        'O' if i > 0 => '0',
        'I' | 'L' if i > 0 => '1',
        c => c,
    };
    let wanted: Vec<char> = wanted.chars().enumerate().map(digit).collect();
    let alike = |code: &str| code.chars().zip(&wanted).filter(|(a, b)| a == *b).count();
    // Of equals the lowest.
    codes().into_iter().rev().max_by_key(|code| alike(code)).filter(|code| alike(code) > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_as_people_write_them() {
        let whole = one("W101", Lang::En).expect("known");
        assert!(whole.contains("cause: ") && whole.contains("fix: "), "{whole}");
        for code in ["w101", "[W101]", "101", " W101 "] {
            assert_eq!(one(code, Lang::En).expect("known"), whole, "{code}");
        }
        let told = one("W1O1", Lang::Zh).expect_err("an O is no zero").render(Lang::Zh, false);
        assert!(told.contains("[W130]") && told.contains("W101"), "{told}");
    }

    #[test]
    fn codes_of_configuration_files_are_explained_too() {
        let told = one("c005", Lang::Zh).expect("known");
        assert!(told.starts_with("C005") && told.contains("类型"), "{told}");
    }

    #[test]
    fn the_list_has_every_code() {
        assert_eq!(list(Lang::Zh).lines().count(), codes().len());
    }
}
