//! The terminal puppet on a reader and writers in memory.

mod conformance;
mod restart;

use std::{
    io::{self, Read, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc as events, watch},
    task::JoinHandle,
};
use wechaty_catalogue::Lang;
use wechaty_puppet::{
    AcceptError, Batch, BoxError, Bytes, CancellationToken, Cause, Clock, ConversationId, Event, EventSink,
    IdempotencyKey, MessagePayload, MessageType, Outgoing, Payload, Puppet, PuppetContext, PuppetError, Result,
    SayablePayload, SessionStore, async_trait,
};
use wechaty_puppet_terminal::TerminalPuppet;

/// What is typed; blocks like a terminal, and ends when the sender is dropped.
struct Keyboard {
    typed: mpsc::Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Keyboard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.typed.recv().unwrap_or_default();
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

/// What was printed, one entry a write; and whether the next write fails.
#[derive(Clone)]
struct Printed(Arc<watch::Sender<Vec<String>>>, Arc<AtomicBool>);

impl Printed {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())), Arc::default())
    }
    fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
    /// Waits until something was printed.
    async fn until(&self, words: &str) {
        let mut changes = self.0.subscribe();
        let there = changes.wait_for(|printed| printed.iter().any(|line| line.contains(words)));
        within(words, async { drop(there.await.expect("the writer is there")) }).await;
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.swap(false, Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(io::Error::other)?;
        self.0.send_modify(|printed| printed.push(text));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails instead of hanging.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::select! {
        output = future => output,
        () = Clock::system().sleep(Duration::from_secs(90)) => panic!("waited in vain for {what}"),
    }
}

struct Sink(events::UnboundedSender<Event>);

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        for event in batch.events {
            self.0.send(event).map_err(|_| AcceptError::Stopping)?;
        }
        Ok(())
    }
}

struct NoSession;

