//! WHO IS ASKING: what the SDK on the other side can read, as far as its user agent tells.

use wechaty_types::{ContactGender, ContactType, FriendshipSceneType, FriendshipType, MessageType};

/// The SDK on the other side. Nothing in the protocol names it; the user agent does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Ours: reads everything.
    Rust,
    /// `wechaty-puppet-service` 1.x: the contract 1.5.
    TypeScript,
    /// `go-wechaty`: the contract 1.5, strict about the JSON of files.
    Go,
    /// `wechaty` of PyPI, by the library it uses: the contract 0.20.
    Python,
    /// `java-wechaty`: the contract 0.16; an event with a key it does not know is lost.
    Java,
    /// Somebody else: gets what every generation can read.
    #[default]
    Unknown,
}

impl Dialect {
    /// What our own client puts before the name of its library.
    pub const OWN_USER_AGENT: &str = "wechaty-rust/";

    /// By the user agent, which may name more than one product.
    pub fn of_user_agent(user_agent: Option<&str>) -> Self {
        const KNOWN: [(&str, Dialect); 5] = [
            (Dialect::OWN_USER_AGENT, Dialect::Rust),
            ("grpc-node-js/", Dialect::TypeScript),
            ("grpc-go/", Dialect::Go),
            ("grpc-python-grpclib/", Dialect::Python),
            ("grpc-java-", Dialect::Java),
        ];
        let products = user_agent.unwrap_or_default().split_ascii_whitespace();
        let known = |product: &str| KNOWN.iter().find(|(start, _)| product.starts_with(start)).map(|(_, d)| *d);
        products.filter_map(known).next().unwrap_or_default()
    }

    /// Whether it reads Uuid boxes and knows `Upload` and `Download`; the others get files inline.
    pub const fn knows_uuid(self) -> bool {
        matches!(self, Self::Rust | Self::TypeScript | Self::Go)
    }

    /// Whether headers of a URL box must be lists of texts; elsewhere they must be texts.
    pub(crate) const fn lists_headers(self) -> bool {
        matches!(self, Self::Go)
    }

    /// Whether a number that is not in its enums ends in an exception.
    const fn closed_enums(self) -> bool {
        matches!(self, Self::Python | Self::Java)
    }

    /// The number of a message type that this client understands as that type.
    ///
    /// Markdown is text to whom has never heard of it. What a client would throw at is Unknown to it.
    pub fn message_type(self, kind: MessageType) -> i32 {
        let kind = if kind == MessageType::Markdown && self != Self::Rust { MessageType::Text } else { kind };
        let number = kind.number();
        match self {
            // A table of 16.
            Self::Python if !(0..16).contains(&number) => 0,
            // Its table knows no group notes, so everything behind them is one lower.
            Self::Java => match number {
                0..=9 => number,
                11..=15 => number - 1,
                _ => 0,
            },
            _ => number,
        }
    }

    /// The number of a contact type that this client takes.
    pub fn contact_type(self, kind: ContactType) -> i32 {
        match (self, kind) {
            (Self::Rust, kind) => kind.number(),
            // Java throws at companies' people; they are people.
            (Self::Java, ContactType::Corporation) => ContactType::Individual.number(),
            (_, ContactType::Application | ContactType::Other(_)) => 0,
            (_, kind) => kind.number(),
        }
    }

    /// The number of a gender that this client takes.
    pub fn contact_gender(self, gender: ContactGender) -> i32 {
        self.listed(gender.number(), !matches!(gender, ContactGender::Other(_)))
    }

    /// The number of a kind of friendship that this client takes.
    pub fn friendship_type(self, kind: FriendshipType) -> i32 {
        if self == Self::Rust || (0..4).contains(&kind.number()) { kind.number() } else { 0 }
    }

    /// The number of a scene that this client takes.
    pub fn friendship_scene(self, scene: FriendshipSceneType) -> i32 {
        self.listed(scene.number(), !matches!(scene, FriendshipSceneType::Other(_)))
    }

    const fn listed(self, number: i32, listed: bool) -> i32 {
        if listed || !self.closed_enums() { number } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_their_user_agents() {
        for (agent, dialect) in [
            ("grpc-node-js/1.7.3", Dialect::TypeScript),
            ("my-bot/2 grpc-node-js/1.10.0", Dialect::TypeScript),
            ("grpc-python-grpclib/0.4.3 (linux; cpython/3.11.9)", Dialect::Python),
            ("grpc-java-netty/1.29.0", Dialect::Java),
            ("grpc-go/1.45.0", Dialect::Go),
            ("wechaty-rust/0.1.0 tonic/0.14.9", Dialect::Rust),
            ("grpc-python/1.62.0 grpc-c/39.0.0 (linux; chttp2)", Dialect::Unknown),
            ("tonic/0.4.3", Dialect::Unknown),
            ("", Dialect::Unknown),
        ] {
            assert_eq!(Dialect::of_user_agent(Some(agent)), dialect, "{agent}");
        }
        assert_eq!(Dialect::of_user_agent(None), Dialect::Unknown);
    }

    #[test]
    fn message_types_are_what_each_client_takes_them_for() {
        for (kind, typescript, python, java) in [
            (MessageType::Text, 7, 7, 7),
            (MessageType::MiniProgram, 9, 9, 9),
            (MessageType::GroupNote, 10, 10, 0),
            (MessageType::Transfer, 11, 11, 10),
            (MessageType::Url, 14, 14, 13),
            (MessageType::Video, 15, 15, 14),
            (MessageType::Post, 16, 0, 0),
            (MessageType::Markdown, 7, 7, 7),
            (MessageType::Other(-5), -5, 0, 0),
        ] {
            let seen = [Dialect::TypeScript, Dialect::Python, Dialect::Java].map(|d| d.message_type(kind));
            assert_eq!(seen, [typescript, python, java], "{kind}");
            assert_eq!(Dialect::Rust.message_type(kind), kind.number());
        }
    }

    #[test]
    fn clients_get_no_number_that_they_throw_at() {
        assert_eq!(Dialect::Java.contact_type(ContactType::Corporation), 1);
        assert_eq!(Dialect::TypeScript.contact_type(ContactType::Corporation), 3);
        assert_eq!(Dialect::Go.contact_type(ContactType::Application), 0);
        assert_eq!(Dialect::Python.contact_gender(ContactGender::Other(9)), 0);
        assert_eq!(Dialect::Go.friendship_scene(FriendshipSceneType::Other(99)), 99);
        assert_eq!(Dialect::Java.friendship_scene(FriendshipSceneType::Other(99)), 0);
        assert_eq!(Dialect::TypeScript.friendship_type(FriendshipType::Removed), 0);
    }
}
