//! What comes along with an event, what is loaded, and what happens where loading fails or is not possible.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wechaty::{
    Error,
    prelude::*,
    testing::*,
    types::{ContactPayload, Event, MessagePayload, RoomMemberPayload, SayablePayload},
};
use wechaty_puppet::{
    Capabilities, Capability, ContactProfile, Directory, Loader, Outgoing, PlatformName, Posts, Puppet, PuppetContext,
    PuppetError, Result as PuppetResult, RoomAdmin, SelfProfile, Sent, async_trait,
};
use wechaty_puppet_testkit::SendFault;
use wechaty_types::{ContactId, MessageEditEvent, MessageRecallEvent, Payload, RoomId};

use crate::support::{Log, bot, idle};

#[tokio::test]
async fn an_edit_or_recall_that_carries_its_message_is_no_new_message() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let room = platform.room("tea", &[&alice]);
    let builder = bot(&platform)
        .state(log.clone())
        .on_message(|msg: Message, log: State<Log>| async move { log.note(format!("said {:?}", msg.text())) })
        .on_message_edit(|edit: MessageEdit, log: State<Log>| async move {
            log.note(format!("edited {:?}", edit.new_text));
        })
        .on_message_recall(|recall: MessageRecall, log: State<Log>| async move {
            log.note(format!("recalled {:?}", recall.message.as_ref().and_then(Message::text)));
        });
    let bot = spawn(builder).await;
    let message_id = alice.says_in(&room, "helo").await;
    bot.drained().await;
    let edited = MessagePayload::in_room(message_id.clone(), alice.id(), room.id(), "hello");
    let payload = Payload::Message(Arc::new(edited));
    let (conversation, timestamp) = (room.id().into(), bot.clock().wall());
    let edit = MessageEditEvent { message_id, conversation, editor_id: None, new_text: None, timestamp };
    platform.offers(Event::new(edit.clone()).payload(payload.clone())).await;
    bot.drained().await;
    let known = bot.main_account().message(&edit.message_id).await.expect("known");
    assert_eq!(known.text(), Some("hello"), "the payload that came along is what is known now");
    let MessageEditEvent { message_id, conversation, timestamp, .. } = edit;
    let recall = MessageRecallEvent { message_id, conversation, recaller_id: None, timestamp };
    platform.offers(Event::new(recall).payload(payload)).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["said Some(\"helo\")", "edited Some(\"hello\")", "recalled Some(\"hello\")"]);
}

/// Who is mentioned, and the text without them.
async fn note_mentioned(msg: Message, log: State<Log>) -> wechaty::Result<()> {
    let ids: Vec<String> = msg.mentions().await?.iter().map(|contact| contact.id().to_string()).collect();
    log.note(format!("{}|{}", ids.join(","), msg.mention_text().await?));
    Ok(())
}

