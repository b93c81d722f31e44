//! AutoReply: rules from words to answers; the first rule that matches answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::{
    prelude::*,
    types::{AccountId, ConversationId},
};

use crate::{
    by_name::{NO_REPLY, NO_WORDS, ONE_TRIGGER},
    declaration::{PluginDeclaration, read},
    matcher,
    words::{OneOrMany, half_width, mentions_us, words},
};

/// Answers texts by rules. Rules are tried in order; the first that matches answers, and the message is handled.
///
/// Only texts count, without the mentions in them, and never the bot's own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutoReply {
    /// The rules, most important first.
    pub rules: Vec<Rule>,
    /// Whether rooms have to mention the bot, for rules that do not say it themselves. Default: no.
    pub mention: bool,
    /// Seconds in which a rule answers a conversation once only, for rules that do not say it themselves; what it would
    /// answer meanwhile is handled in silence. Default: 0, it always answers.
    pub cooldown_seconds: u64,
}

/// From words to an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "RuleSettings")]
#[schemars(with = "RuleSettings")]
#[non_exhaustive]
pub struct Rule {
    /// What it answers to.
    pub trigger: Trigger,
    /// What is said, one after the other; `{name}` is the name of who is answered.
    pub reply: Vec<String>,
    /// Whether rooms have to mention the bot; `None`: as the plugin says.
    pub mention: Option<bool>,
    /// Seconds in which it answers a conversation once only; `None`: as the plugin says.
    pub cooldown_seconds: Option<u64>,
}

/// What a rule answers to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trigger {
    /// Texts that hold one of these. Case and full width do not count.
    Contains(Vec<String>),
    /// Texts that are one of these, but for spaces around. Case and full width do not count.
    Equals(Vec<String>),
    /// Texts this is found in, as they were written.
    Regex(Regex),
}

/// A rule as settings say it: with exactly one of `contains`, `equals` and `re`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
struct RuleSettings {
    /// Answers texts that hold this, or one of these. Case and full width do not count.
    contains: Option<OneOrMany>,
    /// Answers texts that are this, or one of these. Case and full width do not count.
    equals: Option<OneOrMany>,
    /// Answers texts in which this regular expression is found.
    #[schemars(extend("format" = "regex"))]
    re: Option<String>,
    /// What is said: a text, or several one after the other. `{name}` is the name of who is answered.
    reply: OneOrMany,
    /// Whether rooms have to mention the bot. Default: as the plugin says.
    mention: Option<bool>,
    /// Seconds in which this rule answers a conversation once only. Default: as the plugin says.
    cooldown_seconds: Option<u64>,
}

impl TryFrom<RuleSettings> for Rule {
    type Error = String;

    fn try_from(settings: RuleSettings) -> Result<Self, String> {
        let trigger = match (settings.contains, settings.equals, settings.re) {
            (Some(texts), None, None) => Trigger::Contains(plain(texts)?),
            (None, Some(texts), None) => Trigger::Equals(plain(texts)?),
            (None, None, Some(pattern)) => Trigger::Regex(Regex::new(&pattern).map_err(|error| error.to_string())?),
            _ => return Err(ONE_TRIGGER.words().to_string()),
        };
        let reply = Vec::from(settings.reply);
        if reply.is_empty() || reply.iter().any(|text| text.trim().is_empty()) {
            return Err(NO_REPLY.words().to_string());
        }
        Ok(Self { trigger, reply, mention: settings.mention, cooldown_seconds: settings.cooldown_seconds })
    }
}

fn plain(texts: OneOrMany) -> Result<Vec<String>, String> {
    let texts: Vec<String> = Vec::from(texts).iter().map(|text| normal(text)).collect();
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(NO_WORDS.words().to_string());
    }
    Ok(texts)
}

/// In plain small letters, without spaces around.
fn normal(text: &str) -> String {
    half_width(text).trim().to_lowercase()
}

