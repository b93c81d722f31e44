//! What a line means.

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
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
    /// No such command, or one that lacks its argument.
    Wrong(String),
}

pub(crate) const HELP: &str = "\
Write a line, and the bot reads it. Commands:
  /as NAME      speak as NAME
  /room TOPIC   speak in the room TOPIC; /room alone: one to one again
  /image FILE   send a picture
  /who          who is there
  /help         this text
A line that begins with // is a message that begins with /. In a message ⏎ is a line break. End with Ctrl-D or Ctrl-C.";

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
        ("as", None) => Line::Wrong("/as needs a name: /as Alice".to_owned()),
        ("image", None) => Line::Wrong("/image needs a file: /image cat.png".to_owned()),
        _ => Line::Wrong(format!("there is no command /{name}; /help lists them (a message may begin with //)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        assert_eq!(parse("ding\r\n"), Line::Say("ding"));
        assert_eq!(parse("//etc"), Line::Say("/etc"));
        assert_eq!(parse("/as  Alice Liddell "), Line::As("Alice Liddell"));
        assert_eq!(parse("/room"), Line::Room(None));
        assert_eq!(parse("  \n"), Line::Empty);
        assert!(matches!(parse("/dance"), Line::Wrong(_)));
        assert!(matches!(parse("/image"), Line::Wrong(_)));
    }
}
