//! Tells where the bot listens, for people: a line, and on a terminal the address as a QR code.

use std::io::IsTerminal;

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use wechaty::http::{HostError, Listening};
use wechaty_catalogue::{Args, Lang, text};

use crate::failure::Failure;

pub(super) fn tell(listening: &Listening, lang: Lang) {
    let url = listening.url();
    if listening.moved() {
        eprintln!("{}", text(lang, "listen-moved", &Args::new().set("port", listening.address().port().to_string())));
    }
    eprintln!("{}", text(lang, "listen", &Args::new().set("url", &*url)));
    if std::io::stderr().is_terminal()
        && let Ok(code) = QrCode::with_error_correction_level(&url, EcLevel::L)
    {
        eprintln!("{}", code.render::<Dense1x2>().quiet_zone(true).build());
    }
}

/// Why the bot cannot listen.
pub(super) fn failure(error: &HostError) -> Failure {
    match error {
        HostError::Taken { address } => Failure::failed("W160").set("address", address.to_string()),
        HostError::Open { door, address } => {
            Failure::usage("W161").set("address", address.to_string()).set("door", door.clone())
        }
        HostError::Twice { page, first, second } => {
            Failure::usage("W163").set("page", *page).set("first", first.to_string()).set("second", second.to_string())
        }
        other => Failure::failed("W162").source(other),
    }
}