#[tokio::test]
async fn mentions_by_id_are_known_where_contacts_cannot_be_loaded_q24() {
    for members_load in [true, false] {
        let builder = FakePlatform::builder().deny(Capability::LoadContact);
        let platform = if members_load { builder } else { builder.deny(Capability::LoadRoomMember) }.build();
        let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
        let fake_room = platform.room("tea", &[&alice, &bob]);
        let bot = spawn(bot(&platform).state(log.clone()).on_message(note_mentioned)).await;
        let words = if members_load { "@bob tea?" } else { "@contact-bob tea?" };
        alice.mentions_in(&fake_room, &[bob.id()], words).await;
        bot.drained().await;
        assert_eq!(log.take(), ["contact-bob|tea?"]);
        let room = bot.main_account().room(fake_room.id()).await.expect("loads");
        assert_eq!(room.members().await.expect("lists").len(), 3);
        let found = room.find_members("bob").await.expect("lists");
        assert_eq!(found.len(), usize::from(members_load), "their names are known by the room only");
        assert_eq!(bot.find_contacts(ContactQuery::all()).await.expect("lists").len(), 2);
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn a_mentioned_contact_that_fails_to_load_is_mentioned_all_the_same_q24() {
    let platform = FakePlatform::builder().deny(Capability::LoadRoomMember).build();
    let (alice, bob) = (platform.user("alice"), platform.user("bob"));
    let (room, log) = (platform.room("tea", &[&alice, &bob]), Log::default());
    let faults = platform.faults();
    let bot = spawn(bot(&platform).state(log.clone()).on_message(move |msg: Message, log: State<Log>| {
        let faults = faults.clone();
        async move {
            faults.fail_calls(1, SendFault::Unreachable);
            let ids: Vec<_> = msg.mentions().await?.iter().map(|contact| contact.id().to_string()).collect();
            log.note(ids.join(","));
            Ok::<_, Error>(())
        }
    }))
    .await;
    alice.mentions_in(&room, &[bob.id()], "@bob tea?").await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["contact-bob"]);
}

/// A puppet around the fake one: it does some groups of calls itself, and leaves some to the fake.
macro_rules! wraps {
    ($type:ident, own: [$($own:ident: $group:ident),*], fake: [$($left:ident: $other:ident),*]) => {
        #[async_trait]
        impl Puppet for $type {
            fn platform(&self) -> PlatformName {
                Puppet::platform(&self.fake)
            }
            fn capabilities(&self) -> Capabilities {
                self.fake.capabilities()
            }
            async fn run(&self, cx: PuppetContext) -> PuppetResult<()> {
                self.fake.run(cx).await
            }
            async fn send(&self, out: Outgoing) -> PuppetResult<Sent> {
                self.fake.send(out).await
            }
            $(fn $own(&self) -> Option<&dyn $group> {
                Some(self)
            })*
            $(fn $left(&self) -> Option<&dyn $other> {
                self.fake.$left()
            })*
        }
    };
}

/// A puppet that loads slowly, and counts how many members it loads at once.
struct Slow {
    fake: FakePuppet,
    now: AtomicUsize,
    most: Arc<AtomicUsize>,
}

wraps!(Slow, own: [loader: Loader], fake: [directory: Directory]);

#[async_trait]
impl Loader for Slow {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&self.fake)
    }
    async fn contact(&self, id: &ContactId) -> PuppetResult<Arc<ContactPayload>> {
        self.fake.contact(id).await
    }
    async fn room(&self, id: &RoomId) -> PuppetResult<Arc<wechaty::types::RoomPayload>> {
        self.fake.room(id).await
    }
    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> PuppetResult<Arc<RoomMemberPayload>> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let member = self.fake.room_member(room, contact).await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        member
    }
}

#[tokio::test]
async fn a_name_in_a_room_of_five_hundred_is_looked_for_among_several_at_once() {
    let platform = FakePlatform::new();
    let people: Vec<_> = (0..500).map(|i| platform.user(&format!("p{i}"))).collect();
    let (room, log) = (platform.room("crowd", &people.iter().collect::<Vec<_>>()), Log::default());
    let most = Arc::new(AtomicUsize::new(0));
    let puppet = Slow { fake: platform.puppet(), now: AtomicUsize::new(0), most: most.clone() };
    let builder = Bot::builder(puppet).clock(platform.bot_clock()).state(log.clone()).on_message(note_mentioned);
    let bot = spawn(builder).await;
    let payload = MessagePayload::in_room("1", people[7].id(), room.id(), "@p42 tea?");
    platform.offers(Event::message(payload)).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["contact-p42|tea?"]);
    assert!((2..=16).contains(&most.load(Ordering::Relaxed)), "{most:?} at once");
    let contacts = platform.book().calls_of(Capability::LoadContact).len();
    assert!(contacts <= 3, "only who talks and who is mentioned is loaded, but {contacts} were");
}

/// A puppet that acknowledges every change, keeps none, and may fall silent behind it.
struct Forgetful {
    fake: FakePuppet,
    platform: FakePlatform,
    silent: bool,
}

impl Forgetful {
    fn bot(platform: &FakePlatform, silent: bool) -> wechaty::BotBuilder {
        let puppet = Self { fake: platform.puppet(), platform: platform.clone(), silent };
        Bot::builder(puppet).clock(platform.bot_clock())
    }
    fn acknowledges(&self) {
        if self.silent {
            self.platform.faults().fail_calls(1, SendFault::Unreachable);
        }
    }
}

wraps!(
    Forgetful,
    own: [contact_profile: ContactProfile, rooms: RoomAdmin, self_profile: SelfProfile, posts: Posts],
    fake: [loader: Loader]
);

