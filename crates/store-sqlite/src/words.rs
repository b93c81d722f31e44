//! Words: text in the form that full-text search finds. SQLite's own tokenizers know no words inside Chinese sentences.
//!
//! Runs of Chinese, Japanese and Korean become their pairs of characters, each a word of its own, and the last
//! character alone: `课程表` is `课程 程表 表`. A question of two characters is then one word, a longer one a row of them.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Scripts that are written without spaces.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// A piece of a text: letters and digits of one kind of script.
enum Piece {
    Dense(Vec<char>),
    Word(String),
}

/// Compatibility forms (full width …) folded, in small letters, in pieces.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let folded = ComposingNormalizerBorrowed::new_nfkc().normalize_iter(text.chars());
    for c in folded.flat_map(char::to_lowercase) {
        match (pieces.last_mut(), c) {
            (Some(Piece::Dense(run)), c) if is_dense(c) => run.push(c),
            (_, c) if is_dense(c) => pieces.push(Piece::Dense(vec![c])),
            (Some(Piece::Word(word)), c) if c.is_alphanumeric() && !word.is_empty() => word.push(c),
            (_, c) if c.is_alphanumeric() => pieces.push(Piece::Word(c.to_string())),
            (Some(Piece::Word(word)), _) if word.is_empty() => {}
            _ => pieces.push(Piece::Word(String::new())),
        }
    }
    pieces
}

fn pairs(run: &[char]) -> impl Iterator<Item = String> {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// What is indexed for a text.
pub(crate) fn indexed(text: &str) -> String {
    let mut words = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Dense(run) => {
                words.extend(pairs(&run));
                words.extend(run.last().map(char::to_string));
            }
            Piece::Word(word) if !word.is_empty() => words.push(word),
            Piece::Word(_) => {}
        }
    }
    words.join(" ")
}

/// The question for the index; `None`: there is no word in it.
pub(crate) fn question(words: &str) -> Option<String> {
    let terms = pieces(words).into_iter().filter_map(|piece| match piece {
        Piece::Dense(run) if run.len() == 1 => Some(format!("\"{}\"*", run[0])),
        Piece::Dense(run) => Some(format!("\"{}\"", pairs(&run).collect::<Vec<_>>().join(" "))),
        Piece::Word(word) => (!word.is_empty()).then(|| format!("\"{word}\"*")),
    });
    let question = terms.collect::<Vec<_>>().join(" AND ");
    (!question.is_empty()).then_some(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_indexed_by_pairs_and_other_words_whole() {
        assert_eq!(indexed("明天的课程表。ＯＫ？"), "明天 天的 的课 课程 程表 表 ok");
        assert_eq!(indexed("Hello, world 3.14"), "hello world 3 14");
        assert_eq!(indexed("  ，。"), "");
    }

    #[test]
    fn questions_hold_no_operators() {
        assert_eq!(question("课表").as_deref(), Some("\"课表\""));
        assert_eq!(question("课").as_deref(), Some("\"课\"*"));
        assert_eq!(
            question("课程表 NOT a\" OR \"b").as_deref(),
            Some("\"课程 程表\" AND \"not\"* AND \"a\"* AND \"or\"* AND \"b\"*")
        );
        assert_eq!(question("\" * ( )"), None);
    }
}
