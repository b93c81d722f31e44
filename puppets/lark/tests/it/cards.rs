//! Cards that grow, through lives of the bot.

use std::sync::Arc;

use wechaty_puppet::{Clock, Growing, IdempotencyKey, Outgoing, SayablePayload};

use crate::{sink::Running, stage::Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_of_an_earlier_life_grows_on() {
    let stage = Stage::new(false).await;
    let first = Running::ready(stage.make(), Clock::system()).await;
    let key = IdempotencyKey::from_bytes([1; 16]);
    let out = Outgoing::new(key, stage.people[0].clone().into(), Arc::new(SayablePayload::text("it")));
    let to = out.to.clone();
    let id = first.puppet.begin(out).await.expect("sent").id.expect("an id");
    first.puppet.grow(&to, &id, "it grows").await.expect("grown");
    drop(first);
    let second = Running::ready(stage.make(), Clock::system()).await;
    second.puppet.finish(&to, &id, "it grows on").await.expect("finished");
    let (texts, asked) = stage.fake.with(|state| {
        let card = state.cards.values().next().cloned().expect("a card");
        assert!(!card.streams());
        let texts: Vec<String> = card.texts.into_iter().map(|(.., text)| text).collect();
        (texts, state.requests["POST /open-apis/cardkit/v1/cards/id_convert"])
    });
    assert_eq!((texts, asked), (vec!["it grows".to_owned(), "it grows on".to_owned()], 1));
}
