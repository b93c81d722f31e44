//! Reactions: the platform has names for its emoji, people have the emoji.

/// Names that have an emoji; all others are told by their name.
const NAMES: &[(&str, &str)] = &[
    ("👍", "THUMBSUP"),
    ("👎", "ThumbsDown"),
    ("❤️", "HEART"),
    ("👌", "OK"),
    ("😀", "SMILE"),
    ("😂", "LOL"),
    ("😮", "WOW"),
    ("😢", "CRY"),
    ("😡", "ANGRY"),
    ("👏", "APPLAUSE"),
    ("🙏", "THANKS"),
    ("💪", "MUSCLE"),
    ("🎉", "PARTY"),
    ("🔥", "Fire"),
    ("💯", "Hundred"),
    ("✅", "DONE"),
    ("👀", "GLANCE"),
    ("🌹", "ROSE"),
    ("😘", "KISS"),
    ("😎", "COOL"),
    ("🤔", "THINKING"),
    ("🎂", "CAKE"),
    ("🍺", "BEER"),
    ("☕", "Coffee"),
];

fn bare(emoji: &str) -> &str {
    emoji.trim_end_matches('\u{fe0f}')
}

/// The platform's name of an emoji; what is a name stays one.
pub(crate) fn name(reaction: &str) -> &str {
    NAMES.iter().find(|(emoji, _)| bare(emoji) == bare(reaction)).map_or(reaction, |(_, name)| name)
}

/// The emoji of a name, where there is one.
pub(crate) fn emoji(name: &str) -> &str {
    NAMES.iter().find(|(_, known)| *known == name).map_or(name, |(emoji, _)| emoji)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_comes_back_and_unknown_ones_stay() {
        for (sign, known) in NAMES {
            assert_eq!((name(sign), emoji(known)), (*known, *sign));
        }
        assert_eq!((name("❤"), name("Typing"), emoji("Typing")), ("HEART", "Typing", "Typing"));
    }
}
