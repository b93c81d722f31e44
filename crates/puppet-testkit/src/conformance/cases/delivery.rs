//! Keys, order, conversations, mentions and quotes of sends; sends to nobody.

use futures_util::future::join_all;
use wechaty_puppet::{Capability, ConversationId, Mention, PuppetError, SayablePayload, TextPayload};

use crate::conformance::{
    case::{Verdict, cases, ensure, failed, words},
    lab::Lab,
    session::Session,
};

cases! { CASES = Send:
    the_same_key_twice_arrives_once [SendText, IdempotencyKey];
    the_same_key_after_a_restart_arrives_once [SendText, IdempotencyKey];
    different_keys_with_the_same_text_arrive_twice [SendText];
    sends_keep_their_order_in_a_conversation [SendText];
    sends_to_different_conversations_do_not_mix [SendText] optional [SecondPerson];
    concurrent_sends_all_arrive_once [SendText];
    a_send_to_a_room_arrives_there [SendText] optional [Room];
    mentions_arrive [SendText, Mention] optional [Room];
    a_mention_of_everybody_arrives [SendText, MentionAll] optional [Room];
    a_quote_arrives [SendText, Quote];
    without_a_quote_nothing_is_quoted [SendText];
    a_send_to_an_unknown_contact_is_not_found [SendText];
    a_send_to_an_unknown_room_is_not_found [SendText] optional [Room];
}

async fn the_same_key_twice_arrives_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let out = lab.out(&to, SayablePayload::text(lab.text("keyed")));
    let first = lab.send(&session.puppet, out.clone()).await?;
    let second = lab.send(&session.puppet, out).await?;
    keyed_once(lab, &to).await?;
    ensure!(first.id == second.id, "one key, two ids: {:?} and {:?}", first.id, second.id);
    Ok(())
}

async fn keyed_once(lab: &Lab, to: &ConversationId) -> Verdict {
    lab.received_n(to, 1).await?;
    lab.silence().await;
    let n = lab.received(to).await?.len();
    ensure!(
        n == 1,
        "the same idempotency key was sent twice and arrived {n} times: the key does not reach the platform"
    );
    Ok(())
}

async fn the_same_key_after_a_restart_arrives_once(lab: &Lab) -> Verdict {
    let to = lab.direct()?;
    let out = lab.out(&to, SayablePayload::text(lab.text("keyed")));
    let session = lab.connect().await?;
    lab.send(&session.puppet, out.clone()).await?;
    drop(session);
    let session = lab.connect().await?;
    lab.send(&session.puppet, out).await?;
    keyed_once(lab, &to).await
}

async fn different_keys_with_the_same_text_arrive_twice(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text) = (lab.direct()?, lab.text("twice"));
    lab.send_text(&session.puppet, &to, &text).await?;
    lab.send_text(&session.puppet, &to, &text).await?;
    let received = lab.received_n(&to, 2).await?;
    ensure!(received[0].id != received[1].id, "two sends have one id on the platform");
    let keys = (&received[0].key, &received[1].key);
    ensure!(keys.0.is_none() || keys.0 != keys.1, "two sends reached the platform with one key");
    Ok(())
}

async fn sends_keep_their_order_in_a_conversation(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let mut texts = Vec::new();
    for _ in 0..10 {
        let text = lab.text("in order");
        lab.send_text(&session.puppet, &to, &text).await?;
        texts.push(text);
    }
    let received = lab.received_n(&to, texts.len()).await?;
    let order: Vec<_> = received.iter().filter_map(|received| received.payload.as_text()).collect();
    ensure!(order == texts, "sends to one conversation changed their order: {order:?}");
    Ok(())
}

async fn sends_to_different_conversations_do_not_mix(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (first, second): (ConversationId, ConversationId) = (lab.direct()?, lab.second()?.into());
    let mut all = vec![first, second];
    all.extend(lab.world.room.as_ref().map(|room| room.id.clone().into()));
    let mut sent = Vec::new();
    for to in all.iter().chain(all.iter().rev()) {
        let text = lab.text("to one conversation");
        lab.send_text(&session.puppet, to, &text).await?;
        sent.push((to, text));
    }
    for to in &all {
        let expected: Vec<_> = sent.iter().filter(|(at, _)| *at == to).map(|(_, text)| text.as_str()).collect();
        let received = lab.received_n(to, expected.len()).await?;
        let got: Vec<_> = received.iter().filter_map(|received| received.payload.as_text()).collect();
        ensure!(got == expected, "conversations are mixed up: {to:?} should have {expected:?}, but has {got:?}");
    }
    Ok(())
}