impl Trigger {
    fn fires(&self, text: &str, normal: &str) -> bool {
        match self {
            Self::Contains(words) => words.iter().any(|word| normal.contains(word.as_str())),
            Self::Equals(words) => words.iter().any(|word| normal == word),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Rule {
    fn new(trigger: Trigger, reply: impl Into<String>) -> Self {
        Self { trigger, reply: vec![reply.into()], mention: None, cooldown_seconds: None }
    }
    /// Answers texts that hold this.
    pub fn contains(text: &str, reply: impl Into<String>) -> Self {
        Self::new(Trigger::Contains(vec![normal(text)]), reply)
    }
    /// Answers this text.
    pub fn equals(text: &str, reply: impl Into<String>) -> Self {
        Self::new(Trigger::Equals(vec![normal(text)]), reply)
    }
    /// Answers texts this is found in.
    pub fn regex(regex: Regex, reply: impl Into<String>) -> Self {
        Self::new(Trigger::Regex(regex), reply)
    }
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "auto-reply",
    summary: "answers by rules: texts that contain, equal or match something",
    example: r#"settings = { rules = [{ contains = "课表", reply = "{name}，见群公告" }, { re = "(?i)^help", reply = "I know: 课表" }] }"#,
    schema: || schemars::schema_for!(AutoReply),
    build: |settings| Ok(Box::new(read::<AutoReply>("auto-reply", settings)?)),
};

/// When each rule answered each conversation last, on the bot's clock.
type Answered = Arc<Mutex<HashMap<(usize, AccountId, ConversationId), (Duration, Duration)>>>;

/// False: the rule has answered here a short while ago. `pause`: how long that is.
fn is_due(answered: &Answered, rule: usize, msg: &Message, pause: Duration, now: Duration) -> bool {
    if pause.is_zero() {
        return true;
    }
    let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
    // What is over is forgotten, so that the map holds no more than who was answered of late.
    answered.retain(|_, (at, pause)| now.saturating_sub(*at) < *pause);
    let key = (rule, msg.account().id().clone(), msg.conversation_id());
    if answered.contains_key(&key) {
        return false;
    }
    answered.insert(key, (now, pause));
    true
}

impl AutoReply {
    /// With these rules.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), ..Self::default() }
    }

    /// The first rule that answers a message.
    async fn rule(&self, msg: &Message) -> Option<(usize, &Rule)> {
        let text = words(msg).await;
        let normal = normal(&text);
        let mut mentioned = None;
        for (i, rule) in self.rules.iter().enumerate() {
            if !rule.trigger.fires(&text, &normal) {
                continue;
            }
            if msg.room().is_some() && rule.mention.unwrap_or(self.mention) {
                let mentioned = match mentioned {
                    Some(known) => known,
                    None => *mentioned.insert(mentions_us(msg).await),
                };
                if !mentioned {
                    continue;
                }
            }
            return Some((i, rule));
        }
        None
    }

    async fn answer(&self, msg: &Message, now: Duration, answered: &Answered) -> wechaty::Result<Flow> {
        if msg.is_self() || msg.kind() != MessageType::Text {
            return Ok(Flow::Continue);
        }
        let Some((i, rule)) = self.rule(msg).await else { return Ok(Flow::Continue) };
        let pause = Duration::from_secs(rule.cooldown_seconds.unwrap_or(self.cooldown_seconds));
        if is_due(answered, i, msg, pause, now) {
            for (k, reply) in rule.reply.iter().enumerate() {
                match reply.contains("{name}") {
                    // The name may be another one when this runs again after a crash: it is the same answer.
                    true => {
                        let reply = reply.replace("{name}", &matcher::name(&msg.talker()).await);
                        msg.say(reply).key(format!("rule {i}, reply {k}")).await?
                    }
                    false => msg.say(reply).await?,
                };
            }
        }
        Ok(Flow::Handled)
    }
}

impl Plugin for AutoReply {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("auto-reply")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let (plugin, answered) = (Arc::new(self.clone()), Answered::default());
        cx.on_message(move |msg: Message, bot: Bot| {
            let (plugin, answered) = (plugin.clone(), answered.clone());
            async move { plugin.answer(&msg, bot.clock().now(), &answered).await }
        })
        .named("auto-reply/answer");
        Ok(())
    }
}
