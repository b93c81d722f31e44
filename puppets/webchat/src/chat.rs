//! CHAT: what visitors do with messages: say, send files, edit, recall, react, press, type.

use std::sync::Arc;

use serde::Serialize;
use wechaty_catalogue::Lang;
use wechaty_puppet::{
    ActionEvent, ContactId, ConversationId, Event, FileBox, MessageEditEvent, MessageId, MessageRecallEvent,
    ReactionEvent, Timestamp, WebhookResponse,
};

use crate::{
    BOT,
    book::Kept,
    limits,
    puppet::Inner,
    refusal::{Refusal, json_response},
    state::State,
    wire::{self, Body, Kind},
};

/// One call of a visitor who is known.
pub(crate) struct Call {
    pub(crate) inner: Arc<Inner>,
    pub(crate) me: ContactId,
    pub(crate) lang: Lang,
    pub(crate) now: Timestamp,
}

/// What is said, with what belongs to it.
pub(crate) struct Said<'a> {
    pub(crate) conversation: &'a str,
    pub(crate) quote: Option<&'a str>,
    pub(crate) mentions: &'a [String],
    pub(crate) nonce: &'a str,
}

/// A file as it came.
pub(crate) struct Upload<'a> {
    pub(crate) name: &'a str,
    pub(crate) media: &'a str,
    pub(crate) bytes: wechaty_puppet::Bytes,
}

pub(crate) type Guard = tokio::sync::OwnedMutexGuard<()>;

pub(crate) fn answer(data: &impl Serialize) -> Result<WebhookResponse, Refusal> {
    Ok(json_response(200, serde_json::to_vec(data).map_err(|_| Refusal::Request)?))
}

pub(crate) fn done() -> WebhookResponse {
    json_response(200, b"{}".to_vec())
}

impl Call {
    /// What is done in a conversation is done one after the other, in the order in which it came.
    pub(crate) async fn turn(&self, to: &ConversationId) -> Result<Guard, Refusal> {
        let turn = {
            let state = self.inner.state.lock();
            match to {
                ConversationId::Contact(id) => state.visitors.get(id).map(|visitor| visitor.turn.clone()),
                ConversationId::Room(id) => state.rooms.get(id).map(|room| room.turn.clone()),
            }
        };
        Ok(turn.ok_or(Refusal::Conversation)?.lock_owned().await)
    }

    /// Refuses who is too fast.
    pub(crate) fn pace(&self) -> Result<(), Refusal> {
        let mut state = self.inner.state.lock();
        let visitor = state.visitors.get_mut(&self.me).ok_or(Refusal::Visitor)?;
        visitor.pace.take(self.now).map_err(Refusal::TooFast)
    }

    pub(crate) fn place(&self, conversation: &str) -> Result<ConversationId, Refusal> {
        self.inner.state.lock().place(&self.me, conversation).ok_or(Refusal::Conversation)
    }

    /// A message this visitor can see.
    fn seen(&self, state: &State, id: &MessageId) -> Result<Kept, Refusal> {
        self.inside(state, state.book.get(id))
    }

    fn inside(&self, state: &State, kept: Option<&Kept>) -> Result<Kept, Refusal> {
        let kept = kept.filter(|kept| kept.note.is_none()).ok_or(Refusal::Gone)?;
        let inside = match &kept.to {
            ConversationId::Contact(id) => *id == self.me,
            ConversationId::Room(id) => state.rooms.get(id).is_some_and(|room| room.members.contains(&self.me)),
        };
        if inside { Ok(kept.clone()) } else { Err(Refusal::Gone) }
    }

    /// The turn of the conversation a message is in, and the message as it is then.
    async fn turn_of(&self, id: &str) -> Result<(Guard, Kept), Refusal> {
        let id = MessageId::new(id);
        let to = {
            let state = self.inner.state.lock();
            // One that is being accepted will be there when its turn is over.
            self.inside(&state, state.book.known(&id))?.to
        };
        let turn = self.turn(&to).await?;
        let kept = self.seen(&self.inner.state.lock(), &id)?;
        if kept.recalled { Err(Refusal::Gone) } else { Ok((turn, kept)) }
    }

    /// `POST say`.
    pub(crate) async fn say(self, say: &wire::Say) -> Result<WebhookResponse, Refusal> {
        if !limits::is_text(&say.text) {
            return Err(Refusal::Text);
        }
        let said = Said {
            conversation: &say.conversation,
            quote: say.quote.as_deref(),
            mentions: &say.mentions,
            nonce: &say.nonce,
        };
        self.enter_message(said, |_, kept| {
            kept.body = Body { kind: Kind::Text, text: Some(say.text.clone()), ..Body::default() };
        })
        .await
    }

