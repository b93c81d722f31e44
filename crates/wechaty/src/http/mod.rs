//! HTTP: the one listener for everything that speaks HTTP. No puppet owns one: it offers a function from request to
//! response, and the host gives it the requests.
//!
//! Routes: `/webhooks/<platform or account>/…` and the pages a puppet asks for, `/healthz`, `/readyz`, and whatever doors
//! add. Every request passes the guard (Host, Origin), a limit on its size and one on its time. What the host refuses by
//! itself it tells with a code, in the language of `Accept-Language`: as JSON, and as a page to a browser.

mod guard;
mod health;
mod plan;
mod refusal;
mod serve;
mod unread;
mod webhooks;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{Router, middleware};
use tokio::net::TcpListener;
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
    /// other names are refused, as a page of a stranger could send them through a visitor's browser.
    pub hosts: Vec<String>,
    /// How long a client may take for the head of a request, then for its body, and the host for the head of its
    /// response. Default: 30 s.
    pub timeout: Duration,
    /// How many connections may be open; more wait. Default: 4,096.
    pub connections: usize,
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
        "{door} has no token and would be open to everybody who reaches {address}: give it one, or listen on loopback"
    )]
    Open {
        /// Which.
        door: String,
        /// Where.
        address: SocketAddr,
    },
}

/// The host in the making.
#[derive(Debug)]
#[must_use = "a host does nothing until it is bound"]
pub struct Host {
    bot: Bot,
    settings: HttpSettings,
    doors: Router,
    open: Option<String>,
}

impl Host {
    /// Serves the webhooks and pages of this bot's puppets.
    pub fn new(bot: &Bot, settings: HttpSettings) -> Self {
        let open = webhooks::open_door(bot);
        Self { bot: bot.clone(), settings, doors: Router::new(), open }
    }

    /// Adds a door: routes of its own, which check their callers themselves.
    pub fn door(mut self, routes: Router) -> Self {
        self.doors = self.doors.merge(routes);
        self
    }

    /// Takes the port; serves from now on.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn bind(self) -> Result<Listening, HostError> {
        let Self { bot, settings, doors, open } = self;
        if let Some(door) = open
            && !settings.listen.ip().is_loopback()
        {
            return Err(HostError::Open { door, address: settings.listen });
        }
        webhooks::no_page_twice(&bot)?;
        let listener = listener(&settings).await?;
        let address = listener.local_addr().map_err(|source| HostError::Bind { address: settings.listen, source })?;
        let guard = Guard::new(address, &settings.hosts);
        let routes = Router::new()
            .merge(health::routes(&bot))
            .merge(webhooks::routes(&bot, settings.timeout))
            .merge(doors)
            .method_not_allowed_fallback(serve::other_method)
            .layer(middleware::from_fn_with_state(guard, guard::check))
            .layer(middleware::from_fn_with_state((bot.clock().clone(), settings.timeout), serve::in_time));
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
