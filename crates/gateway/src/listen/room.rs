//! Who is connected, how far they came, and how much room there is for each of these.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Open files that are not connections: stores, logs, puppets.
const RESERVED: u64 = 128;
/// No tenant has so high a number.
const NOBODY: usize = usize::MAX;

/// So many connections as were asked for, or as the system allows.
pub(super) fn allowed(asked: usize) -> usize {
    let allowed = capped(asked, limit());
    if allowed < asked {
        tracing::info!(asked, allowed, "the limit of open files leaves room for fewer connections");
    }
    allowed
}

fn capped(asked: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return asked };
    let free = limit.saturating_sub(RESERVED).max(limit / 2).max(1);
    asked.min(usize::try_from(free).unwrap_or(usize::MAX))
}

/// How many files may be open; `None`: nobody counts.
fn limit() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

/// How far a connection came. The others but members drive each other out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Has sent nothing yet.
    Silent,
    /// Handshake and first bytes.
    Greeting,
    /// Speaks HTTP/2, and has shown no good token yet.
    Guest,
}

const STAGES: usize = 3;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// Takes no more calls, and ends with those under way.
    Leaves,
    /// Ends at once.
    Dropped,
}

/// Names a connection, for as long as the listener lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All connections of a listener. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Room in each stage.
    stages: [usize; STAGES],
    members: usize,
}

#[derive(Default)]
struct State {
    next: u64,
    stages: [BTreeMap<u64, watch::Sender<Fate>>; STAGES],
    members: HashMap<u64, Member>,
    closed: bool,
}

struct Member {
    fate: watch::Sender<Fate>,
    tenants: BTreeSet<usize>,
}

impl Connections {
    /// A quarter is for who is no member: half of that for who has said nothing.
    pub(super) fn of(all: usize) -> Self {
        let stages = [8, 16, 16].map(|part| (all / part).max(1));
        let members = all.saturating_sub(stages.iter().sum()).max(1);
        Self(Arc::new(Shared { state: Mutex::default(), stages, members }))
    }

    /// How many there may be.
    pub(super) fn most(&self) -> usize {
        self.0.stages.iter().sum::<usize>() + self.0.members
    }

    /// How many have shown a good token.
    pub fn members(&self) -> usize {
        self.0.state.lock().members.len()
    }

    /// How many have shown none yet.
    pub fn strangers(&self) -> usize {
        self.0.state.lock().stages.iter().map(BTreeMap::len).sum()
    }

    /// Closes a connection: no more calls, and those under way have the time to drain that the settings give.
    pub fn close(&self, id: ConnectionId) {
        let state = self.0.state.lock();
        let stranger = state.stages.iter().find_map(|stage| stage.get(&id.0));
        if let Some(fate) = state.members.get(&id.0).map(|member| &member.fate).or(stranger) {
            tell(fate, Fate::Leaves);
        }
    }

    /// Closes the connections of a tenant as [`close`](Self::close) does.
    pub fn close_tenant(&self, tenant: usize) {
        let state = self.0.state.lock();
        let members = state.members.values().filter(|member| member.tenants.contains(&tenant));
        members.for_each(|member| tell(&member.fate, Fate::Leaves));
    }

    /// Closes all there are and all that come.
    pub(super) fn close_all(&self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        for (stage, fates) in state.stages.iter().enumerate() {
            let fate = if stage == Stage::Guest as usize { Fate::Leaves } else { Fate::Dropped };
            fates.values().for_each(|there| tell(there, fate));
        }
        state.members.values().for_each(|member| tell(&member.fate, Fate::Leaves));
    }

    /// A place for a new connection.
    pub(super) fn enter(&self) -> Place {
        let (fate, told) = watch::channel(Fate::Stays);
        let mut state = self.0.state.lock();
        let id = state.next;
        state.next += 1;
        self.put(&mut state, id, Stage::Silent, fate);
        let tenant = Arc::new(AtomicUsize::new(NOBODY));
        Place { connection: Connection { id: ConnectionId(id), tenant, all: self.clone() }, fate: told }
    }

    /// Drives out who has been silent for longest.
    pub(super) fn make_room(&self) {
        drive_out(&mut self.0.state.lock().stages[Stage::Silent as usize]);
    }

    fn put(&self, state: &mut State, id: u64, stage: Stage, fate: watch::Sender<Fate>) {
        if state.closed {
            tell(&fate, Fate::Dropped);
        }
        let stages = &mut state.stages[stage as usize];
        if stages.len() >= self.0.stages[stage as usize] {
            drive_out(stages);
        }
        stages.insert(id, fate);
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, strangers) = (self.members(), self.strangers());
        f.debug_struct("Connections").field("members", &members).field("strangers", &strangers).finish()
    }
}

fn drive_out(stage: &mut BTreeMap<u64, watch::Sender<Fate>>) {
    if let Some((_, fate)) = stage.pop_first() {
        tell(&fate, Fate::Dropped);
    }
}

/// A worse fate stays.
fn tell(fate: &watch::Sender<Fate>, told: Fate) {
    fate.send_if_modified(|fate| {
        let worse = *fate != Fate::Dropped && *fate != told;
        if worse {
            *fate = told;
        }
        worse
    });
}

/// The connection that a request came on: in the request's extensions.
#[derive(Clone)]
pub struct Connection {
    id: ConnectionId,
    /// Who called last: asked with each call, so that most need no lock.
    tenant: Arc<AtomicUsize>,
    all: Connections,
}

