//! A bot that welcomes who comes into a room, and answers when it is mentioned there.
//!
//! ```text
//! $ WECHATY_PUPPET=terminal cargo run -p wechaty --example rooms_and_mentions
//! /room tea
//! @bot where am I?
//! ```

use wechaty::prelude::*;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?).on_room_join(welcome).on_message(answer).run().await
}

async fn welcome(join: RoomJoin) -> wechaty::Result<()> {
    let guests: Vec<Contact> = join.invitees.iter().filter(|contact| !contact.is_self()).cloned().collect();
    if !guests.is_empty() {
        let topic = join.room.topic().await?;
        // The first await looks up what the guests are called in this room, the second says it.
        join.room.say_to(format!("welcome to {topic}!"), &guests).await?;
    }
    Ok(())
}

async fn answer(msg: Message) -> wechaty::Result<()> {
    let Some(room) = msg.room() else {
        return Ok(()); // one to one: not for this bot
    };
    if msg.is_self() || !msg.mentions_self().await? {
        return Ok(());
    }
    let answer = match msg.mention_text().await?.as_str() {
        "where am I?" => format!("in {}", room.topic().await?),
        "who is here?" => room.members().await?.iter().map(Contact::name).collect::<Vec<_>>().join(", "),
        question => format!("I do not know about {question:?}"),
    };
    room.say_to(answer, &[msg.talker()]).await?;
    Ok(())
}
