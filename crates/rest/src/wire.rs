//! WIRE: what clients write: the bodies of requests. Their schemas are checked before they are read.

use serde::{Deserialize, de::IgnoredAny};
use wechaty_types::{Button, CardField, LocationPayload, Menu, MiniProgramPayload, UrlLinkPayload};

/// To whom: a contact or a room, by id or by what it is called.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct To {
    /// A contact: its id, or its names.
    pub(crate) contact: Option<Who>,
    /// A room: its id, or its topic.
    pub(crate) room: Option<Which>,
}

/// A contact.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum Who {
    /// By its id.
    Id(#[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))] String),
    /// By what it is called: every part that is given must be exactly this.
    Names(Names),
}

/// What a contact is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Names {
    /// Its id.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) id: Option<String>,
    /// The name it chose.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) name: Option<String>,
    /// The name we gave.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) alias: Option<String>,
    /// Its public handle.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) handle: Option<String>,
}

/// A room.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum Which {
    /// By its id.
    Id(#[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))] String),
    /// By what it is called.
    Topic(Topics),
}

/// What a room is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Topics {
    /// Its id.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) id: Option<String>,
    /// Its topic.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) topic: Option<String>,
}

/// A file: uploaded before, inside of this JSON, behind an address, or a text as a QR code.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = [
    { "required": ["id"] }, { "required": ["base64"] }, { "required": ["url"] }, { "required": ["qrCode"] }
])))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct File {
    /// Id of an upload.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 64)))]
    pub(crate) id: Option<String>,
    /// Its bytes, in base64.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "byte")))]
    pub(crate) base64: Option<String>,
    /// Where it is: `http` or `https`, no private address.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "uri"), length(min = 1, max = 4096)))]
    pub(crate) url: Option<String>,
    /// The text of a QR code.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) qr_code: Option<String>,
    /// What it is called; its ending tells what it is.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255)))]
    pub(crate) name: Option<String>,
    /// What it is, if its name does not tell: `image/png`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), extend("pattern" = "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")))]
    pub(crate) media_type: Option<String>,
    /// As an upload answers; not looked at.
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    #[expect(dead_code, reason = "the answer of an upload may be pasted as it is")]
    pub(crate) size: Option<IgnoredAny>,
}

/// What is said: exactly one of these.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = false, "oneOf" = crate::openapi::one_content())))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    /// Words.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100_000)))]
    pub(crate) text: Option<String>,
    /// Words in CommonMark; a platform without it gets them as text.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100_000)))]
    pub(crate) markdown: Option<String>,
    /// A file, shown as what it is: a picture, a sound, a film, else an attachment.
    pub(crate) file: Option<File>,
    /// A file, shown as an attachment whatever it is.
    pub(crate) attachment: Option<File>,
    /// A picture.
    pub(crate) image: Option<File>,
    /// A sound.
    pub(crate) audio: Option<File>,
    /// A film.
    pub(crate) video: Option<File>,
    /// A sticker.
    pub(crate) emoticon: Option<File>,
    /// Somebody's card.
    pub(crate) contact: Option<Who>,
    /// A link with a preview.
    pub(crate) url: Option<UrlLinkPayload>,
    /// A place.
    pub(crate) location: Option<LocationPayload>,
    /// A WeChat mini program.
    pub(crate) mini_program: Option<MiniProgramPayload>,
    /// A post of several parts.
    pub(crate) post: Option<Post>,
    /// Title, text, picture, fields and buttons.
    pub(crate) card: Option<Card>,
    /// A question with choices.
    pub(crate) menu: Option<Menu>,
    /// A message by its id, said again.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) forward: Option<String>,
    /// A kind of a single platform, in its own JSON.
    pub(crate) other: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A card.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Card {
    /// Heading.
    pub(crate) title: String,
    /// CommonMark text below it.
    #[serde(default)]
    pub(crate) text: String,
    /// Picture.
    pub(crate) image: Option<File>,
    /// Label and value, one a row.
    #[serde(default)]
    pub(crate) fields: Vec<CardField>,
    /// What can be pressed.
    #[serde(default)]
    pub(crate) buttons: Vec<Button>,
}

