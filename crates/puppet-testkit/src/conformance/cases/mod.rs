//! The cases, one file for each subject.

mod contacts;
mod core;
mod delivery;
mod events;
mod faults;
mod friendships;
mod inbound;
mod kinds;
mod later;
mod listing;
mod loader;
mod login;
mod marks;
mod media;
mod posts;
mod restart;
mod room_events;
mod rooms;
mod run;
mod send;
mod settings;
mod standing;
mod statuses;
mod undeclared;
mod webhook;

use super::Case;

/// All tables.
pub(super) const ALL: &[&[Case]] = &[
    core::CASES,
    undeclared::CORE,
    run::CASES,
    events::CASES,
    inbound::CASES,
    room_events::CASES,
    send::CASES,
    delivery::CASES,
    statuses::CASES,
    kinds::CASES,
    loader::CASES,
    listing::CASES,
    contacts::CASES,
    contacts::SELF,
    friendships::CASES,
    rooms::CASES,
    friendships::INVITATIONS,
    media::CASES,
    later::RECALL,
    later::EDITS,
    later::REACTIONS,
    marks::TYPING,
    marks::READ_MARKS,
    marks::TAGS,
    posts::POSTS,
    posts::TAPS,
    login::CASES,
    login::DING,
    webhook::CASES,
    standing::PINS,
    standing::READERS,
    standing::GROWING,
    faults::CASES,
    restart::CASES,
    settings::CASES,
    undeclared::GROUPS,
];