    /// `POST file`.
    pub(crate) async fn file(self, said: Said<'_>, upload: Upload<'_>) -> Result<WebhookResponse, Refusal> {
        // The box knows what of a name is a name.
        let file = FileBox::from_bytes(upload.bytes.clone(), upload.name);
        let claimed = upload.media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let kind = match claimed.as_str() {
            "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Kind::Image,
            other if other.starts_with("audio/") => Kind::Audio,
            other if other.starts_with("video/") => Kind::Video,
            _ => Kind::File,
        };
        self.enter_message(said, move |state, kept| {
            let token = state.files.keep(upload.bytes, file.name(), &claimed, Some(&kept.talker));
            kept.body = Body { kind, file: state.files.wire(&token), ..Body::default() };
            kept.file = Some(token);
        })
        .await
    }

    /// A message of a visitor: made, accepted by the bot, told to everybody. The same nonce again is the same message.
    async fn enter_message(
        self,
        said: Said<'_>,
        fill: impl FnOnce(&mut State, &mut Kept),
    ) -> Result<WebhookResponse, Refusal> {
        if said.nonce.is_empty() || said.nonce.len() > limits::NONCE || said.mentions.len() > limits::MENTIONS {
            return Err(Refusal::Request);
        }
        let to = self.place(said.conversation)?;
        let turn = self.turn(&to).await?;
        let kept = {
            let mut state = self.inner.state.lock();
            let visitor = state.visitors.get(&self.me).ok_or(Refusal::Visitor)?;
            let given = visitor.nonce(said.nonce).cloned();
            if let Some(kept) = given.as_ref().and_then(|id| state.book.get(id)) {
                return answer(&kept.view(&self.me, self.lang));
            }
            let quote = said.quote.map(|id| self.quote(&state, &to, id)).transpose()?;
            let mentions = mentioned(&state, &to, said.mentions)?;
            let name = visitor.name.clone();
            let visitor = state.visitors.get_mut(&self.me).ok_or(Refusal::Visitor)?;
            visitor.pace.take(self.now).map_err(Refusal::TooFast)?;
            // What was refused keeps its id: should it have been stored all the same, the bot knows it again.
            let id = match given {
                Some(id) => id,
                None => MessageId::new(State::id('m', self.now)),
            };
            if let Some(visitor) = state.visitors.get_mut(&self.me)
                && visitor.nonce(said.nonce).is_none()
            {
                visitor.remember(said.nonce.to_owned(), id.clone());
            }
            let mut kept = Kept::new(id, to, self.me.clone(), name, self.now);
            (kept.quote, kept.mentions, kept.nonce) = (quote, mentions, Some(said.nonce.to_owned()));
            fill(&mut state, &mut kept);
            state.book.wait(kept.clone());
            kept
        };
        let event = Event::message(kept.payload());
        let (id, me, lang) = (kept.id, self.me, self.lang);
        self.inner
            .accepted(vec![event], move |state, accepted| {
                let _turn = turn;
                match (accepted, state.book.take_waiting(&id)) {
                    (Ok(()), Some(kept)) => state.publish(kept),
                    (Err(why), Some(kept)) => {
                        state.release(&kept);
                        return Err(why);
                    }
                    // The bot has answered it already, so it is told.
                    (_, None) => {}
                }
                answer(&state.book.get(&id).ok_or(Refusal::Gone)?.view(&me, lang))
            })
            .await
    }

    fn quote(&self, state: &State, to: &ConversationId, id: &str) -> Result<wire::Quote, Refusal> {
        let kept = self.seen(state, &MessageId::new(id))?;
        if kept.to == *to && !kept.recalled { Ok(kept.quoted()) } else { Err(Refusal::Gone) }
    }

    /// `POST edit`.
    pub(crate) async fn edit(self, edit: &wire::Edit) -> Result<WebhookResponse, Refusal> {
        if !limits::is_text(&edit.text) {
            return Err(Refusal::Text);
        }
        let (turn, kept) = self.turn_of(&edit.id).await?;
        if kept.talker != self.me {
            return Err(Refusal::NotYours);
        }
        if kept.body.kind != Kind::Text {
            return Err(Refusal::Request);
        }
        if kept.body.text.as_ref() == Some(&edit.text) {
            return answer(&kept.view(&self.me, self.lang));
        }
        self.pace()?;
        let number = self.inner.state.lock().next_number();
        let event = Event::new(MessageEditEvent {
            message_id: kept.id.clone(),
            conversation: kept.to,
            editor_id: Some(self.me.clone()),
            new_text: Some(edit.text.clone()),
            timestamp: self.now,
        });
        let (id, text, me, lang) = (kept.id, edit.text.clone(), self.me, self.lang);
        self.inner
            .accepted(vec![event.revision(number)], move |state, accepted| {
                let _turn = turn;
                accepted?;
                state.change(&id, |kept| (kept.body.text, kept.edited) = (Some(text), true));
                state.tell_message("edit", &id);
                state.requote(&id);
                answer(&state.book.get(&id).ok_or(Refusal::Gone)?.view(&me, lang))
            })
            .await
    }

