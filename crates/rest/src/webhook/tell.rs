//! TELL: between the events of a bot and its webhooks: what is said to which, and what becomes of their answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechaty::{
    Account, Bot, BotBuilder, OutboxPolicy, Say,
    types::{ConversationId, EventKind, FriendshipId, MessageId, RoomInvitationId, SayablePayload},
    user::Reply,
};
use wechaty_catalogue::Lang;

use super::{Webhook, answer::Answer, puppet::Outlet};
use crate::{
    Rest, RestOptions,
    events::{Entry, Happened, Told, json as event_json},
    wire::Content,
};

/// The type of an event that only looks whether a webhook is there.
pub(super) const PING: &str = "ping";

/// The webhooks of a bot. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks(Arc<[Arc<Webhook>]>, Arc<RestOptions>);

/// An answer, with what it is to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    /// Type of the event.
    pub(super) kind: String,
    /// Id of its message, friendship or invitation.
    pub(super) id: String,
    pub(super) answer: Answer,
}

/// How what is said to webhooks goes out: each is tried for some minutes; while nobody is there, the breaker asks at times.
fn policy() -> OutboxPolicy {
    OutboxPolicy { attempts: 12, ..OutboxPolicy::default() }
}

impl Webhooks {
    /// All of them; two of the same id fail the build of the bot.
    pub(crate) fn new(options: &RestOptions) -> Self {
        Self(options.webhooks.clone().into(), Arc::new(options.clone()))
    }

    /// Adds their outlets to a bot in the making.
    pub(crate) fn outlets(&self, builder: BotBuilder) -> BotBuilder {
        self.0.iter().fold(builder, |builder, hook| {
            builder.outlet(hook.outlet.clone(), Arc::new(Outlet(hook.clone())), policy())
        })
    }

    /// The bot they belong to.
    pub(crate) fn connect(&self, bot: &Bot) {
        self.0.iter().for_each(|hook| hook.connect(bot));
    }

    pub(super) fn all(&self) -> &[Arc<Webhook>] {
        &self.0
    }

    pub(super) fn find(&self, id: &str) -> Option<&Arc<Webhook>> {
        self.0.iter().find(|hook| hook.id() == id)
    }

    /// Says an event to those who want it. Durable on return.
    pub(crate) async fn tell(&self, bot: &Bot, what: &Happened, entry: &Entry) -> wechaty::Result<()> {
        for hook in &*self.0 {
            if !wants(hook, what) {
                continue;
            }
            let Some(outlet) = bot.outlet(hook.outlet.clone()) else { continue };
            let store = bot.store();
            if hook.state.now(&**store, hook.id()).await.paused.is_some() {
                store.refuse(&hook.outlet, "paused".into()).await?;
                continue;
            }
            if hook.is_full(bot).await {
                hook.tell_full(bot.clock().now());
                store.refuse(&hook.outlet, "full".into()).await?;
                continue;
            }
            let to = match &what.conversation {
                Some(conversation) => conversation.clone(),
                None => ConversationId::Contact(what.account.as_str().into()),
            };
            say(outlet, to, &entry.json).key("event").await?;
        }
        Ok(())
    }

    /// Does what a webhook has answered. It runs again after a crash, and says the same once.
    pub(crate) async fn answered(&self, bot: &Bot, reply: Reply) -> wechaty::Result<()> {
        if !self.0.iter().any(|hook| hook.outlet == reply.from) {
            return Ok(());
        }
        let Answered { kind, id, answer } = serde_json::from_str(&reply.data).map_err(wechaty::Error::other)?;
        if answer.accept {
            bot.once("accept", async || accept(&reply.account, &kind, &id).await).await?;
        }
        for (number, what) in answer.say.iter().enumerate() {
            let what = self.sayable(bot, &reply.account, what).await?;
            let mut say = reply.say(what)?.key(format!("say-{number}"));
            if answer.quote && number == 0 && kind == EventKind::Message.as_str() {
                say = say.quote(MessageId::new(id.clone()));
            }
            say.await?;
        }
        Ok(())
    }
}

impl Webhooks {
    /// A text, or content as in `POST /sends`.
    async fn sayable(&self, bot: &Bot, account: &Account, what: &Value) -> wechaty::Result<SayablePayload> {
        if let Value::String(text) = what {
            return Ok(SayablePayload::text(text.as_str()));
        }
        let content: Content = serde_json::from_value(what.clone()).map_err(wechaty::Error::other)?;
        // Of the door, it only needs to know where uploaded files are.
        let told = Told::new(&RestOptions { webhooks: Vec::new(), ..(*self.1).clone() });
        let rest = Rest::with(bot, (*self.1).clone(), told);
        content.payload(&rest, account).await.map_err(|problem| {
            let reason = problem.json(Lang::En)["detail"].as_str().unwrap_or_default().to_owned();
            wechaty::Error::Invalid { what: "answer of a webhook", reason }
        })
    }
}

/// Says something to an outlet.
pub(super) fn say(outlet: &Account, to: ConversationId, body: &str) -> Say {
    let body = SayablePayload::text(body);
    match to {
        ConversationId::Contact(contact) => outlet.contact_handle(&contact).say(body),
        ConversationId::Room(room) => outlet.room_handle(&room).say(body),
    }
}

/// The body of a ping.
pub(super) fn ping(bot: &Bot) -> String {
    event_json("", bot.main_account().id().as_str(), PING, bot.clock().wall(), &json!({}))
}

fn wants(hook: &Webhook, what: &Happened) -> bool {
    let options = &hook.options;
    let is_own = what.payload.get("self") == Some(&Value::Bool(true));
    options.wants(what.kind)
        && (options.own || !is_own)
        && options.accounts.as_ref().is_none_or(|accounts| accounts.contains(&what.account))
}

/// Accepts what an event asks.
async fn accept(account: &Account, kind: &str, id: &str) -> wechaty::Result<()> {
    if kind == EventKind::Friendship.as_str() {
        return account.friendship(&FriendshipId::new(id.to_owned())).await?.accept().await.map(drop);
    }
    if kind == EventKind::RoomInvite.as_str() {
        return account.room_invitation(&RoomInvitationId::new(id.to_owned())).await?.accept().await;
    }
    let reason = format!("`accept` is for a friend request or an invitation into a room, and this is `{kind}`");
    Err(wechaty::Error::Invalid { what: "answer of a webhook", reason })
}