#[async_trait]
impl ContactProfile for Forgetful {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&self.fake)
    }
    async fn set_alias(&self, _: &ContactId, _: Option<&str>) -> PuppetResult<()> {
        self.acknowledges();
        Ok(())
    }
}

#[async_trait]
impl SelfProfile for Forgetful {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&self.fake)
    }
    async fn set_name(&self, _: &str) -> PuppetResult<()> {
        self.acknowledges();
        Ok(())
    }
}

#[async_trait]
impl RoomAdmin for Forgetful {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&self.fake)
    }
    async fn create(&self, members: &[ContactId], topic: Option<&str>) -> PuppetResult<RoomId> {
        let created = self.fake.create(members, topic).await;
        self.acknowledges();
        created
    }
    async fn set_topic(&self, _: &RoomId, _: &str) -> PuppetResult<()> {
        self.acknowledges();
        Ok(())
    }
    async fn announce(&self, room: &RoomId) -> PuppetResult<String> {
        self.fake.announce(room).await
    }
    async fn set_announce(&self, _: &RoomId, _: &str) -> PuppetResult<()> {
        self.acknowledges();
        Ok(())
    }
}

#[async_trait]
impl Posts for Forgetful {
    fn platform(&self) -> PlatformName {
        Puppet::platform(&self.fake)
    }
    async fn publish(&self, post: wechaty_types::PostPayload) -> PuppetResult<Option<wechaty_types::PostId>> {
        let published = self.fake.publish(post).await;
        self.acknowledges();
        published
    }
}

#[tokio::test]
async fn a_platform_that_keeps_another_value_is_found_out_q10() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let fake_room = platform.room("tea", &[&alice]);
    let bot = spawn(Forgetful::bot(&platform, false)).await;
    bot.ready().await;
    let account = bot.main_account();
    let contact = account.contact(alice.id()).await.expect("loads");
    let room = account.room(fake_room.id()).await.expect("loads");
    let results = [
        ("alias", contact.set_alias(Some("Queen")).await),
        ("topic", room.set_topic("coffee").await),
        ("announcement", room.set_announce("at five").await),
        ("name", bot.current_user().expect("logged in").set_name("Butler").await),
    ];
    for (setting, result) in results {
        assert!(matches!(result, Err(Error::Invalid { what, .. }) if what == setting), "{setting}: {result:?}");
    }
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_change_that_cannot_be_read_back_is_done_and_what_was_known_stays_known_q10() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let fake_room = platform.room("tea", &[&alice]);
    let bot = spawn(Forgetful::bot(&platform, true)).await;
    bot.ready().await;
    let account = bot.main_account();
    let contact = account.contact(alice.id()).await.expect("loads");
    let (room, clone) = (account.room(fake_room.id()).await.expect("loads"), account.room_handle(&fake_room.id()));
    contact.set_alias(Some("Queen")).await.expect("acknowledged");
    room.set_topic("coffee").await.expect("acknowledged");
    room.set_announce("at five").await.expect("acknowledged");
    bot.current_user().expect("logged in").set_name("Butler").await.expect("acknowledged");
    let known = (contact.name(), room.topic().await.expect("known"), clone.topic().await.expect("known"));
    assert_eq!(known, ("alice".to_owned(), "tea".to_owned(), "tea".to_owned()));
    platform.faults().fail_calls(1, SendFault::Unreachable);
    assert!(room.sync().await.is_err());
    assert!(room.is_ready(), "a failed reload empties nothing");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn what_was_created_is_given_though_it_cannot_be_loaded() {
    let builder = || FakePlatform::builder();
    let without = builder().deny(Capability::LoadRoom).deny(Capability::LoadPost).build();
    for (platform, silent) in [(without, false), (builder().build(), true)] {
        let alice = platform.user("alice");
        let bot = spawn(Forgetful::bot(&platform, silent)).await;
        bot.ready().await;
        let people = [bot.main_account().contact_handle(&alice.id())];
        let room = bot.create_room(&people, Some("tea")).await.expect("it exists");
        assert_eq!(platform.find_room("tea").expect("it exists").id(), *room.id());
        platform.faults().none();
        let post = Post::builder().add("hello").build().expect("it says something");
        let mut post = bot.publish(post).await.expect("published").expect("with an id");
        platform.faults().none();
        assert!(post.id().is_some());
        assert_eq!(post.author().expect("ours").id(), &platform.bot_id());
        assert_eq!(post.sayables().await.expect("known")[0].payload().as_text(), Some("hello"));
        let ready = post.ready().await;
        assert_eq!(ready.is_ok(), silent, "{ready:?}");
        assert_eq!(post.sayables().await.expect("known").len(), 1);
        bot.finish_with(&platform).await;
    }
}

