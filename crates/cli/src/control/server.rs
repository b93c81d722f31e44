//! The bot's side: takes the name, listens, answers.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
            net::UnixListener as Socket,
        },
    },
    path::{Path, PathBuf},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::{JoinHandle, JoinSet},
};
use wechaty::{Bot, Clock, Opens, WaitsFor, store::Trouble};
use wechaty_puppet::task;

use super::{Answer, Ask, LONGEST_QUESTION, Outcome, PATIENCE, Place, Refusal, VERSION, Waits, asked};
use crate::failure::Failure;

/// Questions that are answered at once; more wait.
const AT_ONCE: usize = 8;
/// How long to wait when the system has no room for another connection.
const BREATH: std::time::Duration = std::time::Duration::from_millis(50);
/// The system has room for 104 to 108 bytes.
const LONGEST_PATH: usize = 100;

/// The name of a running bot, and its socket. Both are given back on drop.
#[derive(Debug)]
pub(crate) struct Control {
    /// None, where the system lets us have a lock alone.
    socket: Option<Socket>,
    path: PathBuf,
    /// Given back by the system, whatever ends the process.
    _lock: File,
}

impl Control {
    /// Takes the name. Call it before there are threads: outside of Linux a long path changes the working directory, and back.
    ///
    /// # Errors
    /// A bot of this name runs already, or the name cannot be locked (exit code 1). That there is no socket is told
    /// beside.
    pub(crate) fn claim(place: &Place) -> Result<(Self, Option<Failure>), Failure> {
        let refused = |error: io::Error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "W192",
                io::ErrorKind::ReadOnlyFilesystem => "W193",
                _ => "W176",
            };
            let failure = Failure::failed(code).set("name", &*place.name);
            failure.set("path", place.lock().display().to_string()).source(&error)
        };
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(place.lock());
        let lock = lock.map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::failed("W172").set("name", &*place.name));
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let path = place.socket();
        let socket = bind(place.folder(), &path).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        let (socket, deaf) = match socket {
            Ok(socket) => (Some(socket), None),
            Err(error) => (None, Some(unusable(&path, &error))),
        };
        Ok((Self { socket, path, _lock: lock }, deaf))
    }

    /// Answers for this bot, until what is returned is dropped.
    pub(crate) fn serve(&self, bot: &Bot) -> io::Result<Option<Serving>> {
        let Some(socket) = &self.socket else { return Ok(None) };
        let listener = UnixListener::from_std(socket.try_clone()?)?;
        Ok(Some(Serving(task::spawn(serve(listener, bot.clone())))))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A bot that answers.
#[derive(Debug)]
pub(crate) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed("W175").set("path", path.display().to_string()).source(error)
}

/// A socket that nobody else can open, not even before its mode is set. One that a dead bot left is replaced.
fn bind(folder: &Path, path: &Path) -> io::Result<Socket> {
    let private = folder.join(format!(".{}", uuid::Uuid::new_v4().simple()));
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = private.join("s");
    let bound = reached(&made, |made| Socket::bind(made)).and_then(|socket| {
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, path)?;
        Ok(socket)
    });
    let _ = fs::remove_file(&made);
    let _ = fs::remove_dir(&private);
    bound
}

/// Uses a socket whose path may be too long for the system: by its folder then, opened or, where the system gives such a
/// folder no short name, gone into.
pub(super) fn reached<T>(path: &Path, open: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(folder), Some(name), true) = (path.parent(), path.file_name(), path.as_os_str().len() > LONGEST_PATH)
    else {
        return open(path);
    };
    if let Ok(held) = File::open(folder) {
        let short = Path::new("/proc/self/fd").join(held.as_raw_fd().to_string());
        if short.is_dir() {
            return open(&short.join(name));
        }
    }
    let here = env::current_dir()?;
    env::set_current_dir(folder)?;
    let opened = open(Path::new(name));
    env::set_current_dir(here)?;
    opened
}

async fn serve(listener: UnixListener, bot: Bot) {
    let clock = Clock::system();
    let mut talks = JoinSet::new();
    loop {
        if talks.len() >= AT_ONCE {
            talks.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let (bot, clock) = (bot.clone(), clock.clone());
                talks.spawn(task::work(async move {
                    // Who does not take the answer does not get it.
                    let _ = clock.timeout(PATIENCE, talk(stream, &bot)).await;
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "a question could not be taken");
                clock.sleep(BREATH).await;
            }
        }
        while talks.try_join_next().is_some() {}
    }
}

async fn talk(stream: UnixStream, bot: &Bot) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    (&mut stream).take(LONGEST_QUESTION).read_until(b'\n', &mut line).await?;
    let result = match asked(&line) {
        Ok(ask) => answer(ask, bot).await,
        Err(refusal) => Outcome::Error(refusal),
    };
    let mut told = serde_json::to_vec(&Answer { v: VERSION, result })?;
    told.push(b'\n');
    stream.write_all(&told).await?;
    stream.shutdown().await
}

