//! The platform's side of a send: door, faults, key, delivery, book.

use std::{pin::pin, sync::Arc};

use wechaty_puppet::{
    Capability, ConversationId, Mention, MessageId, Outgoing, PuppetError, Result, SayablePayload, Sent, Timestamp,
};

use super::{
    FakePuppet, SendFault,
    book::Outcome,
    delivery::Words,
    heard::Place,
    platform::Shared,
    world::{Waiting, World},
};

/// An entry of the book under way; dropped with the call it is `Abandoned`.
struct Entry<'a> {
    shared: &'a Shared,
    account: usize,
    to: &'a ConversationId,
    number: u64,
    held: bool,
    open: bool,
}

impl<'a> Entry<'a> {
    /// Writes the call into the book. True: it has to wait at the door.
    fn open(shared: &'a Shared, account: usize, out: &'a Outgoing) -> (Self, bool) {
        let mut guard = shared.world.lock();
        let world = &mut *guard;
        let at = world.clock.now();
        let busy = world.accounts[account].in_flight.entry(out.to.clone()).or_default();
        *busy += 1;
        let overlapped = *busy > 1;
        let number = world.book.send(&world.accounts[account].bot, out, at, overlapped);
        let waits = world.faults.holding || !world.faults.delay.is_zero();
        (Self { shared, account, to: &out.to, number, held: false, open: true }, waits)
    }

    /// Waits at the door while sends are held, then as long as the delay says.
    async fn wait(&mut self) {
        loop {
            let mut rung = pin!(self.shared.progress.notified());
            rung.as_mut().enable();
            if !self.is_held() {
                break;
            }
            rung.await;
        }
        let delay = self.shared.world.lock().faults.delay;
        if !delay.is_zero() {
            self.shared.clock.sleep(delay).await;
        }
    }

    /// Whether sends are held; counts this one among them, or no more.
    fn is_held(&mut self) -> bool {
        let mut world = self.shared.world.lock();
        let holding = world.faults.holding;
        match (self.held, holding) {
            (false, true) => {
                world.faults.held += 1;
                self.shared.progress.notify_waiters();
            }
            (true, false) => world.faults.held -= 1,
            _ => {}
        }
        self.held = holding;
        holding
    }

    fn close(&mut self, world: &mut World, outcome: Outcome, id: Option<&MessageId>) {
        self.open = false;
        world.book.settle(self.number, outcome, id);
        let in_flight = &mut world.accounts[self.account].in_flight;
        match in_flight.get_mut(self.to) {
            Some(busy) if *busy > 1 => *busy -= 1,
            _ => {
                in_flight.remove(self.to);
            }
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if self.open {
            let shared = self.shared;
            let mut world = shared.world.lock();
            world.faults.held -= u32::from(self.held);
            self.close(&mut world, Outcome::Abandoned, None);
        }
        self.shared.progress.notify_waiters();
    }
}

impl FakePuppet {
    /// Sends it; `growing`: it is still being written.
    pub(super) async fn deliver(&self, out: Outgoing, growing: bool) -> Result<(MessageId, Timestamp)> {
        let shared = &*self.platform.shared;
        let (mut entry, waits) = Entry::open(shared, self.account, &out);
        let checked = self.check(&out);
        if waits && checked.is_ok() {
            entry.wait().await;
        }
        let mut world = shared.world.lock();
        match checked.and_then(|()| self.take(&mut world, &out, growing)) {
            Ok(taken) => {
                entry.close(&mut world, taken.outcome, Some(&taken.id));
                match taken.fault {
                    Some(fault) => Err(fault.error()),
                    None => Ok((taken.id, taken.timestamp)),
                }
            }
            Err(error) => {
                entry.close(&mut world, Outcome::Failed(error.reason()), None);
                Err(error)
            }
        }
    }

    pub(super) fn receipt(&self, id: MessageId, timestamp: Timestamp) -> Sent {
        let known = self.capability_set().has(Capability::SentId);
        let mut sent = if known { Sent::new(id) } else { Sent::without_id() };
        sent.timestamp = Some(timestamp);
        sent
    }

    /// What the platform refuses whatever happens: what it does not declare, and what is past its limits.
    pub(super) fn check(&self, out: &Outgoing) -> Result<()> {
        let declared = &self.platform.shared.rules.capabilities;
        let need = |capability: Capability| match declared.has(capability) {
            true => Ok(()),
            false => Err(PuppetError::unsupported(Self::NAME, capability)),
        };
        need(Capability::of(&out.what))?;
        if out.quote.is_some() {
            need(Capability::Quote)?;
        }
        for mention in out.mentions() {
            need(if *mention == Mention::All { Capability::MentionAll } else { Capability::Mention })?;
        }
        self.within_limits(&out.what)
    }