impl Connection {
    /// Which one it is.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// See [`Connections::close`].
    pub fn close(&self) {
        self.all.close(self.id);
    }

    /// All connections of the listener.
    pub fn all(&self) -> &Connections {
        &self.all
    }

    /// It has come so far.
    pub(super) fn reach(&self, stage: Stage) {
        let mut state = self.all.0.state.lock();
        let there = state.stages.iter_mut().find_map(|stages| stages.remove(&self.id.0));
        // Who was driven out meanwhile is told already.
        if let Some(fate) = there {
            self.all.put(&mut state, self.id.0, stage, fate);
        }
    }

    /// A call with this tenant's token came on it. False: there is no room for another member.
    pub(crate) fn admit(&self, tenant: usize) -> bool {
        if self.tenant.load(Ordering::Relaxed) == tenant {
            return true;
        }
        let mut state = self.all.0.state.lock();
        let State { stages, members, .. } = &mut *state;
        if let Some(member) = members.get_mut(&self.id.0) {
            member.tenants.insert(tenant);
        } else if members.len() < self.all.0.members
            && let Some(fate) = stages.iter_mut().find_map(|stage| stage.remove(&self.id.0))
        {
            members.insert(self.id.0, Member { fate, tenants: BTreeSet::from([tenant]) });
        } else {
            return false;
        }
        self.tenant.store(tenant, Ordering::Relaxed);
        true
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && Arc::ptr_eq(&self.all.0, &other.all.0)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.id.0).finish()
    }
}

/// The place of a connection; given back on drop.
pub(super) struct Place {
    connection: Connection,
    fate: watch::Receiver<Fate>,
}

impl Place {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Completes when the connection is to leave or to end, with which of them; again when it gets worse.
    pub(super) async fn told(&mut self) -> Fate {
        match self.fate.changed().await {
            Ok(()) => *self.fate.borrow_and_update(),
            // Driven out: nobody knows it any more.
            Err(_) => Fate::Dropped,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let id = self.connection.id.0;
        let mut state = self.connection.all.0.state.lock();
        state.members.remove(&id);
        for stage in &mut state.stages {
            stage.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn fate(place: &mut Place) -> Fate {
        place.told().now_or_never().unwrap_or(Fate::Stays)
    }

    #[test]
    fn no_more_connections_than_files_may_be_open() {
        assert_eq!(capped(4096, Some(1024)), 896);
        assert_eq!((capped(4096, Some(20_000)), capped(4096, None), capped(4096, Some(0))), (4096, 4096, 1));
    }

    #[test]
    fn who_comes_last_drives_out_who_has_waited_longest_in_the_same_stage() {
        let all = Connections::of(16);
        let mut guest = all.enter();
        guest.connection().reach(Stage::Greeting);
        guest.connection().reach(Stage::Guest);
        let mut silent: Vec<Place> = (0..3).map(|_| all.enter()).collect();
        let fates: Vec<Fate> = silent.iter_mut().map(fate).collect();
        assert_eq!(fates, [Fate::Dropped, Fate::Stays, Fate::Stays], "room for two");
        silent[2].connection().reach(Stage::Greeting);
        silent[1].connection().reach(Stage::Greeting);
        assert_eq!((fate(&mut silent[2]), fate(&mut silent[1])), (Fate::Dropped, Fate::Stays), "room for one");
        assert_eq!(fate(&mut guest), Fate::Stays);
        silent[0].connection().reach(Stage::Guest);
        assert_eq!(fate(&mut guest), Fate::Stays, "who was driven out has no place any more");
        assert_eq!(all.strangers(), 2);
        drop((silent, guest));
        assert_eq!(all.strangers(), 0);
    }

    #[test]
    fn a_member_is_driven_out_by_nobody_and_there_are_no_more_than_may() {
        let all = Connections::of(16);
        let mut members: Vec<Place> = (0..12).map(|_| all.enter()).collect();
        assert!(!members[0].connection().admit(0), "driven out before it could show its token");
        members.clear();
        for _ in 0..12 {
            let member = all.enter();
            assert!(member.connection().admit(0) && member.connection().admit(0));
            members.push(member);
        }
        assert!(!all.enter().connection().admit(0), "full");
        let _strangers: Vec<Place> = (0..20).map(|_| all.enter()).collect();
        assert!(members.iter_mut().all(|member| fate(member) == Fate::Stays));
        members.pop();
        assert!(all.enter().connection().admit(0));
    }

    #[test]
    fn a_tenant_a_client_and_all_can_be_sent_away() {
        let all = Connections::of(64);
        let mut places: Vec<Place> = (0..3).map(|_| all.enter()).collect();
        assert!(places[0].connection().admit(0) && places[1].connection().admit(1) && places[0].connection().admit(2));
        all.close_tenant(2);
        let fates: Vec<Fate> = places.iter_mut().map(fate).collect();
        assert_eq!(fates, [Fate::Leaves, Fate::Stays, Fate::Stays]);
        places[1].connection().close();
        assert_eq!(fate(&mut places[1]), Fate::Leaves);
        all.close_all();
        assert_eq!(fate(&mut places[2]), Fate::Dropped);
        assert_eq!(fate(&mut all.enter()), Fate::Dropped, "who comes too late");
    }
}
