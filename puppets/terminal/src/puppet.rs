//! The puppet: input becomes events, sends become lines.

use std::{
    io::{IsTerminal, Read, Write},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use wechaty_puppet::{
    AcceptError, Batch, Capabilities, Capability, ContactId, ContactPayload, ConversationId, Directory, DongEvent,
    Event, EventPayload, FileBox, Loader, LoginStep, Mention, MessageId, MessageMedia, MessagePayload, MessageType,
    Outgoing, PlatformName, Puppet, PuppetContext, PuppetError, ReadyEvent, Result, RoomId, RoomMemberPayload,
    RoomPayload, SayablePayload, Sent, async_trait, transport, unreachable,
};

use crate::{
    CAPABILITIES, PLATFORM,
    command::{HELP, Line, parse},
    input::{Input, read},
    people::{BOT, People},
    screen::{LINE_BREAK, Screen},
};

/// How many lines become one batch.
const BATCH: usize = 256;
/// How long to wait before events are offered again to a store that failed.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// You and the bot in a terminal, or in a pipe.
pub struct TerminalPuppet {
    input: tokio::sync::Mutex<Source>,
    screen: Screen,
    people: Mutex<People>,
    /// Dings on their way to become dongs.
    dongs: (mpsc::UnboundedSender<Option<String>>, tokio::sync::Mutex<mpsc::UnboundedReceiver<Option<String>>>),
}

/// The reader is started with the first run and goes on over restarts.
enum Source {
    Idle(Box<dyn Read + Send>),
    Reading(mpsc::Receiver<Input>),
    Gone,
}

impl std::fmt::Debug for TerminalPuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TerminalPuppet")
    }
}

impl TerminalPuppet {
    /// On the process's stdin, stdout and stderr.
    pub fn stdio() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self::with(std::io::stdin(), std::io::stdout(), std::io::stderr(), terminal)
    }

    /// On any reader and writers. `terminal`: a person is there, so everything is shown in one place, with names.
    pub fn with(
        input: impl Read + Send + 'static,
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        terminal: bool,
    ) -> Self {
        let (dong, dongs) = mpsc::unbounded_channel();
        Self {
            input: tokio::sync::Mutex::new(Source::Idle(Box::new(input))),
            screen: Screen::new(Box::new(out), Box::new(err), terminal),
            people: Mutex::default(),
            dongs: (dong, tokio::sync::Mutex::new(dongs)),
        }
    }

    /// What a line leads to, if it leads to an event.
    fn event(&self, input: Input, cx: &PuppetContext) -> Option<Event> {
        let line = match input {
            Input::Line(line) => line,
            Input::Refused(number, why) => {
                self.screen.note(&format!("line {number}: {why}"));
                return None;
            }
        };
        let mut people = self.people.lock();
        match parse(&line) {
            Line::Empty => None,
            Line::Say(text) => {
                let text = text.replace(LINE_BREAK, "\n");
                let payload = MessagePayload { timestamp: cx.clock().wall(), ..people.says(&text) };
                Some(Self::said(&mut people, payload, None))
            }
            Line::Image(path) => match FileBox::from_file(path) {
                Ok(file) => {
                    let mut payload = MessagePayload { timestamp: cx.clock().wall(), ..people.says("") };
                    payload.kind = MessageType::Image;
                    payload.filename = Some(file.name().to_owned());
                    payload.text = None;
                    Some(Self::said(&mut people, payload, Some(file)))
                }
                Err(error) => {
                    self.screen.note(&error.to_string());
                    None
                }
            },
            Line::As(BOT) => {
                self.screen.note("the bot speaks for itself: choose another name");
                None
            }
            Line::As(name) => {
                people.speak_as(name);
                self.screen.note(&format!("you are {name} now"));
                None
            }
            Line::Room(topic) => {
                people.enter(topic);
                match topic {
                    Some(topic) => self.screen.note(&format!("you are in {topic} now")),
                    None => self.screen.note("you are alone with the bot now"),
                }
                None
            }
            Line::Who => {
                let names: Vec<&str> = people.people().iter().map(|person| person.name.as_str()).collect();
                let place = people.current_room().map_or("alone with the bot".to_owned(), |room| {
                    let members: Vec<&str> = room.member_id_list.iter().map(ContactId::as_str).collect();
                    format!("in {} with {}", room.topic, members.join(", "))
                });
                self.screen.note(&format!("you are {}, {place}; known: {}", people.speaker(), names.join(", ")));
                None
            }
            Line::Help => {
                self.screen.note(HELP);
                None
            }
            Line::Wrong(why) => {
                self.screen.note(&why);
                None
            }
        }
    }

    fn said(people: &mut People, payload: MessagePayload, file: Option<FileBox>) -> Event {
        let payload = Arc::new(payload);
        people.remember(payload.clone(), file);
        Event::message(payload)
    }
}