async fn concurrent_sends_all_arrive_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mut all: Vec<ConversationId> = lab.world.people.iter().cloned().map(Into::into).collect();
    all.extend(lab.world.room.as_ref().map(|room| room.id.clone().into()));
    let sends = all.iter().map(|to| async {
        for _ in 0..4 {
            lab.send_text(&session.puppet, to, &lab.text("at once")).await?;
        }
        Ok(())
    });
    for sent in join_all(sends).await {
        sent?;
    }
    for to in &all {
        lab.received_n(to, 4).await?;
    }
    lab.silence().await;
    for to in &all {
        let n = lab.received(to).await?.len();
        ensure!(n == 4, "4 concurrent sends to {to:?} arrived as {n}");
    }
    Ok(())
}

async fn a_send_to_a_room_arrives_there(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, text) = (lab.room()?.id.into(), lab.text("hello room"));
    lab.send_text(&session.puppet, &room, &text).await?;
    let received = lab.received_once(&room).await?;
    ensure!(received.payload.as_text() == Some(&text), "the room got {:?}", received.payload);
    let direct = lab.received(&lab.direct()?).await?;
    ensure!(direct.is_empty(), "a text to a room arrived one to one as well");
    Ok(())
}

async fn mentioning(lab: &Lab, session: &Session<'_>, mentions: Vec<Mention>) -> Verdict {
    let room = lab.room()?.id.into();
    let text = lab.text("@somebody\u{2005}hello");
    let what = SayablePayload::Text(TextPayload { text: text.clone(), mentions: mentions.clone() });
    lab.send(&session.puppet, lab.out(&room, what)).await?;
    let received = lab.received_once(&room).await?;
    let got = &received.mentions;
    ensure!(*got == mentions, "mentions were lost: sent {mentions:?}, the platform notifies {got:?}");
    ensure!(received.payload.as_text().is_some_and(|t| t.contains("hello")), "the words beside a mention were lost");
    Ok(())
}

async fn mentions_arrive(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    mentioning(lab, &session, lab.room()?.members.into_iter().map(Mention::Contact).collect()).await
}

async fn a_mention_of_everybody_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    mentioning(lab, &session, vec![Mention::All]).await
}

async fn a_quote_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, asked, text, mark) = (lab.direct()?, lab.text("to be quoted"), lab.text("quoting"), lab.mark());
    lab.person_says(&asked).await?;
    let (_, _, quoted) = session.hears(&asked, mark).await?;
    let mut out = lab.out(&to, SayablePayload::text(text.clone()));
    out.quote = Some(quoted.id.clone());
    lab.send(&session.puppet, out).await?;
    let received = lab.received_once(&to).await?;
    let got = &received.quote;
    ensure!(got.as_ref() == Some(&quoted.id), "the quote was lost: sent {}, the platform shows {got:?}", quoted.id);
    ensure!(received.payload.as_text() == Some(&text), "the words beside a quote became {:?}", received.payload);
    Ok(())
}

async fn without_a_quote_nothing_is_quoted(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, mark, asked) = (lab.direct()?, lab.mark(), lab.text("not to be quoted"));
    lab.person_says(&asked).await?;
    session.hears(&asked, mark).await?;
    lab.send_text(&session.puppet, &to, &lab.text("plain")).await?;
    let received = lab.received_once(&to).await?;
    ensure!(received.quote.is_none(), "nothing was quoted, but the platform shows a quote of {:?}", received.quote);
    ensure!(received.mentions.is_empty(), "nobody was mentioned, but the platform notifies {:?}", received.mentions);
    Ok(())
}

async fn to_nobody(lab: &Lab, to: ConversationId) -> Verdict {
    let session = lab.connect().await?;
    let out = lab.out(&to, SayablePayload::text("is anybody there?"));
    let refused = match lab.bounded("a send to an unknown id", session.puppet.send(out)).await? {
        Ok(_) => failed(format!("a send to {to:?}, which does not exist, answered Ok: NotFound is swallowed")),
        // Some platforms answer alike for who is unknown and who may not be written to.
        Err(PuppetError::NotFound { .. } | PuppetError::Rejected { .. }) => Ok(()),
        Err(error) => {
            failed(format!("a send to {to:?}, which does not exist, must be NotFound, but is \"{}\"", words(&error)))
        }
    };
    refused?;
    if lab.capabilities.has(Capability::SendText) {
        let direct = lab.direct()?;
        lab.send_text(&session.puppet, &direct, &lab.text("still working")).await?;
        lab.received_once(&direct).await?;
    }
    Ok(())
}

async fn a_send_to_an_unknown_contact_is_not_found(lab: &Lab) -> Verdict {
    to_nobody(lab, ConversationId::Contact(lab.world.unknown.as_str().into())).await
}

async fn a_send_to_an_unknown_room_is_not_found(lab: &Lab) -> Verdict {
    lab.room()?;
    to_nobody(lab, ConversationId::Room(lab.world.unknown.as_str().into())).await
}
