//! SEND: what is said, in the platform's kinds of messages.

use reqwest::Method;
use serde_json::{Value, json};
use wechaty_puppet::{
    Capability, Card, ConversationId, FileBox, Mention, MessageId, Outgoing, PostContent, PostPayload, PuppetError,
    Result, SayablePayload, Sent, TextPayload, UrlLinkPayload,
};

use crate::{
    BUTTON_LIMIT, CARD_LIMIT, PLATFORM, TEXT_LIMIT,
    api::{seg, with_query},
    codes::about,
    convert::{
        card::{of_card, of_menu},
        post::content as post,
        text::{has_tags, lines, parts, tagged},
    },
    json::{list, some, text, time},
    media::{Upload, file_type, is_picture},
    puppet::Inner,
};

/// The platform does not know this form of pictures.
const NO_PICTURE: &str = "234011";
/// Most messages that become one.
const MERGED: usize = 100;

/// What a message is sent as: the platform's name of the kind, and its content.
pub(crate) type Content = (&'static str, Value);

/// Which kind of id somebody is named by.
fn id_type(to: &ConversationId) -> &'static str {
    let id = to.as_str();
    match to {
        ConversationId::Room(_) => "chat_id",
        ConversationId::Contact(_) if id.starts_with("ou_") => "open_id",
        ConversationId::Contact(_) if id.starts_with("oc_") => "chat_id",
        ConversationId::Contact(_) if id.starts_with("on_") => "union_id",
        ConversationId::Contact(_) if id.contains('@') => "email",
        ConversationId::Contact(_) => "user_id",
    }
}

/// What a receiver is called in errors.
fn what(to: &ConversationId) -> &'static str {
    if to.room().is_some() { "room" } else { "contact" }
}

fn too_long(what: &'static str, limit: usize) -> PuppetError {
    PuppetError::Invalid { what, reason: format!("it is longer than the {limit} bytes that Lark takes of it") }
}

impl Inner {
    pub(crate) async fn send(&self, out: &Outgoing) -> Result<Sent> {
        // Nothing is uploaded for somebody who is not logged in.
        self.me()?;
        if let SayablePayload::Forward(forward) = &*out.what {
            return self.forward(out, &forward.message_id).await;
        }
        if let SayablePayload::Post(post) = &*out.what
            && let PostContent::Server { sayable_list, .. } = &post.content
        {
            return self.merge(out, sayable_list).await;
        }
        let content = self.content(&out.what).await?;
        self.post(out, content).await
    }

    /// Sends a message, or answers one with it.
    pub(crate) async fn post(&self, out: &Outgoing, (kind, content): Content) -> Result<Sent> {
        let content = content.to_string();
        check(kind, &content)?;
        let mut body = json!({ "msg_type": kind, "content": content, "uuid": out.key.to_string() });
        let to = out.to.as_str();
        // An answer goes where the message is that it answers: one from elsewhere is not answered, the words go where they belong.
        let quote = out.quote.as_ref().filter(|quote| !self.is_elsewhere(quote, &out.to));
        let sent = match quote {
            Some(quote) => {
                let path = format!("im/v1/messages/{}/reply", seg(quote.as_str()));
                self.api
                    .call(about("answering a message", "message", quote.as_str()), Method::POST, &path, Some(&body))
                    .await?
            }
            None => {
                body["receive_id"] = to.into();
                let path = with_query("im/v1/messages", &[("receive_id_type", id_type(&out.to))]);
                self.api.call(about("sending a message", what(&out.to), to), Method::POST, &path, Some(&body)).await?
            }
        };
        // Only of what goes to somebody it is sure with whom the chat is.
        self.sent(Some(&out.to).filter(|_| quote.is_none()), &sent)
    }

    async fn forward(&self, out: &Outgoing, id: &MessageId) -> Result<Sent> {
        let key = out.key.to_string();
        let query = [("receive_id_type", id_type(&out.to)), ("uuid", &*key)];
        let path = with_query(&format!("im/v1/messages/{}/forward", seg(id.as_str())), &query);
        let body = json!({ "receive_id": out.to.as_str() });
        let ask = about("forwarding a message", "message", id.as_str());
        let sent = self.api.call(ask, Method::POST, &path, Some(&body)).await?;
        self.sent(Some(&out.to), &sent)
    }