#[async_trait]
impl Puppet for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn run(&self, cx: PuppetContext) -> Result<()> {
        let mut source = self.input.lock().await;
        *source = match std::mem::replace(&mut *source, Source::Gone) {
            Source::Idle(reader) => Source::Reading(read(reader)),
            other => other,
        };
        let Source::Reading(lines) = &mut *source else { return Ok(()) };
        let mut dongs = self.dongs.1.lock().await;
        cx.accept(LoginStep::Done(BOT.into())).await?;
        cx.accept(EventPayload::Ready(ReadyEvent { data: None })).await?;
        let mut waiting = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                read = lines.recv_many(&mut waiting, BATCH) => {
                    if read == 0 {
                        return Ok(());
                    }
                    let events: Vec<Event> = waiting.drain(..).filter_map(|input| self.event(input, &cx)).collect();
                    // A store that fails for a while must not cost the lines that were read already.
                    while let Err(error) = cx.accept(Batch::from(events.clone())).await {
                        if !matches!(error, AcceptError::Store(_)) {
                            return Err(error.into());
                        }
                        cx.clock().sleep(STORE_PAUSE).await;
                    }
                }
                Some(data) = dongs.recv() => cx.accept(EventPayload::Dong(DongEvent { data })).await?,
                () = cx.cancelled() => return Ok(()),
            }
        }
    }

    async fn send(&self, out: Outgoing) -> Result<Sent> {
        if out.quote.is_some() {
            return Err(PuppetError::unsupported(PLATFORM, Capability::Quote));
        }
        if out.mentions().contains(&Mention::All) {
            return Err(PuppetError::unsupported(PLATFORM, Capability::MentionAll));
        }
        let text = match &*out.what {
            SayablePayload::Text(text) | SayablePayload::Markdown(text) => text.text.clone(),
            SayablePayload::Attachment(_)
            | SayablePayload::Audio(_)
            | SayablePayload::Emoticon(_)
            | SayablePayload::Image(_)
            | SayablePayload::Video(_)
            | SayablePayload::Contact(_) => out.what.fallback_text(),
            other => return Err(PuppetError::unsupported(PLATFORM, Capability::of(other))),
        };
        let (id, who, answer) = {
            let mut people = self.people.lock();
            let place = match &out.to {
                ConversationId::Room(id) => {
                    people.room(id).ok_or_else(|| PuppetError::not_found("room", id))?.topic.clone()
                }
                ConversationId::Contact(id) => {
                    people.person(id).ok_or_else(|| PuppetError::not_found("contact", id))?.name.clone()
                }
            };
            let id = people.next_id();
            let mut payload = match &out.to {
                ConversationId::Room(room) => MessagePayload::in_room(id.clone(), BOT, room.clone(), text.as_str()),
                ConversationId::Contact(to) => MessagePayload::direct(id.clone(), BOT, to.clone(), text.as_str()),
            };
            payload.kind = out.what.message_type();
            payload.mentions = Some(out.mentions().to_vec());
            payload.filename = out.what.file_box().map(|file| file.name().to_owned());
            people.remember(Arc::new(payload), out.what.file_box().cloned());
            let here = people.current_room().map_or(people.speaker().to_string(), |room| room.topic.clone());
            // What answers no input is a greeting or a notice.
            let answer = out.cause.is_some();
            (id, if here == place { BOT.to_owned() } else { format!("{BOT} to {place}") }, answer)
        };
        self.screen.message(&who, &text, answer).map_err(unreachable("printing"))?;
        Ok(Sent::new(id))
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        self.dongs.0.send(data).map_err(transport("ding"))
    }

    fn loader(&self) -> Option<&dyn Loader> {
        Some(self)
    }
    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }
    fn media(&self) -> Option<&dyn MessageMedia> {
        Some(self)
    }
}

#[async_trait]
impl Loader for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        self.people.lock().person(id).ok_or_else(|| PuppetError::not_found("contact", id))
    }
    async fn room(&self, id: &RoomId) -> Result<Arc<RoomPayload>> {
        self.people.lock().room(id).ok_or_else(|| PuppetError::not_found("room", id))
    }
    async fn room_member(&self, room: &RoomId, contact: &ContactId) -> Result<Arc<RoomMemberPayload>> {
        self.people.lock().member(room, contact).ok_or_else(|| PuppetError::not_found("room member", contact))
    }
    async fn message(&self, id: &MessageId) -> Result<Arc<MessagePayload>> {
        let found = self.people.lock().message(id);
        found.map(|(payload, _)| payload).ok_or_else(|| PuppetError::not_found("message", id))
    }
}

#[async_trait]
impl Directory for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn contacts(&self) -> Result<Vec<ContactId>> {
        Ok(self.people.lock().people().iter().map(|person| person.id.clone()).collect())
    }
    async fn rooms(&self) -> Result<Vec<RoomId>> {
        Ok(self.people.lock().rooms().iter().map(|room| room.id.clone()).collect())
    }
    async fn room_members(&self, room: &RoomId) -> Result<Vec<ContactId>> {
        let found = self.people.lock().room(room);
        Ok(found.ok_or_else(|| PuppetError::not_found("room", room))?.member_id_list.clone())
    }
}

#[async_trait]
impl MessageMedia for TerminalPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }
    async fn file(&self, id: &MessageId) -> Result<FileBox> {
        let found = self.people.lock().message(id).and_then(|(_, file)| file);
        found.ok_or_else(|| PuppetError::not_found("file of message", id))
    }
}