async fn answer(ask: Ask, bot: &Bot) -> Outcome {
    let found = match ask {
        Ask::Ledger => bot.store().books().await.ok().and_then(|books| serde_json::to_value(books).ok()),
        Ask::Revive { seq } => bot.dead_letters().retry(seq).await.ok().map(|receipt| receipt.is_some().into()),
        Ask::Discard { seq } => bot.dead_letters().drop(seq).await.ok().map(Into::into),
        Ask::Waits { account, to, kind } => match bot.account(account) {
            Some(account) => {
                let found = account.waits_for(&to, &kind).await.ok();
                found.and_then(|found| serde_json::to_value(found.map(waits).unwrap_or_default()).ok())
            }
            None => serde_json::to_value(Waits { what: Some("account".to_owned()), until: None }).ok(),
        },
        Ask::Forget { account, person } => match bot.store().archive() {
            Some(archive) => archive.forget(&account.into(), &person.into()).await.ok().map(Into::into),
            None => Some(0.into()),
        },
    };
    let refusal = match bot.store().trouble() {
        Some(Trouble::Full) => Refusal::Full,
        Some(Trouble::ReadOnly) => Refusal::ReadOnly,
        Some(Trouble::Damaged) => Refusal::Damaged,
        Some(_) => Refusal::Failing,
        None => Refusal::Failed,
    };
    found.map_or(Outcome::Error(refusal), Outcome::Ok)
}

fn waits(what: WaitsFor) -> Waits {
    let (what, until) = match what {
        WaitsFor::Login => ("login", None),
        WaitsFor::Connection => ("connection", None),
        WaitsFor::Quota(Opens::At(time)) => ("quota", Some(time.as_millis())),
        WaitsFor::Quota(Opens::WhenTheyWrite) => ("quota-written", None),
        WaitsFor::Breaker => ("breaker", None),
        WaitsFor::Store(_) => ("store", None),
        WaitsFor::Pace => ("pace", None),
        _ => return Waits::default(),
    };
    Waits { what: Some(what.to_owned()), until }
}

#[cfg(test)]
mod tests {
    use wechaty_puppet_mock::{MockPuppet, World};

    use super::*;

    #[tokio::test]
    async fn an_account_that_the_bot_does_not_have_is_told_as_such_and_not_as_one_to_log_in() {
        let bot = Bot::builder(MockPuppet::new(World::default_world())).build().expect("a bot");
        let of = async |account: &str| {
            let to = wechaty_types::ConversationId::Contact("alice".into());
            match answer(Ask::Waits { account: account.to_owned(), to, kind: "Text".to_owned() }, &bot).await {
                Outcome::Ok(found) => serde_json::from_value::<Waits>(found).expect("an answer").what,
                Outcome::Error(refusal) => panic!("{refusal:?}"),
            }
        };
        assert_eq!(of("sold").await.as_deref(), Some("account"));
        assert_eq!(of(bot.main_account().id().as_str()).await.as_deref(), Some("login"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_path_of_a_socket_moves_nobody_to_another_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("x".repeat(LONGEST_PATH));
        fs::create_dir(&deep).expect("made");
        let here = env::current_dir().expect("somewhere");
        let bound = reached(&deep.join("s"), |path| {
            assert_eq!(env::current_dir()?, here);
            Socket::bind(path)
        });
        bound.expect("bound");
        assert!(deep.join("s").exists());
    }

    #[test]
    fn a_name_is_taken_once_and_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::within(folder.path(), "shop");
        // What a bot that was killed left behind.
        drop(Socket::bind(place.socket()).expect("bound"));
        let (control, deaf) = Control::claim(&place).expect("free");
        assert!(deaf.is_none());
        let mode = fs::metadata(place.socket()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let told = Control::claim(&place).expect_err("taken").render(wechaty_catalogue::Lang::En, false);
        assert!(told.contains("[W172]") && told.contains("`shop`"), "{told}");
        drop(control);
        let left: Vec<_> = fs::read_dir(folder.path()).expect("read").flatten().map(|one| one.file_name()).collect();
        assert_eq!(left, ["shop.wechaty.lock"]);
        Control::claim(&place).expect("free again");
    }

    #[test]
    fn without_a_lock_no_bot_runs_and_without_a_socket_it_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::within(&folder.path().join("missing"), "shop");
        let told = Control::claim(&place).expect_err("no lock").render(wechaty_catalogue::Lang::En, false);
        assert!(told.contains("[W176]") && told.contains("shop.wechaty.lock"), "{told}");
        let place = Place::within(folder.path(), "shop");
        // A folder cannot be replaced by a socket.
        fs::create_dir(place.socket()).expect("made");
        let (control, deaf) = Control::claim(&place).expect("the lock is enough");
        assert!(deaf.is_some_and(|failure| failure.render(wechaty_catalogue::Lang::Zh, false).contains("[W175]")));
        let told = Control::claim(&place).expect_err("taken").render(wechaty_catalogue::Lang::En, false);
        assert!(told.contains("[W172]"), "{told}");
        drop(control);
    }
}
