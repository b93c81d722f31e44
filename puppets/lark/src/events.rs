//! EVENTS: what the platform tells, in the words of the contract.

use serde_json::Value;
use wechaty_puppet::{
    ActionEvent, ContactId, ConversationId, DeliveryStatus, DirtyEvent, DirtyType, Event, EventPayload,
    MessageEditEvent, MessageId, MessagePayload, MessageRecallEvent, MessageStatusEvent, MessageType, PuppetError,
    ReactionEvent, Result, Retry, RoomId, RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent, Timestamp, with_causes,
};

use crate::{
    convert::{
        card::pressed,
        emoji::emoji,
        message::{Body, Raw, body, of_event, of_item},
    },
    json::{at, list, person, some, text, time},
    puppet::Inner,
};

/// Somebody said something.
const RECEIVED: &str = "im.message.receive_v1";
/// Most words of a merged message.
const WORDS: usize = 64 << 10;

/// An event with what stands around it, in either form.
pub(crate) struct Envelope<'a> {
    pub(crate) kind: &'a str,
    /// By which the platform knows it again.
    pub(crate) id: &'a str,
    pub(crate) token: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) event: &'a Value,
}

impl<'a> Envelope<'a> {
    /// `None`: it is no event.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        let event = value.get("event").filter(|event| event.is_object())?;
        let header = at(value, "header");
        let envelope = if header.is_object() {
            Self {
                kind: text(header, "event_type"),
                id: text(header, "event_id"),
                token: text(header, "token"),
                at: time(header, "create_time"),
                event,
            }
        } else {
            Self {
                kind: text(event, "type"),
                id: text(value, "uuid"),
                token: text(value, "token"),
                // Seconds with a fraction.
                at: Timestamp::from_wire(
                    text(value, "ts").split('.').next().and_then(|ts| ts.parse().ok()).unwrap_or(0),
                ),
                event,
            }
        };
        (!envelope.kind.is_empty()).then_some(envelope)
    }

    /// Whether it brings the ticket of a store app.
    pub(crate) fn is_ticket(&self) -> bool {
        self.kind == "app_ticket"
    }

    /// The ticket of a store app.
    pub(crate) fn ticket(&self) -> Option<&'a str> {
        some(self.event, "app_ticket").filter(|_| self.is_ticket())
    }
}

/// The company that an event is of, in either form. A ticket is of none.
pub(crate) fn tenant(value: &Value) -> Option<&str> {
    some(value, "header.tenant_key").or_else(|| some(value, "event.tenant_key"))
}

/// What can be read of an event without asking.
pub(crate) fn read(envelope: &Envelope<'_>) -> Body {
    match envelope.kind {
        RECEIVED => of_event(envelope.event).body,
        "card.action.trigger" => {
            let pressed = Value::String(pressed(at(envelope.event, "action")));
            body("", &pressed, envelope.event)
        }
        _ => body("", envelope.event, envelope.event),
    }
}

fn dirty(payload_type: DirtyType, id: &str) -> Event {
    Event::new(EventPayload::Dirty(DirtyEvent { payload_type, payload_id: id.to_owned() }))
}

/// Whether asking again later may help; what is refused for good has another way out.
pub(crate) fn passes(error: &PuppetError) -> bool {
    error.retry() != Retry::Never || !error.is_certain()
}

impl Inner {
    /// Whether something is of another company than the one whose bot this is.
    pub(crate) fn is_foreign(&self, tenant: Option<&str>) -> bool {
        let own = self.api.options.tenant_key.as_deref();
        matches!((own, tenant), (Some(own), Some(tenant)) if own != tenant)
    }

    /// Whether the platform has to be asked before an event can be told.
    pub(crate) fn asks(&self, envelope: &Envelope<'_>) -> bool {
        let event = envelope.event;
        let is_unknown = |chat: &str| self.known(chat).is_none();
        match envelope.kind {
            RECEIVED => {
                text(event, "message.message_type") == "merge_forward" || text(event, "message.chat_id").is_empty()
            }
            "im.message.updated_v1" => true,
            "im.message.recalled_v1" => is_unknown(text(event, "chat_id")),
            "im.message.reaction.created_v1" | "im.message.reaction.deleted_v1" => {
                self.places.get(text(event, "message_id")).is_none_or(|chat| is_unknown(&chat))
            }
            "card.action.trigger" => some(event, "context.open_chat_id").is_some_and(is_unknown),
            _ => false,
        }
    }

