//! Rules and their answers, as people in a chat see them.

use std::time::Duration;

use serde_json::{Value, json};
use wechaty::{prelude::*, puppet::Capability, testing::*};
use wechaty_plugins::{AutoReply, DingDong, Rule};

use crate::bot;

fn of(settings: Value) -> AutoReply {
    serde_json::from_value(settings).unwrap()
}

#[tokio::test]
async fn the_first_rule_that_matches_answers_and_nobody_behind_it() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let plugin = of(json!({ "rules": [
        { "contains": ["课表", "日程"], "reply": "见群公告" },
        { "equals": "ding", "reply": ["{name}:", "dong?"] },
        { "re": "^课", "reply": "never" },
    ] }));
    let builder = Bot::builder(platform.puppet()).clock(platform.bot_clock());
    let bot = spawn(builder.plugin(plugin).plugin(DingDong::default())).await;
    alice.says("课表在哪里？").await;
    assert_eq!(alice.hears().await, "见群公告");
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "alice:");
    assert_eq!(alice.hears().await, "dong?");
    alice.says("hello").await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.sent, ledger.inbound.errors.len()), (3, 0));
    alice.hears_nothing();
}

#[tokio::test]
async fn full_width_and_case_do_not_count() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let rules = [Rule::equals("Help！", "equals"), Rule::contains("ａｂｃ", "contains")];
    let bot = bot(&platform, AutoReply::new(rules)).await;
    alice.says("　ｈｅｌｐ! ").await;
    assert_eq!(alice.hears().await, "equals");
    alice.says("xＡBcx").await;
    assert_eq!(alice.hears().await, "contains");
    alice.says("help! me").await;
    bot.finish_with(&platform).await;
    alice.hears_nothing();
}

#[tokio::test]
async fn a_rule_may_want_a_mention_in_rooms() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let rules =
        json!([{ "contains": "tea", "reply": "green" }, { "contains": "milk", "reply": "no", "mention": false }]);
    let bot = bot(&platform, of(json!({ "mention": true, "rules": rules }))).await;
    alice.says_in(&room, "tea?").await;
    alice.says_in(&room, "tea with milk?").await;
    assert_eq!(alice.hears_in(&room).await, "no");
    let name = bot.current_user().unwrap().name();
    alice.mentions_in(&room, &[platform.bot_id()], format!("@{name}\u{2005}tea")).await;
    assert_eq!(alice.hears_in(&room).await, "green");
    alice.says("tea").await;
    assert_eq!(alice.hears().await, "green");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_rule_that_rests_is_silent_in_its_conversation_only() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let rules = json!([{ "contains": "a", "reply": "A" }, { "contains": "b", "reply": "B", "cooldown_seconds": 0 }]);
    let bot = bot(&platform, of(json!({ "cooldown_seconds": 60, "rules": rules }))).await;
    for text in ["a", "a", "b", "b"] {
        alice.says(text).await;
    }
    bob.says("a").await;
    for answer in ["A", "B", "B"] {
        assert_eq!(alice.hears().await, answer);
    }
    assert_eq!(bob.hears().await, "A");
    bot.drained().await;
    alice.hears_nothing();
    platform.clock().advance(Duration::from_secs(60)).await;
    alice.says("a").await;
    assert_eq!(alice.hears().await, "A");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn the_bot_never_answers_itself() {
    let platform = FakePlatform::builder().allow(Capability::EchoSelf).build();
    let alice = platform.user("alice");
    let bot = bot(&platform, AutoReply::new([Rule::contains("ding", "ding ding")])).await;
    alice.says("ding").await;
    assert_eq!(alice.hears().await, "ding ding");
    platform.settled().await;
    bot.drained().await;
    alice.hears_nothing();
    bot.finish_with(&platform).await;
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    let refused =
        |rule: Value| serde_json::from_value::<AutoReply>(json!({ "rules": [rule] })).unwrap_err().to_string();
    let one = "a rule needs exactly one of `contains`, `equals` and `re`";
    assert_eq!(refused(json!({ "reply": "x" })), one);
    assert_eq!(refused(json!({ "reply": "x", "re": "a", "equals": "a" })), one);
    assert!(refused(json!({ "re": "(", "reply": "x" })).contains("unclosed group"));
    assert!(refused(json!({ "equals": " ", "reply": "x" })).contains("cannot be empty"));
    assert!(refused(json!({ "equals": "x", "reply": [] })).contains("something to reply"));
    assert!(refused(json!({ "equal": "x", "reply": "x" })).contains("unknown field `equal`"));
}
