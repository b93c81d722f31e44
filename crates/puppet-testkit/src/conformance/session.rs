//! A running puppet of a case.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use wechaty_puppet::{
    AcceptError, CancellationToken, Capability, ContactId, Cursor, Event, EventPayload, MessagePayload, Puppet,
    PuppetContext, PuppetError, Retry,
};

use super::{
    case::{Verdict, failed, words},
    lab::Lab,
    recorder::{Entry, Sink},
    runner::panic_words,
};

/// How a run ended.
pub(super) enum Ended {
    Ok,
    Err(PuppetError),
    Panicked(String),
}

impl Ended {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Ok => "run returned Ok".to_owned(),
            Self::Err(error) => format!("run returned the error \"{}\"", words(error)),
            Self::Panicked(panic) => format!("run panicked: {panic}"),
        }
    }
}

/// A running puppet; dropping it is a crash of the process.
pub(super) struct Session<'a> {
    pub(super) lab: &'a Lab,
    pub(super) puppet: Arc<dyn Puppet>,
    pub(super) number: u32,
    pub(super) cancel: CancellationToken,
    ended: Arc<Mutex<Option<Ended>>>,
    /// Taken when it is dropped.
    task: Option<JoinHandle<()>>,
    me: Mutex<Option<ContactId>>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            self.lab.leaving.lock().push(task);
        }
    }
}

impl<'a> Session<'a> {
    /// Runs the puppet from a cursor.
    pub(super) fn start(lab: &'a Lab, puppet: Arc<dyn Puppet>, cursor: Option<Cursor>) -> Self {
        Self::start_with(lab, puppet, cursor, CancellationToken::new())
    }

    pub(super) fn start_with(
        lab: &'a Lab,
        puppet: Arc<dyn Puppet>,
        cursor: Option<Cursor>,
        cancel: CancellationToken,
    ) -> Self {
        let number = lab.recorder.begin();
        let sink = Arc::new(Sink { recorder: lab.recorder.clone(), session: number });
        let store = lab.store.clone();
        let cx = PuppetContext::new("conformance".into(), sink, store, lab.clock.clone(), cancel.clone(), cursor);
        let ended = Arc::new(Mutex::new(None));
        let running = puppet.clone();
        let task = tokio::spawn({
            let (ended, recorder) = (ended.clone(), lab.recorder.clone());
            async move {
                let outcome = match AssertUnwindSafe(running.run(cx)).catch_unwind().await {
                    Ok(Ok(())) => Ended::Ok,
                    Ok(Err(error)) => Ended::Err(error),
                    Err(panic) => Ended::Panicked(panic_words(&*panic)),
                };
                *ended.lock() = Some(outcome);
                recorder.changed.notify_waiters();
            }
        });
        Self { lab, puppet, number, cancel, ended, task: Some(task), me: Mutex::new(None) }
    }

    /// Waits until the puppet says who it is.
    pub(super) async fn logged_in(&self) -> Verdict<ContactId> {
        let me = self.event("the login event", 0, |entry| match &entry.event.what {
            EventPayload::Login(login) if entry.session == self.number => Some(login.contact_id.clone()),
            _ => None,
        });
        let me = me.await?;
        *self.me.lock() = Some(me.clone());
        Ok(me)
    }

    /// Who the puppet is; after [`logged_in`](Self::logged_in).
    pub(super) fn me(&self) -> Option<ContactId> {
        self.me.lock().clone()
    }

