//! From an accepted event to the object handlers get. People and rooms are looked up best-effort: an event is
//! delivered even if the platform does not tell who they are.

use std::sync::Arc;

use futures_util::future::join_all;
use wechaty_puppet::Capability;
use wechaty_types::{ContactId, Event, EventPayload, MessageId, MessagePayload, Payload, RoomId};

use super::{
    Action, Contact, ContactSelf, Dirty, Dong, Friendship, Heartbeat, Login, Logout, Message, MessageEdit,
    MessageRecall, MessageStatus, Post, Reaction, Ready, Reply, Reset, Room, RoomAnnounce, RoomInvitation, RoomJoin,
    RoomLeave, RoomTopic, Scan, Tick, VerifyCode,
};
use crate::{Account, Result, handler::AnyEvent};

/// The object of an event.
pub(crate) async fn hydrate(account: &Account, event: &Event) -> Result<AnyEvent> {
    // A lane's task is as large as the largest thing it may wait for: what need not be waited for is boxed.
    let (EventPayload::Message(_), Some(Payload::Message(payload))) = (&event.what, &event.payload) else {
        return Box::pin(hydrate_any(account.clone(), event)).await;
    };
    account.cache().message.put(account.index(), payload.id.clone(), payload.clone());
    let capabilities = account.capabilities();
    if capabilities.has(Capability::LoadContact) || capabilities.has(Capability::LoadRoom) {
        Box::pin(people_of(account, payload)).await;
    }
    Ok(AnyEvent::Message(Message::new(account.clone(), payload.clone())))
}

