//! What is sent arrives: byte for byte, exactly once, with a good receipt.

use std::{collections::HashSet, sync::Arc};

use wechaty_puppet::{Capability, Cause, ConversationId, EventPayload, Puppet, PuppetError, SayablePayload, TextUnit};

use crate::conformance::{
    case::{Stop, Verdict, cases, ensure, failed, group, words},
    lab::Lab,
    sample::TEXTS,
};

cases! { CASES = Send:
    a_sent_text_arrives_exactly_once [SendText];
    sent_texts_are_byte_exact [SendText];
    an_id_is_returned_exactly_if_declared [SendText];
    the_sent_id_is_the_platforms [SendText, SentId];
    the_sent_id_can_be_loaded [SendText, SentId, LoadMessage];
    sent_ids_are_different [SendText, SentId];
    own_messages_come_back_exactly_if_declared [SendText];
    own_messages_are_flagged [SendText, EchoSelf];
    the_echo_has_the_sent_id [SendText, EchoSelf, SentId];
    a_reply_with_its_cause_arrives [SendText];
    a_second_attempt_arrives [SendText];
    a_text_over_the_limit_is_refused_or_whole [SendText];
    a_text_at_the_limit_arrives_whole [SendText];
    an_empty_text_is_refused_or_arrives [SendText];
    a_send_before_run_answers [SendText];
    a_send_after_run_answers [SendText];
}

async fn a_sent_text_arrives_exactly_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text) = (lab.direct()?, lab.text("hello"));
    lab.send_text(&session.puppet, &to, &text).await?;
    let received = lab.received_once(&to).await?;
    let got = received.payload.as_text();
    ensure!(got == Some(&text), "the text was altered on the way: sent {text:?}, arrived {got:?}");
    Ok(())
}

async fn sent_texts_are_byte_exact(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    for (i, text) in TEXTS.iter().enumerate() {
        lab.send_text(&session.puppet, &to, text).await?;
        let received = lab.received_n(&to, i + 1).await?;
        let got = received[i].payload.as_text();
        ensure!(got == Some(text), "the text was altered on the way: sent {text:?}, arrived {got:?}");
    }
    Ok(())
}

async fn an_id_is_returned_exactly_if_declared(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let sent = lab.send_text(&session.puppet, &lab.direct()?, &lab.text("id")).await?;
    let declared = lab.capabilities.has(Capability::SentId);
    ensure!(sent.id.is_some() || !declared, "ids of sent messages are declared, but send returned none");
    ensure!(sent.id.is_none() || declared, "send returned an id, but ids of sent messages are not declared");
    ensure!(sent.id.is_none_or(|id| !id.as_str().is_empty()), "send returned the id \"\"");
    Ok(())
}

async fn the_sent_id_is_the_platforms(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let sent = lab.send_text(&session.puppet, &to, &lab.text("id")).await?.id;
    let received = lab.received_n(&to, 1).await?;
    ensure!(sent.as_ref() == Some(&received[0].id), "send returned {sent:?}, the platform has {}", received[0].id);
    Ok(())
}

async fn the_sent_id_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text) = (lab.direct()?, lab.text("load me"));
    let Some(id) = lab.send_text(&session.puppet, &to, &text).await?.id else {
        return failed("send returned no id");
    };
    let loader = group!(session, loader);
    let message = lab.ok("loading a sent message by its id", loader.message(&id)).await?;
    let me = session.me();
    ensure!(message.id == id, "loaded {id}, but got {}", message.id);
    ensure!(Some(&message.talker_id) == me.as_ref(), "an own message has the talker {}", message.talker_id);
    ensure!(message.text.as_deref() == Some(&text), "sent {text:?}, loaded {:?}", message.text);
    let conversation = message.conversation(me.as_ref());
    ensure!(conversation == to, "sent to {to:?}, but loaded as said in {conversation:?}");
    Ok(())
}

async fn sent_ids_are_different(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let sent = lab.send_text(&session.puppet, &lab.direct()?, &lab.text("one of many")).await?;
        ensure!(ids.insert(sent.id.clone()), "two sent messages have the same id {:?}", sent.id);
    }
    Ok(())
}

/// Sends, and lets a person say something after it: what comes back has come back by then.
async fn own_messages_come_back_exactly_if_declared(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, after, mark) = (lab.text("echo"), lab.text("after it"), lab.mark());
    lab.send_text(&session.puppet, &lab.direct()?, &text).await?;
    let declared = lab.capabilities.has(Capability::EchoSelf);
    if declared {
        return session.hears(&text, mark).await.map(drop);
    }
    lab.person_says(&after).await?;
    session.hears(&after, mark).await?;
    lab.silence().await;
    let echoed = session.messages(mark).await?.iter().any(|message| message.text.as_deref() == Some(&text));
    ensure!(!echoed, "an own message came back as an event, but the echo of own messages is not declared");
    Ok(())
}

async fn own_messages_are_flagged(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text, mark) = (lab.direct()?, lab.text("mine"), lab.mark());
    lab.send_text(&session.puppet, &to, &text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    let me = session.me();
    let talker = &message.talker_id;
    ensure!(Some(talker) == me.as_ref(), "an own message came back as if {talker} had said it: the bot answers itself");
    let conversation = message.conversation(me.as_ref());
    ensure!(conversation == to, "sent to {to:?}, but the echo belongs to {conversation:?}");
    Ok(())
}