    /// How the run ended, if it has.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended.lock().take()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.lock().is_some()
    }

    fn alive(&self, what: &str) -> Verdict {
        match &*self.ended.lock() {
            Some(ended) => failed(format!("{} while the case waited for {what}", ended.words())),
            None => Ok(()),
        }
    }

    /// The first accepted event from `mark` on in which `look` finds something.
    pub(super) async fn event<T>(
        &self,
        what: &str,
        mark: usize,
        mut look: impl FnMut(&Entry) -> Option<T>,
    ) -> Verdict<T> {
        let mut next = mark;
        self.lab
            .until(what, || {
                while let Some(entry) = self.lab.recorder.entry(next) {
                    next += 1;
                    if let Some(found) = look(&entry) {
                        return Ok(Some(found));
                    }
                }
                self.alive(what).map(|()| None)
            })
            .await
    }

    /// The payload of a message event: what came along, or the loader's.
    pub(super) async fn payload(&self, event: &Event) -> Verdict<Arc<MessagePayload>> {
        let EventPayload::Message(message) = &event.what else { return failed("not a message event") };
        if let Some(payload) = event.message_payload() {
            return Ok(payload.clone());
        }
        let loader = self.puppet.loader().filter(|_| self.lab.capabilities.has(Capability::LoadMessage));
        let Some(loader) = loader else {
            return failed(format!(
                "message event {} carries no payload, and loading messages is not declared",
                message.message_id
            ));
        };
        self.lab.ok("loading the message of an event", loader.message(&message.message_id)).await
    }

    /// The payload of a message event; `None`: the connection over which it would be loaded is broken.
    async fn payload_through(&self, event: &Event) -> Verdict<Option<Arc<MessagePayload>>> {
        let EventPayload::Message(message) = &event.what else { return failed("not a message event") };
        if let (None, Some(loader)) = (event.message_payload(), self.puppet.loader()) {
            let loaded =
                self.lab.bounded("loading the message of an event", loader.message(&message.message_id)).await?;
            if let Err(error) = &loaded
                && called_again(error)
            {
                return Ok(None);
            }
        }
        self.payload(event).await.map(Some)
    }

    /// The first message from `mark` on of which `wanted` holds, and its index.
    pub(super) async fn message(
        &self,
        what: &str,
        mark: usize,
        wanted: impl Fn(&MessagePayload) -> bool,
    ) -> Verdict<(usize, Event, Arc<MessagePayload>)> {
        let mut next = mark;
        loop {
            let (index, event) = self
                .event(what, next, {
                    let mut index = next;
                    move |entry| {
                        index += 1;
                        matches!(entry.event.what, EventPayload::Message(_)).then(|| (index - 1, entry.event.clone()))
                    }
                })
                .await?;
            let payload = self.payload(&event).await?;
            if wanted(&payload) {
                return Ok((index, event, payload));
            }
            next = index + 1;
        }
    }

    /// The message with this text, from `mark` on.
    pub(super) async fn hears(&self, text: &str, mark: usize) -> Verdict<(usize, Event, Arc<MessagePayload>)> {
        let what = format!("the message {text:?} (lost, or its text altered)");
        self.message(&what, mark, |payload| payload.text.as_deref() == Some(text)).await
    }

    /// All messages accepted from `mark` on.
    pub(super) async fn messages(&self, mark: usize) -> Verdict<Vec<Arc<MessagePayload>>> {
        let mut messages = Vec::new();
        for entry in self.lab.recorder.from(mark) {
            if matches!(entry.event.what, EventPayload::Message(_)) {
                messages.push(self.payload(&entry.event).await?);
            }
        }
        Ok(messages)
    }

    /// Waits until the run has returned.
    pub(super) async fn end(&self, what: &str) -> Verdict<Ended> {
        self.lab.until(what, || Ok(self.ended())).await
    }

    /// Cancels the run and waits until it has returned Ok.
    pub(super) async fn stop(self) -> Verdict<Arc<dyn Puppet>> {
        self.cancel.cancel();
        match self.end("run to return after it was cancelled (it ignores the cancellation)").await? {
            Ended::Ok => Ok(self.puppet.clone()),
            ended => failed(format!("after it was cancelled {} instead of Ok", ended.words())),
        }
    }

    /// Waits for something through the end of the connection: a run that ends with a retryable error is called
    /// again, as the bot does.
    pub(super) async fn hears_through(mut self, text: &str, mark: usize) -> Verdict<Self> {
        let lab = self.lab;
        let what = format!("the message {text:?} after the connection broke (it is lost)");
        let (mut next, mut restarts, start) = (mark, 0, lab.real.now());
        loop {
            lab.until(&what, || Ok((lab.recorder.len() > next || self.has_ended()).then_some(()))).await?;
            while let Some(entry) = lab.recorder.entry(next) {
                if matches!(entry.event.what, EventPayload::Message(_)) {
                    match self.payload_through(&entry.event).await? {
                        Some(payload) if payload.text.as_deref() == Some(text) => return Ok(self),
                        Some(_) => {}
                        // Loaded over the next connection.
                        None if lab.real.now().saturating_sub(start) > lab.patience => {
                            return failed(format!("waited {:?} in vain for {what}", lab.patience));
                        }
                        None => {
                            lab.tick().await;
                            break;
                        }
                    }
                }
                next += 1;
            }
            match self.ended() {
                None => {}
                Some(Ended::Err(error)) if called_again(&error) => {
                    restarts += 1;
                    if restarts > RESTARTS {
                        return failed(format!(
                            "run ended {restarts} times with \"{}\" after one fault",
                            words(&error)
                        ));
                    }
                    self = Session::start(lab, self.puppet.clone(), lab.recorder.cursor());
                }
                Some(Ended::Err(error)) => {
                    return failed(format!(
                        "a broken connection ended run with the permanent error \"{}\"",
                        words(&error)
                    ));
                }
                Some(ended) => {
                    return failed(format!("a broken connection ended run as if it was cancelled: {}", ended.words()));
                }
            }
        }
    }
}

/// How often one fault may end a run.
const RESTARTS: u32 = 10;

/// Whether the bot calls run again after this error: it is retryable, or passes on that the bot's own store failed.
fn called_again(error: &PuppetError) -> bool {
    error.retry() != Retry::Never || matches!(error, PuppetError::Accept(AcceptError::Store(_)))
}
