//! Rooms: mentions, members, changes, and what loading costs.

use regex::Regex;
use wechaty::{
    Error,
    prelude::*,
    testing::*,
    types::{Event, MessagePayload},
};
use wechaty_puppet::{Capability, PuppetError};
use wechaty_puppet_testkit::SendFault;
use wechaty_types::{Mention, RoomJoinEvent, RoomLeaveEvent, RoomTopicEvent};

use crate::support::{Log, bot, idle};

const FOUR_PER_EM: char = '\u{2005}';

/// Who is mentioned, and the text without them.
async fn note_mentions(msg: Message, log: State<Log>) -> wechaty::Result<()> {
    let mut names: Vec<String> = msg.mentions().await?.iter().map(Contact::name).collect();
    names.sort();
    log.note(format!("{}|{}|{}", names.join(","), msg.mention_text().await?, msg.mentions_self().await?));
    Ok(())
}

/// A platform that tells no ids of mentions, only the text.
struct TextOnly {
    platform: FakePlatform,
    room: FakeRoom,
    talker: Person,
    log: Log,
    said: std::cell::Cell<u32>,
}

impl TextOnly {
    fn new(names: &[&str]) -> Self {
        let platform = FakePlatform::new();
        let talker = platform.user("talker");
        let people: Vec<Person> = names.iter().map(|name| platform.user(name)).collect();
        let members: Vec<&Person> = [&talker].into_iter().chain(&people).collect();
        let room = platform.room("tea", &members);
        Self { platform, room, talker, log: Log::default(), said: std::cell::Cell::new(0) }
    }

    async fn bot(&self) -> TestBot {
        spawn(bot(&self.platform).state(self.log.clone()).on_message(note_mentions)).await
    }

    /// What the bot finds in this text.
    async fn finds(&self, bot: &TestBot, text: &str) -> String {
        self.said.set(self.said.get() + 1);
        let id = format!("text-{}", self.said.get());
        let payload = MessagePayload::in_room(id, self.talker.id(), self.room.id(), text);
        self.platform.offers(Event::message(payload)).await;
        bot.drained().await;
        self.log.take().pop().expect("the handler noted something")
    }
}

#[tokio::test]
async fn mentions_by_id_come_from_the_platform_not_from_the_text_q24() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let (room, log) = (platform.room("tea", &[&alice, &bob]), Log::default());
    let bot = spawn(bot(&platform).state(log.clone()).on_message(note_mentions)).await;
    alice.mentions_in(&room, &[bob.id(), platform.bot_id()], "@bob @bot tea?").await;
    alice.mentions_in(&room, &[], "mail me at alice@bob").await;
    alice.mentions_all_in(&room, "@all tea!").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["bob,bot|tea?|true", "|mail me at alice@bob|false", "|tea!|true"]);
}