    /// An event of the platform as events of the contract; none, if it says nothing that the contract has words for.
    pub(crate) async fn events(&self, envelope: &Envelope<'_>) -> Result<Vec<Event>> {
        let Envelope { kind, event, at: when, .. } = *envelope;
        let chat = text(event, "chat_id");
        let room_id = RoomId::new(chat);
        Ok(match kind {
            RECEIVED => vec![self.received(event).await?],
            "im.message.recalled_v1" => vec![Event::new(EventPayload::MessageRecall(MessageRecallEvent {
                message_id: text(event, "message_id").into(),
                conversation: self.conversation(chat).await?,
                recaller_id: None,
                timestamp: time(event, "recall_time"),
            }))],
            "im.message.updated_v1" => self.edited(event).await?,
            "im.message.message_read_v1" => self.was_read(event),
            "im.message.reaction.created_v1" | "im.message.reaction.deleted_v1" => {
                self.reacted(event, kind == "im.message.reaction.created_v1", when).await?
            }
            "im.chat.updated_v1" => changed(event, room_id, when),
            "im.chat.disbanded_v1" => {
                vec![self.left(vec![self.me()?.id], event, room_id, when), dirty(DirtyType::Room, chat)]
            }
            "im.chat.member.user.added_v1" | "im.chat.member.bot.added_v1" => {
                let invitees = self.who_moved(event, kind)?;
                let inviter_id = person(event, "operator_id").filter(|inviter| !invitees.contains(inviter));
                let join = RoomJoinEvent { invitee_id_list: invitees, inviter_id, room_id, timestamp: when };
                self.learn(chat, None);
                vec![dirty(DirtyType::Room, chat), Event::new(EventPayload::RoomJoin(join))]
            }
            "im.chat.member.user.deleted_v1" | "im.chat.member.user.withdrawn_v1" | "im.chat.member.bot.deleted_v1" => {
                let removees = self.who_moved(event, kind)?;
                vec![self.left(removees, event, room_id, when), dirty(DirtyType::Room, chat)]
            }
            "im.chat.access_event.bot_p2p_chat_entered_v1" => {
                let who = person(event, "operator_id");
                self.learn(chat, who.as_ref());
                who.iter().map(|who| dirty(DirtyType::Contact, who.as_str())).collect()
            }
            "contact.user.updated_v3" | "contact.user.deleted_v3" | "contact.user.created_v3" => {
                let who = person(event, "object");
                who.iter().map(|who| dirty(DirtyType::Contact, who.as_str())).collect()
            }
            "card.action.trigger" => vec![self.pressed(envelope).await?],
            other => {
                tracing::debug!(event = other, "there is no word for this event: it is let go");
                Vec::new()
            }
        })
    }

    /// An event that the platform tells no more about, as this error says: a message is told without what it merges, which
    /// whoever loads it later gets; of the others nothing can be told.
    pub(crate) fn events_without_asking(&self, envelope: &Envelope<'_>, error: PuppetError) -> Result<Vec<Event>> {
        let raw = of_event(envelope.event);
        match (envelope.kind, self.known(&raw.chat)) {
            (RECEIVED, Some(conversation)) if !raw.id.is_empty() => {
                tracing::warn!(message = raw.id, why = %with_causes(&error), "what a message merges is not told with it");
                Ok(vec![Event::message(self.payload_in(conversation, raw, None)?)])
            }
            _ => Err(error),
        }
    }

