//! The usual bot of Wechaty in TypeScript, in Rust: docs/migration/typescript.md shows both side by side, with this file's
//! words.
//!
//! ```text
//! $ WECHATY_PUPPET=terminal cargo run -p wechaty --example migrated
//! ding
//! count
//! order
//! tea
//! ```

use std::time::Duration;

use wechaty::{prelude::*, types::FriendshipType};

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?)
        .name("my-bot")
        .on_scan(|scan: Scan| async move { println!("{:?}: {}", scan.status, scan.url()) })
        .on_login(|login: Login| async move { println!("{} logged in", login.contact) })
        .on_message(ding)
        .on_message(where_am_i)
        .on_message(picture)
        .on_message(order)
        .on_room_join(welcome)
        .on_friendship(befriend)
        .on_error(|report: ErrorReport| async move { eprintln!("{report}") })
        .plugin(Counter)
        .run()
        .await
}

async fn ding(msg: Message) -> wechaty::Result<()> {
    if msg.is_self() {
        return Ok(());
    }
    if msg.text() == Some("ding") {
        msg.say("dong").await?;
    }
    Ok(())
}

async fn where_am_i(msg: Message) -> wechaty::Result<()> {
    let Some(room) = msg.room() else { return Ok(()) };
    if msg.mentions_self().await? && msg.mention_text().await? == "where am I?" {
        let topic = room.topic().await?;
        room.say_to(format!("in {topic}"), &[msg.talker()]).await?;
    }
    Ok(())
}

async fn welcome(join: RoomJoin, bot: Bot) -> wechaty::Result<()> {
    join.room.say_to("welcome!", &join.invitees).await?;
    if let Some(hall) = bot.find_room("entrance hall").await? {
        let names: Vec<String> = join.invitees.iter().map(Contact::name).collect();
        hall.say(format!("{} joined {}", names.join(", "), join.room.topic().await?)).await?;
    }
    Ok(())
}

async fn befriend(request: Friendship) -> wechaty::Result<()> {
    if request.kind() == FriendshipType::Receive && request.hello() == "wechaty" {
        let friend = request.accept().await?;
        friend.set_alias(Some("a friend of Wechaty")).await?;
        friend.say("nice to meet you").await?;
    }
    Ok(())
}

async fn picture(msg: Message) -> wechaty::Result<()> {
    if msg.text() == Some("logo") {
        msg.say(FileBox::from_file("logo.png")?).await?;
    }
    if msg.kind() == MessageType::Image {
        let file = msg.to_file_box().await?;
        file.to_file(format!("received-{}", file.name()), true).await?;
    }
    Ok(())
}

struct Counter;

impl Plugin for Counter {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("counter")
    }
    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        cx.on_message(count);
        Ok(())
    }
}

async fn count(msg: Message, bot: Bot) -> wechaty::Result<Flow> {
    if msg.text() != Some("count") {
        return Ok(Flow::Continue);
    }
    let card = bot.memory().multiplex("counter");
    let times = card.get::<u64>("times")?.unwrap_or(0) + 1;
    card.set("times", times).await?;
    msg.say(format!("asked {times} times")).await?;
    Ok(Flow::Handled)
}

async fn order(msg: Message) -> wechaty::Result<()> {
    if msg.text() != Some("order") {
        return Ok(());
    }
    let answer = msg.ask("what would you like?").timeout(Duration::from_secs(60)).await?;
    match answer.as_ref().and_then(Message::text) {
        Some(what) => msg.say(format!("one {what}, coming up")).await?,
        None => msg.say("another time, then").await?,
    };
    Ok(())
}
