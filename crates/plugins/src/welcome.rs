//! Welcome: greets who comes into a room, and new friends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::{
    prelude::*,
    types::{AccountId, FriendshipType, RoomId},
};

use crate::{
    Match,
    declaration::{PluginDeclaration, read},
};

const DEFAULT_GREETING: &str = "welcome to {topic}!";
const NAMELESS_GREETING: &str = "welcome!";

/// Greets newcomers of a room by name, mentioning them.
///
/// Nothing is said when the bot itself comes into a room, nor to the bot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Welcome {
    /// In which rooms. Default: all.
    pub room: Match,
    /// What is said; `{topic}` is the room's topic, `{name}` the newcomers' names. Without `{name}` they are mentioned
    /// in front. Default: `welcome to {topic}!`, or `welcome!` where the topic is not known.
    #[schemars(length(min = 1))]
    pub greeting: String,
    /// Other words for single rooms, by id or topic.
    pub greetings: HashMap<String, String>,
    /// Whether many who come at once are greeted together. Default: yes.
    pub together: bool,
    /// Seconds in which a room is greeted once only. Default: 0, always.
    pub cooldown_seconds: u64,
    /// What a new friend is told; `{name}` is the friend's name. Default: nothing.
    #[schemars(length(min = 1))]
    pub friend: Option<String>,
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "welcome",
    summary: "greets who comes into a room, and new friends",
    example: r#"settings = { greeting = "welcome to {topic}, {name}!", cooldown_seconds = 60 }"#,
    schema: || schemars::schema_for!(Welcome),
    build: |settings| Ok(Box::new(read::<Welcome>("welcome", settings)?)),
};

impl Default for Welcome {
    fn default() -> Self {
        Self {
            room: Match::Always,
            greeting: DEFAULT_GREETING.to_owned(),
            greetings: HashMap::new(),
            together: true,
            cooldown_seconds: 0,
            friend: None,
        }
    }
}

/// When each room was greeted last, on the bot's clock.
type Greeted = Arc<Mutex<HashMap<(AccountId, RoomId), Duration>>>;

impl Welcome {
    /// With these words.
    pub fn new(greeting: impl Into<String>) -> Self {
        Self { greeting: greeting.into(), ..Self::default() }
    }

    /// False: it was greeted a short while ago.
    fn is_due(&self, greeted: &Greeted, room: &Room, now: Duration) -> bool {
        let pause = Duration::from_secs(self.cooldown_seconds);
        if pause.is_zero() {
            return true;
        }
        let mut greeted = greeted.lock().unwrap_or_else(PoisonError::into_inner);
        greeted.retain(|_, at| now.saturating_sub(*at) < pause);
        let key = (room.account().id().clone(), room.id().clone());
        if greeted.contains_key(&key) {
            return false;
        }
        greeted.insert(key, now);
        true
    }

    async fn greet(&self, join: RoomJoin, now: Duration, greeted: &Greeted) -> wechaty::Result<()> {
        if join.invitees.iter().any(|contact| contact.is_self()) || !self.room.room(&join.room).await {
            return Ok(());
        }
        if join.invitees.is_empty() || !self.is_due(greeted, &join.room, now) {
            return Ok(());
        }
        let topic = join.room.topic().await.unwrap_or_default();
        let words = self.greetings.get(join.room.id().as_str()).or_else(|| self.greetings.get(&topic));
        let mut words = words.unwrap_or(&self.greeting).as_str();
        if topic.is_empty() && words == DEFAULT_GREETING {
            words = NAMELESS_GREETING;
        }
        let words = words.replace("{topic}", &topic);
        let groups = if self.together { join.invitees.len().max(1) } else { 1 };
        for newcomers in join.invitees.chunks(groups) {
            // Who has no name is greeted without one.
            let named: Vec<Contact> = newcomers.iter().filter(|contact| !contact.name().is_empty()).cloned().collect();
            let names: Vec<String> = named.iter().map(Contact::name).collect();
            let say = if words.contains("{name}") {
                join.room.say(words.replace("{name}", &names.join(", ")))
            } else if named.is_empty() {
                join.room.say(&words)
            } else {
                join.room.say_to(&words, &named)
            };
            // Names and topic may be others when this runs again after a crash: it is the same greeting.
            let first = newcomers.first().map(|contact| contact.id().to_string()).unwrap_or_default();
            say.key(format!("greet {first}")).await?;
        }
        Ok(())
    }
}

impl Plugin for Welcome {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("welcome")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let (plugin, greeted) = (Arc::new(self.clone()), Greeted::default());
        cx.on_room_join(move |join: RoomJoin, bot: Bot| {
            let (plugin, greeted) = (plugin.clone(), greeted.clone());
            async move { plugin.greet(join, bot.clock().now(), &greeted).await }
        })
        .named("welcome/room");
        if let Some(words) = self.friend.clone() {
            cx.on_friendship(move |friendship: Friendship| {
                let words = words.clone();
                async move {
                    if friendship.kind() == FriendshipType::Confirm {
                        let friend = friendship.contact();
                        let _ = friend.ready().await;
                        friend.say(words.replace("{name}", &friend.name())).key("friend").await?;
                    }
                    wechaty::Result::<()>::Ok(())
                }
            })
            .named("welcome/friend");
        }
        Ok(())
    }
}
