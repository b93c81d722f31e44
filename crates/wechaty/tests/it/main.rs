//! The bot as people in a chat see it: on the fake platform, offline, without sleeping.

mod ask;
mod cards;
mod cron;
mod handlers;
mod http;
mod later;
mod lifecycle;
mod limits;
mod loading;
mod order;
mod outbox;
mod pace;
mod quirks;
mod quota;
mod readme;
mod restarts;
mod rooms;
mod sayables;
mod scopes;
mod state;
mod stops;
mod store;
mod suite;
mod support;
mod ui;
mod whole;