#[tokio::test]
async fn names_with_spaces_are_found_in_the_text_q24() {
    let world = TextOnly::new(&["Mary Jane", "Mary"]);
    let bot = world.bot().await;
    assert_eq!(world.finds(&bot, "@Mary Jane hello").await, "Mary Jane|hello|false");
    assert_eq!(world.finds(&bot, &format!("@Mary{FOUR_PER_EM}Jane is late")).await, "Mary|Jane is late|false");
    assert_eq!(world.finds(&bot, "hello @Mary").await, "Mary|hello|false");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn room_aliases_are_found_in_the_text_q24() {
    let world = TextOnly::new(&["alice", "bob"]);
    let (alice, bob) = (world.platform.user("alice"), world.platform.user("bob"));
    let bot = world.bot().await;
    world.room.set_alias(&alice, "The Queen");
    world.platform.settled().await;
    let note = bot.main_account().contact(bob.id()).await.expect("loads");
    note.set_alias(Some("Bobby")).await.expect("set");
    assert_eq!(world.finds(&bot, "@The Queen tea?").await, "alice|tea?|false");
    assert_eq!(world.finds(&bot, "@alice tea?").await, "alice|tea?|false");
    assert_eq!(world.finds(&bot, "@Bobby and @bob").await, "bob|and|false");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn four_per_em_spaces_separate_mentions_q24() {
    let world = TextOnly::new(&["alice", "bob"]);
    let bot = world.bot().await;
    let text = format!("@alice{FOUR_PER_EM}@bob{FOUR_PER_EM}@bot{FOUR_PER_EM}tea?");
    assert_eq!(world.finds(&bot, &text).await, "alice,bob,bot|tea?|true");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn of_two_names_the_longer_one_that_fits_is_meant_q24() {
    let world = TextOnly::new(&["Al", "Alice", "Alice Liddell"]);
    let bot = world.bot().await;
    assert_eq!(world.finds(&bot, "@Al hi").await, "Al|hi|false");
    assert_eq!(world.finds(&bot, "@Alice hi").await, "Alice|hi|false");
    assert_eq!(world.finds(&bot, "@Alice Liddell hi").await, "Alice Liddell|hi|false");
    assert_eq!(world.finds(&bot, "@Alicent hi").await, "|@Alicent hi|false");
    assert_eq!(world.finds(&bot, "@Al, @Alice!").await, "Al,Alice|, !|false");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn everybody_mentioned_twice_is_found_once_and_removed_twice_q24() {
    let world = TextOnly::new(&["alice"]);
    let bot = world.bot().await;
    assert_eq!(world.finds(&bot, "@alice yes @alice no").await, "alice|yes no|false");
    assert_eq!(world.finds(&bot, "mail@nobody.invalid").await, "|mail@nobody.invalid|false");
    assert_eq!(world.finds(&bot, "@ @@").await, "|@ @@|false");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn chinese_names_are_found_in_the_text_q24() {
    let world = TextOnly::new(&["小明", "小明同学"]);
    let bot = world.bot().await;
    assert_eq!(world.finds(&bot, "@小明同学 课表").await, "小明同学|课表|false");
    assert_eq!(world.finds(&bot, &format!("@小明{FOUR_PER_EM}课表")).await, "小明|课表|false");
    bot.finish_with(&world.platform).await;
}

#[tokio::test]
async fn say_to_mentions_people_by_the_names_they_have_in_the_room() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let room = platform.room("tea", &[&alice, &bob]);
    room.set_alias(&bob, "Bobby");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        let Some(room) = msg.room() else { return Ok(()) };
        let members = room.find_members(Regex::new("^(alice|bob)$").expect("constant")).await?;
        room.say_to("tea?", &members).await.map(|_| ())
    }))
    .await;
    alice.says_in(&room, "who?").await;
    let heard = alice.hears_in(&room).await;
    assert_eq!(heard, format!("@alice{FOUR_PER_EM}@Bobby tea?"));
    assert_eq!(heard.mentions(), [Mention::Contact(alice.id()), Mention::Contact(bob.id())]);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn mentions_a_platform_cannot_notify_stay_in_the_words() {
    let platform = FakePlatform::builder().deny(Capability::Mention).deny(Capability::MentionAll).build();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        msg.say("hi").mention([&msg.talker()]).await?;
        msg.say("hi").mention_all().await.map(|_| ())
    }))
    .await;
    alice.says_in(&room, "hello").await;
    for words in ["@alice hi", "@all hi"] {
        let heard = alice.hears_in(&room).await;
        assert_eq!((heard.text(), heard.mentions()), (words, &[][..]));
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn members_are_found_by_every_part_of_a_query_q17() {
    let platform = FakePlatform::new();
    let (alice, al, bob) = (platform.user("alice"), platform.user("al"), platform.user("bob"));
    let room = platform.room("tea", &[&alice, &al, &bob]);
    room.set_alias(&al, "Queen");
    room.set_alias(&bob, "Queen");
    let bot = spawn(bot(&platform)).await;
    let room = bot.main_account().room(room.id()).await.expect("loads");
    let names = async |query: MemberQuery| {
        let found = room.find_members(query).await.expect("lists");
        found.iter().map(Contact::name).collect::<Vec<_>>()
    };
    assert_eq!(room.members().await.expect("lists").len(), 4);
    assert_eq!(names("alice".into()).await, ["alice"]);
    assert_eq!(names("Queen".into()).await, ["al", "bob"]);
    assert_eq!(names(Regex::new("^al").expect("constant").into()).await, ["alice", "al"]);
    assert_eq!(names(You.into()).await, ["bot"]);
    let both = MemberQuery {
        name: Some(Regex::new("^[ab]").expect("constant").into()),
        room_alias: Some("Queen".into()),
        ..MemberQuery::default()
    };
    assert_eq!(names(both.clone()).await, ["al", "bob"]);
    assert_eq!(names(MemberQuery { name: Some("bob".into()), ..both }).await, ["bob"]);
    let nobody = MemberQuery { name: Some("alice".into()), room_alias: Some("Queen".into()), ..MemberQuery::default() };
    assert!(room.find_member(nobody).await.expect("lists").is_none());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn contacts_and_rooms_are_found_by_every_part_of_a_query_q17() {
    let platform = FakePlatform::new();
    let (alice, albert) = (platform.user("alice"), platform.user("albert"));
    platform.user("bob");
    albert.changes_profile(|profile| profile.handle = Some("al-1".into()));
    let tea = platform.room("tea party", &[&alice]);
    platform.room("tea time", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    let account = bot.main_account();
    account.contact(alice.id()).await.expect("loads").set_alias(Some("Queen")).await.expect("set");
    let names = async |query: ContactQuery| {
        let found = account.find_contacts(query).await.expect("lists");
        found.iter().map(Contact::name).collect::<Vec<_>>()
    };
    let regex = |pattern| Some(TextMatch::from(Regex::new(pattern).expect("constant")));
    assert_eq!(names(ContactQuery::all()).await, ["albert", "alice", "bob"]);
    assert_eq!(names("Queen".into()).await, ["alice"]);
    assert_eq!(names("alice".into()).await, ["alice"]);
    let al = ContactQuery { name: regex("^al"), ..ContactQuery::default() };
    assert_eq!(names(al.clone()).await, ["albert", "alice"]);
    assert_eq!(names(al.clone()).await, ["albert", "alice"], "an expression has no memory of its last match");
    assert_eq!(names(ContactQuery { alias: Some("Queen".into()), ..al.clone() }).await, ["alice"]);
    assert_eq!(names(ContactQuery { handle: Some("al-1".into()), ..al.clone() }).await, ["albert"]);
    assert_eq!(names(ContactQuery { id: Some(alice.id()), ..al.clone() }).await, ["alice"]);
    assert!(names(ContactQuery { id: Some(alice.id()), name: Some("bob".into()), ..al }).await.is_empty());
    let unknown = ContactQuery { id: Some("nobody".into()), ..ContactQuery::default() };
    assert!(account.find_contact(unknown).await.expect("nobody is no error").is_none());

    assert_eq!(account.find_rooms(Regex::new("^tea").expect("constant")).await.expect("lists").len(), 2);
    let found = account.find_room("tea party").await.expect("lists").expect("one");
    assert_eq!(found.id(), &tea.id());
    let both = RoomQuery { id: Some(tea.id()), topic: Some("tea time".into()) };
    assert!(account.find_room(both).await.expect("lists").is_none());
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_nameless_room_is_called_by_its_first_members() {
    let platform = FakePlatform::new();
    let people: Vec<_> = ["alice", "bob", "carol", "dave"].iter().map(|name| platform.user(name)).collect();
    let room = platform.room("", &people.iter().collect::<Vec<_>>());
    let bot = spawn(bot(&platform)).await;
    let room = bot.main_account().room_handle(&room.id());
    assert_eq!(room.topic().await.expect("loads"), "alice,bob,carol");
    room.set_topic("tea").await.expect("renames");
    assert_eq!(room.topic().await.expect("loads"), "tea");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_created_room_is_ready_q26() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let bot = spawn(bot(&platform)).await;
    let account = bot.main_account();
    let people = [account.contact_handle(&alice.id()), account.contact_handle(&bob.id())];
    let room = account.create_room(&people, Some("tea")).await.expect("creates");
    assert!(room.is_ready());
    assert_eq!(room.topic().await.expect("known"), "tea");
    assert_eq!(room.owner().map(|owner| owner.id().clone()), Some(platform.bot_id()));
    assert!(room.contains(&people[0]).await.expect("lists"));
    room.say("welcome").sent().await.expect("sent");
    assert_eq!(alice.hears_in(&platform.find_room("tea").expect("it exists")).await, "welcome");
    let nobody = account.create_room(&[], None).await.expect_err("nobody is in it");
    assert!(matches!(nobody, Error::Invalid { what: "members", .. }), "{nobody}");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn setters_read_back_what_the_platform_has_q10() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let fake_room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    let account = bot.main_account();
    let contact = account.contact(alice.id()).await.expect("loads");
    contact.set_alias(Some("Queen")).await.expect("set");
    contact.set_phone(&["123".to_owned()]).await.expect("set");
    contact.set_description(Some("likes tea")).await.expect("set");
    contact.set_corporation(Some("Wonderland")).await.expect("set");
    assert_eq!((contact.alias().as_deref(), contact.phone()), (Some("Queen"), vec!["123".to_owned()]));
    assert_eq!(contact.description().as_deref(), Some("likes tea"));
    assert_eq!(contact.corporation().as_deref(), Some("Wonderland"));
    contact.set_alias(Some("")).await.expect("cleared");
    assert_eq!(contact.alias(), None);

    let room = account.room(fake_room.id()).await.expect("loads");
    room.set_topic("coffee").await.expect("renames");
    room.set_announce("at five").await.expect("announces");
    assert_eq!(room.topic().await.expect("loads"), fake_room.topic());
    assert_eq!(room.announce().await.expect("loads"), "at five");
    let bob = account.contact(bob.id()).await.expect("loads");
    room.add(&bob).await.expect("adds");
    assert!(room.payload().is_some_and(|payload| payload.member_id_list.contains(bob.id())));
    room.remove(&bob).await.expect("removes");
    assert!(!room.payload().is_some_and(|payload| payload.member_id_list.contains(bob.id())));
    bot.current_user().expect("logged in").set_name("Butler").await.expect("set");
    assert_eq!(bot.current_user().expect("logged in").name(), "Butler");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn setters_that_fail_say_so_q10() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let fake_room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    let contact = bot.main_account().contact(alice.id()).await.expect("loads");
    let room = bot.main_account().room(fake_room.id()).await.expect("loads");
    let refused = |result: wechaty::Result<()>| {
        assert!(matches!(result, Err(Error::Puppet(PuppetError::Rejected { .. }))), "{result:?}");
        platform.faults().fail_calls(1, SendFault::Rejected);
    };
    platform.faults().fail_calls(1, SendFault::Rejected);
    refused(contact.set_alias(Some("Queen")).await);
    refused(contact.set_phone(&[]).await);
    refused(contact.set_description(None).await);
    refused(room.set_topic("coffee").await);
    refused(room.set_announce("at five").await);
    refused(room.quit().await);
    platform.faults().none();
    assert_eq!((contact.alias(), fake_room.topic()), (None, "tea".to_owned()));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn setters_of_a_platform_without_them_are_unsupported_q10() {
    let platform = FakePlatform::builder().deny(Capability::ContactAlias).deny(Capability::RoomTopic).build();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    let unsupported = |result: wechaty::Result<()>, what| match result {
        Err(Error::Puppet(PuppetError::Unsupported { capability, .. })) => assert_eq!(capability, what),
        other => panic!("{other:?}"),
    };
    let contact = bot.main_account().contact_handle(&alice.id());
    unsupported(contact.set_alias(Some("Queen")).await, Capability::ContactAlias);
    unsupported(bot.main_account().room_handle(&room.id()).set_topic("x").await, Capability::RoomTopic);
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn an_invitation_that_cannot_be_accepted_says_so_q10() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_room_invite(|invitation: RoomInvitation, log: State<Log>| async move {
            let accepted = invitation.accept().await;
            log.note(format!("{} by {}: {}", invitation.topic(), invitation.inviter().id(), accepted.is_ok()));
        })
        .on_room_join(|join: RoomJoin, log: State<Log>| async move {
            log.note(format!("in {} by {:?}", join.room.topic().await?, join.inviter.map(|inviter| inviter.name())));
            Ok::<_, Error>(())
        });
    let bot = spawn(builder).await;
    platform.faults().fail_calls(1, SendFault::Rejected);
    alice.invites_to("refused").await;
    bot.drained().await;
    assert_eq!(log.take(), ["refused by contact-alice: false"]);
    platform.faults().none();
    alice.invites_to("tea").await;
    idle(&platform).await;
    platform.settled().await;
    bot.finish_with(&platform).await;
    assert_eq!(log.take(), ["tea by contact-alice: true", "in tea by Some(\"alice\")"]);
}

#[tokio::test]
async fn room_events_without_an_actor_are_delivered_q13() {
    let platform = FakePlatform::new();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let (room, log) = (platform.room("tea", &[&alice, &bob]), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_room_join(|join: RoomJoin, log: State<Log>| async move {
            log.note(format!("join {:?} {}", join.inviter.map(|c| c.name()), join.invitees[0].name()));
        })
        .on_room_leave(|leave: RoomLeave, log: State<Log>| async move {
            log.note(format!("leave {:?} {}", leave.remover.map(|c| c.name()), leave.leavers[0].id()));
        })
        .on_room_topic(|topic: RoomTopic, log: State<Log>| async move {
            log.note(format!("topic {:?} {} {}", topic.changer.map(|c| c.name()), topic.old_topic, topic.topic));
        });
    let bot = spawn(builder).await;
    let carol = platform.user("carol");
    carol.joins(&room).await;
    bob.leaves(&room).await;
    let timestamp = bot.clock().wall();
    let (room_id, nowhere) = (room.id(), wechaty::types::RoomId::new("a room nobody knows"));
    let join = |room_id: &wechaty::types::RoomId| RoomJoinEvent {
        invitee_id_list: vec![alice.id()],
        inviter_id: None,
        room_id: room_id.clone(),
        timestamp,
    };
    platform.offers(join(&room_id)).await;
    platform.offers(join(&nowhere)).await;
    let removee_id_list = vec!["a person nobody knows".into()];
    platform.offers(RoomLeaveEvent { removee_id_list, remover_id: None, room_id: room_id.clone(), timestamp }).await;
    let (old_topic, new_topic) = ("tea".to_owned(), "coffee".to_owned());
    platform.offers(RoomTopicEvent { changer_id: None, new_topic, old_topic, room_id, timestamp }).await;
    let ledger = bot.finish_with(&platform).await;
    let mut all = log.all();
    all.sort();
    let expected = [
        "join None alice",
        "join None alice",
        "join None carol",
        "leave None a person nobody knows",
        "leave None contact-bob",
        "topic None tea coffee",
    ];
    assert_eq!(all, expected);
    assert_eq!(ledger.inbound.rejected, 0);
}

#[tokio::test]
async fn a_members_alias_is_asked_for_once_q2() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..5).map(|i| platform.user(&format!("p{i}"))).collect();
    let fake_room = platform.room("tea", &people.iter().collect::<Vec<_>>());
    for person in &people {
        fake_room.set_alias(person, &format!("alias of {}", person.name()));
    }
    let bot = spawn(bot(&platform)).await;
    platform.settled().await;
    let calls = || platform.book().calls_of(Capability::LoadRoomMember).len();
    let room = bot.main_account().room(fake_room.id()).await.expect("loads");
    for _ in 0..3 {
        for person in &people {
            let contact = bot.main_account().contact_handle(&person.id());
            let alias = room.alias(&contact).await.expect("loads");
            assert_eq!(alias, Some(format!("alias of {}", person.name())));
        }
    }
    assert_eq!(calls(), 5, "one call a member");
    fake_room.set_alias(&people[0], "new");
    platform.settled().await;
    let first = bot.main_account().contact_handle(&people[0].id());
    assert_eq!(room.alias(&first).await.expect("loads").as_deref(), Some("new"));
    room.alias(&bot.main_account().contact_handle(&people[1].id())).await.expect("known");
    assert_eq!(calls(), 6, "only the changed member is loaded again");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_message_in_a_room_of_five_hundred_is_delivered_before_members_are_loaded_q5() {
    for payloads in [true, false] {
        let platform = FakePlatform::builder().payloads_in_events(payloads).build();
        let people: Vec<_> = (0..500).map(|i| platform.user(&format!("p{i}"))).collect();
        let room = platform.room("crowd", &people.iter().collect::<Vec<_>>());
        let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
            let topic = msg.room().expect("in a room").topic().await?;
            msg.say(format!("{} in {topic}", msg.talker().name())).await.map(|_| ())
        }))
        .await;
        bot.ready().await;
        let before = platform.book().calls.len();
        people[7].says_in(&room, "hi").await;
        assert_eq!(people[0].hears_in(&room).await, "p7 in crowd");
        let calls: Vec<_> = platform.book().calls[before..].iter().map(|call| call.what).collect();
        let mut expected = vec![Capability::LoadContact, Capability::LoadRoom];
        if !payloads {
            expected.insert(0, Capability::LoadMessage);
        }
        assert_eq!(calls, expected);
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn syncing_a_room_makes_no_error_and_loads_no_contact_q1() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let (fake_room, log) = (platform.room("tea", &[&alice]), Log::default());
    let builder = bot(&platform)
        .state(log.clone())
        .on_error(|report: ErrorReport, log: State<Log>| async move { log.note(report.to_string()) });
    let bot = spawn(builder).await;
    let room = bot.main_account().room(fake_room.id()).await.expect("loads");
    room.sync().await.expect("syncs");
    alice.leaves(&fake_room).await;
    platform.user("bob").joins(&fake_room).await;
    platform.dirties(wechaty_types::DirtyType::RoomMember, fake_room.id().as_str()).await;
    bot.drained().await;
    let book = platform.book();
    assert!(book.calls_of(Capability::LoadContact).iter().all(|call| call.detail != fake_room.id().as_str()));
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), [""; 0]);
}

#[tokio::test]
async fn our_own_private_message_belongs_to_the_peer_q14_q15() {
    let platform = FakePlatform::builder().allow(Capability::EchoSelf).build();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
        log.note(format!("{} {} {}", msg.is_self(), msg.conversation_id(), msg.text().unwrap_or_default()));
        match msg.text() {
            Some("hi") => msg.say("hello").await.map(|_| ()),
            Some("hello") => msg.say("and a word after my own").await.map(|_| ()),
            _ => Ok(()),
        }
    });
    let bot = spawn(builder).await;
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hello");
    assert_eq!(alice.hears().await, "and a word after my own");
    platform.settled().await;
    bot.finish_with(&platform).await;
    let expected = ["false contact-alice hi", "true contact-alice hello", "true contact-alice and a word after my own"];
    assert_eq!(log.all(), expected);
}

#[tokio::test]
async fn a_mention_uses_the_name_somebody_has_in_the_room() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    room.set_alias(&alice, "Queen 女王");
    let bot = spawn(bot(&platform).on_message(|msg: Message| async move {
        msg.say("hi").mention([&msg.talker()]).await?;
        Ok::<_, Error>(())
    }))
    .await;
    alice.says_in(&room, "hello").await;
    assert_eq!(alice.hears_in(&room).await, "@Queen 女王 hi");
    alice.says("hello").await;
    assert_eq!(alice.hears().await, "@alice hi");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_is_no_text_cannot_mention_and_says_so() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let room = platform.room("tea", &[&alice]);
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    let account = bot.main_account();
    let contact = account.contact(alice.id()).await.expect("loads");
    let file = FileBox::from_bytes(b"x".to_vec(), "x.txt");
    let error = account.room_handle(&room.id()).say(file).mention([&contact]).await.expect_err("cannot mention");
    assert!(error.to_string().contains("only a text can mention people"), "{error}");
    let ledger = bot.finish_with(&platform).await;
    assert_eq!((ledger.outbound.said, ledger.outbound.rejected), (1, 1));
}
