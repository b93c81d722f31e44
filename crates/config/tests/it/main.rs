//! BOT.toml, as people write it and as they get it wrong.

mod any_text;
mod broken;
mod doors;
mod example;
mod matrix;
mod readme;
mod schema;
mod secrets;
mod support;
mod webhooks;