    async fn received(&self, event: &Value) -> Result<Event> {
        let raw = of_event(event);
        if raw.id.is_empty() {
            let detail = "a message without an id".into();
            return Err(PuppetError::Protocol { context: "reading an event", detail });
        }
        let peer = raw.sender.as_ref().filter(|_| raw.chat_type == "p2p");
        self.learn(&raw.chat, peer);
        for mention in list(event, "message.mentions") {
            if let (Some(id), Some(name)) = (person(mention, "id"), some(mention, "name")) {
                self.names.put(id.as_str(), name);
            }
        }
        let history = self.history(&raw).await?;
        Ok(Event::message(self.payload(raw, history).await?))
    }

    /// A message as a payload. `history`: what it merges.
    pub(crate) async fn payload(&self, raw: Raw, history: Option<String>) -> Result<MessagePayload> {
        let conversation = self.conversation(&raw.chat).await?;
        self.payload_in(conversation, raw, history)
    }

    fn payload_in(&self, conversation: ConversationId, raw: Raw, history: Option<String>) -> Result<MessagePayload> {
        let me = self.me()?;
        let talker = match raw.sender {
            // Calls name apps by their own ids.
            Some(sender) if sender.as_str() == me.app_id => me.id.clone(),
            Some(sender) => sender,
            None => ContactId::new("unknown"),
        };
        let listener_id = conversation.contact().map(|peer| if talker == me.id { peer.clone() } else { me.id.clone() });
        Ok(MessagePayload {
            id: raw.id.into(),
            talker_id: talker,
            timestamp: raw.time,
            kind: raw.body.kind,
            filename: raw.body.filename,
            text: history.or(raw.body.text),
            room_id: conversation.room().cloned(),
            mentions: Some(raw.body.mentions),
            listener_id,
            quote_id: raw.quote.map(MessageId::from),
            automated: false,
        })
    }

    /// What a merged message holds, a line each; `None`: it is none, or the platform does not give it.
    pub(crate) async fn history(&self, merged: &Raw) -> Result<Option<String>> {
        if merged.body.kind != MessageType::ChatHistory {
            return Ok(None);
        }
        let items = match self.items(&merged.id).await {
            Ok(items) => items,
            Err(error) if passes(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(message = merged.id, why = %with_causes(&error), "what a message merges is not known");
                return Ok(None);
            }
        };
        let mut words = String::new();
        for item in items.iter().filter(|item| text(item, "message_id") != merged.id) {
            let raw = of_item(item);
            let sender = raw.sender.as_ref().map(ContactId::as_str).unwrap_or_default();
            let name = self.names.get(sender).unwrap_or_else(|| sender.to_owned());
            let said = raw.body.text.or(raw.body.filename).unwrap_or_else(|| format!("[{}]", raw.kind));
            if !words.is_empty() {
                words.push('\n');
            }
            words.push_str(&format!("{name}: {said}"));
            if words.len() > WORDS {
                words.truncate(words.floor_char_boundary(WORDS));
                words.push('…');
                break;
            }
        }
        Ok(Some(words))
    }

    /// Somebody changed a message. No document tells what stands in this event: the message is asked for.
    async fn edited(&self, event: &Value) -> Result<Vec<Event>> {
        let id = some(event, "message.message_id").or_else(|| some(event, "message_id"));
        let Some(id) = id else {
            let detail = "an edit of a message without an id".into();
            return Err(PuppetError::Protocol { context: "reading an event", detail });
        };
        let raw = match self.raw(id).await {
            Ok(raw) => raw,
            Err(error) if passes(&error) => return Err(error),
            // It is gone by now.
            Err(_) => return Ok(Vec::new()),
        };
        let me = self.me()?;
        // Of what it changes itself a bot is told nothing.
        let Some(editor) = raw.sender.filter(|who| who.as_str() != me.app_id && *who != me.id) else {
            return Ok(Vec::new());
        };
        let edit = MessageEditEvent {
            message_id: id.into(),
            conversation: self.conversation(&raw.chat).await?,
            editor_id: Some(editor),
            new_text: raw.body.text,
            timestamp: raw.changed,
        };
        Ok(vec![dirty(DirtyType::Message, id), Event::new(EventPayload::MessageEdit(edit))])
    }