    /// Messages of one chat as one that holds them: a post that is on the platform already consists of such.
    async fn merge(&self, out: &Outgoing, ids: &[MessageId]) -> Result<Sent> {
        if ids.is_empty() || ids.len() > MERGED {
            let reason = format!("1 to {MERGED} messages are one, not {}", ids.len());
            return Err(PuppetError::Invalid { what: "post", reason });
        }
        let key = out.key.to_string();
        let ids: Vec<_> = ids.iter().map(MessageId::as_str).collect();
        let body = json!({ "receive_id": out.to.as_str(), "message_id_list": ids });
        let query = [("receive_id_type", id_type(&out.to)), ("uuid", &*key)];
        let path = with_query("im/v1/messages/merge_forward", &query);
        let sent =
            self.api.call(about("merging messages", "message", ids[0]), Method::POST, &path, Some(&body)).await?;
        let left_out: Vec<_> = list(&sent, "invalid_message_id_list").iter().filter_map(Value::as_str).collect();
        if !left_out.is_empty() {
            tracing::warn!(messages = ?left_out, "the platform has merged the others: these are gone, or the bot cannot see them");
        }
        self.sent(Some(&out.to), sent.get("message").unwrap_or(&sent))
    }

    /// What the platform says of a message it took; `to`: where it is for sure.
    fn sent(&self, to: Option<&ConversationId>, sent: &Value) -> Result<Sent> {
        let Some(id) = some(sent, "message_id") else {
            let detail = "it holds no message_id".into();
            return Err(PuppetError::Protocol { context: "sending a message", detail });
        };
        let chat = text(sent, "chat_id");
        if let Some(to) = to {
            self.learn(chat, to.contact().filter(|contact| contact.as_str() != chat));
        }
        self.places.put(id, chat);
        let mut done = Sent::new(id.into());
        done.timestamp = some(sent, "create_time").map(|_| time(sent, "create_time"));
        Ok(done)
    }

    /// What is said, as the platform takes it; files go up.
    pub(crate) async fn content(&self, what: &SayablePayload) -> Result<Content> {
        Ok(match what {
            SayablePayload::Text(said) => self.text(said)?,
            SayablePayload::Markdown(said) => self.markdown(said)?,
            SayablePayload::Image(file) if is_picture(&file.file) => {
                match self.upload(&file.file, Upload::Image).await {
                    Ok(key) => ("image", json!({ "image_key": key })),
                    // A form of pictures that Lark does not know is a file.
                    Err(PuppetError::Rejected { code, .. }) if code == NO_PICTURE && file.file.is_repeatable() => {
                        self.file("file", &file.file).await?
                    }
                    Err(other) => return Err(other),
                }
            }
            SayablePayload::Image(file) | SayablePayload::Attachment(file) => self.file("file", &file.file).await?,
            SayablePayload::Audio(file) => {
                // Only Opus is a voice message; other sounds are files, which clients play.
                let kind = if file_type(&file.file) == "opus" { "audio" } else { "file" };
                self.file(kind, &file.file).await?
            }
            SayablePayload::Video(file) => {
                let kind = if file_type(&file.file) == "mp4" { "media" } else { "file" };
                self.file(kind, &file.file).await?
            }
            // A sticker that was received has its key; none can be made.
            SayablePayload::Emoticon(file) => match file.file.metadata().get(STICKER).and_then(Value::as_str) {
                Some(key) => ("sticker", json!({ "file_key": key })),
                None => return Err(PuppetError::unsupported(PLATFORM, Capability::SendEmoticon)),
            },
            // A room has a card as people have.
            SayablePayload::Contact(card) if card.contact_id.as_str().starts_with("oc_") => {
                ("share_chat", json!({ "chat_id": card.contact_id.as_str() }))
            }
            SayablePayload::Contact(card) => ("share_user", json!({ "user_id": card.contact_id.as_str() })),
            SayablePayload::Url(link) => ("post", of_link(link)),
            SayablePayload::Post(said) => ("post", self.of_post(said).await?),
            SayablePayload::Card(card) => ("interactive", self.card(card).await?),
            SayablePayload::Menu(menu) => {
                buttons(menu.items.len())?;
                ("interactive", of_menu(menu))
            }
            other => return Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
        })
    }

    fn text(&self, said: &TextPayload) -> Result<Content> {
        if said.text.is_empty() {
            return Err(PuppetError::Invalid { what: "text", reason: "it is empty, which Lark does not take".into() });
        }
        if said.text.len() > TEXT_LIMIT {
            return Err(too_long("text", TEXT_LIMIT));
        }
        let parts = parts(&said.text, &said.mentions, |id| self.names.get(id));
        // As a text, tags in it would be read; a post shows them.
        if has_tags(&said.text) {
            let content = post("", &lines(&parts));
            if content.to_string().len() < CARD_LIMIT {
                return Ok(("post", content));
            }
        }
        Ok(("text", json!({ "text": tagged(&parts) })))
    }

