//! HTTP: the one listener for everything that speaks HTTP. No puppet owns one: it offers a function from request to
//! response, and the host gives it the requests.
//!
//! Routes: `/webhooks/<platform or account>/…` and the pages a puppet asks for, `/healthz`, `/readyz`, and each door below
//! its path. Every request passes the guard (Host, Origin), a limit on its size and one on its time. What the host refuses by
//! itself it tells with a code, in the language of `Accept-Language`: as JSON, and as a page to a browser.

mod doors;
mod guard;
mod health;
mod plan;
mod refusal;
mod room;
mod serve;
mod unread;
mod webhooks;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{Router, middleware};
use tokio::net::TcpListener;
use wechaty_puppet::PlatformName;
use wechaty_types::AccountId;

pub use guard::Guard;
pub(crate) use plan::HostPlan;
pub use serve::Listening;

use crate::Bot;

/// Where and how the host listens.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Address and port. Default: `127.0.0.1:8080`. Port 0: any free one.
    pub listen: SocketAddr,
    /// Whether the next ports are tried where this one is taken. Default: yes.
    pub next_free_port: bool,
    /// Names under which the host is reached beside its own address: behind a reverse proxy, in a network. Requests for
    /// other names are refused, as a page of a stranger could send them through a visitor's browser. With a name that is
    /// not of this machine alone, doors need tokens as they do on an address that others reach.
    pub hosts: Vec<String>,
    /// How long a client may take for the head of a request, and the host for the head of its response. Default: 30 s.
    /// A client that sends nothing of a body, or takes nothing of an answer, for as long is let go; a body that comes
    /// slowly but steadily may take longer.
    pub timeout: Duration,
    /// How many connections may be open; more wait. Default: 4,096, or what the system's limit of open files allows. One
    /// address other than loopback gets a quarter of them.
    pub connections: usize,
}

impl HttpSettings {
    /// How others than the programs of this machine reach the host: at this address, or under this name. `None`: they do
    /// not.
    pub fn reached_at(&self) -> Option<String> {
        if !self.listen.ip().is_loopback() {
            return Some(self.listen.to_string());
        }
        guard::public_name(&self.hosts).map(str::to_owned)
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            next_free_port: true,
            hosts: Vec::new(),
            timeout: Duration::from_secs(30),
            connections: 4_096,
        }
    }
}

/// How many ports are tried behind one that is taken.
const PORTS: u16 = 100;

/// Why the host cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The port is taken, and so are the next ones, or it is the only one that may be used.
    #[error("{address} is taken by another program: stop that one, or listen elsewhere")]
    Taken {
        /// Where.
        address: SocketAddr,
    },
    /// Two accounts want the same page.
    #[error("accounts `{first}` and `{second}` both serve {page}: only one of them could be reached")]
    Twice {
        /// Path.
        page: &'static str,
        /// Who serves it.
        first: AccountId,
        /// Who does, too.
        second: AccountId,
    },
    /// The system refuses.
    #[error("cannot listen on {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Anybody who reaches the address could use the door.
    #[error(
        "account `{account}` (`{puppet}`) has no token and would be open to everybody who reaches {address}: give it one, or listen on loopback \
         without other names"
    )]
    Open {
        /// Whose pages they are.
        account: AccountId,
        /// Its puppet.
        puppet: PlatformName,
        /// Where: an address, or a name of the host.
        address: String,
    },
    /// A door cannot be there.
    #[error("no door can be at `{path}`: write a path like `/api`, without `{{`, `*` and a `/` at its end")]
    DoorPath {
        /// Where.
        path: String,
    },
    /// A door would hide something else, or be hidden by it.
    #[error("the door at `{path}` is in the way of `{other}`, which is served already")]
    DoorTaken {
        /// Where.
        path: String,
        /// What is there.
        other: String,
    },
}

/// The host in the making.
#[derive(Debug)]
#[must_use = "a host does nothing until it is bound"]
pub struct Host {
    bot: Bot,
    settings: HttpSettings,
    doors: Vec<(String, Router)>,
    open: Option<(AccountId, PlatformName)>,
}

impl Host {
    /// Serves the webhooks and pages of this bot's puppets.
    pub fn new(bot: &Bot, settings: HttpSettings) -> Self {
        let open = webhooks::open_door(bot);
        Self { bot: bot.clone(), settings, doors: Vec::new(), open }
    }

    /// Adds a door: routes of its own below a path like `/api`, which check their callers themselves.
    pub fn door(mut self, path: impl Into<String>, routes: Router) -> Self {
        self.doors.push((path.into(), routes));
        self
    }

    /// Takes the port; serves from now on.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn bind(self) -> Result<Listening, HostError> {
        let Self { bot, settings, doors, open } = self;
        if let (Some((account, puppet)), Some(address)) = (open, settings.reached_at()) {
            return Err(HostError::Open { account, puppet, address });
        }
        webhooks::no_page_twice(&bot)?;
        doors::fit(&bot, &doors)?;
        let listener = listener(&settings).await?;
        let address = listener.local_addr().map_err(|source| HostError::Bind { address: settings.listen, source })?;
        let guard = Guard::new(address, &settings.hosts);
        let routes = doors.into_iter().fold(health::routes(&bot), |all, (path, routes)| all.nest(&path, routes));
        let routes = routes
            .method_not_allowed_fallback(serve::other_method)
            .layer(middleware::from_fn_with_state((bot.clock().clone(), settings.timeout), serve::in_time))
            // These count their time themselves: a body may take longer.
            .merge(webhooks::routes(&bot, settings.timeout))
            .layer(middleware::from_fn_with_state(guard, guard::check));
        Ok(Listening::start(listener, address, settings, routes, bot.clock().clone()))
    }
}

async fn listener(settings: &HttpSettings) -> Result<TcpListener, HostError> {
    let wanted = settings.listen;
    let tries = if settings.next_free_port && wanted.port() != 0 { PORTS } else { 1 };
    for port in (wanted.port()..=u16::MAX).take(tries.into()) {
        let address = SocketAddr::new(wanted.ip(), port);
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(HostError::Bind { address, source }),
        }
    }
    Err(HostError::Taken { address: wanted })
}
