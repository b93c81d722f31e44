//! Everything that can be said arrives as what it is, or as the best the platform can show.

use wechaty::{
    Error,
    prelude::*,
    testing::*,
    types::{MiniProgramPayload, SayablePayload, UrlLinkPayload},
};
use wechaty_puppet::{Capability, PuppetError, TextUnit};

use crate::support::{bot, idle, secs};

fn link() -> UrlLink {
    UrlLink::new(UrlLinkPayload {
        url: "https://e.invalid".into(),
        title: "A page".into(),
        ..UrlLinkPayload::default()
    })
}

fn program() -> MiniProgram {
    MiniProgram::new(MiniProgramPayload { title: Some("Shop".into()), ..MiniProgramPayload::default() })
}

fn file(name: &str) -> FileBox {
    FileBox::from_bytes(&b"bytes"[..], name)
}

/// One of each kind, and what it is sent as.
fn one_of_each(to: &Contact) -> Vec<(Sayable, Capability)> {
    let post = Post::builder().add("hello").build().expect("it says something");
    vec![
        ("text".into_sayable(), Capability::SendText),
        (42.into_sayable(), Capability::SendText),
        (file("a.pdf").into_sayable(), Capability::SendAttachment),
        (file("a.png").into_sayable(), Capability::SendImage),
        (file("a.mp3").into_sayable(), Capability::SendAudio),
        (file("a.mp4").into_sayable(), Capability::SendVideo),
        (to.into_sayable(), Capability::SendContact),
        (link().into_sayable(), Capability::SendUrl),
        (Location::at(31.2, 121.4, "The Bund").into_sayable(), Capability::SendLocation),
        (program().into_sayable(), Capability::SendMiniProgram),
        (Card::new("Order").button("ok", "OK").into_sayable(), Capability::SendCard),
        (Menu::new("Tea?").item("y", "Yes").into_sayable(), Capability::SendMenu),
        (Sayable::markdown("*hi*"), Capability::SendMarkdown),
        (post.into_sayable(), Capability::SendPost),
    ]
}

#[tokio::test]
async fn a_delay_that_is_said_waits_and_sends_nothing_q3() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        msg.say("thinking …").await?;
        let receipt = msg.say(Delay::seconds(2)).await?;
        assert_eq!(receipt.sent().await?.id, None);
        msg.say("42").await.map(|_| ())
    }))
    .await;
    alice.says("answer?").await;
    assert_eq!(alice.hears().await, "thinking …");
    idle(&platform).await;
    alice.hears_nothing();
    platform.clock().advance(secs(2)).await;
    assert_eq!(alice.hears().await, "42");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, ledger.outbound.sent), (2, 2));
    let only_a_delay = Post::builder().add(Delay::seconds(2)).build();
    assert!(matches!(only_a_delay, Err(Error::Invalid { what: "post", .. })), "{only_a_delay:?}");
}