async fn hydrate_any(account: Account, event: &Event) -> Result<AnyEvent> {
    Ok(match &event.what {
        EventPayload::Message(e) => {
            let message = account.message(&e.message_id).await?;
            people_of(&account, message.payload()).await;
            AnyEvent::Message(message)
        }
        EventPayload::Friendship(e) => match &event.payload {
            Some(Payload::Friendship(payload)) => {
                account.cache().friendship.put(account.index(), payload.id.clone(), payload.clone());
                AnyEvent::Friendship(Friendship::new(account, payload.clone()))
            }
            _ => AnyEvent::Friendship(account.friendship(&e.friendship_id).await?),
        },
        EventPayload::RoomInvite(e) => match &event.payload {
            Some(Payload::RoomInvitation(payload)) => {
                AnyEvent::RoomInvitation(RoomInvitation::new(account, payload.clone()))
            }
            _ => AnyEvent::RoomInvitation(account.room_invitation(&e.room_invitation_id).await?),
        },
        EventPayload::Post(e) => match &event.payload {
            Some(Payload::Post(payload)) => AnyEvent::Post(Post::new(account, payload.clone())),
            _ => AnyEvent::Post(account.post(&e.post_id).await?),
        },
        EventPayload::Scan(e) => {
            AnyEvent::Scan(Scan { status: e.status, qr_code: e.qrcode.clone(), data: e.data.clone(), account })
        }
        EventPayload::VerifyCode(e) => {
            AnyEvent::VerifyCode(VerifyCode { id: e.id.clone(), message: e.message.clone(), wrong: e.wrong, account })
        }
        EventPayload::Login(e) => {
            AnyEvent::Login(Login { contact: self_contact(&account, &e.contact_id).await, account })
        }
        EventPayload::Logout(e) => AnyEvent::Logout(Logout {
            // The caches are empty by now, and nobody is logged in who could load: the event carries the user.
            contact: ContactSelf::new(account.contact_handle(&e.contact_id)),
            reason: e.data.clone(),
            account,
        }),
        EventPayload::Tick(e) => AnyEvent::Tick(Tick { job: e.job.as_str().into(), due: e.due, account }),
        EventPayload::Reply(e) => AnyEvent::Reply(Reply {
            id: e.id.clone(),
            from: e.from.clone(),
            conversation: e.conversation.clone(),
            data: e.data.clone(),
            account,
        }),
        EventPayload::Ready(e) => AnyEvent::Ready(Ready { data: e.data.clone(), account }),
        EventPayload::RoomJoin(e) => AnyEvent::RoomJoin(RoomJoin {
            room: room(&account, &e.room_id).await,
            invitees: contacts(&account, &e.invitee_id_list).await,
            inviter: maybe_contact(&account, e.inviter_id.as_ref()).await,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::RoomLeave(e) => AnyEvent::RoomLeave(RoomLeave {
            room: room(&account, &e.room_id).await,
            leavers: contacts(&account, &e.removee_id_list).await,
            remover: maybe_contact(&account, e.remover_id.as_ref()).await,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::RoomTopic(e) => AnyEvent::RoomTopic(RoomTopic {
            room: room(&account, &e.room_id).await,
            topic: e.new_topic.clone(),
            old_topic: e.old_topic.clone(),
            changer: maybe_contact(&account, e.changer_id.as_ref()).await,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::RoomAnnounce(e) => AnyEvent::RoomAnnounce(RoomAnnounce {
            room: room(&account, &e.room_id).await,
            announce: e.new_announce.clone(),
            old_announce: e.old_announce.clone(),
            changer: maybe_contact(&account, e.changer_id.as_ref()).await,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::Action(e) => AnyEvent::Action(Action {
            actor: contact(&account, &e.actor_id).await,
            conversation: e.conversation.clone(),
            message_id: e.message_id.clone(),
            value: e.value.clone(),
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::MessageEdit(e) => {
            let edited = told(event, &e.message_id);
            let new_text = e.new_text.clone().or_else(|| edited.as_ref().and_then(|payload| payload.text.clone()));
            match edited {
                Some(payload) => account.cache().message.put(account.index(), e.message_id.clone(), payload),
                None => account.cache().message.remove(account.index(), &e.message_id),
            }
            AnyEvent::MessageEdit(MessageEdit {
                message_id: e.message_id.clone(),
                conversation: e.conversation.clone(),
                editor: maybe_contact(&account, e.editor_id.as_ref()).await,
                new_text,
                timestamp: e.timestamp,
                account,
            })
        }
        EventPayload::MessageRecall(e) => AnyEvent::MessageRecall(MessageRecall {
            message_id: e.message_id.clone(),
            conversation: e.conversation.clone(),
            recaller: maybe_contact(&account, e.recaller_id.as_ref()).await,
            message: match told(event, &e.message_id) {
                Some(payload) => Some(Message::new(account.clone(), payload)),
                None => account.message(&e.message_id).await.ok(),
            },
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::Reaction(e) => AnyEvent::Reaction(Reaction {
            message_id: e.message_id.clone(),
            conversation: e.conversation.clone(),
            actor: contact(&account, &e.actor_id).await,
            reaction: e.reaction.clone(),
            added: e.added,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::MessageStatus(e) => AnyEvent::MessageStatus(MessageStatus {
            message_ids: e.message_ids.clone(),
            conversation: e.conversation.clone(),
            status: e.status,
            by: maybe_contact(&account, e.by.as_ref()).await,
            timestamp: e.timestamp,
            account,
        }),
        EventPayload::Dirty(e) => AnyEvent::Dirty(Dirty { kind: e.payload_type, id: e.payload_id.clone(), account }),
        EventPayload::Dong(e) => AnyEvent::Dong(Dong { data: e.data.clone(), account }),
        EventPayload::Heartbeat(e) => AnyEvent::Heartbeat(Heartbeat { data: e.data.clone(), account }),
        EventPayload::Reset(e) => AnyEvent::Reset(Reset { data: e.data.clone(), account }),
        EventPayload::Error(e) => {
            let text = e.data.clone().or_else(|| e.gerror.clone()).unwrap_or_else(|| "unknown error".to_owned());
            AnyEvent::ErrorReport(super::ErrorReport::new(text.into(), None, account))
        }
        other => return Err(format!("this version knows no {} events", other.kind()).into()),
    })
}

/// The message an event is about, where the platform sent it along.
fn told(event: &Event, id: &MessageId) -> Option<Arc<MessagePayload>> {
    event.message_payload().filter(|payload| payload.id == *id).cloned()
}

/// Talker, listener and room of a message, from the cache where they are known; members are left alone.
async fn people_of(account: &Account, payload: &Arc<MessagePayload>) {
    let capabilities = account.capabilities();
    if capabilities.has(Capability::LoadContact) {
        contact(account, &payload.talker_id).await;
        if let Some(listener) = &payload.listener_id {
            contact(account, listener).await;
        }
    }
    if let Some(id) = &payload.room_id
        && capabilities.has(Capability::LoadRoom)
    {
        room(account, id).await;
    }
}

async fn contact(account: &Account, id: &ContactId) -> Contact {
    let contact = account.contact_handle(id);
    if account.capabilities().has(Capability::LoadContact)
        && let Err(error) = contact.ready().await
    {
        tracing::debug!(%id, %error, "a contact of an event could not be loaded");
    }
    contact
}

async fn self_contact(account: &Account, id: &ContactId) -> ContactSelf {
    ContactSelf::new(contact(account, id).await)
}

async fn maybe_contact(account: &Account, id: Option<&ContactId>) -> Option<Contact> {
    match id {
        Some(id) => Some(contact(account, id).await),
        None => None,
    }
}

async fn contacts(account: &Account, ids: &[ContactId]) -> Vec<Contact> {
    join_all(ids.iter().map(|id| contact(account, id))).await
}

async fn room(account: &Account, id: &RoomId) -> Room {
    let room = account.room_handle(id);
    if account.capabilities().has(Capability::LoadRoom)
        && let Err(error) = room.ready().await
    {
        tracing::debug!(%id, %error, "the room of an event could not be loaded");
    }
    room
}
