//! TICKETS: what a browser shows instead of its token where it cannot set a header: short-lived, good for one use.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use wechaty::Bot;
use wechaty_types::Timestamp;

use crate::{auth::Caller, problem::Problem};

/// How long one is good.
pub(crate) const LIFE: Duration = Duration::from_secs(60);
/// How many a caller may have out; its oldest goes for a new one.
const MOST: usize = 256;

/// Those that are out, oldest first.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<VecDeque<Ticket>>);

struct Ticket {
    name: u128,
    until: Timestamp,
    caller: Caller,
}

impl Tickets {
    /// A new one for a caller: 32 hexadecimal digits.
    ///
    /// # Errors
    /// 500: the system gives no random numbers.
    pub(crate) fn issue(&self, bot: &Bot, caller: &Caller) -> Result<String, Problem> {
        let mut bytes = [0; 16];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.map_err(|_| Problem::internal("the system gives no random numbers"))?;
        let name = u128::from_be_bytes(bytes);
        let now = bot.clock().wall();
        let mut all = self.0.lock();
        all.retain(|ticket| ticket.until > now);
        let is_own = |ticket: &Ticket| ticket.caller.number == caller.number;
        if all.iter().filter(|ticket| is_own(ticket)).count() >= MOST {
            let oldest = all.iter().position(is_own);
            oldest.and_then(|at| all.remove(at));
        }
        all.push_back(Ticket { name, until: now.plus(LIFE), caller: caller.clone() });
        Ok(format!("{name:032x}"))
    }

    /// Whose ticket it was; it is none any more.
    pub(crate) fn take(&self, bot: &Bot, ticket: &str) -> Option<Caller> {
        let name = u128::from_str_radix(ticket, 16).ok().filter(|_| ticket.len() == 32)?;
        let now = bot.clock().wall();
        let mut all = self.0.lock();
        all.retain(|ticket| ticket.until > now);
        let at = all.iter().position(|ticket| ticket.name == name)?;
        all.remove(at).map(|ticket| ticket.caller)
    }
}
