//! PLUGINS: ready-made plugins, one file each. Add them to a bot with `.plugin(DingDong::default())`.

mod auto_reply;
mod by_name;
mod declaration;
mod ding_dong;
mod event_logger;
mod matcher;
mod qr_code_terminal;
mod schedule;
mod welcome;
mod words;

pub use auto_reply::{AutoReply, Rule, Trigger};
pub use by_name::{PHRASES, PluginError, by_name, names};
pub use declaration::{PluginDeclaration, declarations};
pub use ding_dong::DingDong;
pub use event_logger::EventLogger;
pub use matcher::Match;
pub use qr_code_terminal::QrCodeTerminal;
pub use schedule::{Job, Schedule};
pub use wechaty_catalogue::Lang;
pub use welcome::Welcome;
pub use words::{half_width, words};
