//! A dialogue in one function: `ask` says something and waits for the same person's answer, with a filter and a
//! timeout. Nobody else waits meanwhile.
//!
//! ```text
//! $ WECHATY_PUPPET=terminal cargo run -p wechaty --example ask_answer
//! register
//! Ada
//! help
//! 36
//! ```

use std::time::Duration;

use wechaty::prelude::*;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    Bot::builder(puppet::from_env()?).on_message(register).on_message(help).run().await
}

async fn register(msg: Message) -> wechaty::Result<()> {
    if msg.text() != Some("register") {
        return Ok(());
    }
    let Some(name) = msg.ask("what is your name?").timeout(PATIENCE).await? else {
        msg.say("another time, then").await?;
        return Ok(());
    };
    // What the filter refuses is no answer and goes its usual way: `help` works in the middle of a dialogue.
    let age = msg.ask("how old are you?").filter(|answer| number(answer).is_some()).timeout(PATIENCE).await?;
    let name = name.text().unwrap_or("stranger");
    match age.as_ref().and_then(number) {
        Some(age) => msg.say(format!("welcome, {name}, {age} years old")).await?,
        None => msg.say(format!("welcome, {name}")).await?,
    };
    Ok(())
}

async fn help(msg: Message) -> wechaty::Result<()> {
    if msg.text() == Some("help") {
        msg.say("say `register`; an age is a number").await?;
    }
    Ok(())
}

fn number(msg: &Message) -> Option<u8> {
    msg.text()?.trim().parse().ok()
}