async fn the_echo_has_the_sent_id(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("same id"), lab.mark());
    let sent = lab.send_text(&session.puppet, &lab.direct()?, &text).await?.id;
    let (_, event, _) = session.hears(&text, mark).await?;
    let EventPayload::Message(echo) = event.what else { return Ok(()) };
    ensure!(sent.as_ref() == Some(&echo.message_id), "send returned {sent:?}, the echo is {}", echo.message_id);
    Ok(())
}

async fn a_reply_with_its_cause_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, asked, text, mark) = (lab.direct()?, lab.text("ding"), lab.text("dong"), lab.mark());
    lab.person_says(&asked).await?;
    let (_, _, message) = session.hears(&asked, mark).await?;
    let mut out = lab.out(&to, SayablePayload::text(text.clone()));
    out.cause = Some(Cause { message_id: message.id.clone() });
    lab.send(&session.puppet, out).await?;
    let received = lab.received_once(&to).await?;
    ensure!(received.payload.as_text() == Some(&text), "the reply arrived as {:?}", received.payload);
    Ok(())
}

async fn a_second_attempt_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text) = (lab.direct()?, lab.text("second attempt"));
    let mut out = lab.out(&to, SayablePayload::text(text.clone()));
    out.attempt = 2;
    lab.send(&session.puppet, out).await?;
    let received = lab.received_once(&to).await?;
    ensure!(received.payload.as_text() == Some(&text), "the second attempt arrived as {:?}", received.payload);
    Ok(())
}

/// What counts differently in each unit: a letter, a Chinese one, one outside of the BMP, one of two scalars.
const LETTERS: &[&str] = &["0", "你", "😀", "e\u{301}"];

/// A text of exactly this length in the platform's unit, of this letter; digits make up what is left.
fn long(unit: TextUnit, letter: &str, length: usize) -> String {
    let each = unit.len(letter);
    letter.repeat(length / each) + &"0".repeat(length % each)
}

async fn a_text_over_the_limit_is_refused_or_whole(lab: &Lab) -> Verdict {
    let limits = &lab.capabilities.limits;
    let Some(limit) = limits.text else { return Err(Stop::Undeclared("a limit of texts")) };
    let session = lab.connect().await?;
    let (to, mut arrived) = (lab.direct()?, 0);
    for letter in LETTERS {
        let text = long(limits.text_unit, letter, limit + 1);
        let out = lab.out(&to, SayablePayload::text(&*text));
        match lab.bounded("sending a text over the limit", session.puppet.send(out)).await? {
            Err(PuppetError::Invalid { .. }) => {}
            Err(error) => {
                return failed(format!("a text over the limit must be Invalid, but is \"{}\"", words(&error)));
            }
            Ok(_) => {
                arrived += 1;
                whole(lab, &to, arrived, &text, "over the limit").await?;
            }
        }
    }
    lab.silence().await;
    let n = lab.received(&to).await?.len();
    ensure!(n == arrived, "a text over the limit was refused, but arrived all the same");
    Ok(())
}

async fn a_text_at_the_limit_arrives_whole(lab: &Lab) -> Verdict {
    let limits = &lab.capabilities.limits;
    let session = lab.connect().await?;
    let to = lab.direct()?;
    for (i, letter) in LETTERS.iter().enumerate() {
        let text = long(limits.text_unit, letter, limits.text.unwrap_or(2000).min(100_000));
        let what = format!("sending a text of {letter:?} within the limit (counted in {:?})", limits.text_unit);
        lab.ok(&what, session.puppet.send(lab.out(&to, SayablePayload::text(&*text)))).await?;
        whole(lab, &to, i + 1, &text, "within the limit").await?;
    }
    Ok(())
}

/// The last of `n` texts that the platform has is this one.
async fn whole(lab: &Lab, to: &ConversationId, n: usize, text: &str, which: &str) -> Verdict {
    let received = lab.received_n(to, n).await?;
    let got = received[n - 1].payload.as_text().unwrap_or_default();
    let (sent, length) = (text.chars().count(), got.chars().count());
    ensure!(got == text, "a text {which} was cut from {sent} to {length} characters without a word");
    Ok(())
}

async fn an_empty_text_is_refused_or_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let out = lab.out(&to, SayablePayload::text(""));
    match lab.bounded("sending an empty text", session.puppet.send(out)).await? {
        Ok(_) => lab.received_once(&to).await.map(drop),
        Err(error) if error.is_certain() => Ok(()),
        Err(error) => failed(format!("an empty text ended in doubt: {}", words(&error))),
    }
}

async fn a_send_before_run_answers(lab: &Lab) -> Verdict {
    let puppet = lab.harness.puppet().await;
    sends_or_refuses(lab, &puppet, "a send before run").await
}

async fn a_send_after_run_answers(lab: &Lab) -> Verdict {
    let puppet = lab.connect().await?.stop().await?;
    sends_or_refuses(lab, &puppet, "a send after run").await
}

/// A puppet that only posts may send without a connection; one that cannot must say so, with certainty.
async fn sends_or_refuses(lab: &Lab, puppet: &Arc<dyn Puppet>, what: &str) -> Verdict {
    let to = lab.direct()?;
    let out = lab.out(&to, SayablePayload::text(lab.text("nobody is connected")));
    match lab.bounded(what, puppet.send(out)).await? {
        Ok(_) => lab.received_once(&to).await.map(drop),
        Err(error) if error.is_certain() => {
            ensure!(lab.received(&to).await?.is_empty(), "{what} failed with certainty, but arrived");
            Ok(())
        }
        Err(error) => failed(format!("{what} ended in doubt: {}", words(&error))),
    }
}
