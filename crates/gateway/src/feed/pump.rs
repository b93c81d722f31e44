//! PUMP: writes the events of a feed to the stream of its client, how things stand before them.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tonic::Status;
use wechaty::{
    Account, Bot,
    types::{ContactId, EventPayload, HeartbeatEvent, LoginEvent, ReadyEvent, ScanEvent},
};
use wechaty_grpc::{
    Dialect, event,
    pb::{EventResponse, EventType},
};

use super::{End, Feed, Next, Open, Told, state::is_state};

/// `ready` follows the start of a stream after this time, as clients expect.
const READY_AFTER: Duration = Duration::from_millis(100);
const CONNECTED: &str = "Wechaty Puppet gRPC stream connect successfully";

/// On its way to the connection, with its number if it has one.
type Numbered = (Option<u64>, EventResponse);

/// Writes the events of a feed to one stream.
pub(super) struct Pump {
    pub(super) feed: Arc<Feed>,
    pub(super) account: Account,
    pub(super) bot: Bot,
    pub(super) id: u64,
    pub(super) dialect: Dialect,
    /// Whether contacts and rooms were known when it began, and the last scan there was, as far as the feed was told: what
    /// was on its way to it then comes by itself.
    pub(super) is_ready: bool,
    pub(super) scan: Option<ScanEvent>,
    pub(super) sender: mpsc::Sender<Numbered>,
}

impl Pump {
    pub(super) async fn run(self) {
        // `None`: the connection is gone.
        let _ = self.pump().await;
        // It may have been woken for the next stream.
        self.feed.more.notify_one();
    }

    async fn pump(&self) -> Option<()> {
        self.say(HeartbeatEvent { data: Some(CONNECTED.to_owned()) }.into()).await?;
        self.say_login().await?;
        if let Some(scan) = self.scan.clone().filter(|scan| self.account.scan().as_ref() == Some(scan)) {
            self.say(scan.into()).await?;
        }
        if self.is_ready && self.account.is_ready() {
            // Before what has waited: it is for a client that is ready.
            self.bot.clock().sleep(READY_AFTER).await;
            self.say_ready().await?;
        }
        let mut state = self.account.watch_state();
        loop {
            let more = self.feed.more.notified();
            let next = self.feed.inner.lock().next(self.id, self.account.is_logged_in());
            match next {
                Next::Over => return None,
                Next::Event(told, event) => self.write(told, event).await?,
                Next::Nothing => tokio::select! {
                    () = more => {}
                    // What waited for a login need not wait for the event that tells it.
                    Ok(()) = state.changed() => {}
                    () = self.sender.closed() => return None,
                },
            }
        }
    }

    async fn write(&self, told: Told, event: EventPayload) -> Option<()> {
        let Told { number, again, .. } = told;
        let stale = if let EventPayload::Dirty(dirty) = &event { Some(dirty.clone()) } else { None };
        let is_told = match &event {
            EventPayload::Login(login) => !self.tell_login(&login.contact_id),
            EventPayload::Logout(_) => {
                self.with_stream(|open| open.login = None);
                false
            }
            event if !is_state(event) || matches!(event, EventPayload::Ready(_)) => {
                // Lanes run beside each other: nothing of a login overtakes it.
                self.say_login().await?;
                false
            }
            _ => false,
        };
        if !is_told && let Some(mut response) = event::write(&self.attributed(event), self.dialect) {
            self.mark(&mut response, told);
            if again {
                tracing::info!(account = %self.account.id(), number, "an event is sent to the client again");
            }
            let room = self.sender.reserve().await.ok()?;
            // Before it goes out, so that it is known when it does.
            self.feed.inner.lock().written(self.id, number);
            room.send((Some(number), response));
        } else {
            self.feed.inner.lock().needless(self.id, number);
        }
        if let Some(dirty) = stale {
            // Perhaps nobody waits for it.
            let _ = self.feed.stale.send(dirty);
        }
        Some(())
    }