    /// Only what is said one to one is told as read.
    fn was_read(&self, event: &Value) -> Vec<Event> {
        let ids = list(event, "message_id_list").iter().filter_map(Value::as_str);
        let message_ids: Vec<_> = ids.map(MessageId::from).collect();
        let Some(reader) = person(event, "reader.reader_id").filter(|_| !message_ids.is_empty()) else {
            return Vec::new();
        };
        vec![Event::new(EventPayload::MessageStatus(MessageStatusEvent {
            message_ids,
            conversation: ConversationId::Contact(reader.clone()),
            status: DeliveryStatus::Read,
            by: Some(reader),
            timestamp: time(event, "reader.read_time"),
        }))]
    }

    async fn reacted(&self, event: &Value, added: bool, when: Timestamp) -> Result<Vec<Event>> {
        let me = self.me()?;
        let by_app = text(event, "operator_type") == "app";
        let actor = person(event, "user_id").or_else(|| some(event, "app_id").map(ContactId::from));
        let Some(actor) = actor else { return Ok(Vec::new()) };
        if actor == me.id || (by_app && actor.as_str() == me.app_id) {
            return Ok(Vec::new());
        }
        let id = text(event, "message_id");
        // The event does not say where it is.
        let conversation = match self.chat_of_message(id).await {
            Ok(chat) => self.conversation(&chat).await?,
            Err(error) if passes(&error) => return Err(error),
            Err(_) => ConversationId::Contact(actor.clone()),
        };
        let timestamp = match time(event, "action_time") {
            time if time == Timestamp::default() => when,
            time => time,
        };
        Ok(vec![Event::new(EventPayload::Reaction(ReactionEvent {
            message_id: id.into(),
            conversation,
            actor_id: actor,
            reaction: emoji(text(event, "reaction_type.emoji_type")).to_owned(),
            added,
            timestamp,
        }))])
    }

    /// Who came or went: those the event lists, or we ourselves.
    fn who_moved(&self, event: &Value, kind: &str) -> Result<Vec<ContactId>> {
        if kind.contains(".bot.") {
            return Ok(vec![self.me()?.id]);
        }
        let mut who = Vec::new();
        for user in list(event, "users") {
            if let Some(id) = person(user, "user_id") {
                if let Some(name) = some(user, "name") {
                    self.names.put(id.as_str(), name);
                }
                who.push(id);
            }
        }
        Ok(who)
    }

    fn left(&self, removees: Vec<ContactId>, event: &Value, room_id: RoomId, timestamp: Timestamp) -> Event {
        let remover_id = person(event, "operator_id").filter(|remover| !removees.contains(remover));
        Event::new(EventPayload::RoomLeave(RoomLeaveEvent {
            removee_id_list: removees,
            remover_id,
            room_id,
            timestamp,
        }))
    }

    async fn pressed(&self, envelope: &Envelope<'_>) -> Result<Event> {
        let event = envelope.event;
        let actor = person(event, "operator").unwrap_or_else(|| ContactId::new("unknown"));
        let chat = text(event, "context.open_chat_id");
        let conversation = match chat {
            "" => ConversationId::Contact(actor.clone()),
            chat => self.conversation(chat).await?,
        };
        let id = [envelope.id, text(event, "token")].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        Ok(Event::new(EventPayload::Action(ActionEvent {
            id: id.to_owned(),
            actor_id: actor,
            conversation,
            message_id: MessageId::non_empty(text(event, "context.open_message_id")),
            value: pressed(at(event, "action")),
            timestamp: envelope.at,
        })))
    }
}

/// What changed of a room: its topic is told, of the rest that it is stale.
fn changed(event: &Value, room_id: RoomId, timestamp: Timestamp) -> Vec<Event> {
    let mut events = vec![dirty(DirtyType::Room, room_id.as_str())];
    if let Some(topic) = at(event, "after_change.name").as_str() {
        events.push(Event::new(EventPayload::RoomTopic(RoomTopicEvent {
            changer_id: person(event, "operator_id"),
            new_topic: topic.to_owned(),
            old_topic: text(event, "before_change.name").to_owned(),
            room_id,
            timestamp,
        })));
    }
    events
}
