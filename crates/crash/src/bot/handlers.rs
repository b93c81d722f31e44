//! HANDLERS: what the bot does with `pair`, `ask`, `room` and the others, and each second; each run of one is counted in a
//! file outside of the store.

use std::{fs::File, io::Write, path::PathBuf, sync::Arc, time::Duration};

use wechaty::{BotBuilder, prelude::*};
use wechaty_store::crash;
use wechaty_types::ContactId;

use super::Settings;

/// What handlers know beside the message.
#[derive(Clone)]
struct Desk {
    folder: Arc<PathBuf>,
    apart: Duration,
    clock: ContactId,
}

impl Desk {
    /// Counts one more run of a handler with a message; gives how many there were.
    fn runs(&self, message: &Message) -> wechaty::Result<u64> {
        self.write(&format!("runs-{}", message.id()), "x")
    }

    /// Adds to a file; gives its size.
    fn write(&self, file: &str, text: &str) -> wechaty::Result<u64> {
        let path = self.folder.join(file);
        let mut file = File::options().create(true).append(true).open(path).map_err(wechaty::Error::other)?;
        file.write_all(text.as_bytes()).map_err(wechaty::Error::other)?;
        Ok(file.metadata().map_err(wechaty::Error::other)?.len())
    }
}

/// Adds the handlers.
pub(super) fn add(bot: BotBuilder, settings: &Settings) -> BotBuilder {
    let desk = Desk {
        folder: Arc::new(settings.folder.clone()),
        apart: Duration::from_millis(settings.apart),
        clock: settings.address.id("clock").into(),
    };
    bot.state(desk)
        .on_message(pair)
        .named("pair")
        .on_message(ask)
        .named("ask")
        .on_message(room)
        .named("room")
        .on_message(stray)
        .named("stray")
        .on_message(file)
        .named("file")
        .on_message(long)
        .named("long")
        .on_message(later)
        .named("later")
        .on_message(draw)
        .named("draw")
        .timezone("UTC")
        .cron("second", settings.address.through.ticks(), second)
        // Its own: without one, errors of sends that could not be made fill the log.
        .on_error(|_: ErrorReport| async {})
}

/// The number of a message that begins with this word. What the bot has said itself asks for nothing, and who talks to it
/// alone is nowhere else.
fn number<'m>(message: &'m Message, word: &str) -> Option<&'m str> {
    if message.is_self() || message.room().is_some() != (word == "room") {
        return None;
    }
    message.text()?.strip_prefix(word)?.strip_prefix(' ')
}

/// Says A and B at once; each second run of it in the other order.
async fn pair(message: Message, bot: Bot, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "pair") else { return Ok(()) };
    let run = desk.runs(&message)?;
    let order = if run % 2 == 1 { ["A", "B"] } else { ["B", "A"] };
    let first = async {
        let said = message.say(format!("{} {number}", order[0])).await;
        crash::point("between-says");
        said
    };
    let second = async {
        if !desk.apart.is_zero() {
            bot.clock().sleep(desk.apart).await;
        }
        message.say(format!("{} {number}", order[1])).await
    };
    let (first, second) = tokio::join!(first, second);
    let receipts = [first?, second?];
    // Some wait for the platform, most go on.
    if message.id().as_str().ends_with('3') {
        receipts[0].sent().await?;
    }
    Ok(())
}

/// Asks and tells what was replied.
async fn ask(message: Message, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "ask") else { return Ok(()) };
    desk.runs(&message)?;
    let reply = format!("reply {number}");
    let asked = message.ask(format!("question {number}"));
    let answer = asked.filter(move |message| message.text() == Some(&*reply)).await?;
    let heard = answer.as_ref().and_then(Message::text).unwrap_or("nothing");
    message.say(format!("told {number} {heard}")).await?;
    Ok(())
}

/// Answers in a room with words that are others in each run, under one key.
async fn room(message: Message, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "room") else { return Ok(()) };
    let run = desk.runs(&message)?;
    message.say(format!("answer {number} of run {run}")).key("answer").sent().await?;
    Ok(())
}

/// The picture, the same for everybody, under the number's name.
async fn file(message: Message, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "file") else { return Ok(()) };
    desk.runs(&message)?;
    let bytes: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    message.say(FileBox::from_bytes(bytes, format!("file {number}"))).await?;
    Ok(())
}

/// A text that goes out in three parts.
async fn long(message: Message, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "long") else { return Ok(()) };
    desk.runs(&message)?;
    let parts = [1, 2, 3].map(|part| format!("long{part} {number}{}", " word".repeat(10)));
    message.say(parts.join("\n\n")).await?;
    Ok(())
}

/// Something for a moment later.
async fn later(message: Message, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "later") else { return Ok(()) };
    desk.runs(&message)?;
    message.say(format!("later {number}")).after(Duration::from_millis(30)).await?;
    Ok(())
}

/// An effect outside, done once, and what came of it. Its file tells: an `e` for each time, an `r` for each result.
async fn draw(message: Message, bot: Bot, desk: State<Desk>) -> wechaty::Result<()> {
    let Some(number) = number(&message, "draw") else { return Ok(()) };
    desk.runs(&message)?;
    let file = format!("once-{}", message.id());
    let effect = || async { desk.write(&file, "e\n") };
    let drawn: u64 = bot.once("draw", effect).await?;
    desk.write(&file, &format!("r{drawn}\n"))?;
    message.say(format!("drawn {number} {drawn}")).await?;
    Ok(())
}

/// Tells the time now and then, to somebody who only listens.
async fn second(tick: Tick, account: Account, desk: State<Desk>) -> wechaty::Result<()> {
    let due = tick.due.as_millis();
    desk.write(&format!("tick-{due}"), "x")?;
    account.contact_handle(&desk.clock).say(format!("tick {due}")).await?;
    Ok(())
}

/// A reply that nobody took: somebody should have.
async fn stray(message: Message) -> wechaty::Result<()> {
    if let Some(number) = number(&message, "reply") {
        message.say(format!("stray {number}")).await?;
    }
    Ok(())
}
