//! What people do besides plain text: rooms, mentions, quotes, files, edits, recalls, reactions, buttons.

use wechaty_puppet::{Capability, ConversationId, EventPayload, Mention, MessageId, SayablePayload, TextPayload};

use crate::conformance::{
    Deed, Said,
    case::{Verdict, cases, ensure},
    lab::Lab,
    sample,
    session::Session,
};

cases! { CASES = Events:
    a_text_in_a_room_names_room_and_talker optional [Room, SayInRoom];
    room_and_direct_are_not_mixed_up optional [Room, SayInRoom];
    an_inbound_mention_names_the_account optional [Room, SayMention];
    an_inbound_quote_names_the_message optional [SayQuote];
    inbound_files_have_their_kind_and_name optional [SayKind];
    an_inbound_recall_names_the_message optional [Recall];
    an_inbound_edit_names_message_and_text optional [Edit];
    an_inbound_reaction_names_message_and_actor optional [React];
    a_pressed_button_comes_back [SendMenu, SentId] optional [Press];
}

async fn say_in_room(lab: &Lab, text: &str, mentions: Vec<Mention>) -> Verdict<ConversationId> {
    let room = lab.room()?;
    let what = SayablePayload::Text(TextPayload { text: text.to_owned(), mentions });
    lab.says(Said { from: lab.person()?, room: Some(room.id.clone()), what, quote: None }).await?;
    Ok(room.id.into())
}

async fn a_text_in_a_room_names_room_and_talker(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark, person) = (lab.text("hello room"), lab.mark(), lab.person()?);
    let room = say_in_room(lab, &text, Vec::new()).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    ensure!(message.talker_id == person, "{person} said it in the room, but the talker is {}", message.talker_id);
    let conversation = message.conversation(session.me().as_ref());
    ensure!(conversation == room, "said in {room:?}, but it belongs to {conversation:?}");
    Ok(())
}

async fn room_and_direct_are_not_mixed_up(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (inside, outside, mark) = (lab.text("in the room"), lab.text("one to one"), lab.mark());
    let room = say_in_room(lab, &inside, Vec::new()).await?;
    lab.person_says(&outside).await?;
    for (text, expected) in [(inside, room), (outside, lab.direct()?)] {
        let conversation = session.hears(&text, mark).await?.2.conversation(session.me().as_ref());
        ensure!(conversation == expected, "{text:?} belongs to {expected:?}, but arrived in {conversation:?}");
    }
    Ok(())
}

async fn an_inbound_mention_names_the_account(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let me = session.me().map(Mention::Contact);
    let mark = lab.mark();
    let (calling, plain) = (lab.text("@bot hello"), lab.text("nobody in particular"));
    say_in_room(lab, &calling, me.iter().cloned().collect()).await?;
    let (_, _, message) = session.hears(&calling, mark).await?;
    let named = message.mentions.as_ref().is_none_or(|mentions| mentions.iter().any(|m| Some(m) == me.as_ref()));
    ensure!(named, "the account was mentioned, but the mentions are {:?}", message.mentions);
    say_in_room(lab, &plain, Vec::new()).await?;
    let mentions = session.hears(&plain, mark).await?.2.mentions.clone().unwrap_or_default();
    ensure!(mentions.is_empty(), "nobody was mentioned, but the mentions are {mentions:?}");
    Ok(())
}

/// The first friend says something one to one; the account has it.
async fn said(lab: &Lab, session: &Session<'_>, words: &str) -> Verdict<MessageId> {
    let (text, mark) = (lab.text(words), lab.mark());
    lab.person_says(&text).await?;
    Ok(session.hears(&text, mark).await?.2.id.clone())
}

async fn an_inbound_quote_names_the_message(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let quoted = said(lab, &session, "to be quoted").await?;
    let (text, mark) = (lab.text("quoting"), lab.mark());
    let what = SayablePayload::text(text.clone());
    lab.says(Said { from: lab.person()?, room: None, what, quote: Some(quoted.clone()) }).await?;
    let quote = session.hears(&text, mark).await?.2.quote_id.clone();
    ensure!(quote.as_ref() == Some(&quoted), "{quoted} was quoted, but the quote is {quote:?}");
    Ok(())
}