/// A post to be published.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Post {
    /// 1 moment, 2 channel, 3 message; as in Wechaty. Default: 1.
    #[serde(rename = "type", default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub(crate) kind: Option<i32>,
    /// Its parts.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 32)))]
    pub(crate) parts: Vec<Content>,
    /// The post it answers.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) parent_id: Option<String>,
    /// The first post of the thread.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) root_id: Option<String>,
}

/// One thing to be said to somebody.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = false, "oneOf" = crate::openapi::one_content())))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Send {
    /// To whom.
    pub(crate) to: To,
    /// What.
    #[serde(flatten)]
    pub(crate) content: Content,
    /// Ids of contacts that a text mentions, or `@all`: their names are put in front.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = 100), inner(length(min = 1, max = 1024))))]
    pub(crate) mentions: Vec<String>,
    /// Id of a message to quote, where the platform can.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) quote: Option<String>,
    /// Not before this time, in milliseconds since 1970.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 253_402_300_799_999u64)))]
    pub(crate) at: Option<i64>,
    /// Not at all if it cannot be sent in so many seconds from when it is due.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31_536_000)))]
    pub(crate) expires_in: Option<u64>,
}

/// Several things to be said.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Batch {
    /// Each is said or refused by itself, also where it has another form than that of a send.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100), schema_with = "crate::openapi::batched"))]
    pub(crate) sends: Vec<serde_json::Value>,
}

/// A room to be made.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RoomNew {
    /// Who is in it beside us.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 500), inner(length(min = 1, max = 1024))))]
    pub(crate) contact_ids: Vec<String>,
    /// Its topic.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) topic: Option<String>,
}

/// Makes bodies with one member each.
macro_rules! one {
    ($($(#[$doc:meta])* $name:ident { $(#[$field:meta])* $member:ident: $type:ty })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(crate) struct $name {
            $(#[$field])*
            pub(crate) $member: $type,
        }
    )*};
}

one! {
    /// A topic to be set.
    TopicSet {
        /// The topic.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
        topic: String
    }
    /// A text to be set; empty clears it.
    TextSet {
        /// The text.
        #[cfg_attr(feature = "schema", schemars(length(max = 20_000)))]
        text: String
    }
    /// A name that we give; `null` or empty takes it away.
    AliasSet {
        /// The name.
        #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
        alias: Option<String>
    }
    /// Phone numbers that we note.
    PhoneSet {
        /// All of them.
        #[cfg_attr(feature = "schema", schemars(length(max = 32), inner(length(min = 1, max = 64))))]
        phones: Vec<String>
    }
    /// The company that we note; `null` or empty takes it away.
    CorporationSet {
        /// The company.
        #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
        corporation_remark: Option<String>
    }
    /// Our note; `null` or empty takes it away.
    DescriptionSet {
        /// The note.
        #[cfg_attr(feature = "schema", schemars(length(max = 4096)))]
        description: Option<String>
    }
    /// Our own words.
    SignatureSet {
        /// The words.
        #[cfg_attr(feature = "schema", schemars(length(max = 4096)))]
        signature: String
    }
    /// Whether a conversation has been read.
    ReadSet {
        /// Whether it has.
        has_read: bool
    }
    /// A ding.
    Ding {
        /// What comes back with the dong.
        #[cfg_attr(feature = "schema", schemars(length(max = 4096)))]
        data: Option<String>
    }
    /// Somebody's card to be sent.
    ContactSend {
        /// Whose.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
        contact_id: String
    }
}

/// A text to be sent to a conversation.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TextSend {
    /// The words.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100_000)))]
    pub(crate) text: String,
    /// Ids of contacts that it mentions, or `@all`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = 100), inner(length(min = 1, max = 1024))))]
    pub(crate) mention_ids: Vec<String>,
}

/// The answer to a question of a login.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginAnswer {
    /// The id of the verify-code event.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) id: String,
    /// The code; none gives the question up.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) code: Option<String>,
}

/// A friend request.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FriendNew {
    /// Words that go with it.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub(crate) hello: Option<String>,
    /// The room they were met in.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) room_id: Option<String>,
    /// Who recommended them.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))]
    pub(crate) recommender_id: Option<String>,
}