#[async_trait]
impl SessionStore for NoSession {
    async fn get(&self, _: &str) -> Result<Option<Bytes>, BoxError> {
        Ok(None)
    }
    async fn set(&self, _: &str, _: Option<Bytes>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A puppet with its keyboard and its screen.
struct Stage {
    puppet: Arc<TerminalPuppet>,
    keyboard: mpsc::Sender<Vec<u8>>,
    out: Printed,
    err: Printed,
}

impl Stage {
    fn new(terminal: bool) -> Self {
        let (keyboard, typed) = mpsc::channel();
        let (out, err) = (Printed::new(), Printed::new());
        let puppet =
            TerminalPuppet::with(Keyboard { typed, rest: Vec::new() }, out.clone(), err.clone(), terminal, Lang::En);
        Self { puppet: Arc::new(puppet), keyboard, out, err }
    }

    fn types(&self, lines: &str) {
        self.keyboard.send(format!("{lines}\n").into_bytes()).expect("somebody reads");
    }

    /// Types a command and waits for what the terminal says to it.
    async fn told(&self, command: &str, words: &str) {
        self.types(command);
        self.err.until(words).await;
    }

    fn run(&self) -> Running {
        self.run_on(Clock::system())
    }

    fn run_on(&self, clock: Clock) -> Running {
        let (sink, events) = events::unbounded_channel();
        let cancel = CancellationToken::new();
        let (sink, session) = (Arc::new(Sink(sink)), Arc::new(NoSession));
        let cx = PuppetContext::new("test".into(), sink, session, clock, cancel.clone(), None);
        let puppet = self.puppet.clone();
        Running { events, cancel, task: tokio::spawn(async move { puppet.run(cx).await }) }
    }

    async fn says(&self, to: impl Into<ConversationId>, text: &str, cause: Option<&MessagePayload>) -> Result<()> {
        let key = IdempotencyKey::from_bytes([7; 16]);
        let mut out = Outgoing::new(key, to.into(), Arc::new(SayablePayload::text(text)));
        out.cause = cause.map(|message| Cause { message_id: message.id.clone() });
        self.puppet.send(out).await.map(drop)
    }
}

struct Running {
    events: events::UnboundedReceiver<Event>,
    cancel: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Running {
    /// The next message.
    async fn message(&mut self) -> Arc<MessagePayload> {
        loop {
            let event = within("a message", self.events.recv()).await.expect("the run goes on");
            if let Some(Payload::Message(message)) = event.payload {
                return message;
            }
        }
    }
    async fn heard(&mut self) -> String {
        self.message().await.text.clone().unwrap_or_default()
    }
    /// How the run ends.
    async fn end(self) -> Result<()> {
        within("the end of the run", self.task).await.expect("no panic")
    }
    async fn stop(self) -> Result<()> {
        self.cancel.cancel();
        self.end().await
    }
}

/// A file of this name and content, in a directory of its own.
fn file(directory: &str, name: &str, content: &[u8]) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(directory);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    let path = directory.join(name);
    std::fs::write(&path, content).expect("a file for the test");
    path
}

#[tokio::test]
async fn in_a_pipe_stdout_holds_only_answers_one_a_line() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    stage.says(ConversationId::Contact("you".into()), "hello,\nI am the bot", None).await.unwrap();
    stage.told("/dance\n/who\n/help\n/room Tea\n/room", "you are alone").await;
    stage.types("ding");
    let ding = running.message().await;
    let conversation = ding.conversation(Some(&"bot".into()));
    stage.says(conversation.clone(), "dong\nand\r\ndong\ragain", Some(&ding)).await.unwrap();
    stage.says(conversation, "plain", Some(&ding)).await.unwrap();
    assert_eq!(stage.out.all(), ["dong⏎and⏎dong⏎again\n", "plain\n"]);
    assert_eq!(stage.err.all()[0], "hello,⏎I am the bot\n");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_sees_who_speaks_where() {
    let stage = Stage::new(true);
    let running = stage.run();
    stage.says(ConversationId::Contact("you".into()), "hello\nyou", None).await.unwrap();
    stage.told("/as Alice", "you are Alice now").await;
    stage.says(ConversationId::Contact("you".into()), "still there?", None).await.unwrap();
    stage.told("/room Tea", "you are in Tea now").await;
    stage.says(ConversationId::Room("Tea@room".into()), "hello all", None).await.unwrap();
    assert_eq!(stage.out.all(), ["bot> hello\nyou\n", "bot to you> still there?\n", "bot> hello all\n"]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn commands_decide_who_speaks_where() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    stage.types("one to one\n/as Alice\n/room Tea time\nin a room\n/as Bob\nhere too\n/room\nalone again");
    let mut heard = Vec::new();
    for _ in 0..4 {
        let message = running.message().await;
        let room = message.room_id.as_ref().map(|id| id.as_str().to_owned());
        heard.push((message.talker_id.as_str().to_owned(), room, message.text.clone().unwrap_or_default()));
    }
    let said = |who: &str, room: Option<&str>, text: &str| (who.to_owned(), room.map(str::to_owned), text.to_owned());
    let room = Some("Tea time@room");
    assert_eq!(
        heard,
        [
            said("you", None, "one to one"),
            said("Alice", room, "in a room"),
            said("Bob", room, "here too"),
            said("Bob", None, "alone again"),
        ]
    );
    stage.told("/who", "you are Bob, alone with the bot; known: bot, you, Alice, Bob\n").await;
    stage.told("/room Tea time\n/who", "you are Bob, in Tea time with bot, Alice, Bob; known").await;
    running.stop().await.unwrap();
    assert!(stage.out.all().is_empty());
}

#[tokio::test]
async fn help_and_wrong_commands_are_told_and_no_messages() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    for (line, words) in [
        ("/help", "/image FILE"),
        ("/dance", "no command /dance"),
        ("/as", "/as needs a name"),
        ("/as bot", "choose another name"),
        ("/image", "/image needs a file"),
        ("/who is there", "no command /who"),
    ] {
        stage.told(line, words).await;
    }
    stage.types("\n   \n//help⏎me");
    assert_eq!(running.heard().await, "/help\nme");
    running.stop().await.unwrap();
    assert!(stage.out.all().is_empty());
}

#[tokio::test]
async fn an_image_is_a_message_with_its_file() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    let path = file("an-image", "cat.png", b"meow");
    stage.told(&format!("/image {}", path.with_file_name("no-dog.png").display()), "no-dog.png").await;
    stage.types(&format!("/image {}", path.display()));
    let message = running.message().await;
    assert_eq!((message.kind, message.filename.as_deref()), (MessageType::Image, Some("cat.png")));
    assert_eq!(message.text, None);
    let got = stage.puppet.media().unwrap().file(&message.id).await.unwrap();
    assert_eq!(got.to_bytes().await.unwrap()[..], b"meow"[..]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_run_after_its_last_line() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    stage.keyboard.send(b"last, without a line break".to_vec()).unwrap();
    let Stage { puppet, keyboard, out, err } = stage;
    drop(keyboard);
    assert_eq!(running.heard().await, "last, without a line break");
    running.end().await.unwrap();
    // Nothing more will come: another run ends as well.
    Stage { puppet, keyboard: mpsc::channel().0, out, err }.run().end().await.unwrap();
}

#[tokio::test]
async fn a_second_run_reads_on_where_the_first_stopped() {
    let stage = Stage::new(false);
    let mut first = stage.run();
    stage.types("/as Alice\none");
    assert_eq!(first.heard().await, "one");
    first.stop().await.unwrap();
    stage.types("two\nthree");
    let mut second = stage.run();
    let two = second.message().await;
    assert_eq!((two.talker_id.as_str(), two.text.as_deref()), ("Alice", Some("two")));
    assert_eq!(second.heard().await, "three");
    stage.types("four");
    assert_eq!(second.heard().await, "four");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_written_to_who_was_never_named() {
    let stage = Stage::new(false);
    for to in [ConversationId::Contact("Carol".into()), ConversationId::Room("Tea@room".into())] {
        let error = stage.says(to, "hello?", None).await.unwrap_err();
        assert!(matches!(error, PuppetError::NotFound { .. }), "{error}");
    }
    assert!(stage.out.all().is_empty() && stage.err.all().is_empty());
}

#[tokio::test]
async fn a_greeting_that_nobody_can_see_fails_for_good_and_an_answer_does_not() {
    let stage = Stage::new(false);
    let mut running = stage.run();
    stage.err.1.store(true, Ordering::Relaxed);
    let error =
        stage.says(ConversationId::Contact(wechaty_puppet_terminal::YOU.into()), "hello", None).await.unwrap_err();
    assert!(matches!(error, PuppetError::Rejected { .. }), "{error}");
    stage.types("ding");
    let ding = running.message().await;
    stage.out.1.store(true, Ordering::Relaxed);
    let error = stage
        .says(ConversationId::Contact(wechaty_puppet_terminal::YOU.into()), "dong", Some(&ding))
        .await
        .unwrap_err();
    assert!(matches!(error, PuppetError::Unreachable { .. }), "{error}");
    stage.says(ConversationId::Contact(wechaty_puppet_terminal::YOU.into()), "dong", Some(&ding)).await.unwrap();
    assert_eq!(stage.out.all(), ["dong\n"]);
    let why = stage.err.all().concat();
    assert!(why.contains("cannot be printed: nobody reads it any more"), "{why}");
    running.stop().await.unwrap();
}
