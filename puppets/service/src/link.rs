//! LINK: the connection of a run and what is known of it; each call goes through it, and each failure is told here.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message;
use tonic::Status;
use wechaty_grpc::{
    LARGEST_MESSAGE, PuppetClient, WireError,
    rpc::{Answer, client::Ask, read},
    status::{Asked, to_puppet},
};
use wechaty_puppet::{BoxError, Capability, Clock, ContactId, PuppetError, Result};

use crate::{
    PLATFORM,
    acks::Acks,
    connect::{Connection, NotSent},
    options::Options,
};

/// How long a call may take that moves no file.
pub(crate) const CALL: Duration = Duration::from_secs(30);
/// Longer than our gateway waits, so that it is the one who says that it is not sent yet.
const SEND: Duration = Duration::from_secs(75);

pub(crate) type Client = PuppetClient<Connection>;

/// What lives as long as a connection.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    pub(crate) clock: Clock,
    pub(crate) acks: Arc<Acks>,
    me: Mutex<Option<ContactId>>,
    logged_out: AtomicBool,
    /// The gateway has no `Upload`: files go by the deprecated stream.
    pub(crate) no_upload: AtomicBool,
}

impl Link {
    pub(crate) fn new(connection: Connection, options: &Options, acks: Arc<Acks>, clock: Clock) -> Self {
        let client = PuppetClient::with_origin(connection, options.origin.clone()).max_message_size(LARGEST_MESSAGE);
        Self {
            client,
            clock,
            acks,
            me: Mutex::default(),
            logged_out: AtomicBool::new(false),
            no_upload: AtomicBool::new(false),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn logged_in(&self, me: ContactId) {
        *self.me.lock() = Some(me);
        self.logged_out.store(false, Ordering::Relaxed);
    }

    /// Who was logged in until now.
    pub(crate) fn logged_out(&self) -> Option<ContactId> {
        self.logged_out.store(true, Ordering::Relaxed);
        self.me.lock().take()
    }

    /// Who we are.
    ///
    /// # Errors
    /// [`PuppetError::NotLoggedIn`].
    pub(crate) fn me(&self) -> Result<ContactId> {
        self.me.lock().clone().ok_or(PuppetError::NotLoggedIn)
    }

    /// Refuses what would change something after a logout; before the first login the gateway decides.
    pub(crate) fn ready(&self) -> Result<()> {
        if self.logged_out.load(Ordering::Relaxed) { Err(PuppetError::NotLoggedIn) } else { Ok(()) }
    }

    /// The answer to a call, within its time.
    pub(crate) async fn answer<A: Message + Default>(&self, asked: Asked<'_>, call: Ask<A>) -> Result<A> {
        let answer = self.within(asked, call.into_wire()).await?;
        read(answer).map_err(|status| error(status, asked))
    }

    /// The same, unread.
    pub(crate) async fn within(&self, asked: Asked<'_>, call: Answer<Bytes>) -> Result<Bytes> {
        self.within_time(CALL, asked, call).await
    }

    /// The same of a send, for which a gateway waits until it is sent.
    pub(crate) async fn sent(&self, asked: Asked<'_>, call: Answer<Bytes>) -> Result<Bytes> {
        self.within_time(SEND, asked, call).await
    }

    async fn within_time(&self, most: Duration, asked: Asked<'_>, call: Answer<Bytes>) -> Result<Bytes> {
        match self.clock.timeout(most, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(error(status, asked)),
            Err(_) => Err(late(asked.context)),
        }
    }
}

/// What is asked for.
pub(crate) fn asked<'a>(capability: Capability, context: &'static str, what: &'static str, id: &'a str) -> Asked<'a> {
    Asked { platform: PLATFORM, capability, context, what, id }
}

/// What the gateway answered cannot be read.
pub(crate) fn wire(asked: Asked<'_>) -> impl Fn(WireError) -> PuppetError {
    let context = asked.context;
    move |error| error.into_puppet(context)
}

pub(crate) fn late(context: &'static str) -> PuppetError {
    let source: BoxError = "the gateway did not answer in time".into();
    PuppetError::Transport { context, source }
}

/// A status as the platform's error. That of the connection decides whether anything can have happened.
pub(crate) fn error(status: Status, asked: Asked<'_>) -> PuppetError {
    let context = asked.context;
    if let Some(not_sent) = cause::<NotSent>(&status) {
        return PuppetError::Unreachable { context, source: not_sent.to_string().into() };
    }
    if let Some(broken) = cause::<hyper::Error>(&status) {
        let mut words = format!("the connection to the gateway broke: {broken}");
        if let Some(why) = broken.source() {
            words = format!("{words}: {why}");
        }
        return PuppetError::Transport { context, source: words.into() };
    }
    to_puppet(&status, asked)
}

fn cause<E: Error + 'static>(status: &Status) -> Option<&E> {
    let mut next = status.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Whether it is our own gateway that answers, and says why.
pub(crate) fn has_reason(status: &Status) -> bool {
    status.metadata().contains_key(wechaty_grpc::status::REASON)
}