    fn markdown(&self, said: &TextPayload) -> Result<Content> {
        let parts = parts(&said.text, &said.mentions, |id| self.names.get(id));
        let words = tagged(&parts);
        if words.trim().is_empty() {
            return Err(PuppetError::Invalid { what: "text", reason: "it is empty, which Lark does not take".into() });
        }
        let content = post("", &[vec![json!({ "tag": "md", "text": words })]]);
        // What a post does not hold comes without its form, but whole.
        if content.to_string().len() < CARD_LIMIT { Ok(("post", content)) } else { self.text(said) }
    }

    async fn file(&self, kind: &'static str, file: &FileBox) -> Result<Content> {
        let key =
            self.upload(file, Upload::File(if kind == "file" { plain_type(file) } else { file_type(file) })).await?;
        Ok((kind, json!({ "file_key": key })))
    }

    pub(crate) async fn card(&self, card: &Card) -> Result<Value> {
        buttons(card.buttons.len())?;
        let image = match &card.image {
            Some(image) => Some(self.upload(image, Upload::Image).await?),
            None => None,
        };
        Ok(of_card(card, image.as_deref()))
    }

    async fn of_post(&self, said: &PostPayload) -> Result<Value> {
        let PostContent::Client { sayable_list } = &said.content else {
            let reason = "a message does not become one that merges others".into();
            return Err(PuppetError::Invalid { what: "post", reason });
        };
        let mut all = Vec::new();
        for part in sayable_list {
            match part {
                SayablePayload::Text(said) => {
                    all.extend(lines(&parts(&said.text, &said.mentions, |id| self.names.get(id))));
                }
                SayablePayload::Markdown(said) => {
                    let words = tagged(&parts(&said.text, &said.mentions, |id| self.names.get(id)));
                    all.push(vec![json!({ "tag": "md", "text": words })]);
                }
                SayablePayload::Image(file) => {
                    let key = self.upload(&file.file, Upload::Image).await?;
                    all.push(vec![json!({ "tag": "img", "image_key": key })]);
                }
                SayablePayload::Video(file) if file_type(&file.file) == "mp4" => {
                    let key = self.upload(&file.file, Upload::File("mp4")).await?;
                    all.push(vec![json!({ "tag": "media", "file_key": key })]);
                }
                SayablePayload::Url(link) => all.push(vec![anchor(link)]),
                other => all.extend(lines(&parts(&other.fallback_text(), NOBODY, |_| None))),
            }
        }
        if all.iter().all(Vec::is_empty) {
            return Err(PuppetError::Invalid { what: "post", reason: "it is empty, which Lark does not take".into() });
        }
        Ok(post("", &all))
    }
}

const NOBODY: &[Mention] = &[];

/// Under which name a received sticker has its key.
pub(crate) const STICKER: &str = "larkStickerKey";

/// A film or a voice that is sent as a file is one.
fn plain_type(file: &FileBox) -> &'static str {
    match file_type(file) {
        "mp4" | "opus" => "stream",
        other => other,
    }
}

fn anchor(link: &UrlLinkPayload) -> Value {
    let words = if link.title.is_empty() { &link.url } else { &link.title };
    json!({ "tag": "a", "text": words, "href": link.url })
}

fn of_link(link: &UrlLinkPayload) -> Value {
    let mut lines = vec![vec![anchor(link)]];
    lines.extend(link.description.iter().map(|words| vec![json!({ "tag": "text", "text": words })]));
    post("", &lines)
}

fn buttons(count: usize) -> Result<()> {
    if count <= BUTTON_LIMIT {
        return Ok(());
    }
    Err(PuppetError::Invalid { what: "buttons", reason: format!("{count} are too many: {BUTTON_LIMIT} are the most") })
}

/// Whether the platform takes content of this length.
pub(crate) fn check(kind: &str, content: &str) -> Result<()> {
    match kind {
        "post" if content.len() > CARD_LIMIT => Err(too_long("post", CARD_LIMIT)),
        "interactive" if content.len() > CARD_LIMIT => Err(too_long("card", CARD_LIMIT)),
        // The request holds it as text in JSON, with its own signs before quotes and lines.
        "text" if Value::from(content).to_string().len() > 149 << 10 => Err(too_long("text", 149 << 10)),
        _ => Ok(()),
    }
}