async fn inbound_files_have_their_kind_and_name(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let person = lab.person()?;
    for kind in [Capability::SendImage, Capability::SendAttachment] {
        let what = sample::of(kind, &person, &"none".into());
        let mark = lab.mark();
        lab.says(Said { from: person.clone(), room: None, what: what.clone(), quote: None }).await?;
        let (_, _, message) = session.message("an inbound file", mark, |m| m.talker_id == person).await?;
        ensure!(message.kind == what.message_type(), "{} arrived as {}", what.kind(), message.kind);
        let name = what.file_box().map(|file| file.name().to_owned());
        let got = &message.filename;
        ensure!(got.is_none() || *got == name, "the file is named {name:?}, but arrived as {got:?}");
    }
    Ok(())
}

async fn an_inbound_recall_names_the_message(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (message, mark) = (said(lab, &session, "to be recalled").await?, lab.mark());
    lab.act(Deed::Recall { by: lab.person()?, message: message.clone() }).await?;
    let recall = session.event("the message-recall event", mark, |entry| match &entry.event.what {
        EventPayload::MessageRecall(recall) => Some(recall.clone()),
        _ => None,
    });
    let recall = recall.await?;
    ensure!(recall.message_id == message, "{message} was recalled, but the event names {}", recall.message_id);
    let (direct, got) = (lab.direct()?, recall.conversation);
    ensure!(got == direct, "recalled in {direct:?}, but the event says {got:?}");
    Ok(())
}

async fn an_inbound_edit_names_message_and_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (message, text, mark) = (said(lab, &session, "to be edited").await?, lab.text("edited"), lab.mark());
    lab.act(Deed::Edit { by: lab.person()?, message: message.clone(), text: text.clone() }).await?;
    let edit = session.event("the message-edit event", mark, |entry| match &entry.event.what {
        EventPayload::MessageEdit(edit) => Some(edit.clone()),
        _ => None,
    });
    let edit = edit.await?;
    ensure!(edit.message_id == message, "{message} was edited, but the event names {}", edit.message_id);
    let new = edit.new_text.as_deref();
    ensure!(new.is_none_or(|new| new == text), "it says {text:?} now, but the event says {new:?}");
    Ok(())
}

async fn an_inbound_reaction_names_message_and_actor(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (message, person) = (said(lab, &session, "to be liked").await?, lab.person()?);
    for add in [true, false] {
        let mark = lab.mark();
        let reaction = "👍".to_owned();
        lab.act(Deed::React { by: person.clone(), message: message.clone(), reaction, add }).await?;
        let event = session.event("the reaction event", mark, |entry| match &entry.event.what {
            EventPayload::Reaction(reaction) => Some(reaction.clone()),
            _ => None,
        });
        let event = event.await?;
        ensure!(event.message_id == message, "the reaction was to {message}, the event names {}", event.message_id);
        ensure!(event.actor_id == person, "{person} reacted, but the event names {}", event.actor_id);
        ensure!(event.added == add, "a reaction that was added: {add} arrived as added: {}", event.added);
    }
    Ok(())
}

async fn a_pressed_button_comes_back(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (person, to) = (lab.person()?, lab.direct()?);
    let menu = sample::of(Capability::SendMenu, &person, &"none".into());
    let sent = lab.send(&session.puppet, lab.out(&to, menu)).await?;
    let Some(message) = sent.id else { return Ok(()) };
    let mark = lab.mark();
    lab.act(Deed::Press { by: person.clone(), message: message.clone(), button: "no".into() }).await?;
    let action = session.event("the action event", mark, |entry| match &entry.event.what {
        EventPayload::Action(action) => Some(action.clone()),
        _ => None,
    });
    let action = action.await?;
    ensure!(action.value == "no", "item \"no\" was chosen, but the event says {:?}", action.value);
    ensure!(action.actor_id == person, "{person} chose, but the event names {}", action.actor_id);
    ensure!(!action.id.is_empty(), "the action has no id of its own, so a duplicate is not seen");
    let named = action.message_id.as_ref();
    ensure!(named.is_none_or(|named| *named == message), "pressed on {message}, but the event names {named:?}");
    Ok(())
}
