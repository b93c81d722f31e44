//! A server in a process of its own, which the benchmark starts: its memory and its threads are nobody else's.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::Context;
use bytes::Bytes;
use tower_layer::Layer;
use wechaty::{Bot, Clock};
use wechaty_gateway::{
    Calls, Tenant, TenantOptions,
    auth::Auth,
    listen::{self, ListenSettings},
};
use wechaty_puppet::CancellationToken;
use wechaty_puppet_mock::{MockPuppet, World};

use super::{bare::Bare, calls};
use crate::idle;

/// Nobody else reaches it: it listens on loopback, on any port, for as long as a benchmark takes.
pub(super) const TOKEN: &str = "bench_5b1f3c0e-7d2a-4a56-9b0f-1c2d3e4f5a6b";

/// Which server.
#[derive(Clone, Debug)]
pub enum Server {
    /// Our gateway, with the mock puppet in it; where it keeps files.
    Ours(std::path::PathBuf),
    /// Tonic with nothing behind it.
    Bare {
        /// What it answers a unary call with.
        reply: Vec<u8>,
        /// How many bytes it gives for a download.
        download: u64,
    },
}

impl Server {
    /// Serves until the standard input ends; the port is the only line on standard output.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn serve(self) -> anyhow::Result<()> {
        crate::runtime()?.block_on(async {
            let listener = listen::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), Some(0))?;
            let (clock, stop) = (Clock::system(), CancellationToken::new());
            let settings = ListenSettings::default();
            // Both behind the same listener: accepted once, a connection costs it nothing more.
            let listening = match self {
                Self::Ours(files) => {
                    let bot = Bot::builder(MockPuppet::new(World::from_json(&world())?)).build()?;
                    let tenants = Tenant::all(&bot, &TenantOptions::new(files))?;
                    let service = Auth::new([TOKEN])?.layer(Calls::new(tenants, &clock, &stop));
                    listen::serve(listener, None, service, settings, clock, &stop)?
                }
                Self::Bare { reply, download } => {
                    let service = Bare::new(Bytes::from(reply), download);
                    listen::serve(listener, None, service, settings, clock, &stop)?
                }
            };
            let mut out = std::io::stdout();
            writeln!(out, "{}", listening.address())?;
            out.flush()?;
            tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
            Ok(())
        })
    }
}

/// One contact, and an account that is logged in and ready at once.
fn world() -> String {
    let contact = calls::CONTACT;
    format!(
        r#"{{"version":1,"name":"bench","self":"bot","contacts":[{{"id":"bot","name":"Bot","type":1}},
        {{"id":"{contact}","name":"Somebody with a name","type":1,"gender":2,"friend":true,"alias":"a friend","phone":["13800000001"],
        "city":"Hangzhou","province":"Zhejiang","signature":"a signature of about forty characters, as most"}}],
        "timeline":[{{"at":0,"event":"login","payload":{{"contactId":"bot"}}}},{{"at":0,"event":"ready","payload":{{"data":"ready"}}}}]}}"#
    )
}

/// A server that was started. It ends when this is dropped.
pub(super) struct Started {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Started {
    pub(super) fn ours(files: &Path) -> anyhow::Result<Self> {
        Self::start(&["--files".to_owned(), files.display().to_string()])
    }

    pub(super) fn bare(reply: &Bytes, download: u64) -> anyhow::Result<Self> {
        let reply = reply.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::start(&["--reply".to_owned(), reply, "--download".to_owned(), download.to_string()])
    }

    fn start(args: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding the program")?;
        let mut child = Command::new(program)
            .args(["bench", "gateway-server"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a server")?;
        let output = child.stdout.take().context("the server has no stdout")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the server did not say where it listens")?;
        Ok(Self { child, address })
    }

    pub(super) fn resident_mib(&self) -> anyhow::Result<f64> {
        idle::resident_mib_of(self.child.id())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
