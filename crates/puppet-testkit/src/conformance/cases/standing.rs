//! What stands beside a message: its pin, its readers, and that it is still being written.

use wechaty_puppet::{ConversationId, MessageId, SayablePayload};

use crate::conformance::{
    Ability, Deed, Look,
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
    session::Session,
};

cases! { PINS = Pins:
    a_pinned_message_is_listed_until_it_is_taken_off [Pin, SendText, SentId];
    a_pin_is_seen_by_people [Pin, SendText, SentId] optional [SeePinned];
    pins_are_listed_newest_first_and_each_once [Pin, SendText, SentId];
    a_message_of_somebody_else_can_be_pinned [Pin];
    a_pin_of_an_unknown_message_is_not_found [Pin];
}

cases! { READERS = Readers:
    who_has_read_a_message_is_among_its_readers [MessageReaders, SendText, SentId] optional [Read];
    a_message_that_nobody_has_read_has_no_readers [MessageReaders, SendText, SentId];
    readers_of_an_unknown_message_are_not_found [MessageReaders];
}

cases! { GROWING = Growing:
    a_growing_message_is_one_message_and_has_the_last_text [GrowingText, SendText];
    a_growing_message_shows_each_text [GrowingText, SendText];
    a_message_is_seen_to_grow_until_it_is_finished [GrowingText, SendText] optional [SeeGrowing];
    a_growing_message_is_gone_on_with_after_a_restart [GrowingText, SendText] optional [GoOn];
    a_finished_message_can_be_finished_again [GrowingText, SendText];
    the_same_key_begins_one_message [GrowingText, SendText, IdempotencyKey];
    an_unknown_message_cannot_grow [GrowingText];
}

async fn sent(lab: &Lab, session: &Session<'_>, to: &ConversationId, words: &str) -> Verdict<MessageId> {
    match lab.send_text(&session.puppet, to, &lab.text(words)).await?.id {
        Some(id) => Ok(id),
        None => failed("ids of sent messages are declared, but send returned none"),
    }
}

fn unknown(lab: &Lab) -> MessageId {
    MessageId::from(lab.world.unknown.as_str())
}

async fn a_pinned_message_is_listed_until_it_is_taken_off(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, pins) = (lab.direct()?, group!(session, pins));
    let id = sent(lab, &session, &to, "to be pinned").await?;
    for pinned in [true, false] {
        lab.ok("pinning a message", pins.pin(&to, &id, pinned)).await?;
        let listed = lab.ok("listing pins", pins.pinned(&to)).await?;
        ensure!(
            listed.contains(&id) == pinned,
            "the pin of {id} was set to {pinned}, but the pinned messages are {listed:?}"
        );
    }
    Ok(())
}

async fn a_pin_is_seen_by_people(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, pins) = (lab.direct()?, group!(session, pins));
    let id = sent(lab, &session, &to, "to be pinned").await?;
    for pinned in [true, false] {
        lab.ok("pinning a message", pins.pin(&to, &id, pinned)).await?;
        let complaint = if pinned { "people never saw the pin" } else { "people still see the pin" };
        lab.sees(Look::Pinned(to.clone(), id.clone()), pinned, complaint).await?;
    }
    Ok(())
}

async fn pins_are_listed_newest_first_and_each_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, pins) = (lab.direct()?, group!(session, pins));
    let first = sent(lab, &session, &to, "the first").await?;
    let second = sent(lab, &session, &to, "the second").await?;
    for id in [&second, &first, &first] {
        lab.ok("pinning a message", pins.pin(&to, id, true)).await?;
        // Platforms tell the times of pins in seconds, or milliseconds.
        lab.pass(std::time::Duration::from_secs(1)).await;
    }
    let mut listed = lab.ok("listing pins", pins.pinned(&to)).await?;
    listed.retain(|id| *id == first || *id == second);
    ensure!(
        listed == [first.clone(), second.clone()],
        "pinned {second}, then {first} twice: newest first and each once is [{first}, {second}], but it lists {listed:?}"
    );
    Ok(())
}

async fn a_message_of_somebody_else_can_be_pinned(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text, mark) = (lab.direct()?, lab.text("pin me"), lab.mark());
    lab.person_says(&text).await?;
    let id = session.hears(&text, mark).await?.2.id.clone();
    let pins = group!(session, pins);
    lab.ok("pinning a message of somebody else", pins.pin(&to, &id, true)).await?;
    let listed = lab.ok("listing pins", pins.pinned(&to)).await?;
    ensure!(listed.contains(&id), "{id} was pinned, but the pinned messages are {listed:?}");
    Ok(())
}

async fn a_pin_of_an_unknown_message_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    lab.not_found("pins().pin", group!(session, pins).pin(&lab.direct()?, &unknown(lab), true)).await
}

async fn who_has_read_a_message_is_among_its_readers(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, person) = (lab.direct()?, lab.person()?);
    let id = sent(lab, &session, &to, "to be read").await?;
    lab.received_n(&to, 1).await?;
    lab.act(Deed::Read { by: person.clone(), message: id.clone() }).await?;
    let start = lab.real.now();
    let readers = loop {
        let readers = lab.ok("asking for readers", group!(session, readers).readers(&to, &id)).await?;
        if !readers.is_empty() || lab.real.now().saturating_sub(start) > lab.patience {
            break readers;
        }
        lab.tick().await;
    };
    ensure!(readers == [person.clone()], "{person} alone has read {id}, but its readers are {readers:?}");
    Ok(())
}

