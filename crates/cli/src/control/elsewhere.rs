//! Systems without sockets in the file system: nobody can ask a bot there yet.

use std::io;

use wechaty::Bot;

use super::{Ask, Place};
use crate::failure::Failure;

#[derive(Debug)]
pub(crate) struct Control;

#[derive(Debug)]
pub(crate) struct Serving;

impl Control {
    pub(crate) fn claim(_: &Place) -> Result<(Self, Option<Failure>), Failure> {
        Ok((Self, None))
    }
    pub(crate) fn serve(&self, _: &Bot) -> io::Result<Serving> {
        Ok(Serving)
    }
}

pub(crate) fn ask<T>(place: &Place, _: Ask) -> Result<T, Failure> {
    let unsupported = io::Error::from(io::ErrorKind::Unsupported);
    Err(Failure::failed("W175").set("path", place.socket().display().to_string()).source(&unsupported))
}
