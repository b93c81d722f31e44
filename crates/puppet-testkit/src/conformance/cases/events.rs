//! Messages of people come as events: all, once, in order, byte for byte, with good ids.

use std::collections::HashSet;

use wechaty_puppet::{ConversationId, EventPayload, MessageType, Payload};

use crate::conformance::{
    case::{Verdict, cases, ensure},
    lab::Lab,
    sample::TEXTS,
};

cases! { CASES = Events:
    a_text_arrives_with_its_talker;
    inbound_texts_are_byte_exact;
    events_keep_their_order_in_a_conversation;
    each_message_arrives_once;
    people_are_not_mixed_up optional [SecondPerson];
    different_messages_have_different_ids;
    an_event_and_its_payload_have_the_same_id;
    nobody_is_none_in_messages;
    message_times_are_milliseconds;
    equal_texts_are_different_messages;
    the_talker_is_whom_an_answer_reaches [SendText];
}

async fn a_text_arrives_with_its_talker(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark, person) = (lab.text("hello"), lab.mark(), lab.person()?);
    lab.person_says(&text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    ensure!(message.talker_id == person, "{person} said it, but the talker is {}", message.talker_id);
    ensure!(message.kind == MessageType::Text, "a text arrived as {}", message.kind);
    ensure!(message.room_id.is_none(), "a text one to one arrived in room {:?}", message.room_id);
    let (me, listener) = (session.me(), &message.listener_id);
    ensure!(listener.is_none() || *listener == me, "said to {me:?}, but the listener is {listener:?}");
    let conversation = message.conversation(me.as_ref());
    ensure!(conversation == ConversationId::Contact(person), "it belongs to conversation {conversation:?}");
    Ok(())
}

async fn inbound_texts_are_byte_exact(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let person = lab.person()?;
    for text in TEXTS {
        let mark = lab.mark();
        lab.person_says(text).await?;
        let (_, _, message) = session.message("an inbound text", mark, |m| m.talker_id == person).await?;
        let got = message.text.as_deref();
        ensure!(got == Some(*text), "an inbound text was altered: said {text:?}, arrived {got:?}");
    }
    Ok(())
}

async fn events_keep_their_order_in_a_conversation(lab: &Lab) -> Verdict {
    const N: usize = 20;
    let session = lab.connect().await?;
    let mark = lab.mark();
    let texts: Vec<String> = (0..N).map(|_| lab.text("in order")).collect();
    for text in &texts {
        lab.person_says(text).await?;
    }
    for text in &texts {
        session.hears(text, mark).await?;
    }
    let arrived = session.messages(mark).await?;
    let order: Vec<_> = arrived.iter().filter_map(|message| message.text.clone()).collect();
    ensure!(order == texts, "messages of one conversation changed their order: {order:?}");
    Ok(())
}

async fn each_message_arrives_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("once"), lab.mark());
    lab.person_says(&text).await?;
    session.hears(&text, mark).await?;
    lab.silence().await;
    let n = session.messages(mark).await?.iter().filter(|m| m.text.as_deref() == Some(&text)).count();
    ensure!(n == 1, "one message arrived {n} times though nothing went wrong");
    Ok(())
}

async fn people_are_not_mixed_up(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (first, second) = (lab.person()?, lab.second()?);
    let mark = lab.mark();
    let mut said = Vec::new();
    for who in [&first, &second, &second, &first] {
        let text = lab.text("from somebody");
        lab.says_as(who.clone(), &text).await?;
        said.push((who.clone(), text));
    }
    for (who, text) in said {
        let (_, _, message) = session.hears(&text, mark).await?;
        ensure!(message.talker_id == who, "{who} said {text:?}, but the talker is {}", message.talker_id);
    }
    Ok(())
}

async fn different_messages_have_different_ids(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let text = lab.text("an id of its own");
        lab.person_says(&text).await?;
        let (_, event, message) = session.hears(&text, mark).await?;
        let dedupe = event.dedupe_id().unwrap_or_default();
        ensure!(!dedupe.is_empty(), "a message event has an empty dedupe id");
        ensure!(ids.insert(dedupe), "different messages have the same id {}: the bot drops one", message.id);
    }
    Ok(())
}

async fn an_event_and_its_payload_have_the_same_id(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("round trip"), lab.mark());
    lab.person_says(&text).await?;
    let (_, event, message) = session.hears(&text, mark).await?;
    let EventPayload::Message(what) = &event.what else { return Ok(()) };
    ensure!(what.message_id == message.id, "the event says id {}, its payload {}", what.message_id, message.id);
    let fits = matches!(event.payload, None | Some(Payload::Message(_)));
    ensure!(fits, "a message event carries a payload of another kind");
    Ok(())
}

async fn nobody_is_none_in_messages(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("from somebody"), lab.mark());
    lab.person_says(&text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    ensure!(!message.id.as_str().is_empty(), "the message id is \"\"");
    ensure!(!message.talker_id.as_str().is_empty(), "the talker is \"\"");
    let empty = |id: Option<&str>| id == Some("");
    ensure!(!empty(message.room_id.as_ref().map(|id| id.as_str())), "no room must be None, not \"\"");
    ensure!(!empty(message.listener_id.as_ref().map(|id| id.as_str())), "no listener must be None, not \"\"");
    ensure!(!empty(message.quote_id.as_ref().map(|id| id.as_str())), "no quoted message must be None, not \"\"");
    Ok(())
}

async fn message_times_are_milliseconds(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("what time is it"), lab.mark());
    lab.person_says(&text).await?;
    let ms = session.hears(&text, mark).await?.2.timestamp.as_millis();
    // Between 2001 and 2286: seconds and microseconds lie outside.
    ensure!((1_000_000_000_000..10_000_000_000_000).contains(&ms), "time {ms} is not in milliseconds since 1970");
    Ok(())
}

async fn equal_texts_are_different_messages(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("same words"), lab.mark());
    lab.person_says(&text).await?;
    let (index, _, first) = session.hears(&text, mark).await?;
    lab.person_says(&text).await?;
    let (_, _, second) = session.hears(&text, index + 1).await?;
    ensure!(first.id != second.id, "the same words said twice have one id {}: the bot drops one", first.id);
    Ok(())
}

async fn the_talker_is_whom_an_answer_reaches(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("answer me"), lab.mark());
    lab.person_says(&text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    let answer = lab.text("answered");
    lab.send_text(&session.puppet, &message.conversation(session.me().as_ref()), &answer).await?;
    let received = lab.received_n(&lab.direct()?, 1).await?;
    ensure!(received[0].payload.as_text() == Some(&answer), "the answer did not arrive as it was sent");
    Ok(())
}
