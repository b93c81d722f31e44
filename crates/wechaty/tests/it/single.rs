//! One account of several: started and stopped by itself.

use wechaty::{AccountState, prelude::*, testing::*, types::Event};
use wechaty_puppet::{
    Capabilities, Capability, Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, Sent, async_trait,
};
use wechaty_types::LoginEvent;

use crate::support::{Log, Scripted, bot, echo, idle, secs};

fn login(id: &str) -> Event {
    Event::new(LoginEvent { contact_id: id.into() })
}

#[tokio::test]
async fn one_account_is_started_and_stopped_and_the_other_goes_on() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let second = Scripted::default().accepts([login("me").into()]).accepts([login("me").into()]);
    let bot = bot(&platform)
        .account("second", second.clone())
        .state(log.clone())
        .on_start(|_: BotStart, log: State<Log>| async move { log.note("start") })
        .on_stop(|_: BotStop, log: State<Log>| async move { log.note("stop") })
        .on_message(echo)
        .build()
        .expect("builds");
    let [first, other] = [bot.accounts()[0].clone(), bot.accounts()[1].clone()];
    bot.start_account(&other).await.expect("starts");
    idle(&platform).await;
    assert_eq!((platform.totals().connections, other.state()), (0, AccountState::LoggedIn("me".into())));
    bot.start_account(&first).await.expect("starts");
    bot.start_account(&first).await.expect("does nothing");
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hi");

    bot.stop_account(&first).await.expect("stops");
    assert_eq!((first.state(), first.me()), (AccountState::Stopped, None));
    assert_eq!((other.is_logged_in(), second.runs()), (true, 1));
    let receipt = first.contact_handle(&alice.id()).say("later").await.expect("it waits");
    idle(&platform).await;
    alice.hears_nothing();
    bot.start_account(&first).await.expect("starts again");
    assert_eq!(alice.hears().await, "later");
    receipt.sent().await.expect("sent");
    assert_eq!((platform.totals().connections, second.runs()), (2, 1));

    bot.stop_account(&first).await.expect("stops");
    assert_eq!(log.all(), ["start"]);
    bot.stop_account(&other).await.expect("stops the bot");
    bot.stop_account(&other).await.expect("does nothing");
    assert_eq!(log.all(), ["start", "stop"]);
    bot.start_account(&other).await.expect("starts the bot");
    assert_eq!((second.runs(), first.state()), (2, AccountState::Stopped));
    bot.start_account(&first).await.expect("starts");
    idle(&platform).await;
    bot.stop().await.expect("stops");
    alice.hears_nothing();
}

/// Never returns, whoever asks.
#[derive(Debug)]
struct Stubborn;

#[async_trait]
impl Puppet for Stubborn {
    fn platform(&self) -> PlatformName {
        PlatformName::new("stubborn")
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(&[Capability::SendText])
    }
    async fn run(&self, cx: PuppetContext) -> wechaty_puppet::Result<()> {
        cx.accept(login("mule")).await?;
        std::future::pending().await
    }
    async fn send(&self, _out: Outgoing) -> wechaty_puppet::Result<Sent> {
        Ok(Sent::without_id())
    }
}

#[tokio::test]
async fn one_account_that_does_not_stop_keeps_no_other_waiting() {
    let platform = FakePlatform::new();
    let (alice, log) = (platform.user("alice"), Log::default());
    let second = Scripted::default().accepts([login("me").into()]).accepts([login("me").into()]);
    let bot = bot(&platform)
        .account("stubborn", Stubborn)
        .account("second", second.clone())
        .state(log.clone())
        .on_stop(|_: BotStop, log: State<Log>| async move { log.note("stop") })
        .on_message(echo)
        .start()
        .await
        .expect("starts");
    let [first, stubborn, other] = [0, 1, 2].map(|at: usize| bot.accounts()[at].clone());
    let stopping = tokio::spawn({
        let (bot, stubborn) = (bot.clone(), stubborn.clone());
        async move { bot.stop_account(&stubborn).await }
    });
    idle(&platform).await;
    // No time goes by: whoever waits for it waits for ever.
    bot.stop_account(&other).await.expect("stops");
    bot.start_account(&other).await.expect("starts");
    bot.stop_account(&first).await.expect("stops");
    bot.start_account(&first).await.expect("starts");
    alice.says("hi").await;
    assert_eq!(alice.hears().await, "hi");
    assert_eq!((second.runs(), stopping.is_finished()), (2, false));
    // Its own start waits until it has ended.
    let starting = tokio::spawn({
        let (bot, stubborn) = (bot.clone(), stubborn.clone());
        async move { bot.start_account(&stubborn).await }
    });
    idle(&platform).await;
    assert!(!starting.is_finished() && !stubborn.is_logged_in());
    platform.clock().advance(secs(4)).await;
    stopping.await.expect("no panic").expect("stops");
    starting.await.expect("no panic").expect("starts");
    assert!(stubborn.is_logged_in());

    // The last one that ends stops the bot, also where others are told to stop meanwhile; a stop of all waits for it.
    let ending = tokio::spawn({
        let (bot, stubborn) = (bot.clone(), stubborn.clone());
        async move { bot.stop_account(&stubborn).await }
    });
    idle(&platform).await;
    bot.stop_account(&other).await.expect("stops");
    bot.stop_account(&first).await.expect("stops");
    assert_eq!((log.all().len(), ending.is_finished()), (0, false));
    platform.clock().advance(secs(4)).await;
    ending.await.expect("no panic").expect("stops");
    assert_eq!(
        (log.all(), bot.accounts().iter().all(|account| account.state() == AccountState::Stopped)),
        (vec!["stop".to_owned()], true)
    );
    bot.stop().await.expect("does nothing");
}

#[tokio::test]
async fn an_account_that_cannot_start_says_why_and_the_other_goes_on() {
    let platform = FakePlatform::new();
    let alice = platform.user("alice");
    let refused = PuppetError::LoginRefused { reason: "no".into() };
    let bot =
        bot(&platform).account("broken", Scripted::default().fails(refused)).on_message(echo).build().expect("builds");
    bot.start_account(bot.main_account()).await.expect("starts");
    let broken = bot.account("broken").expect("it is there").clone();
    let error = bot.start_account(&broken).await.expect_err("refused");
    assert_eq!(error.to_string(), "account broken: login refused: no");
    assert!(matches!(broken.state(), AccountState::Failed(_)));
    alice.says("still here").await;
    assert_eq!(alice.hears().await, "still here");
    bot.stop().await.expect("stops");
}
