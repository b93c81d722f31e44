//! The example `room_bridge`, between rooms of two fake messengers.

use wechaty::{Bot, BotBuilder, testing::*, types::SayablePayload};
use wechaty_puppet::{Capability, FileBox};

use crate::support::{Disk, until};

#[allow(dead_code, reason = "its `main` is for the command line")]
#[path = "../../examples/room_bridge.rs"]
mod room_bridge;

/// A messenger with a room of two people.
struct Side {
    platform: FakePlatform,
    room: FakeRoom,
    ann: Person,
    ben: Person,
}

impl Side {
    fn new(builder: FakePlatformBuilder, ann: &str, ben: &str) -> Self {
        // As real ones do: what the bot says comes back as an event, and ids of two messengers have nothing in common.
        let platform = builder.id_prefix(ann).allow(Capability::EchoSelf).build();
        let (ann, ben) = (platform.user(ann), platform.user(ben));
        let room = platform.room("bridge", &[&ann, &ben]);
        Self { platform, room, ann, ben }
    }
    /// What people see in the room of what the bot has said.
    fn sees(&self) -> Vec<String> {
        let heard = self.ann.inbox_in(&self.room);
        heard.iter().filter_map(|heard| self.ann.sees(heard.id())).map(|heard| heard.to_string()).collect()
    }
    async fn sees_in_the_end(&self, wanted: &[&str]) {
        until(&format!("people see {wanted:?}, and not {:?}", self.sees()), || self.sees() == wanted).await;
    }
}

fn sides() -> (Side, Side) {
    (Side::new(FakePlatform::builder(), "ann", "ben"), Side::new(FakePlatform::builder(), "cho", "dai"))
}

fn bridged(builder: BotBuilder, left: &Side, right: &Side) -> BotBuilder {
    let bot = builder.account("left", left.platform.puppet()).account("right", right.platform.puppet());
    let bot = bot.clock(left.platform.bot_clock());
    room_bridge::bridge(bot, ("left", left.room.as_ref()), ("right", right.room.as_ref()))
}

async fn started(left: &Side, right: &Side) -> TestBot {
    let bot = spawn(bridged(BotBuilder::new(), left, right)).await;
    ready(&bot).await;
    bot
}

async fn ready(bot: &Bot) {
    for account in bot.accounts() {
        account.ready().await;
    }
}

#[tokio::test]
async fn words_answers_files_edits_and_deletions_cross_in_both_directions_and_never_come_back() {
    let (left, right) = sides();
    let bot = started(&left, &right).await;
    for (near, far) in [(&left, &right), (&right, &left)] {
        let (ann, room) = (&near.ann, &near.room);
        let before = far.sees().len();
        let one = ann.says_in(room, "hello").await;
        let two = near.ben.says_in(room, "you there?").await;
        bot.drained().await;
        let seen = |far: &Side| far.sees().split_off(before);
        let words = |who: &Person, text: &str| format!("{}: {text}", who.name());
        assert_eq!(seen(far), [words(ann, "hello"), words(&near.ben, "you there?")]);

        // Answers point at what they answer, from either side.
        let there = far.ann.inbox_in(&far.room)[before].id().clone();
        far.ann.replies_to(&there, "hello yourself").await;
        ann.replies_to(&two, "I am").await;
        bot.drained().await;
        let answer = near.ann.inbox_in(room).last().expect("it came").clone();
        assert_eq!((answer.text(), answer.quote()), (words(&far.ann, "hello yourself").as_str(), Some(&one)));
        let last = far.ann.inbox_in(&far.room).last().expect("it came").clone();
        let asked = far.ann.inbox_in(&far.room)[before + 1].id().clone();
        assert_eq!((last.text(), last.quote()), (words(ann, "I am").as_str(), Some(&asked)));

        let picture = FileBox::from_bytes(&b"png"[..], "cat.png");
        let sent = SayablePayload::Image(wechaty::types::FilePayload { file: picture });
        let picture = ann.sends_in(room, sent).await;
        bot.drained().await;
        let heard = far.ann.inbox_in(&far.room);
        let [.., caption, file] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((caption.text(), file.capability()), (format!("{}:", ann.name()).as_str(), Capability::SendImage));

        ann.edits(&one, "hello, all").await;
        near.ben.recalls(&two).await;
        ann.recalls(&picture).await;
        bot.drained().await;
        assert_eq!(seen(far), [words(ann, "hello, all"), words(ann, "I am")]);
    }
    // What one side says in the other comes back as an event of ours, and is not passed on.
    let (l, r) = (left.platform.book().delivered().len(), right.platform.book().delivered().len());
    assert_eq!((l, r), (6, 6));
    bot.finish().await;
}

#[tokio::test]
async fn other_rooms_and_people_are_left_alone() {
    let (left, right) = sides();
    let other = left.platform.room("another", &[&left.ann]);
    let bot = started(&left, &right).await;
    left.ann.says_in(&other, "not for you").await;
    left.ann.says("nor this").await;
    bot.drained().await;
    assert!(right.sees().is_empty());
    bot.finish().await;
}

#[tokio::test]
async fn where_nothing_can_be_edited_or_deleted_it_is_said() {
    let plain = FakePlatform::builder().deny(Capability::MessageEdit).deny(Capability::MessageRecall);
    let (left, right) = (Side::new(FakePlatform::builder(), "ann", "ben"), Side::new(plain, "cho", "dai"));
    let bot = started(&left, &right).await;
    let one = left.ann.says_in(&left.room, "at nine").await;
    left.ann.edits(&one, "at ten").await;
    left.ann.recalls(&one).await;
    bot.drained().await;
    right.sees_in_the_end(&["ann: at nine", "ann: at ten (edited)", "ann deleted this"]).await;
    let heard = right.ann.inbox_in(&right.room);
    assert!(heard[1..].iter().all(|notice| notice.quote() == Some(heard[0].id())), "{heard:?}");
    assert!(left.sees().is_empty());
    bot.finish().await;
}

#[tokio::test]
async fn after_a_restart_messages_are_known_again() {
    let (left, right) = sides();
    let disk = Disk::new();
    let bot = spawn(bridged(BotBuilder::new().store(disk.open().await), &left, &right)).await;
    ready(&bot).await;
    let one = left.ann.says_in(&left.room, "before").await;
    right.sees_in_the_end(&["ann: before"]).await;
    bot.finish().await;

    let bot = spawn(bridged(BotBuilder::new().store(disk.open().await), &left, &right)).await;
    ready(&bot).await;
    let there = right.ann.inbox_in(&right.room)[0].id().clone();
    right.ann.replies_to(&there, "I see").await;
    left.sees_in_the_end(&["cho: I see"]).await;
    assert_eq!(left.ann.inbox_in(&left.room)[0].quote(), Some(&one));
    left.ann.edits(&one, "and after").await;
    right.sees_in_the_end(&["ann: and after"]).await;
    left.ann.recalls(&one).await;
    right.sees_in_the_end(&[]).await;
    bot.finish().await;
}
