//! MARKDOWN: a card as CommonMark, for a platform that has no cards and shows that.

use wechaty_types::{Button, Card};

/// The card, with its buttons numbered as in its plain text; empty if there is nothing in it.
pub(super) fn of_card(card: &Card) -> String {
    let title = Some(line(&card.title)).filter(|title| !title.is_empty()).map(|title| format!("**{title}**"));
    let text = Some(card.text.clone()).filter(|text| !text.trim().is_empty());
    let image = card.image.as_ref().map(|image| line(&format!("[Image] {}", image.name())));
    let fields = card.fields.iter().map(|field| match line(&field.label) {
        label if label.is_empty() => line(&field.value),
        label => format!("**{label}** {}", line(&field.value)),
    });
    // Two spaces make an end of line one that is seen.
    let fields = fields.collect::<Vec<_>>().join("  \n");
    let sign = sign(&card.text);
    let buttons = card.buttons.iter().enumerate().map(|(at, button)| format!("{}{sign} {}", at + 1, label(button)));
    let buttons = buttons.collect::<Vec<_>>().join("\n");
    let rest = [fields, buttons].into_iter().filter(|block| !block.is_empty());
    title.into_iter().chain(text).chain(image).chain(rest).collect::<Vec<_>>().join("\n\n")
}

/// What stands behind the numbers: a list that the text ends with does not go on counting.
fn sign(text: &str) -> char {
    let number = |line: &str| {
        let behind = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let is_number = behind.len() < line.trim_start().len();
        behind.chars().next().filter(|sign| is_number && matches!(sign, '.' | ')'))
    };
    if text.lines().rev().find_map(number) == Some('.') { ')' } else { '.' }
}

fn label(button: &Button) -> String {
    let words = line(&button.text);
    let Some(url) = &button.url else { return words };
    let mut target = String::with_capacity(url.len());
    for c in url.chars() {
        // What ends the address of a link.
        match c {
            '(' => target.push_str("%28"),
            ')' => target.push_str("%29"),
            '<' => target.push_str("%3C"),
            '\\' => target.push_str("%5C"),
            c if c.is_whitespace() || c.is_control() => target.push_str("%20"),
            c => target.push(c),
        }
    }
    format!("[{words}]({target})")
}

/// Plain words in one line of CommonMark, read as they stand.
fn line(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(words.len());
    let mut signs = words.char_indices().peekable();
    while let Some((at, c)) = signs.next() {
        let next = signs.peek().map(|(_, next)| *next);
        let is_alone = next.is_none_or(|next| next == ' ' || next == c);
        let begins_a_block = match c {
            '>' | '|' => at == 0,
            '#' | '+' | '-' | '=' => at == 0 && is_alone,
            '.' | ')' => at == digits && at > 0 && is_alone,
            _ => false,
        };
        let begins_an_entity = c == '&' && next.is_some_and(|next| next == '#' || next.is_ascii_alphanumeric());
        if begins_a_block || begins_an_entity || "\\`*_[]<~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_its_parts_below_each_other_and_its_own_markup() {
        let card = Card::new("Your bill")
            .text("Thank **you**.")
            .field("Sum", "7 €")
            .field("", "paid")
            .button("ok", "OK")
            .link("More", "https://e.invalid/a_(b)?c=1&d=2");
        assert_eq!(
            of_card(&card),
            "**Your bill**\n\nThank **you**.\n\n**Sum** 7 €  \npaid\n\n1. OK\n2. [More](https://e.invalid/a_%28b%29?c=1&d=2)"
        );
        assert_eq!(of_card(&Card::default()), "");
    }

    #[test]
    fn plain_words_are_read_as_they_stand() {
        for (words, written) in [
            ("a*b*_c_ `d` [e](f) <g> ~h~ \\", "a\\*b\\*\\_c\\_ \\`d\\` \\[e\\](f) \\<g> \\~h\\~ \\\\"),
            ("# 1", "\\# 1"),
            ("- x - y", "\\- x - y"),
            ("-5 °C", "-5 °C"),
            ("--- -", "\\--- -"),
            ("2. Mai", "2\\. Mai"),
            ("3.50", "3.50"),
            ("Salt & Pepper", "Salt & Pepper"),
            ("&lt;", "\\&lt;"),
            (" two\nlines ", "two lines"),
            ("7 €", "7 €"),
        ] {
            assert_eq!(line(words), written);
        }
    }

    #[test]
    fn the_numbers_of_buttons_do_not_go_on_from_a_list_in_the_text() {
        let card = |text: &str| of_card(&Card::new("").text(text).button("a", "A").button("b", "B"));
        assert_eq!(card("1. one\n2. two"), "1. one\n2. two\n\n1) A\n2) B");
        assert_eq!(card("1) one"), "1) one\n\n1. A\n2. B");
        assert_eq!(card("12 o'clock. Tea?"), "12 o'clock. Tea?\n\n1. A\n2. B");
    }
}
