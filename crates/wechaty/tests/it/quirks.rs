//! Quirks of Wechaty that are mended here and have no better place among the other tests. `docs/quirks.md` lists all.

use wechaty::{
    Error,
    prelude::*,
    testing::*,
    types::{Event, LocationPayload, MessagePayload, SayablePayload},
};
use wechaty_puppet::{Capability, PostFilter, PuppetError, RoomPermission};
use wechaty_puppet_testkit::SendFault;
use wechaty_types::{LoginEvent, ResetEvent, TapType};

use crate::support::{Log, Scripted, bot, idle, secs};

async fn note_error(report: ErrorReport, log: State<Log>) {
    log.note(report.to_string());
}

#[tokio::test]
async fn a_delay_and_a_location_are_usable_objects_q3() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform).on_message(|msg: Message, bot: Bot| async move {
        let place = msg.to_location().await?;
        Delay::seconds(2).wait(bot.clock()).await;
        msg.say(place).await.map(|_| ())
    }))
    .await;
    let place = LocationPayload { latitude: 31.2, longitude: 121.4, name: "The Bund".into(), ..Default::default() };
    alice.sends(SayablePayload::Location(place.clone())).await;
    idle(&platform).await;
    alice.hears_nothing();
    platform.clock().advance(secs(2)).await;
    let heard = alice.hears().await;
    let SayablePayload::Location(back) = heard.payload() else { panic!("{heard:?}") };
    assert_eq!(*back, place);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_post_knows_its_author_its_words_and_who_likes_it_q3() {
    let platform = FakePlatform::new();
    let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_post(|post: Post, log: State<Log>| async move {
        let author = post.author()?;
        author.ready().await?;
        let words = post.sayables().await?;
        log.note(format!("{}: {}", author.name(), words[0].payload()));
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    let id = alice.publishes(vec![SayablePayload::text("what a day")]).await;
    bot.drained().await;
    assert_eq!(log.all(), ["alice: what a day"]);
    let post = bot.main_account().post(&id).await.expect("loads");
    assert!(post.likes().await.expect("none is no error").is_empty());
    bob.taps(&id, true);
    post.set_liked(true).await.expect("likes");
    let mut likes: Vec<_> = post.likes().await.expect("lists").iter().map(|contact| contact.id().clone()).collect();
    likes.sort();
    assert_eq!(likes, [bob.id(), platform.bot_id()]);
    let reply = post.reply("indeed").await.expect("answers").expect("an id");
    assert_eq!(reply.author().expect("published").id(), &platform.bot_id());
    assert_eq!(reply.parent().await.expect("loads").and_then(|parent| parent.id().cloned()), Some(id.clone()));
    let children = post.children(Default::default()).await.expect("lists");
    assert_eq!(children.response.len(), 1);
    let all = bot.main_account().find_posts(PostFilter::default(), Default::default()).await.expect("lists");
    assert!(!all.response.is_empty());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn answers_to_a_post_are_listed_each_before_those_to_it() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let id = alice.publishes(vec![SayablePayload::text("root")]).await;
    let mut root = bot.main_account().post(&id).await.expect("loads");
    let first = root.reply("1").await.expect("answers").expect("an id");
    root.reply("2").await.expect("answers");
    first.reply("1.1").await.expect("answers");
    let words = async |limit| {
        let mut words = Vec::new();
        for post in root.descendants(limit).await.expect("lists") {
            words.push(post.sayables().await.expect("loads")[0].payload().to_string());
        }
        words
    };
    assert_eq!(words(10).await, ["1", "1.1", "2"]);
    assert_eq!(words(2).await, ["1", "1.1"]);
    assert!(!root.is_tapped(TapType::Like).await.expect("asks"));
    root.set_tapped(TapType::Like, true).await.expect("taps");
    assert!(root.is_tapped(TapType::Like).await.expect("asks") && root.is_liked().await.expect("asks"));
    assert_eq!(root.counter().children, 0, "as it was loaded");
    root.sync().await.expect("loads");
    assert_eq!(root.counter().children, 2);
    let found = bot.main_account().find_post(PostFilter { id: Some(id), ..PostFilter::default() }).await;
    assert!(found.expect("lists").is_some());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn looking_for_a_contact_while_logged_out_fails_once_and_by_its_cause_q16() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    platform.require_scan();
    let bot = spawn(bot(&platform).state(log.clone()).on_error(note_error)).await;
    let account = bot.main_account();
    let query = || ContactQuery { id: Some(alice.id()), ..ContactQuery::default() };
    let error = account.find_contact(query()).await.expect_err("nobody is logged in");
    assert!(matches!(error, Error::Puppet(PuppetError::NotLoggedIn)), "{error}");
    assert!(matches!(bot.current_user(), Err(Error::NotLoggedIn(_))));
    assert!(!account.contact_handle(&alice.id()).is_self());
    platform.scan();
    bot.ready().await;
    platform.faults().fail_calls(1, SendFault::Unreachable);
    assert!(account.find_contact(query()).await.is_err());
    let found = account.find_contact(query()).await.expect("loads").expect("alice");
    assert_eq!(found.name(), "alice");
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), [""; 0], "the caller has the error; nobody else is told");
}

