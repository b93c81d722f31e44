//! A bridge between two rooms on two messengers: what is said in one is said in the other, with answers, files, edits and
//! deletions, by one bot with two accounts.
//!
//! ```text
//! $ cargo run -p wechaty --example room_bridge -- PUPPET ROOM PUPPET ROOM [left.KEY=VALUE] [right.KEY=VALUE]
//! ```
//!
//! `ROOM` is a room's id; the bot must be in it (on Matrix, `left.rooms=ROOM` comes in). Settings of the puppets come from their
//! environment variables, or from `left.…` and `right.…`. With `WECHATY_NAME` the bot has a store: which message is which is
//! known again after a restart.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wechaty::{
    BotBuilder, Error, Settings,
    prelude::*,
    types::{AccountId, ConversationId, MessageId, RoomId, SayablePayload},
};

/// How many messages of each room are known again on the other side.
const KNOWN: usize = 500;

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    let (settings, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.contains('='));
    let [left, left_room, right, right_room] = words.as_slice() else {
        eprintln!("usage: room_bridge PUPPET ROOM PUPPET ROOM [left.KEY=VALUE] [right.KEY=VALUE]");
        std::process::exit(2);
    };
    let puppet_of = |side: &str, name: &str| {
        let given = settings.iter().filter_map(|word| word.strip_prefix(side)?.strip_prefix('.')?.split_once('='));
        puppet::by_name(name, given.fold(Settings::new(), |all, (key, value)| all.set(key, value)))
    };
    let mut bot =
        BotBuilder::new().account("left", puppet_of("left", left)?).account("right", puppet_of("right", right)?);
    if let Ok(name) = std::env::var("WECHATY_NAME") {
        bot = bot.name(name);
    }
    let bot = bot
        .on_scan(|scan: Scan| async move { println!("{}: scan to log in: {}", scan.account.id(), scan.url()) })
        .on_login(|login: Login| async move { println!("{}: {} is logged in", login.account.id(), login.contact) });
    bridge(bot, ("left", left_room.as_str()), ("right", right_room.as_str())).run().await
}

/// Two rooms, each of an account.
struct Bridge([(AccountId, RoomId); 2]);

/// The bot with a bridge from one room to the other: account and room of each.
pub(crate) fn bridge(bot: BotBuilder, left: (&str, &str), right: (&str, &str)) -> BotBuilder {
    let side = |(account, room): (&str, &str)| (AccountId::from(account), RoomId::from(room));
    bot.state(Bridge([side(left), side(right)])).on_message(relay).on_message_edit(edit).on_message_recall(recall)
}

/// What the messages of a room are in the other one, oldest first. A file has its caption in front.
#[derive(Default, Serialize, Deserialize)]
struct Links(VecDeque<(MessageId, Vec<MessageId>)>);

impl Stored for Links {
    const NAME: &'static str = "bridge-links";
}

impl Links {
    fn add(&mut self, here: &MessageId, there: &[MessageId]) {
        self.remove(here);
        self.0.push_back((here.clone(), there.to_vec()));
        while self.0.len() > KNOWN {
            self.0.pop_front();
        }
    }
    fn remove(&mut self, here: &MessageId) {
        self.0.retain(|(known, _)| known != here);
    }
    fn of(&self, here: &MessageId) -> Option<&[MessageId]> {
        self.0.iter().find(|(known, _)| known == here).map(|(_, there)| there.as_slice())
    }
}

/// Where an event happened, and the other side of it.
struct Crossing {
    near: ConversationState<Links>,
    far: ConversationState<Links>,
    account: Account,
    room: Room,
}

impl Bridge {
    /// `None`: in another conversation.
    fn across(&self, bot: &Bot, account: &Account, conversation: &ConversationId) -> Option<Crossing> {
        let here = |(id, room): &(AccountId, RoomId)| id == account.id() && Some(room) == conversation.room();
        let [left, right] = &self.0;
        let (id, room) = match (here(left), here(right)) {
            (true, _) => right,
            (_, true) => left,
            _ => return None,
        };
        let far = bot.account(id.clone())?.clone();
        Some(Crossing {
            near: account.conversation_state(conversation),
            far: far.conversation_state(&room.clone().into()),
            room: far.room_handle(room),
            account: far,
        })
    }
}

