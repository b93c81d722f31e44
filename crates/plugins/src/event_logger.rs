//! EventLogger: one log line for each event.

use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::{EventType, prelude::*, types::EventKind};

use crate::declaration::{PluginDeclaration, read};

/// The names of events, as a schema.
fn event_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names: Vec<&str> = EventKind::ALL.iter().chain(EventKind::OWN).map(|kind| kind.as_str()).collect();
    schemars::json_schema!({ "type": "array", "items": { "type": "string", "enum": names } })
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "event-logger",
    summary: "one log line for each event, without login codes and, unless asked for, without texts",
    example: r#"settings = { events = ["login", "logout", "message"] }"#,
    schema: || schemars::schema_for!(EventLogger),
    build: |settings| Ok(Box::new(read::<EventLogger>("event-logger", settings)?)),
};

/// How many characters of a text are logged.
const PREVIEW: usize = 70;

/// Logs events as `tracing` lines at level info, target `wechaty_plugins::event_logger`.
///
/// Secrets of a login (the text of its QR code, verify codes) are never logged, and what people write only with
/// `texts`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventLogger {
    /// Which events; none given: all.
    #[schemars(schema_with = "event_names")]
    pub events: Vec<EventKind>,
    /// Whether texts of messages are logged, shortened.
    pub texts: bool,
}

impl EventLogger {
    fn wants(&self, kind: EventKind) -> bool {
        self.events.is_empty() || self.events.contains(&kind)
    }

    fn log<E: EventType>(
        &self,
        cx: &mut PluginContext,
        kind: EventKind,
        line: impl Fn(&E) -> String + Copy + Send + Sync + 'static,
    ) {
        if self.wants(kind) {
            cx.observe(move |event: E, account: Account| {
                log(kind, &account, &|| line(&event));
                std::future::ready(())
            })
            .named(format!("event-logger/{kind}"));
        }
    }
}

fn log(kind: EventKind, account: &Account, line: &dyn Fn() -> String) {
    tracing::info!(account = %account.id(), "{kind}: {}", one_line(&line()));
}

/// What others write, as one line that shows as it is: line ends, control characters and marks that turn the direction
/// of writing are escaped, so that nobody can forge a line of the log.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(c.escape_unicode());
            }
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

fn names(contacts: &[Contact]) -> String {
    contacts.iter().map(Contact::to_string).collect::<Vec<_>>().join(", ")
}

fn name(contact: Option<&Contact>) -> String {
    contact.map_or_else(|| "somebody".to_owned(), Contact::to_string)
}

impl Plugin for EventLogger {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("event-logger")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let texts = self.texts;
        self.log(cx, EventKind::Scan, |scan: &Scan| scan.status.to_string());
        self.log(cx, EventKind::VerifyCode, |_: &VerifyCode| "a code is wanted".to_owned());
        self.log(cx, EventKind::Login, |login: &Login| login.contact.to_string());
        self.log(cx, EventKind::Logout, |logout: &Logout| {
            format!("{} {}", logout.contact, logout.reason.as_deref().unwrap_or_default())
        });
        self.log(cx, EventKind::Ready, |_: &Ready| String::new());
        self.log(cx, EventKind::Message, move |msg: &Message| {
            let place = msg.room().map(|room| format!(" in {room}")).unwrap_or_default();
            let text = msg.text().filter(|_| texts).unwrap_or_default();
            format!(
                "{} {} by {}{place} {}",
                msg.kind(),
                msg.id(),
                msg.talker(),
                text.chars().take(PREVIEW).collect::<String>()
            )
        });
        self.log(cx, EventKind::Post, |post: &Post| post.id().map(ToString::to_string).unwrap_or_default());
        self.log(cx, EventKind::Friendship, |friendship: &Friendship| friendship.to_string());
        self.log(cx, EventKind::RoomInvite, |invitation: &RoomInvitation| invitation.to_string());
        self.log(cx, EventKind::RoomJoin, |join: &RoomJoin| {
            format!("{}: {} by {}", join.room, names(&join.invitees), name(join.inviter.as_ref()))
        });
        self.log(cx, EventKind::RoomLeave, |leave: &RoomLeave| {
            format!("{}: {} by {}", leave.room, names(&leave.leavers), name(leave.remover.as_ref()))
        });
        self.log(cx, EventKind::RoomTopic, |topic: &RoomTopic| {
            format!("{} by {}", topic.room, name(topic.changer.as_ref()))
        });
        self.log(cx, EventKind::RoomAnnounce, |announce: &RoomAnnounce| announce.room.to_string());
        self.log(cx, EventKind::Action, |action: &Action| format!("{} by {}", action.value, action.actor));
        self.log(cx, EventKind::MessageEdit, |edit: &MessageEdit| edit.message_id.to_string());
        self.log(cx, EventKind::MessageRecall, |recall: &MessageRecall| recall.message_id.to_string());
        self.log(cx, EventKind::Reaction, |reaction: &Reaction| {
            format!("{} to {} by {}", reaction.reaction, reaction.message_id, reaction.actor)
        });
        self.log(cx, EventKind::MessageStatus, |told: &MessageStatus| {
            let ids: Vec<&str> = told.message_ids.iter().map(|id| id.as_str()).collect();
            format!("{} {} by {}", told.status.as_str(), ids.join(", "), name(told.by.as_ref()))
        });
        self.log(cx, EventKind::Tick, |tick: &Tick| tick.job.to_string());
        self.log(cx, EventKind::Reply, |reply: &Reply| format!("{} by {}", reply.id, reply.from));
        self.log(cx, EventKind::Dirty, |dirty: &Dirty| format!("{} {}", dirty.kind, dirty.id));
        self.log(cx, EventKind::Dong, |dong: &Dong| dong.data.clone().unwrap_or_default());
        self.log(cx, EventKind::Heartbeat, |beat: &Heartbeat| beat.data.clone().unwrap_or_default());
        self.log(cx, EventKind::Reset, |reset: &Reset| reset.data.clone().unwrap_or_default());
        if self.wants(EventKind::Error) {
            cx.observe(|report: ErrorReport, account: Account| async move {
                tracing::error!(account = %account.id(), "error: {}", one_line(&report.to_string()));
            })
            .named("event-logger/error");
        }
        if self.events.is_empty() {
            cx.observe(|_: BotStart| async { tracing::info!("start") }).named("event-logger/start");
            cx.observe(|_: BotStop| async { tracing::info!("stop") }).named("event-logger/stop");
        }
        Ok(())
    }
}
