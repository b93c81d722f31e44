//! FAKE: the server as a value: started, asked, restarted, stopped.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use wechaty_puppet::Clock;

use crate::{events::deliver, serve, settings::Settings, shared::Shared, state::State};

/// Changes are on disk this much later.
const SAVED_AFTER: Duration = Duration::from_millis(20);

/// How a fake is started.
#[derive(Debug, Default)]
pub struct Builder {
    settings: Option<Settings>,
    port: u16,
    clock: Option<Clock>,
    file: Option<PathBuf>,
}

impl Builder {
    /// Its settings. A book that was saved has its own, which these replace.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// A port of loopback; a free one where nothing is said.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The clock of tokens, limits, retries and acknowledgements.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where all that it knows is kept; what is there already is read.
    #[must_use]
    pub fn book(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Opens the port and serves.
    ///
    /// # Errors
    /// The port is taken, or the book cannot be read.
    pub async fn start(self) -> io::Result<Fake> {
        let clock = self.clock.unwrap_or_else(Clock::system);
        let mut state = match &self.file {
            Some(file) => load(file)?,
            None => State::default(),
        };
        state.resume();
        if let Some(settings) = self.settings {
            state.settings = settings;
        }
        let listener = serve::listen(self.port).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::new(state, clock, self.file));
        shared.port.store(port, std::sync::atomic::Ordering::Relaxed);
        let epoch = shared.epoch.lock().clone();
        serve::spawn(shared.clone(), listener, epoch);
        let tasks = vec![
            AbortOnDropHandle::new(tokio::spawn(deliver::run(shared.clone()))),
            AbortOnDropHandle::new(tokio::spawn(keep(shared.clone()))),
        ];
        Ok(Fake { shared, port, _tasks: tasks })
    }
}

/// A fake that serves until it is dropped.
pub struct Fake {
    shared: Arc<Shared>,
    port: u16,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Fake {
    /// One that is to be started.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it is: the domain to give to clients.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Looks at all that it knows, and may change it: people, chats, what they say and do, faults, settings.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        self.shared.with(work)
    }

    /// Waits until `look` finds something; `None` after `limit`.
    pub async fn until<T>(&self, limit: Duration, look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        until(&self.shared, limit, look).await
    }

    /// How many long connections there are.
    pub fn connections(&self) -> usize {
        self.shared.connections().len()
    }

    /// Drops every long connection.
    pub fn drop_connections(&self) {
        self.shared.connections().iter().for_each(|connection| connection.kill.cancel());
    }

    /// Every long connection stays open, and nothing more is read from it or written to it.
    pub fn deafen_connections(&self) {
        self.shared.connections().iter().for_each(|connection| connection.deaf.cancel());
    }

    /// Ends all connections, is away for a while, and serves again with the same book on the same port.
    ///
    /// # Errors
    /// The port is taken by then.
    pub async fn restart(&self, down: Duration) -> io::Result<()> {
        restart(&self.shared, down).await
    }

    /// Writes the book to its file now.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self) -> io::Result<()> {
        save(&self.shared)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.epoch.lock().cancel();
    }
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").field("port", &self.port).finish_non_exhaustive()
    }
}

pub(crate) async fn until<T>(shared: &Shared, limit: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
    let mut changes = shared.changes.subscribe();
    let end = shared.clock.sleep(limit);
    tokio::pin!(end);
    loop {
        changes.borrow_and_update();
        if let Some(found) = shared.look(&mut look) {
            return Some(found);
        }
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            () = &mut end => return None,
        }
    }
}

pub(crate) async fn restart(shared: &Arc<Shared>, down: Duration) -> io::Result<()> {
    let port = shared.port.load(std::sync::atomic::Ordering::Relaxed);
    shared.epoch.lock().cancel();
    shared.pending.lock().clear();
    shared.with(|state| state.forget_what_passes());
    shared.clock.sleep(down).await;
    // Until all tasks of the old listener have ended it may still hold the port.
    let mut tries = 0;
    let listener = loop {
        match serve::listen(port).await {
            Ok(listener) => break listener,
            Err(error) if tries == 200 => return Err(error),
            Err(_) => tries += 1,
        }
        tokio::task::yield_now().await;
    };
    let epoch = CancellationToken::new();
    *shared.epoch.lock() = epoch.clone();
    serve::spawn(shared.clone(), listener, epoch);
    Ok(())
}

/// Writes the book whenever something has changed.
async fn keep(shared: Arc<Shared>) {
    let mut changes = shared.changes.subscribe();
    while changes.changed().await.is_ok() {
        if shared.file.is_none() {
            return;
        }
        shared.clock.sleep(SAVED_AFTER).await;
        if let Err(error) = save(&shared) {
            eprintln!("the book cannot be written: {error}");
        }
    }
}

/// Writes it whole beside the old one, then puts it in its place.
pub(crate) fn save(shared: &Shared) -> io::Result<()> {
    let Some(file) = &shared.file else { return Ok(()) };
    let bytes = shared.look(serde_json::to_vec)?;
    let beside = file.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(beside, file)
}

fn load(file: &Path) -> io::Result<State> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(error),
    }
}