async fn a_message_that_nobody_has_read_has_no_readers(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let id = sent(lab, &session, &to, "unread").await?;
    let readers = lab.ok("asking for readers", group!(session, readers).readers(&to, &id)).await?;
    ensure!(readers.is_empty(), "nobody has read {id}, but its readers are {readers:?}");
    Ok(())
}

async fn readers_of_an_unknown_message_are_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    lab.not_found("readers().readers", group!(session, readers).readers(&lab.direct()?, &unknown(lab))).await
}

/// Begins a message and names it.
async fn begun(lab: &Lab, session: &Session<'_>, to: &ConversationId, text: &str) -> Verdict<MessageId> {
    let out = lab.out(to, SayablePayload::text(text));
    match lab.ok("beginning a message", group!(session, growing).begin(out)).await?.id {
        Some(id) => Ok(id),
        None => failed("begin named no message: without its id nothing can grow"),
    }
}

/// The texts people see of this conversation.
async fn texts(lab: &Lab, to: &ConversationId) -> Verdict<Vec<String>> {
    lab.silence().await;
    let received = lab.received(to).await?;
    Ok(received.iter().map(|received| received.payload.as_text().unwrap_or_default().to_owned()).collect())
}

async fn a_growing_message_is_one_message_and_has_the_last_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    let id = begun(lab, &session, &to, "Once").await?;
    for text in ["Once upon", "Once upon a time 从前", "Once upon a time 从前有"] {
        lab.ok("growing", growing.grow(&to, &id, text)).await?;
    }
    let last = lab.text("Once upon a time 从前有座山。");
    lab.ok("finishing", growing.finish(&to, &id, &last)).await?;
    let seen = texts(lab, &to).await?;
    ensure!(seen == [last.clone()], "a message grew to {last:?}, but people see {seen:?}");
    Ok(())
}

async fn a_growing_message_shows_each_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    let id = begun(lab, &session, &to, "one").await?;
    for text in ["one two", "one two three", "another beginning"] {
        lab.ok("growing", growing.grow(&to, &id, text)).await?;
        let seen = texts(lab, &to).await?;
        ensure!(seen == [text], "the text of a growing message is {text:?}, but people see {seen:?}");
    }
    lab.ok("finishing", growing.finish(&to, &id, "the end")).await
}

async fn a_message_is_seen_to_grow_until_it_is_finished(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    let id = begun(lab, &session, &to, "one").await?;
    lab.sees(Look::Growing(id.clone()), true, "people never saw that the message was being written").await?;
    lab.ok("growing", growing.grow(&to, &id, "one two")).await?;
    lab.sees(Look::Growing(id.clone()), true, "the message looked complete before it was").await?;
    lab.ok("finishing", growing.finish(&to, &id, "one two three")).await?;
    lab.sees(Look::Growing(id), false, "the message was finished, but looks as if it was still being written").await
}

async fn a_growing_message_is_gone_on_with_after_a_restart(lab: &Lab) -> Verdict {
    lab.can(Ability::GoOn)?;
    let to = lab.direct()?;
    let id = {
        let session = lab.connect().await?;
        let id = begun(lab, &session, &to, "before").await?;
        lab.ok("growing", group!(session, growing).grow(&to, &id, "before the restart")).await?;
        session.stop().await?;
        id
    };
    let session = lab.connect().await?;
    let growing = group!(session, growing);
    lab.ok("growing after a restart", growing.grow(&to, &id, "after the restart")).await?;
    lab.ok("finishing after a restart", growing.finish(&to, &id, "after the restart.")).await?;
    let seen = texts(lab, &to).await?;
    ensure!(seen == ["after the restart."], "the message was gone on with after a restart, but people see {seen:?}");
    Ok(())
}

async fn a_finished_message_can_be_finished_again(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    let id = begun(lab, &session, &to, "one").await?;
    for _ in 0..2 {
        lab.ok("finishing", growing.finish(&to, &id, "one two")).await?;
    }
    let seen = texts(lab, &to).await?;
    ensure!(seen == ["one two"], "a message was finished twice with one text, but people see {seen:?}");
    Ok(())
}

async fn the_same_key_begins_one_message(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    let out = lab.out(&to, SayablePayload::text(lab.text("begun")));
    let first = lab.ok("beginning a message", growing.begin(out.clone())).await?.id;
    let again = lab.ok("beginning a message again", growing.begin(out)).await?.id;
    ensure!(first == again, "the same key began {first:?} and then {again:?}");
    let seen = texts(lab, &to).await?;
    ensure!(seen.len() == 1, "the same key began one message, but people see {seen:?}");
    Ok(())
}

async fn an_unknown_message_cannot_grow(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, growing) = (lab.direct()?, group!(session, growing));
    lab.not_found("growing().grow", growing.grow(&to, &unknown(lab), "words")).await?;
    lab.not_found("growing().finish", growing.finish(&to, &unknown(lab), "words")).await
}