    /// `POST recall`.
    pub(crate) async fn recall(self, id: &str) -> Result<WebhookResponse, Refusal> {
        let (turn, kept) = match self.turn_of(id).await {
            Ok(found) => found,
            Err(Refusal::Gone) if self.has_recalled(id) => return Ok(done()),
            Err(why) => return Err(why),
        };
        if kept.talker != self.me {
            return Err(Refusal::NotYours);
        }
        let event = Event::new(MessageRecallEvent {
            message_id: kept.id.clone(),
            conversation: kept.to,
            recaller_id: Some(self.me.clone()),
            timestamp: self.now,
        });
        let id = kept.id;
        self.inner
            .accepted(vec![event], move |state, accepted| {
                let _turn = turn;
                accepted?;
                state.recall(&id);
                Ok(done())
            })
            .await
    }

    /// Taking back twice is taking back.
    fn has_recalled(&self, id: &str) -> bool {
        let state = self.inner.state.lock();
        state.book.get(&MessageId::new(id)).is_some_and(|kept| kept.recalled && kept.talker == self.me)
    }

    /// `POST react`.
    pub(crate) async fn react(self, react: &wire::React) -> Result<WebhookResponse, Refusal> {
        let reaction = react.reaction.trim().to_owned();
        if reaction.is_empty() || reaction.len() > limits::REACTION || reaction.chars().any(char::is_control) {
            return Err(Refusal::Request);
        }
        let (turn, kept) = self.turn_of(&react.id).await?;
        let stands = kept.has_reaction(&self.me, &reaction);
        if stands == react.added {
            return Ok(done());
        }
        let is_new = kept.reactions.iter().all(|(other, _)| *other != reaction);
        if react.added && is_new && kept.reactions.len() >= limits::REACTIONS {
            return Err(Refusal::Reactions);
        }
        self.pace()?;
        let number = self.inner.state.lock().next_number();
        let (id, added, me) = (kept.id, react.added, self.me);
        let event = Event::new(ReactionEvent {
            message_id: id.clone(),
            conversation: kept.to,
            actor_id: me.clone(),
            reaction: reaction.clone(),
            added,
            timestamp: self.now,
        });
        self.inner
            .accepted(vec![event.revision(number)], move |state, accepted| {
                let _turn = turn;
                accepted?;
                state.react(&id, &me, &reaction, added);
                Ok(done())
            })
            .await
    }

    /// `POST action`: a button or a menu item that the message really has. Each chooses once; what is told twice is one
    /// choice, and an edit of the message asks anew.
    pub(crate) async fn action(self, action: &wire::Action) -> Result<WebhookResponse, Refusal> {
        if action.nonce.as_ref().is_some_and(|nonce| nonce.len() > limits::NONCE) {
            return Err(Refusal::Request);
        }
        let (turn, kept) = self.turn_of(&action.id).await?;
        let buttons = kept.body.card.iter().flat_map(|card| &card.buttons);
        let mut all = buttons.chain(kept.body.menu.iter().flat_map(|menu| &menu.items));
        if !all.any(|button| button.value.as_ref() == Some(&action.value)) {
            return Err(Refusal::Request);
        }
        match kept.chosen.get(&self.me) {
            Some(chosen) if *chosen == action.value => return Ok(done()),
            Some(_) => return Err(Refusal::Chosen),
            None => {}
        }
        self.pace()?;
        let press = match &action.nonce {
            Some(nonce) => format!("{} {} {nonce}", self.me, kept.id),
            None => State::id('p', self.now),
        };
        let (id, value, me) = (kept.id, action.value.clone(), self.me);
        let event = Event::new(ActionEvent {
            id: press,
            actor_id: me.clone(),
            conversation: kept.to,
            message_id: Some(id.clone()),
            value: value.clone(),
            timestamp: self.now,
        });
        self.inner
            .accepted(vec![event], move |state, accepted| {
                let _turn = turn;
                accepted?;
                state.choose(&id, me, value);
                Ok(done())
            })
            .await
    }

    /// `POST typing`: shown to the others of a room; the bot hears of what is said.
    pub(crate) fn typing(self, conversation: &str) -> Result<WebhookResponse, Refusal> {
        let to = self.place(conversation)?;
        let mut state = self.inner.state.lock();
        let visitor = state.visitors.get_mut(&self.me).ok_or(Refusal::Visitor)?;
        let due = visitor.typed.is_none_or(|last| self.now.since(last).as_secs() >= 2);
        if due && to.room().is_some() {
            visitor.typed = Some(self.now);
            state.typing(&to, &self.me, self.now);
        }
        Ok(done())
    }
}

/// Those of a conversation who are mentioned.
fn mentioned(state: &State, to: &ConversationId, ids: &[String]) -> Result<Vec<wire::Who>, Refusal> {
    let inside = |id: &ContactId| {
        id.as_str() == BOT
            || to.room().is_some_and(|room| state.rooms.get(room).is_some_and(|room| room.members.contains(id)))
    };
    let mut all: Vec<wire::Who> = Vec::new();
    for id in ids {
        let contact = ContactId::new(id.as_str());
        // Somebody may have left while it was written: the words stay.
        if all.iter().any(|who| who.id == *id) || !inside(&contact) {
            continue;
        }
        let name = state.name(&contact).ok_or(Refusal::Request)?;
        all.push(wire::Who { id: id.clone(), name });
    }
    Ok(all)
}