#[tokio::test]
async fn every_kind_arrives_as_what_it_is() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact(alice.id()).await.expect("loads");
    for (what, kind) in one_of_each(&to) {
        let words = what.payload().fallback_text();
        to.say(what).sent().await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let heard = alice.hears().await;
        assert_eq!((heard.capability(), heard.text()), (kind, &*words));
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_kind_the_platform_lacks_becomes_text_where_words_can_stand_for_it() {
    let cases = [
        (Capability::SendMarkdown, Sayable::markdown("*hi*"), "*hi*"),
        (Capability::SendUrl, link().into_sayable(), "A page\nhttps://e.invalid"),
        (
            Capability::SendLocation,
            Location::at(31.2, 121.4, "The Bund").into_sayable(),
            "[Location] The Bund (31.2, 121.4)",
        ),
        (Capability::SendCard, Card::new("Order").button("ok", "OK").into_sayable(), "Order\n1. OK"),
        (Capability::SendMenu, Menu::new("Tea?").item("y", "Yes").into_sayable(), "Tea?\n1. Yes"),
    ];
    for (denied, what, words) in cases {
        let mut builder = FakePlatform::builder().deny(denied);
        if matches!(denied, Capability::SendCard | Capability::SendMenu) {
            // One stands for the other, and a card is Markdown before it is text.
            let others = [Capability::SendCard, Capability::SendMenu, Capability::SendMarkdown];
            builder = others.into_iter().fold(builder, FakePlatformBuilder::deny);
        }
        let platform = builder.build();
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform)).await;
        let to = bot.main_account().contact_handle(&alice.id());
        to.say(what).sent().await.unwrap_or_else(|error| panic!("without {denied}: {error}"));
        let heard = alice.hears().await;
        assert_eq!((heard.capability(), heard.text()), (Capability::SendText, words));
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn a_picture_the_platform_cannot_show_becomes_an_attachment() {
    for denied in [Capability::SendImage, Capability::SendAudio, Capability::SendVideo] {
        let platform = FakePlatform::builder().deny(denied).build();
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform)).await;
        let to = bot.main_account().contact_handle(&alice.id());
        for name in ["a.png", "a.mp3", "a.mp4"] {
            to.say(file(name)).sent().await.expect("sent");
            let heard = alice.hears().await;
            assert_eq!(heard.payload().file_box().map(FileBox::name), Some(name));
            assert_ne!(heard.capability(), denied);
        }
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn what_no_words_can_stand_for_is_refused_and_counted() {
    let kinds =
        [Capability::SendContact, Capability::SendMiniProgram, Capability::SendAttachment, Capability::SendPost];
    for denied in kinds {
        let platform = FakePlatform::builder().deny(denied).build();
        let alice = platform.user("alice");
        let bot = spawn(bot(&platform)).await;
        let to = bot.main_account().contact_handle(&alice.id());
        let (what, _) = one_of_each(&to).into_iter().find(|(_, kind)| *kind == denied).expect("one of each");
        let error = to.say(what).await.expect_err("denied");
        let Error::Puppet(PuppetError::Unsupported { capability, .. }) = error else { panic!("{error}") };
        assert_eq!(capability, denied);
        let ledger = bot.finish_with(&platform).await;
        assert_eq!((ledger.outbound.said, ledger.outbound.reasons["rejected(unsupported)"]), (1, 1));
        alice.hears_nothing();
    }
}

#[tokio::test]
async fn a_message_is_forwarded_by_the_platform_else_by_its_content() {
    for forwards in [true, false] {
        let builder = FakePlatform::builder();
        let platform = if forwards { builder } else { builder.deny(Capability::SendForward) }.build();
        let (alice, bob) = (platform.user("alice"), platform.user("bob"));
        let to = bob.id();
        let bot = spawn(bot(&platform).on_message(move |msg: Message| {
            let to = to.clone();
            async move { msg.forward(to).sent().await.map(|_| ()) }
        }))
        .await;
        alice.says("news").await;
        assert_eq!(bob.hears().await, "news");
        alice.sends(SayablePayload::file(file("a.png"))).await;
        let heard = bob.hears().await;
        assert_eq!(
            (heard.capability(), heard.payload().file_box().map(FileBox::name)),
            (Capability::SendImage, Some("a.png"))
        );
        let kind = if forwards { "Forward" } else { "Text" };
        assert_eq!(platform.book().sends[0].what.kind(), kind);
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn a_file_that_changes_after_the_say_arrives_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("note.txt");
    std::fs::write(&path, "as it was").expect("writes");
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    platform.faults().hold_sends();
    let to = bot.main_account().contact_handle(&alice.id());
    to.say(FileBox::from_file(&path).expect("a path")).await.expect("durable");
    std::fs::write(&path, "changed").expect("writes");
    platform.faults().release_sends();
    let heard = alice.hears().await;
    let file = heard.payload().file_box().expect("a file");
    assert_eq!(&file.to_bytes().await.expect("bytes")[..], b"as it was");
    let missing = FileBox::from_file(&path).expect("a path");
    std::fs::remove_file(&path).expect("removes");
    assert!(matches!(to.say(missing).await, Err(Error::File(_))));
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.reasons["rejected(file)"], 1);
}

#[tokio::test]
async fn files_of_a_post_and_the_picture_of_a_card_are_as_they_were_when_they_were_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "as it was").expect("writes");
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let store = wechaty::store::SqliteStore::open(folder.path().join("bot.db")).expect("opens");
    let bot = spawn(bot(&platform).store(std::sync::Arc::new(store))).await;
    platform.faults().hold_sends();
    let to = bot.main_account().contact_handle(&alice.id());
    let on_disk = || FileBox::from_file(&path).expect("a path");
    let elsewhere = FileBox::from_url("https://files.test/b.png").expect("an address");
    let post = Post::builder().add("hello").add(on_disk()).add(elsewhere).add(file("c.png")).build().expect("a post");
    to.say(post).await.expect("durable");
    to.say(Card::new("a card").image(on_disk())).await.expect("durable");
    std::fs::write(&path, "changed").expect("writes");
    platform.faults().release_sends();
    let (post, card) = (alice.hears().await, alice.hears().await);
    let (of_post, of_card) = (post.payload().files(), card.payload().files());
    assert_eq!((of_post.len(), of_post[1].url(), of_card.len()), (3, Some("https://files.test/b.png"), 1));
    for (file, bytes) in [(of_post[0], "as it was"), (of_post[2], "bytes"), (of_card[0], "as it was")] {
        assert_eq!(file.to_bytes().await.expect("its bytes are there"), bytes);
    }
    assert_eq!(bot.finish_with(&platform).await.outbound.sent, 2);
}

