//! PLUGINS: ready-made plugins, one file each. Add them to a bot with `.plugin(DingDong::default())`.

mod by_name;
mod ding_dong;
mod event_logger;
mod matcher;
mod qr_code_terminal;
mod welcome;
mod words;

pub use by_name::{PluginError, by_name, names};
pub use ding_dong::DingDong;
pub use event_logger::EventLogger;
pub use matcher::Match;
pub use qr_code_terminal::QrCodeTerminal;
pub use welcome::Welcome;
pub use words::words;