#[tokio::test]
async fn messages_are_found_by_talker_listener_room_and_words_q17() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("tea", &[&alice, &bob]);
    let bot = spawn(bot(&platform)).await;
    alice.says("hi").await;
    bob.says("hi").await;
    alice.says_in(&room, "hi").await;
    alice.says_in(&room, "bye").await;
    bot.drained().await;
    let account = bot.main_account();
    let count = |query: MessageQuery| account.find_messages(query).len();
    assert_eq!(count("hi".into()), 3);
    let by_alice = MessageQuery { talker: Some(alice.id()), ..MessageQuery::from("hi") };
    assert_eq!(count(by_alice.clone()), 2);
    assert_eq!(count(MessageQuery { room: Some(room.id()), ..by_alice.clone() }), 1);
    assert_eq!(count(MessageQuery { listener: Some(platform.bot_id()), ..by_alice }), 1);
    assert_eq!(count(MessageQuery { kind: Some(MessageType::Image), ..MessageQuery::default() }), 0);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_was_said_can_be_taken_back_and_edited_by_its_receipt_q25() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    let to = bot.main_account().contact_handle(&alice.id());
    let id = to.say("oops").sent().await.expect("sent").id.expect("an id");
    let message = bot.main_account().message(&id).await.expect("known by its id alone");
    assert!(message.is_self());
    message.edit("better").await.expect("edits");
    assert_eq!(alice.sees(&id).expect("there"), "better");
    assert!(message.recall().await.expect("recalls"));
    assert!(alice.sees(&id).is_none());
    assert!(!message.recall().await.expect("no error"), "it is gone already");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_recalled_message_is_known_without_a_cache_q25() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message_recall(|recall: MessageRecall, log: State<Log>| {
        let text = recall.message.as_ref().and_then(|message| message.text().map(str::to_owned));
        log.note(format!("{text:?} by {:?}", recall.recaller.map(|contact| contact.name())));
        async {}
    });
    let bot = spawn(builder).await;
    let id = alice.says("secret").await;
    bot.drained().await;
    platform.dirties(wechaty_types::DirtyType::Message, id.as_str()).await;
    alice.recalls(&id).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["Some(\"secret\") by Some(\"alice\")"]);
}

