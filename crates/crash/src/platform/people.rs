//! PEOPLE: who talks on the platform, and what they say.
//!
//! Every message has a number. `pair 1` wants `A 1` and `B 1`; `ask 2` wants `question 2`, to which its talker says
//! `reply 2`, and then `told 2`; `room 3` wants `answer 3`; `file 4` wants the picture, named `file 4`; `long 5` wants the
//! parts `long1 5`, `long2 5` and `long3 5`, in order; `later 6` wants `later 6`, and `draw 7` wants `drawn 7`.

use std::{sync::Arc, thread, time::Duration};

use super::{Settings, Stage};
use crate::rng::Rng;

/// What needs more than one step.
const STEPS: [&str; 3] = ["long", "later", "draw"];

/// Says everything, in a thread of its own, from the first moment that somebody listens.
pub(super) fn talk(stage: Arc<dyn Stage>, settings: Settings) {
    let mut rng = Rng::new(settings.seed, "people");
    thread::spawn(move || {
        stage.until_somebody_listens();
        for number in 1..=settings.messages {
            let (talker, room) = match rng.below(5) {
                // One question at least.
                // One file, too, and one each of what needs steps.
                _ if number == 2 || number == 3 => ("alice", None),
                _ if settings.steps && (5..8).contains(&number) => ("alice", None),
                0 | 1 => ("alice", None),
                2 => ("bob", None),
                3 => ("carol", Some("tea")),
                _ => ("dave", Some("tea")),
            };
            let step = match number {
                5..8 => Some(number - 5),
                2 | 3 => None,
                _ => (settings.steps && rng.percent(25)).then(|| rng.below(3)),
            };
            let step = step.filter(|_| settings.steps).and_then(|step| STEPS.get(step as usize));
            let text = match (room, step) {
                (Some(_), _) => format!("room {number}"),
                (None, Some(step)) => format!("{step} {number}"),
                (None, None) if number == 2 || (number != 3 && rng.percent(25)) => format!("ask {number}"),
                (None, None) if settings.files && (number == 3 || rng.percent(25)) => format!("file {number}"),
                (None, None) => format!("pair {number}"),
            };
            if let Err(error) = stage.say(talker, room, &text) {
                // What could not be said is missed in no book: whoever reads the log has to see it.
                eprintln!("`{text}` could not be said: {error:#}");
                return;
            }
            thread::sleep(Duration::from_millis(rng.below(settings.pause + 1)));
        }
        stage.said_everything();
    });
}