/// Whether one of the bot's accounts did it. What we relay comes back as an event where a platform echoes, or where both
/// accounts are in one room.
fn ours(bot: &Bot, who: &Contact) -> bool {
    let platform = who.account().platform();
    bot.accounts().iter().any(|own| own.platform() == platform && own.me().as_deref() == Some(who.id()))
}

/// The name somebody has in the room.
async fn name(who: &Contact, conversation: &ConversationId) -> String {
    let alias = match conversation.room() {
        Some(room) => who.account().room_handle(room).alias(who).await.ok().flatten(),
        None => None,
    };
    let name = alias.unwrap_or_else(|| who.name());
    if name.is_empty() { who.id().to_string() } else { name }
}

async fn relay(msg: Message, bot: Bot, bridge: State<Bridge>) -> wechaty::Result<()> {
    let (here, who) = (msg.conversation_id(), msg.talker());
    let Some(cross) = bridge.across(&bot, msg.account(), &here) else { return Ok(()) };
    let known = cross.near.get().await?.unwrap_or_default();
    if ours(&bot, &who) || known.of(msg.id()).is_some() {
        return Ok(());
    }
    let what = match msg.to_sayable().await {
        Ok(what) => what.into_payload(),
        // Somebody came, went or called: no words to pass on.
        Err(Error::WrongType { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let name = name(&who, &here).await;
    let file = match what {
        SayablePayload::Attachment(_)
        | SayablePayload::Audio(_)
        | SayablePayload::Emoticon(_)
        | SayablePayload::Image(_)
        | SayablePayload::Video(_) => Some(what.clone()),
        _ => None,
    };
    let words = if file.is_some() { format!("{name}:") } else { format!("{name}: {}", what.fallback_text()) };
    let mut say = cross.room.say(words);
    if let Some([quoted, ..]) = msg.payload().quote_id.as_ref().and_then(|quoted| known.of(quoted)) {
        say = say.quote(quoted.clone());
    }
    // Said again after a crash these are the same sends, with the same ids.
    let mut there: Vec<MessageId> = say.sent().await?.id.into_iter().collect();
    if let Some(file) = file {
        there.extend(cross.room.say(file).sent().await?.id);
    }
    let back = [msg.id().clone()];
    cross.far.update(|links| there.iter().for_each(|id| links.add(id, &back))).await?;
    cross.near.update(|links| links.add(msg.id(), &there)).await
}

async fn edit(edit: MessageEdit, bot: Bot, bridge: State<Bridge>) -> wechaty::Result<()> {
    let Some(cross) = bridge.across(&bot, &edit.account, &edit.conversation) else { return Ok(()) };
    let (Some(editor), Some(text)) = (&edit.editor, &edit.new_text) else { return Ok(()) };
    let known = cross.near.get().await?.unwrap_or_default();
    let Some([there, ..]) = known.of(&edit.message_id).filter(|_| !ours(&bot, editor)) else { return Ok(()) };
    let words = format!("{}: {text}", name(editor, &edit.conversation).await);
    let edited = match cross.account.message(there).await {
        Ok(message) => message.edit(words.as_str()).await,
        Err(error) => Err(error),
    };
    if edited.is_err() {
        // Where nothing can be edited, or not any more, it is said again.
        cross.room.say(format!("{words} (edited)")).quote(there.clone()).await?;
    }
    Ok(())
}

async fn recall(recall: MessageRecall, bot: Bot, bridge: State<Bridge>) -> wechaty::Result<()> {
    let Some(cross) = bridge.across(&bot, &recall.account, &recall.conversation) else { return Ok(()) };
    let known = cross.near.get().await?.unwrap_or_default();
    let by_us = recall.recaller.as_ref().is_some_and(|who| ours(&bot, who));
    let Some(there) = known.of(&recall.message_id).filter(|_| !by_us) else { return Ok(()) };
    // First of all: that what we relayed is taken back is told, too, and perhaps not by whom.
    cross.far.update(|links| there.iter().for_each(|id| links.remove(id))).await?;
    let mut gone = true;
    for id in there {
        gone &= match cross.account.message(id).await {
            Ok(message) => message.recall().await.unwrap_or(false),
            Err(_) => false,
        };
    }
    if let (false, Some(first)) = (gone, there.first()) {
        let name = match &recall.recaller {
            Some(who) => name(who, &recall.conversation).await,
            None => "somebody".to_owned(),
        };
        cross.room.say(format!("{name} deleted this")).quote(first.clone()).await?;
    }
    cross.near.update(|links| links.remove(&recall.message_id)).await
}