    /// Refuses what is past the platform's limits.
    pub(super) fn within_limits(&self, what: &SayablePayload) -> Result<()> {
        let limits = &self.platform.shared.rules.capabilities.limits;
        if let (Some(most), Some(text)) = (limits.text, what.as_text()) {
            let length = limits.text_unit.len(text);
            if length > most {
                let reason = format!("{length} {:?}, at most {most}", limits.text_unit);
                return Err(PuppetError::Invalid { what: "text", reason });
            }
        }
        if let (Some(most), Some(size)) = (limits.file, what.file_box().and_then(|file| file.size()))
            && size > most
        {
            return Err(PuppetError::Invalid { what: "file", reason: format!("{size} bytes, at most {most}") });
        }
        let buttons = match what {
            SayablePayload::Card(card) => card.buttons.len(),
            SayablePayload::Menu(menu) => menu.items.len(),
            _ => 0,
        };
        if limits.buttons.is_some_and(|most| buttons > most) {
            return Err(PuppetError::Invalid { what: "buttons", reason: format!("{buttons} are too many") });
        }
        Ok(())
    }

    fn take(&self, world: &mut World, out: &Outgoing, growing: bool) -> Result<Taken> {
        let fault = match world.faults.for_send(&out.to) {
            Some(SendFault::ReplyLost) => Some(SendFault::ReplyLost),
            Some(fault) => return Err(fault.error()),
            None => None,
        };
        if world.accounts[self.account].login.logged_out {
            return Err(PuppetError::NotLoggedIn);
        }
        let now = world.clock.now();
        let keys = world.rules.keys();
        if let Some(window) = keys
            && let Some((id, timestamp)) = world.accounts[self.account].keys.get(out.key, now, window)
        {
            return Ok(Taken { id, timestamp, outcome: Outcome::Duplicate, fault });
        }
        let place = self.place(world, &out.to)?;
        let quotas = self.platform.shared.rules.capabilities.limits.quotas;
        world.quotas.check(quotas, self.account, &out.to, now)?;
        let words = Words {
            talker: world.bot(self.account).clone(),
            place,
            what: content(world, &out.what)?,
            quote: out.quote.clone(),
            key: Some(out.key),
        };
        if let Some(quoted) = out.quote.as_ref().filter(|id| !world.messages.contains_key(*id)) {
            return Err(PuppetError::not_found("quoted message", quoted));
        }
        let said = world.say(words, Some(self.account), &mut Waiting::nobody());
        if growing {
            world.growing.insert(said.id.clone());
        }
        if let Some(window) = keys {
            world.accounts[self.account].keys.put(out.key, now, window, &said);
        }
        let outcome = if fault.is_some() { Outcome::AcceptedButReplyLost } else { Outcome::Accepted };
        Ok(Taken { id: said.id.clone(), timestamp: said.timestamp, outcome, fault })
    }

    fn place(&self, world: &World, to: &ConversationId) -> Result<Place> {
        match to {
            ConversationId::Contact(id) => {
                let person = world.people.get(id).ok_or_else(|| PuppetError::not_found("contact", id))?;
                if person.blocked.contains(&self.account) {
                    let message = format!("{} blocked this account", person.payload.name);
                    return Err(PuppetError::Rejected { code: "fake-blocked".into(), message });
                }
                Ok(Place::Direct(id.clone()))
            }
            ConversationId::Room(id) => {
                let room = world.rooms.get(id).filter(|room| room.bots.contains(&self.account));
                room.map(|_| Place::Room(id.clone())).ok_or_else(|| PuppetError::not_found("room", id))
            }
        }
    }
}

struct Taken {
    id: MessageId,
    timestamp: Timestamp,
    outcome: Outcome,
    fault: Option<SendFault>,
}

/// What people see: of a forward the message itself.
fn content(world: &World, what: &Arc<SayablePayload>) -> Result<Arc<SayablePayload>> {
    match &**what {
        SayablePayload::Forward(forward) => match world.messages.get(&forward.message_id) {
            Some(said) => Ok(said.what.clone()),
            None => Err(PuppetError::not_found("message", &forward.message_id)),
        },
        SayablePayload::Contact(card) if !world.people.contains_key(&card.contact_id) => {
            Err(PuppetError::not_found("contact", &card.contact_id))
        }
        _ => Ok(what.clone()),
    }
}