#[tokio::test]
async fn the_same_picture_said_at_once_in_many_conversations_is_kept_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bot.db");
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..40).map(|i| platform.user(&format!("person {i}"))).collect();
    let store = wechaty::store::SqliteStore::open(&path).expect("it opens");
    let bot = spawn(bot(&platform).store(std::sync::Arc::new(store))).await;
    platform.faults().hold_sends();
    let picture: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    let says = people.iter().map(|person| {
        let to = bot.main_account().contact_handle(&person.id());
        let picture = FileBox::from_bytes(picture.clone(), "a.png");
        async move { to.say(picture).await.expect("durable") }
    });
    let receipts = futures_util::future::join_all(says).await;
    let keys: std::collections::HashSet<_> = receipts.iter().map(|receipt| receipt.key()).collect();
    assert_eq!(keys.len(), people.len());
    let written = |end: &str| std::fs::metadata(format!("{}{end}", path.display())).map_or(0, |file| file.len());
    assert!(written("") + written("-wal") < 3_000_000, "{} + {} bytes", written(""), written("-wal"));
    platform.faults().release_sends();
    for person in &people {
        let heard = person.hears().await;
        let file = heard.payload().file_box().expect("a file");
        assert!(file.to_bytes().await.expect("its bytes are there") == picture);
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_text_is_refused_before_it_is_sent_if_no_part_of_it_fits() {
    let limits =
        wechaty_puppet::Limits { text: Some(2), text_unit: TextUnit::Bytes, ..wechaty_puppet::Limits::DEFAULT };
    let platform = FakePlatform::builder().limits(limits).build();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    to.say("12").sent().await.expect("sent");
    let error = to.say("课程表").await.expect_err("too long");
    assert!(matches!(error, Error::Puppet(PuppetError::Invalid { what: "text", .. })), "{error}");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(ledger.outbound.reasons["rejected(invalid)"], 1);
}

#[tokio::test]
async fn a_reply_carries_its_cause_and_its_quote() {
    for quotes in [true, false] {
        let builder = FakePlatform::builder();
        let platform = if quotes { builder } else { builder.deny(Capability::Quote) }.build();
        let alice = platform.user("alice");
        let bot =
            spawn(bot(&platform).on_message(|msg: Message| async move { msg.reply("re").await.map(|_| ()) })).await;
        let id = alice.says("hi").await;
        assert_eq!(alice.hears().await.quote(), quotes.then_some(&id));
        assert_eq!(platform.book().sends[0].cause.as_ref(), Some(&id));
        bot.finish_with(&platform).await;
    }
}
