//! What a line means.

use wechaty_catalogue::Args;

/// A line of input.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// Ordinary input: a message.
    Say(&'a str),
    /// `/as NAME`: speak as somebody else.
    As(&'a str),
    /// `/room TOPIC`: speak in a room; without a topic, one to one again.
    Room(Option<&'a str>),
    /// `/image FILE`: send a picture.
    Image(&'a str),
    /// `/who`: who is there, and who am I.
    Who,
    /// `/help`.
    Help,
    /// Nothing.
    Empty,
    /// No such command, or one that lacks its argument: a key of the catalogue, and what it is filled with.
    Wrong(&'static str, Args),
}

/// Reads a line. Two slashes stand for one that is meant.
pub(crate) fn parse(line: &str) -> Line<'_> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        return Line::Empty;
    }
    if line.starts_with("//") {
        return Line::Say(&line[1..]);
    }
    let Some(command) = line.strip_prefix('/') else { return Line::Say(line) };
    let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    match (name, argument) {
        ("as", Some(name)) => Line::As(name),
        ("room", topic) => Line::Room(topic),
        ("image", Some(file)) => Line::Image(file),
        ("who", None) => Line::Who,
        ("help", None) => Line::Help,
        ("as", None) => Line::Wrong("terminal-as-whom", Args::new()),
        ("image", None) => Line::Wrong("terminal-which-image", Args::new()),
        _ => Line::Wrong("terminal-no-command", Args::new().set("name", name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        assert!(matches!(parse("ding\r\n"), Line::Say("ding")));
        assert!(matches!(parse("//etc"), Line::Say("/etc")));
        assert!(matches!(parse("/as  Alice Liddell "), Line::As("Alice Liddell")));
        assert!(matches!(parse("/room"), Line::Room(None)));
        assert!(matches!(parse("  \n"), Line::Empty));
        assert!(matches!(parse("/dance"), Line::Wrong(..)));
        assert!(matches!(parse("/image"), Line::Wrong(..)));
    }
}