/// Runs itself again with the variable set: a process cannot change its own environment safely.
#[test]
fn wechaty_name_names_the_bot_q27() {
    const NAME: &str = "WECHATY_NAME";
    if std::env::var(NAME).is_ok_and(|name| name == "front-desk") {
        let folder = tempfile::tempdir().expect("a folder");
        let build = |builder: wechaty::BotBuilder| builder.folder(folder.path()).build().expect("builds");
        assert_eq!(build(Bot::builder(Scripted::default())).name(), "front-desk");
        assert_eq!(build(Bot::builder(Scripted::default()).name("given")).name(), "given", "the builder's wins");
        return;
    }
    let me = std::env::current_exe().expect("a path");
    let mut again = std::process::Command::new(me);
    again.args(["--exact", "quirks::wechaty_name_names_the_bot_q27"]).env(NAME, "front-desk");
    let output = again.output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[tokio::test]
async fn logout_event_carries_the_user_q28() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_logout(|logout: Logout, log: State<Log>| async move {
        let logged_in = logout.account.is_logged_in();
        log.note(format!("{} {:?} {logged_in}", logout.contact.id(), logout.reason));
    });
    let bot = spawn(builder).await;
    bot.ready().await;
    platform.log_out_bot("kicked");
    idle(&platform).await;
    bot.drained().await;
    assert_eq!(log.take(), ["contact-bot Some(\"kicked\") false"]);
    assert!(!bot.is_logged_in() && !bot.main_account().is_ready());
    platform.scan();
    bot.ready().await;
    bot.logout(Some("good night")).await.expect("logs out");
    idle(&platform).await;
    bot.drained().await;
    assert_eq!(log.take(), ["contact-bot Some(\"good night\") false"]);
    alice.hears_nothing();
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_second_login_of_the_same_user_is_no_error_q28() {
    let platform = FakePlatform::new();
    let log = Log::default();
    let login = || Event::new(LoginEvent { contact_id: "me".into() }).into();
    let puppet = Scripted::default().accepts([login(), login()]);
    let builder = Bot::builder(puppet.clone())
        .clock(platform.bot_clock())
        .state(log.clone())
        .on_error(note_error)
        .on_login(|login: Login, log: State<Log>| async move { log.note(login.contact.id().to_string()) });
    let bot = spawn(builder).await;
    idle(&platform).await;
    assert_eq!(bot.current_user().expect("logged in").id().as_str(), "me");
    bot.finish().await;
    assert_eq!((log.all(), puppet.runs()), (vec!["me".to_owned(); 2], 1));
}

#[tokio::test]
async fn the_other_side_cannot_shut_the_bot_down_q29() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_reset(|reset: Reset, log: State<Log>| async move { log.note(format!("{:?}", reset.data)) })
        .on_message(|msg: Message| async move { msg.say("still here").await.map(|_| ()) });
    let bot = spawn(builder).await;
    platform.offers(ResetEvent { data: Some("shutdown".into()) }).await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "still here");
    assert_eq!(platform.totals().connections, 1);
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["Some(\"shutdown\")"]);
}