    /// Clients drop a change of a topic by nobody.
    fn attributed(&self, event: EventPayload) -> EventPayload {
        match event {
            EventPayload::RoomTopic(mut topic) if topic.changer_id.is_none() && self.dialect != Dialect::Rust => {
                topic.changer_id = self.account.me().map(|me| ContactId::clone(&me));
                EventPayload::RoomTopic(topic)
            }
            event => event,
        }
    }

    /// Adds the number that our client acknowledges, the id by which it knows the event again, and that it was sent before;
    /// where the client takes other keys: Java drops an event with one it does not know, and Python would warn of it in an
    /// error, which it makes of all that are there.
    fn mark(&self, response: &mut EventResponse, Told { number, id, again }: Told) {
        let numbered = self.dialect == Dialect::Rust;
        let again = again
            && match self.dialect {
                Dialect::Java => false,
                Dialect::Python => response.r#type != i32::from(EventType::Error),
                _ => true,
            };
        let Some(rest) = response.payload.strip_prefix('{').filter(|_| numbered || again) else { return };
        let mut marked = String::with_capacity(response.payload.len() + 96);
        marked.push('{');
        if numbered {
            marked.push_str(&format!("\"wechatySeq\":{number},"));
            if let Some(id) = id {
                marked.push_str(&format!("\"wechatyId\":\"{:032x}\",", u128::from_be_bytes(*id.as_bytes())));
            }
        }
        if again {
            marked.push_str("\"redelivered\":true,");
        }
        if rest.trim_start().starts_with('}') {
            marked.pop();
        }
        marked.push_str(rest);
        response.payload = marked;
    }

    async fn say(&self, event: EventPayload) -> Option<()> {
        match event::write(&event, self.dialect) {
            Some(response) => self.sender.send((None, response)).await.ok(),
            None => Some(()),
        }
    }

    /// Tells who is logged in, unless it is told.
    async fn say_login(&self) -> Option<()> {
        let Some(me) = self.account.me() else { return Some(()) };
        if self.tell_login(&me) {
            self.say(LoginEvent { contact_id: ContactId::clone(&me) }.into()).await?;
        }
        Some(())
    }

    async fn say_ready(&self) -> Option<()> {
        if self.account.is_ready() && self.account.is_logged_in() {
            self.say(ReadyEvent { data: Some("ready".to_owned()) }.into()).await?;
        }
        Some(())
    }

    /// Whether it is not told yet; it is from now on.
    fn tell_login(&self, me: &ContactId) -> bool {
        self.with_stream(|open| {
            let is_new = open.login.as_ref() != Some(me);
            open.login = Some(me.clone());
            is_new
        })
        .unwrap_or(false)
    }

    fn with_stream<T>(&self, f: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.feed.inner.lock().stream.as_mut().filter(|open| open.id == self.id).map(f)
    }
}

/// The stream a client reads. Dropped, the feed takes the next client.
pub(crate) struct Events {
    pub(super) feed: Arc<Feed>,
    pub(super) id: u64,
    pub(super) responses: mpsc::Receiver<Numbered>,
    pub(super) end: Arc<Mutex<Option<End>>>,
    pub(super) is_over: bool,
}

impl Stream for Events {
    type Item = Result<EventResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        // Who is cut off may fall over what it is still sent.
        let cut = self.end.lock().take_if(|end| matches!(end, End::Cut(_)));
        if let Some(End::Cut(status)) = cut {
            self.is_over = true;
            return Poll::Ready(Some(Err(status)));
        }
        // What was written before another end goes out before it.
        match self.responses.poll_recv(cx) {
            Poll::Ready(Some((number, response))) => {
                number.into_iter().for_each(|number| self.feed.has_gone_out(self.id, number));
                Poll::Ready(Some(Ok(response)))
            }
            Poll::Ready(None) => {
                self.is_over = true;
                match self.end.lock().take() {
                    Some(End::Failed(status) | End::Cut(status)) => Poll::Ready(Some(Err(status))),
                    _ => Poll::Ready(None),
                }
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.feed.closed(self.id);
    }
}
