//! What the platform tells of messages it took: delivered, read.

use std::{future::poll_fn, pin::pin};

use wechaty_puppet::{
    ConversationId, DeliveryStatus, Event, EventPayload, MessageId, MessageStatusEvent, SayablePayload,
};

use crate::conformance::{
    Deed,
    case::{Verdict, cases, ensure, failed},
    lab::Lab,
    session::Session,
};

cases! { CASES = Statuses:
    a_delivered_message_is_told [SendText, SentId, SentDelivered] optional [Receive];
    a_read_message_is_told [SendText, SentId, SentRead] optional [Read];
    a_status_comes_after_the_answer_to_its_send [SendText, SentId, SentRead] optional [Read];
    a_status_never_goes_back [SendText, SentId, SentDelivered, SentRead] optional [Receive, Read];
}

/// Sends a text; its id, and how much was accepted when the send was last waited for: that came before its answer.
async fn sent(lab: &Lab, session: &Session<'_>, to: &ConversationId, words: &str) -> Verdict<(MessageId, usize)> {
    let mut before = lab.mark();
    let out = lab.out(to, SayablePayload::text(lab.text(words)));
    let mut sending = pin!(session.puppet.send(out));
    let watched = poll_fn(|cx| {
        before = lab.mark();
        sending.as_mut().poll(cx)
    });
    match lab.ok("sending Text", watched).await?.id {
        Some(id) => Ok((id, before)),
        None => failed("ids of sent messages are declared, but send returned none"),
    }
}

fn status(event: &Event) -> Option<&MessageStatusEvent> {
    match &event.what {
        EventPayload::MessageStatus(status) => Some(status),
        _ => None,
    }
}

/// What was told of a message from `mark` on, without what says the same again.
fn told(lab: &Lab, id: &MessageId, mark: usize) -> Vec<DeliveryStatus> {
    let (mut told, mut known) = (Vec::new(), Vec::new());
    for entry in lab.recorder.from(mark) {
        let Some(status) = status(&entry.event).filter(|status| status.message_ids.contains(id)) else { continue };
        let same = entry.event.dedupe_id();
        if same.is_none() || !known.contains(&same) {
            known.push(same);
            told.push(status.status);
        }
    }
    told
}

/// Somebody has got, or read, the second of three messages: the bot hears so, of a message it knows, where it is, by
/// whom it was.
async fn heard(lab: &Lab, deed: impl Fn(MessageId) -> Deed, wanted: DeliveryStatus) -> Verdict {
    let session = lab.connect().await?;
    let (to, person) = (lab.direct()?, lab.person()?);
    let mark = lab.mark();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(sent(lab, &session, &to, "one of three").await?.0);
    }
    lab.received_n(&to, 3).await?;
    lab.act(deed(ids[1].clone())).await?;
    let what = format!("the status \"{}\" of message {}", wanted.as_str(), ids[1]);
    let event = session
        .event(&what, mark, |entry| {
            let told = status(&entry.event)?;
            (told.status == wanted && told.message_ids.contains(&ids[1])).then(|| told.clone())
        })
        .await?;
    ensure!(event.conversation == to, "a message in {to:?} has a status in {:?}", event.conversation);
    ensure!(
        event.by.as_ref().is_none_or(|by| *by == person),
        "{person} did it, but the status says {:?} did",
        event.by
    );
    lab.silence().await;
    for entry in lab.recorder.from(mark) {
        let Some(told) = status(&entry.event) else { continue };
        ensure!(!told.message_ids.is_empty(), "a status tells of no message");
        let other = told.message_ids.iter().find(|id| !ids.contains(id));
        ensure!(other.is_none(), "a status tells of {other:?}, which was never sent");
    }
    // A platform may deliver all of them by itself, but nobody has read the last.
    let last = told(lab, &ids[2], mark);
    ensure!(!last.contains(&DeliveryStatus::Read), "message {} is told to be read, but nobody has read it", ids[2]);
    Ok(())
}

async fn a_delivered_message_is_told(lab: &Lab) -> Verdict {
    let by = lab.person()?;
    heard(lab, |message| Deed::Receive { by: by.clone(), message }, DeliveryStatus::Delivered).await
}

async fn a_read_message_is_told(lab: &Lab) -> Verdict {
    let by = lab.person()?;
    heard(lab, |message| Deed::Read { by: by.clone(), message }, DeliveryStatus::Read).await
}

async fn a_status_comes_after_the_answer_to_its_send(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, by) = (lab.direct()?, lab.person()?);
    let mark = lab.mark();
    let (id, answered) = sent(lab, &session, &to, "to be read").await?;
    lab.received_n(&to, 1).await?;
    let unread = lab.mark();
    lab.act(Deed::Read { by, message: id.clone() }).await?;
    let what = format!("the status \"read\" of message {id}");
    session.event(&what, mark, |entry| status(&entry.event)?.message_ids.contains(&id).then_some(())).await?;
    for (index, entry) in lab.recorder.from(mark).iter().enumerate() {
        let Some(told) = status(&entry.event).filter(|told| told.message_ids.contains(&id)) else { continue };
        let index = mark + index;
        ensure!(index >= answered, "a status of message {id} came before its send was answered: nobody knows it yet");
        let early = told.status == DeliveryStatus::Read && index < unread;
        ensure!(!early, "message {id} was told to be read before its send was answered, or anybody had read it");
    }
    Ok(())
}

async fn a_status_never_goes_back(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, by) = (lab.direct()?, lab.person()?);
    let mark = lab.mark();
    let (id, _) = sent(lab, &session, &to, "to be read").await?;
    lab.received_n(&to, 1).await?;
    let (receive, read) =
        (Deed::Receive { by: by.clone(), message: id.clone() }, Deed::Read { by, message: id.clone() });
    for deed in [receive.clone(), read.clone(), receive, read] {
        lab.act(deed).await?;
        lab.silence().await;
    }
    let is_read = || Ok(told(lab, &id, mark).contains(&DeliveryStatus::Read).then_some(()));
    lab.until(&format!("the status \"read\" of message {id}"), is_read).await?;
    lab.silence().await;
    let told = told(lab, &id, mark);
    ensure!(told.is_sorted(), "the status of message {id} goes back: {told:?}");
    Ok(())
}
