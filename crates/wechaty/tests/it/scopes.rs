//! Which events reach a plugin, and one plugin several times in a bot.

use wechaty::{
    plugin::{Instance, Scope},
    prelude::*,
    testing::*,
};

use crate::support::{Log, bot};

/// Notes who said what, and answers.
struct Echo;

impl Plugin for Echo {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("echo")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let memory = cx.memory();
        cx.on_message(move |msg: Message, log: State<Log>| {
            let memory = memory.clone();
            async move {
                let text = msg.text().unwrap_or_default().to_owned();
                memory.set("last", &text).await?;
                log.note(format!("handles {text}"));
                wechaty::Result::<Flow>::Ok(Flow::Handled)
            }
        })
        .named("echo/answer");
        cx.observe(|msg: Message, log: State<Log>| async move {
            log.note(format!("observes {}", msg.text().unwrap_or_default()));
        })
        .named("echo/watch");
        cx.on_login(|login: Login, log: State<Log>| async move { log.note(format!("login {}", login.account.id())) });
        cx.on_start(|_: BotStart, log: State<Log>| async move { log.note("start") });
        Ok(())
    }
}

fn echo(scope: Scope) -> Instance {
    Instance::new(Box::new(Echo)).scope(scope)
}

/// What the handlers and observers of messages noted.
fn words(log: &Log) -> Vec<String> {
    log.all().into_iter().filter(|line| line.contains("handles") || line.contains("observes")).collect()
}

#[tokio::test]
async fn a_plugin_for_rooms_hears_nothing_elsewhere() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let (vip, other) = (platform.room("VIP tea", &[&alice]), platform.room("tea", &[&alice]));
    let scope =
        Scope::new().rooms(|room: Room| async move { room.topic().await.is_ok_and(|topic| topic.starts_with("VIP")) });
    let bot = spawn(bot(&platform).state(log.clone()).plugin(echo(scope))).await;
    alice.says("one to one").await;
    alice.says_in(&other, "elsewhere").await;
    alice.says_in(&vip, "here").await;
    let ledger = bot.finish_with(&platform).await;
    assert_eq!(words(&log), ["observes here", "handles here"]);
    assert!(log.all().contains(&"start".to_owned()) && log.all().contains(&"login default".to_owned()));
    assert!(ledger.inbound.errors.is_empty());
}

#[tokio::test]
async fn a_plugin_for_people_hears_nobody_else() {
    let platform = FakePlatform::new();
    let (alice, bob, log) = (platform.user("alice"), platform.user("bob"), Log::default());
    let room = platform.room("tea", &[&alice, &bob]);
    let id = alice.id();
    let scope = Scope::new().people(move |contact: Contact| {
        let is = *contact.id() == id;
        async move { is }
    });
    let bot = spawn(bot(&platform).state(log.clone()).plugin(echo(scope))).await;
    bob.says("bob").await;
    bob.says_in(&room, "bob too").await;
    alice.says_in(&room, "alice").await;
    bot.finish_with(&platform).await;
    assert_eq!(words(&log), ["observes alice", "handles alice"]);
}

#[tokio::test]
async fn a_plugin_for_one_account_hears_no_other() {
    let platform = FakePlatform::new();
    let (shop, school) = (platform.account_named("shop"), platform.account_named("school"));
    let (alice, log) = (platform.user("alice"), Log::default());
    let builder = Bot::builder(platform.puppet()).account("shop", shop.puppet()).account("school", school.puppet());
    let plugin = echo(Scope::new().accounts(["shop"]));
    let bot = spawn(builder.clock(platform.bot_clock()).state(log.clone()).plugin(plugin)).await;
    alice.with(&school).says("school").await;
    alice.with(&shop).says("shop").await;
    bot.drained().await;
    assert_eq!(words(&log), ["observes shop", "handles shop"]);
    let logins: Vec<_> = log.all().into_iter().filter(|line| line.starts_with("login")).collect();
    assert_eq!(logins, ["login shop"]);
    bot.finish().await;
}

#[tokio::test]
async fn two_instances_of_one_plugin_have_names_and_memories_of_their_own() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let room = platform.room("tea", &[&alice]);
    let rooms = Scope::new().rooms(|_| async { true });
    let twice = bot(&platform).state(log.clone());
    let twice = twice.plugin(echo(rooms).id("rooms")).plugin(echo(Scope::new()).id("rest"));
    let bot = spawn(twice).await;
    alice.says("alone").await;
    alice.says_in(&room, "together").await;
    bot.drained().await;
    let memory = |id: &str| bot.memory().multiplex("plugin").multiplex(id).get::<String>("last").unwrap();
    assert_eq!((memory("rooms").as_deref(), memory("rest").as_deref()), (Some("together"), Some("alone")));
    for name in ["rooms/echo/answer", "rest/echo/answer"] {
        assert!(bot.handler_names().contains(&name.to_owned()), "{:?}", bot.handler_names());
    }
    assert!(bot.uninstall("rooms"));
    alice.says_in(&room, "later").await;
    bot.drained().await;
    assert_eq!(memory("rest").as_deref(), Some("later"));
    bot.finish_with(&platform).await;
}

#[tokio::test]
async fn a_panic_in_a_scope_is_reported_and_the_others_go_on() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let scope = Scope::new().people(|contact: Contact| async move { panic!("who is {}?", contact.id()) });
    let broken = echo(scope).id("broken");
    let bot = spawn(bot(&platform).state(log.clone()).plugin(broken).plugin(echo(Scope::new()))).await;
    alice.says("hi").await;
    bot.drained().await;
    assert_eq!(words(&log), ["observes hi", "handles hi"]);
    let ledger = bot.finish_with(&platform).await;
    assert!(ledger.inbound.errors.keys().any(|name| name.starts_with("broken/")), "{:?}", ledger.inbound.errors);
}
