//! The puppet: input becomes events, sends become lines.

use std::{
    io::{IsTerminal, Read, Write},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use wechaty_catalogue::{Args, Lang};
use wechaty_file_box::FileBoxError;
use wechaty_puppet::{
    AcceptError, Batch, Capabilities, Capability, ContactId, ConversationId, Directory, DongEvent, Event, EventPayload,
    FileBox, Loader, LoginStep, Mention, MessageMedia, MessagePayload, MessageType, Outgoing, PlatformName, Puppet,
    PuppetContext, PuppetError, ReadyEvent, Result, SayablePayload, Sent, Words, async_trait, unreachable,
};

use crate::{
    CAPABILITIES, PLATFORM,
    command::{Line, parse},
    input::{Input, MAX_LINE, Why, read},
    people::{BOT, People},
    screen::{LINE_BREAK, Screen},
};

/// How many dings may be on their way.
const DINGS: usize = 64;
/// How long to wait before events are offered again to a store that failed.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// You and the bot in a terminal, or in a pipe.
pub struct TerminalPuppet {
    input: tokio::sync::Mutex<Source>,
    screen: Screen,
    pub(crate) people: Mutex<People>,
    /// Dings on their way to become dongs.
    dongs: (mpsc::Sender<Option<String>>, tokio::sync::Mutex<mpsc::Receiver<Option<String>>>),
}

/// The reader is started with the first run and goes on over restarts.
enum Source {
    Idle(Box<dyn Read + Send>),
    Reading(Reading),
    Gone,
}

struct Reading {
    batches: mpsc::Receiver<Vec<Input>>,
    /// What came of lines that were read and is not accepted yet; the next run begins with it.
    unaccepted: Vec<Event>,
}

impl std::fmt::Debug for TerminalPuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TerminalPuppet")
    }
}

impl TerminalPuppet {
    /// On the process's stdin, stdout and stderr. `lang`: what the terminal itself says is in this language.
    pub fn stdio(lang: Lang) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self::with(std::io::stdin(), std::io::stdout(), std::io::stderr(), terminal, lang)
    }

    /// On any reader and writers. `terminal`: a person is there, so everything is shown in one place, with names.
    pub fn with(
        input: impl Read + Send + 'static,
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        terminal: bool,
        lang: Lang,
    ) -> Self {
        let (dong, dongs) = mpsc::channel(DINGS);
        Self {
            input: tokio::sync::Mutex::new(Source::Idle(Box::new(input))),
            screen: Screen::new(Box::new(out), Box::new(err), terminal, lang),
            people: Mutex::default(),
            dongs: (dong, tokio::sync::Mutex::new(dongs)),
        }
    }

    /// What a line leads to, if it leads to an event.
    fn event(&self, input: Input, cx: &PuppetContext) -> Option<Event> {
        let line = match input {
            Input::Line(line) => line,
            Input::Refused(number, why) => {
                let why = match why {
                    Why::TooLong(length) => {
                        let args = Args::new().set("length", length.to_string()).set("most", MAX_LINE.to_string());
                        self.screen.text("terminal-too-long", &args)
                    }
                    Why::NotUtf8(at) => self.screen.text("terminal-not-utf8", &Args::new().set("at", at.to_string())),
                };
                self.screen.note("terminal-line", &Args::new().set("number", number.to_string()).set("why", why));
                return None;
            }
            // Ends the run.
            Input::Broken(_) => return None,
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
                    let why = match &error {
                        FileBoxError::Io { source, .. } => Words::io(source),
                        other => Words::quoted(other),
                    };
                    let args = Args::new().set("path", path).set("why", self.screen.told(&why));
                    self.screen.note("terminal-no-image", &args);
                    None
                }
            },
            Line::As(BOT) => {
                self.screen.note("terminal-not-the-bot", &Args::new());
                None
            }
            Line::As(name) => {
                match people.speak_as(name) {
                    Ok(()) => self.screen.note("terminal-you-are", &Args::new().set("name", name)),
                    Err((why, args)) => self.screen.note(why, &args),
                }
                None
            }
            Line::Room(topic) => {
                match (people.enter(topic), topic) {
                    (Ok(()), Some(topic)) => self.screen.note("terminal-in-room", &Args::new().set("topic", topic)),
                    (Ok(()), None) => self.screen.note("terminal-alone-now", &Args::new()),
                    (Err((why, args)), _) => self.screen.note(why, &args),
                }
                None
            }
            Line::Who => {
                let names: Vec<&str> = people.people().iter().map(|person| person.name.as_str()).collect();
                let place = people.current_room().map_or_else(
                    || self.screen.text("terminal-alone", &Args::new()),
                    |room| {
                        let members: Vec<&str> = room.member_id_list.iter().map(ContactId::as_str).collect();
                        let args = Args::new().set("topic", &*room.topic).set("members", members.join(", "));
                        self.screen.text("terminal-with", &args)
                    },
                );
                let args = Args::new().set("name", people.speaker().as_str()).set("place", place);
                self.screen.note("terminal-who", &args.set("names", names.join(", ")));
                None
            }
            Line::Help => {
                self.screen.note("terminal-help", &Args::new());
                None
            }
            Line::Wrong(why, args) => {
                self.screen.note(why, &args);
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
            Source::Idle(reader) => Source::Reading(Reading { batches: read(reader), unaccepted: Vec::new() }),
            other => other,
        };
        let Source::Reading(Reading { batches, unaccepted }) = &mut *source else { return Ok(()) };
        self.people.lock().start(cx.clock().wall());
        let mut dongs = self.dongs.1.lock().await;
        cx.accept(LoginStep::Done(BOT.into())).await?;
        cx.accept(EventPayload::Ready(ReadyEvent { data: None })).await?;
        loop {
            hand_over(&cx, unaccepted).await?;
            tokio::select! {
                read = batches.recv() => match read {
                    Some(inputs) => {
                        for input in inputs {
                            match input {
                                Input::Broken(detail) => {
                                    hand_over(&cx, unaccepted).await?;
                                    return Err(PuppetError::Protocol { context: "reading the input", detail });
                                }
                                input => unaccepted.extend(self.event(input, &cx)),
                            }
                        }
                    }
                    None => return Ok(()),
                },
                Some(data) = dongs.recv() => unaccepted.push(EventPayload::Dong(DongEvent { data }).into()),
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
            (
                id,
                if here == place {
                    BOT.to_owned()
                } else {
                    self.screen.text("terminal-to", &Args::new().set("place", place))
                },
                answer,
            )
        };
        self.screen.message(&who, &text, answer).map_err(|error| {
            if self.screen.is_aside(answer) {
                // Answers do not wait behind a greeting that nobody can see.
                return PuppetError::Rejected { code: "stderr".to_owned(), message: error.to_string() };
            }
            self.screen.unprinted(&error);
            unreachable("printing")(error)
        })?;
        Ok(Sent::new(id))
    }

    async fn ding(&self, data: Option<String>) -> Result<()> {
        // Only as many as can be held: somebody may ding while nobody runs.
        self.dongs.0.try_send(data).map_err(|_| PuppetError::RateLimited { retry_after: Some(STORE_PAUSE) })
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

/// A store that fails for a while, or a bot that stops, must not cost the lines that were read already.
async fn hand_over(cx: &PuppetContext, unaccepted: &mut Vec<Event>) -> Result<()> {
    while !unaccepted.is_empty() {
        match cx.accept(Batch::from(unaccepted.clone())).await {
            Ok(()) => unaccepted.clear(),
            Err(AcceptError::Store(_)) => cx.clock().sleep(STORE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