#[tokio::test]
async fn quotes_announcements_membership_and_administration_are_there_q30() {
    let platform = FakePlatform::new();
    let (alice, bob, carol) = (platform.user("alice"), platform.user("bob"), platform.user("carol"));
    let fake_room = platform.room("tea", &[&alice]);
    let (bot, log) = {
        let log = Log::default();
        let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
            let quoted = msg.quoted().await?;
            log.note(format!("{:?}", quoted.as_ref().and_then(|quoted| quoted.text())));
            Ok::<_, Error>(())
        });
        (spawn(builder).await, log)
    };
    let first = alice.says("first").await;
    alice.replies_to(&first, "second").await;
    bot.drained().await;
    assert_eq!(log.all(), ["None", "Some(\"first\")"]);

    let account = bot.main_account();
    let room = account.room(fake_room.id()).await.expect("loads");
    let both = [account.contact_handle(&bob.id()), account.contact_handle(&carol.id())];
    room.add_all(&both, false).await.expect("adds");
    assert_eq!(fake_room.members().len(), 4);
    room.set_admins(&both, true).await.expect("makes admins");
    assert_eq!(room.admins(), both);
    room.set_announce("at five").await.expect("announces");
    assert_eq!(fake_room.announcement(), "at five");
    room.set_permission(RoomPermission { mute_all: Some(true), ..Default::default() }).await.expect("mutes");
    assert_eq!(room.permission().await.expect("loads").mute_all, Some(true));
    room.transfer(&both[0]).await.expect("hands over");
    assert_eq!(room.owner().as_ref(), Some(&both[0]));
    room.remove_all(&both).await.expect("removes");
    assert_eq!(fake_room.members().len(), 2);
    room.dismiss().await.expect("dismisses");
    assert!(!fake_room.exists());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_a_platform_lacks_is_a_typed_error_not_silence_q30() {
    let denied = [
        Capability::RoomAdmins,
        Capability::RoomAnnounce,
        Capability::RoomPermission,
        Capability::MessageRecall,
        Capability::Typing,
        Capability::Tag,
    ];
    let platform = denied.iter().fold(FakePlatform::builder(), |builder, what| builder.deny(*what)).build();
    let alice = platform.user("alice");
    let fake_room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    let id = alice.says("hi").await;
    let account = bot.main_account();
    let (room, message) = (account.room_handle(&fake_room.id()), account.message(&id).await.expect("loads"));
    let results = [
        room.set_admins(&[], true).await,
        room.announce().await.map(|_| ()),
        room.permission().await.map(|_| ()),
        message.recall().await.map(|_| ()),
        message.typing().await,
        account.tags().await.map(|_| ()),
    ];
    for (result, what) in results.into_iter().zip(denied) {
        let Err(Error::Puppet(PuppetError::Unsupported { capability, .. })) = result else {
            panic!("{what}: {result:?}")
        };
        assert_eq!(capability, what);
    }
    bot.finish_with(&platform).await;
}

/// Names of all functions in the sources of the crates.
fn functions(folder: &std::path::Path, names: &mut std::collections::BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let found = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(found.map(str::to_owned));
        }
    }
}

#[test]
fn every_quirk_is_listed_with_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/quirks.md")).expect("the page");
    let mut names = std::collections::BTreeSet::new();
    ["wechaty", "types", "file-box"].iter().for_each(|name| functions(&root.join("crates").join(name), &mut names));
    for number in 1..=30 {
        let row = page.lines().find(|line| line.starts_with(&format!("| Q{number} |")));
        let row = row.unwrap_or_else(|| panic!("quirk {number} is not listed"));
        let tests: Vec<_> = row.split('`').filter(|code| code.contains("::")).collect();
        assert!(!tests.is_empty(), "nothing holds quirk {number}");
        for test in tests {
            let name = test.rsplit("::").next().unwrap_or_default();
            assert!(names.contains(name), "there is no test {test}");
            let says_so = name.split('_').any(|part| part == format!("q{number}"));
            assert!(says_so, "{test} is not named after quirk {number}");
        }
    }
}

#[tokio::test]
async fn what_a_program_says_to_nobody_in_particular_reaches_handlers_only_on_request() {
    for on_request in [false, true] {
        let platform = FakePlatform::new();
        let log = Log::default();
        let login = Event::new(LoginEvent { contact_id: "me".into() }).into();
        let said = |id: &str, automated| {
            let payload = MessagePayload { automated, ..MessagePayload::in_room(id, "alice", "room", id) };
            Event::message(payload).into()
        };
        let puppet = Scripted::default().accepts([login, said("a notice", true), said("a word", false)]);
        let hears = |mark: &'static str| {
            move |msg: Message, log: State<Log>| async move {
                log.note(format!("{mark} {}", msg.text().unwrap_or_default()))
            }
        };
        let builder = Bot::builder(puppet)
            .clock(platform.bot_clock())
            .state(log.clone())
            .hear_automated(on_request)
            .observe(hears("observed"))
            .on_message(hears("handled"));
        let bot = spawn(builder).await;
        idle(&platform).await;
        bot.finish().await;
        let mut expected = vec!["observed a notice", "handled a notice", "observed a word", "handled a word"];
        if !on_request {
            expected.remove(1);
        }
        assert_eq!(log.all(), expected);
    }
}
