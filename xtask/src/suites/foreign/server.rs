//! Who serves the peers: our gateway, or the published server, in the background.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    context::Context,
    process::{free_port, tail},
};

/// The server name of it is `insecure`: that is how the certificate of the published server is called.
pub(super) const TOKEN: &str = "insecure_5b1f3c0e-7d2a-4a56-9b0f-1c2d3e4f5a6b";
/// The token of the REST door.
pub(super) const REST_TOKEN: &str = "rest-5b1f3c0e-7d2a-4a56-9b0f-1c2d3e4f5a6b";
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// A server that serves. It is ended when it is dropped.
pub(super) struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
    pub(super) tls: bool,
    /// The certificate authority of our gateway; the peers know that of the published server.
    authority: Option<String>,
    published: bool,
}

impl Server {
    /// Our gateway, with the mock puppet in a world.
    pub(super) fn gateway(cx: &Context, wechaty: &Path, world: &str, tls: bool) -> Result<Self> {
        let mut command = Command::new(wechaty);
        command.args(["--lang", "en", "gateway", "--puppet", "mock", "--world"]).arg(cx.root.join(world));
        let mut server = Self::start(cx, command, tls, false, |command, port| {
            command.args(["--port", &port.to_string(), "--token", TOKEN]);
            if !tls {
                command.arg("--no-tls");
            }
        })?;
        if tls {
            server.authority = Some(server.announced()?);
        }
        Ok(server)
    }

    /// A bot with its REST door, on the mock puppet in a world.
    pub(super) fn rest(cx: &Context, wechaty: &Path, world: &str) -> Result<Self> {
        let mut command = Command::new(wechaty);
        command.args(["--lang", "en", "run", "--api", "--puppet", "mock", "--world"]).arg(cx.root.join(world));
        Self::start(cx, command, false, false, |command, port| {
            command.args(["--listen", &format!("127.0.0.1:{port}")]).env("WECHATY_API_TOKEN", REST_TOKEN);
        })
    }

    /// The address of its HTTP host.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it still takes connections.
    pub(super) fn is_alive(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// The published server: `command` is node, the script and the world.
    pub(super) fn published(cx: &Context, command: Command, tls: bool, flags: &[&str]) -> Result<Self> {
        Self::start(cx, command, tls, true, |command, port| {
            command.args([&port.to_string(), TOKEN]).args(flags);
            if !tls {
                command.arg("--no-tls");
            }
        })
    }

    /// The root of its certificate, for a client that does not know it; nothing where it speaks no TLS.
    pub(super) fn published_root(&mut self) -> Result<()> {
        if self.tls {
            let told = || {
                let line = fs::read_to_string(self.folder.join("stdout"))?;
                let first: Value = serde_json::from_str(line.lines().next().unwrap_or_default())?;
                first["ca"].as_str().map(str::to_owned).context("it tells no root")
            };
            self.authority = Some(until(told)?);
        }
        Ok(())
    }

    fn start(
        cx: &Context,
        mut command: Command,
        tls: bool,
        published: bool,
        address: impl FnOnce(&mut Command, u16),
    ) -> Result<Self> {
        let folder = cx.scratch("foreign-server")?;
        let port = free_port()?;
        without_settings(&mut command);
        address(&mut command, port);
        // Its certificates are below its home.
        command.env("HOME", &folder).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        if !published {
            command.current_dir(&folder);
        }
        // The published one ends with its input, ours is killed: neither outlives us by much.
        command.stdin(Stdio::piped());
        command.stdout(File::create(folder.join("stdout"))?).stderr(File::create(folder.join("stderr"))?);
        let child = command.spawn().context("cannot start the server")?;
        let mut server = Self { child, folder, port, tls, authority: None, published };
        server.serves()?;
        Ok(server)
    }

    /// Waits until it takes connections.
    fn serves(&mut self) -> Result<()> {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}\n{}", self.told());
            }
            if began.elapsed() > LIMIT {
                bail!("the server takes no connections\n{}", self.told());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The authority that it announces: a moment after it takes connections.
    fn announced(&self) -> Result<String> {
        until(|| authority(&self.told()))
    }

    pub(super) fn is_published(&self) -> bool {
        self.published
    }

    /// The last lines it printed.
    pub(super) fn told(&self) -> String {
        let read = |name: &str| fs::read(self.folder.join(name)).unwrap_or_default();
        let text = |name: &str| tail(&String::from_utf8_lossy(&read(name)), 40);
        format!("the server's stdout:\n{}\nand stderr:\n{}", text("stdout"), text("stderr"))
    }

    /// Tells a peer where it is, in the words of every Wechaty SDK.
    pub(super) fn tell(&self, command: &mut Command) {
        without_settings(command);
        command
            .env("WECHATY_LOG", "silent")
            .env("WECHATY_PUPPET", "wechaty-puppet-service")
            .env("WECHATY_PUPPET_SERVICE_TOKEN", TOKEN)
            .env("WECHATY_PUPPET_SERVICE_ENDPOINT", format!("127.0.0.1:{}", self.port))
            .env("PEER_PID", self.child.id().to_string());
        if self.published {
            command.env("PEER_REFERENCE", "1");
        }
        match &self.authority {
            _ if !self.tls => command.env("WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT", "true"),
            Some(authority) => command.env("WECHATY_PUPPET_SERVICE_TLS_CA_CERT", authority),
            None => command,
        };
    }
}

/// What is told within a moment.
fn until<T>(told: impl Fn() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match told() {
            Err(error) if began.elapsed() > LIMIT => return Err(error),
            Err(_) => thread::sleep(PAUSE),
            told => return told,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What is set for bots where we run is not for these.
pub(super) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WECHATY_")) {
        command.env_remove(name);
    }
}

/// The certificate authority that our gateway made, as PEM: where it lies is in the lines that it prints for clients.
fn authority(told: &str) -> Result<String> {
    let is_path = |word: &&str| word.ends_with(".pem") || word.ends_with(".crt");
    let marks = ['"', '\'', '`', '(', ')', '$', '<', '=', ','];
    let path =
        told.lines().flat_map(|line| line.split(|c: char| c.is_whitespace() || marks.contains(&c))).find(is_path);
    let path = path.with_context(|| format!("the gateway tells no certificate authority\n{told}"))?;
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}
