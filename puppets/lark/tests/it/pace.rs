//! A bot that has much to say stays within the platform's rates.

use std::time::Duration;

use wechaty::Bot;
use wechaty_lark_fake::{Person, Sender};
use wechaty_puppet::{Clock, ContactId, VirtualClock};

use crate::stage::Stage;

const PEOPLE: usize = 50;
const EACH: usize = 21;
const ROOM: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bot_says_is_never_too_fast_for_the_platform() {
    let virtual_clock = VirtualClock::new();
    let clock: Clock = virtual_clock.clone().into();
    let stage = Stage::with(false, clock.clone()).await;
    let people: Vec<ContactId> = stage.fake.with(|state| {
        state.settings.limits = true;
        let person = |number| Person { name: format!("Person {number}"), ..Person::default() };
        (0..PEOPLE).map(|number| state.add_person(person(number)).open_id.into()).collect()
    });
    let bot = Bot::builder(stage.make()).clock(clock).start().await.expect("starts");
    bot.ready().await;
    let account = bot.main_account();
    for number in 0..ROOM {
        account.room_handle(&stage.room).say(format!("to all {number}")).await.expect("durable");
    }
    for number in 0..EACH {
        for person in &people {
            account.contact_handle(person).say(format!("{number}")).await.expect("durable");
        }
    }
    let told = || {
        stage.fake.with(|state| {
            let sent = state.messages.values().filter(|message| message.sender == Sender::App).count();
            (sent, state.too_fast)
        })
    };
    // Real calls take real time, which must not be much in the time of the test: what is on its way arrives first.
    let settled = async || {
        let (mut seen, mut still) = (told(), 0);
        while still < 3 {
            Clock::system().sleep(Duration::from_millis(1)).await;
            let now = told();
            (seen, still) = (now, if now == seen { still + 1 } else { 0 });
        }
        seen
    };
    let all = async {
        let mut quiet = 0;
        loop {
            let (before, (sent, too_fast)) = (told().0, settled().await);
            assert_eq!(too_fast, 0, "{sent} were sent");
            if sent == PEOPLE * EACH + ROOM {
                break;
            }
            quiet = if sent == before { quiet + 1 } else { 0 };
            // Where nothing has come for long, the minute is used up.
            let step = if quiet < 50 { 10 } else { 500 };
            virtual_clock.advance(Duration::from_millis(step)).await;
        }
    };
    Clock::system().timeout(Duration::from_secs(600), all).await.unwrap_or_else(|_| panic!("{:?}", told()));
    // A minute has its thousand.
    assert!(virtual_clock.now() > Duration::from_secs(60), "{:?}", virtual_clock.now());
}