#[tokio::test]
async fn accepting_a_friend_waits_for_nothing_where_contacts_cannot_be_loaded() {
    let platform = FakePlatform::builder().deny(Capability::LoadContact).build();
    let (alice, log) = (platform.stranger("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_friendship(|asked: Friendship, log: State<Log>| async move {
        if asked.accept().await.is_ok() {
            log.note(format!("accepted {}", asked.contact().id()));
        }
    });
    let bot = spawn(builder).await;
    alice.asks_friendship("hi").await;
    idle(&platform).await;
    assert_eq!((log.all(), platform.clock().sleepers()), (vec!["accepted contact-alice".to_owned()], 0));
    bot.finish_with(&platform).await;
}

/// A puppet that knows everybody and never logs in.
struct Anonymous(Arc<AtomicUsize>);

#[async_trait]
impl Puppet for Anonymous {
    fn platform(&self) -> PlatformName {
        PlatformName::new("anonymous")
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::LoadContact])
    }
    async fn run(&self, cx: PuppetContext) -> PuppetResult<()> {
        cx.cancelled().await;
        Ok(())
    }
    async fn send(&self, out: Outgoing) -> PuppetResult<Sent> {
        Err(PuppetError::unsupported(Puppet::platform(self), Capability::of(&out.what)))
    }
    fn loader(&self) -> Option<&dyn Loader> {
        Some(self)
    }
}

#[async_trait]
impl Loader for Anonymous {
    fn platform(&self) -> PlatformName {
        Puppet::platform(self)
    }
    async fn contact(&self, id: &ContactId) -> PuppetResult<Arc<ContactPayload>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(ContactPayload::new(id.clone(), "Alice")))
    }
}

#[tokio::test]
async fn a_contact_that_is_known_is_found_while_nobody_is_logged_in_q16() {
    let loads = Arc::new(AtomicUsize::new(0));
    let platform = FakePlatform::new();
    let bot = spawn(Bot::builder(Anonymous(loads.clone())).clock(platform.bot_clock())).await;
    let query = || ContactQuery { id: Some("a".into()), ..ContactQuery::from("Alice") };
    for _ in 0..2 {
        let found = bot.find_contact(query()).await.expect("needs no login").expect("Alice");
        assert!(!found.is_self());
    }
    assert_eq!((bot.is_logged_in(), loads.load(Ordering::Relaxed)), (false, 1), "the second time it was known");
    bot.finish().await;
}

#[tokio::test]
async fn a_contact_in_hand_keeps_its_name_after_a_logout_q16() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let bot = spawn(bot(&platform)).await;
    bot.ready().await;
    let contact = bot.main_account().contact(alice.id()).await.expect("loads");
    platform.log_out_bot("kicked");
    idle(&platform).await;
    bot.drained().await;
    let found = bot.find_contact(ContactQuery { id: Some(alice.id()), ..ContactQuery::default() }).await;
    assert!(matches!(found, Err(Error::Puppet(PuppetError::NotLoggedIn))), "{found:?}");
    contact.ready().await.expect("it is loaded");
    assert_eq!(contact.name(), "alice");
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_message_that_is_a_post_becomes_the_post_q3() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = bot(&platform).state(log.clone()).on_message(|msg: Message, log: State<Log>| async move {
        let post = msg.to_post().await?;
        let again = msg.to_sayable().await?;
        log.note(format!("{} {}", post.sayables().await?[0].payload(), again.payload().kind()));
        Ok::<_, Error>(())
    });
    let bot = spawn(builder).await;
    let id = alice.publishes(vec![SayablePayload::text("what a day")]).await;
    let mut payload = MessagePayload::direct(id.as_str(), alice.id(), platform.bot_id(), "");
    payload.kind = MessageType::Post;
    platform.offers(Event::message(payload)).await;
    bot.finish_with(&platform).await;
    assert_eq!(log.all(), ["what a day Post"]);
}
