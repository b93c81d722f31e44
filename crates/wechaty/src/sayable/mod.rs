//! SAYABLE: whatever a bot may say becomes a payload here.

use wechaty_types::{
    Card, ContactCard, FileBox, ForwardPayload, LocationPayload, Menu, MiniProgramPayload, PostPayload, SayablePayload,
    UrlLinkPayload,
};

use crate::user::{Contact, Delay, Location, Message, MiniProgram, Post, UrlLink};

/// What is said, ready for the outbox. Wechaty's `Sayable`.
///
/// A [`Delay`] is one too: nothing is said then, the say waits. Its payload is an empty text.
#[derive(Clone, Debug)]
pub struct Sayable(pub(crate) SayablePayload, pub(crate) Option<Delay>);

impl Sayable {
    /// The payload.
    pub fn payload(&self) -> &SayablePayload {
        &self.0
    }
    /// The payload, taken out.
    pub fn into_payload(self) -> SayablePayload {
        self.0
    }
    /// CommonMark text; platforms without it get it as plain text.
    pub fn markdown(text: impl Into<String>) -> Self {
        SayablePayload::Markdown(wechaty_types::TextPayload { text: text.into(), mentions: Vec::new() }).into_sayable()
    }
}

/// Everything that can be said: texts, numbers, files, contacts, messages (forwarded), links, mini programs, places,
/// posts, cards, menus and payloads; and a [`Delay`], which waits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be said",
    note = "say text, a number, a FileBox, Contact, Message, UrlLink, MiniProgram, Location, Post, Card, Menu or Delay"
)]
pub trait IntoSayable {
    /// The sayable.
    fn into_sayable(self) -> Sayable;
}

macro_rules! sayables {
    ($($type:ty, $value:ident => $payload:expr;)*) => {$(
        impl IntoSayable for $type {
            fn into_sayable(self) -> Sayable {
                let $value = self;
                Sayable($payload, None)
            }
        }
    )*};
}

impl IntoSayable for Sayable {
    fn into_sayable(self) -> Sayable {
        self
    }
}

impl IntoSayable for Delay {
    fn into_sayable(self) -> Sayable {
        Sayable(SayablePayload::text(""), Some(self))
    }
}

sayables! {
    SayablePayload, payload => payload;
    &str, text => SayablePayload::text(text);
    String, text => SayablePayload::text(text);
    &String, text => SayablePayload::text(text.as_str());
    std::borrow::Cow<'_, str>, text => SayablePayload::text(text);
    char, c => SayablePayload::text(c);
    i32, number => SayablePayload::text(number.to_string());
    i64, number => SayablePayload::text(number.to_string());
    u32, number => SayablePayload::text(number.to_string());
    u64, number => SayablePayload::text(number.to_string());
    usize, number => SayablePayload::text(number.to_string());
    f64, number => SayablePayload::text(number.to_string());
    FileBox, file => SayablePayload::file(file);
    &Contact, contact => SayablePayload::Contact(ContactCard { contact_id: contact.id().clone() });
    Contact, contact => SayablePayload::Contact(ContactCard { contact_id: contact.id().clone() });
    &Message, message => SayablePayload::Forward(ForwardPayload { message_id: message.id().clone() });
    Message, message => SayablePayload::Forward(ForwardPayload { message_id: message.id().clone() });
    UrlLink, link => SayablePayload::Url(link.into_payload());
    UrlLinkPayload, link => SayablePayload::Url(link);
    MiniProgram, program => SayablePayload::MiniProgram(program.into_payload());
    MiniProgramPayload, program => SayablePayload::MiniProgram(program);
    Location, place => SayablePayload::Location(place.into_payload());
    LocationPayload, place => SayablePayload::Location(place);
    Post, post => SayablePayload::Post(Box::new(post.payload().clone()));
    PostPayload, post => SayablePayload::Post(Box::new(post));
    Card, card => SayablePayload::Card(Box::new(card));
    Menu, menu => SayablePayload::Menu(menu);
}
