//! Every call of the service puppet once, against the gateway of the environment (`WECHATY_PUPPET_SERVICE_TOKEN`, `…_ENDPOINT`
//! and so on): a line of JSON for each assertion with what came, exit 1 if one failed. Written for
//! `xtask/peers/service-host/mock.mjs`.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;
use wechaty_puppet::{
    AcceptError, Batch, BoxError, Bytes, CancellationToken, Clock, ContactCard, ContactId, ConversationId, DirtyEvent,
    DirtyType, EventPayload, EventSink, FileBox, FilePayload, ForwardPayload, FriendRequest, IdempotencyKey,
    LocationPayload, MessageId, MessageType, MiniProgramPayload, Outgoing, Puppet, PuppetContext, Result,
    SayablePayload, Sent, SessionStore, Settings, UrlLinkPayload, async_trait,
};
use wechaty_puppet_service::DECLARATION;

const PATIENCE: Duration = Duration::from_secs(90);

struct Sink(mpsc::UnboundedSender<EventPayload>);

#[async_trait]
impl EventSink for Sink {
    async fn accept(&self, batch: Batch) -> Result<(), AcceptError> {
        for event in batch.events {
            let _ = self.0.send(event.what);
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

struct Walk {
    puppet: Arc<dyn Puppet>,
    events: mpsc::UnboundedReceiver<EventPayload>,
    clock: Clock,
    passed: u32,
    failed: u32,
    requests: u32,
    sends: AtomicU64,
}

impl Walk {
    fn tell(&mut self, name: &str, holds: bool, why: &str) {
        let why = &why[..why.floor_char_boundary(160)];
        println!("{}", serde_json::json!({ "assert": name, "ok": holds, "why": why }));
        *if holds { &mut self.passed } else { &mut self.failed } += 1;
    }

    /// What a call came to.
    fn line<T: std::fmt::Debug>(&mut self, name: &str, result: Result<T>) -> Option<T> {
        self.requests += 1;
        match result {
            Ok(value) => {
                self.tell(name, true, &format!("{value:?}"));
                Some(value)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                self.tell(name, false, &format!("{error}{cause}"));
                None
            }
        }
    }

    fn check(&mut self, name: &str, holds: bool) {
        self.tell(name, holds, "");
    }

    /// The next event of which this holds.
    async fn event(&mut self, name: &str, wanted: impl Fn(&EventPayload) -> bool) -> Option<EventPayload> {
        let events = &mut self.events;
        let found = async {
            loop {
                let event = events.recv().await?;
                if wanted(&event) {
                    return Some(event);
                }
            }
        };
        let found = self.clock.timeout(PATIENCE, found).await.ok().flatten();
        let why = found.as_ref().map_or("it did not come".to_owned(), |event| format!("{event:?}"));
        self.tell(&format!("event {name}"), found.is_some(), &why);
        found
    }

    async fn send(&self, to: &ConversationId, what: SayablePayload) -> Result<Sent> {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.sends.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        self.puppet.send(Outgoing::new(IdempotencyKey::from_bytes(key), to.clone(), Arc::new(what))).await
    }

    /// The file of the next message that has one.
    async fn file(&mut self, name: &str, length: usize) {
        let puppet = self.puppet.clone();
        let Some(loader) = puppet.loader() else { return self.check("loader", false) };
        // The host may have said something else once more before it heard us.
        let message = loop {
            let next = self.event("message with a file", |event| matches!(event, EventPayload::Message(_))).await;
            let Some(EventPayload::Message(message)) = next else { return };
            self.requests += 1;
            match loader.message(&message.message_id).await {
                Ok(payload) if payload.kind == MessageType::Text => {}
                _ => break message,
            }
        };
        let Some(media) = puppet.media() else { return self.check("media", false) };
        let file = media.file(&message.message_id).await;
        let Some(file) = self.line("MessageFile", file) else { return };
        for _ in 0..2 {
            let bytes = file.to_bytes().await.map(|bytes| bytes.len()).unwrap_or_default();
            self.check(&format!("{name} has its {length} bytes ({bytes})"), bytes == length && file.name() == name);
        }
    }
}

macro_rules! call {
    ($walk:ident, $name:literal, $group:ident.$method:ident($($arg:expr),*)) => {{
        let puppet = $walk.puppet.clone();
        match puppet.$group() {
            Some(group) => { let result = group.$method($($arg),*).await; $walk.line($name, result) }
            None => { $walk.check(concat!($name, " is there"), false); None }
        }
    }};
}

async fn walk(walk: &mut Walk) -> Option<()> {
    let (alice, room) = (ContactId::from("alice"), "tea@room".into());
    let to = ConversationId::Contact(alice.clone());
    walk.event("login", |event| matches!(event, EventPayload::Login(_))).await?;
    let message = walk.event("message", |event| matches!(event, EventPayload::Message(_))).await?;
    let EventPayload::Message(message) = message else { return None };
    let payload = call!(walk, "MessagePayload", loader.message(&message.message_id))?;
    walk.check("it says ping", payload.text.as_deref() == Some("ping") && payload.talker_id == alice);
    call!(walk, "ContactList", directory.contacts());
    call!(walk, "ContactPayload", loader.contact(&alice));
    call!(walk, "RoomList", directory.rooms());
    let tea = call!(walk, "RoomPayload", loader.room(&room));
    walk.check("three members", tea.is_some_and(|tea| tea.member_id_list.len() == 3));
    call!(walk, "RoomMemberList", directory.room_members(&room));
    call!(walk, "RoomMemberPayload", loader.room_member(&room, &alice));
    let sent = walk.send(&to, SayablePayload::text("pong")).await;
    walk.line("MessageSendText", sent);
    walk.file("small.txt", 12).await;
    walk.file("large.bin", 3 * 1024 * 1024 + 17).await;
    walk.event("room-topic", |event| matches!(event, EventPayload::RoomTopic(_))).await;
    let file = |bytes: usize, name: &str| FilePayload { file: FileBox::from_bytes(vec![7; bytes], name) };
    for what in [
        SayablePayload::Attachment(file(5, "five.txt")),
        SayablePayload::Image(file(1 << 20, "mebibyte.png")),
        SayablePayload::Contact(ContactCard { contact_id: "bob".into() }),
        SayablePayload::Url(UrlLinkPayload {
            url: "https://wechaty.js.org".into(),
            title: "Wechaty".into(),
            description: None,
            thumbnail_url: None,
        }),
        SayablePayload::MiniProgram(MiniProgramPayload { appid: Some("wx1".into()), ..Default::default() }),
        SayablePayload::Location(LocationPayload {
            accuracy: 1.0,
            address: "somewhere".into(),
            latitude: 1.5,
            longitude: 2.5,
            name: "there".into(),
        }),
        SayablePayload::Forward(ForwardPayload { message_id: message.message_id.clone() }),
    ] {
        let name = format!("MessageSend {}", what.kind());
        let sent = walk.send(&to, what).await;
        let sent = walk.line(&name, sent);
        walk.check("it has an id", sent.is_some_and(|sent| sent.id.is_some()));
    }
    let unknown = call!(walk, "MessageContact", media.contact(&message.message_id));
    walk.check("the card is alice's", unknown == Some(alice.clone()));
    call!(walk, "MessageUrl", media.url(&message.message_id));
    call!(walk, "MessageMiniProgram", media.mini_program(&message.message_id));
    call!(walk, "MessageLocation", media.location(&message.message_id));
    call!(walk, "MessageImage", media.image(&message.message_id, wechaty_puppet::ImageType::Artwork));
    call!(walk, "MessageRecall", recall.recall(&MessageId::from("sent-1")));
    let stale = DirtyEvent { payload_type: DirtyType::Contact, payload_id: alice.to_string() };
    call!(walk, "ContactAlias", contact_profile.set_alias(&alice, Some("Al")));
    let result = walk.puppet.stale(stale).await;
    walk.line("DirtyPayload", result);
    walk.event("dirty", |event| matches!(event, EventPayload::Dirty(dirty) if dirty.payload_id == "alice")).await;
    let fresh = call!(walk, "ContactPayload", loader.contact(&alice));
    walk.check("the alias is fresh", fresh.is_some_and(|fresh| fresh.alias.as_deref() == Some("Al")));
    call!(walk, "ContactPhone", contact_profile.set_phone(&alice, &["123".to_owned()]));
    call!(walk, "ContactDescription", contact_profile.set_description(&alice, Some("words")));
    call!(walk, "ContactCorporationRemark", contact_profile.set_corporation(&alice, Some("words")));
    call!(walk, "ContactAvatar", contact_profile.avatar(&alice));
    call!(walk, "ContactAvatar set", self_profile.set_avatar(FileBox::from_bytes(vec![7; 100_000], "me.png")));
    call!(walk, "ContactSelfName", self_profile.set_name("Robot"));
    call!(walk, "ContactSelfSignature", self_profile.set_signature("beep"));
    call!(walk, "ContactSelfQRCode", self_profile.qr_code());
    call!(
        walk,
        "FriendshipAdd",
        friendships.add(&alice, FriendRequest { hello: Some("hi".into()), ..Default::default() })
    );
    call!(walk, "FriendshipAccept", friendships.accept(&"f".into()));
    let found = call!(walk, "FriendshipSearchPhone", friendships.search_phone("123"));
    walk.check("the phone is alice's", found == Some(Some(alice.clone())));
    call!(walk, "FriendshipSearchHandle", friendships.search_handle("nobody"));
    call!(walk, "RoomCreate", rooms.create(std::slice::from_ref(&alice), Some("New")));
    call!(walk, "RoomAdd", rooms.add(&room, &["bob".into()], false));
    call!(walk, "RoomDel", rooms.remove(&room, &["bob".into()]));
    call!(walk, "RoomTopic", rooms.set_topic(&room, "Black tea"));
    call!(walk, "RoomAnnounce", rooms.announce(&room));
    call!(walk, "RoomAnnounce set", rooms.set_announce(&room, "news"));
    call!(walk, "RoomQRCode", rooms.qr_code(&room));
    let picture = call!(walk, "RoomAvatar", rooms.avatar(&room));
    let length = match picture {
        Some(picture) => picture.to_bytes().await.map(|bytes| bytes.len()).unwrap_or_default(),
        None => 0,
    };
    walk.check("the picture has its bytes", length == 3 * 1024 * 1024 + 17);
    call!(walk, "RoomQuit", rooms.quit(&room));
    call!(walk, "RoomInvitationAccept", room_invitations.accept(&"i".into()));
    call!(walk, "TagContactAdd", tags.add(&"vip".into(), &alice));
    call!(walk, "TagContactRemove", tags.remove(&"vip".into(), &alice));
    call!(walk, "TagContactDelete", tags.delete(&"vip".into()));
    call!(walk, "TagContactList", tags.list(None));
    let ding = walk.puppet.ding(Some("data".into())).await;
    walk.line("Ding", ding);
    walk.event("dong", |event| matches!(event, EventPayload::Dong(dong) if dong.data.as_deref() == Some("data"))).await;
    call!(walk, "Logout", login.logout(None));
    walk.event("logout", |event| matches!(event, EventPayload::Logout(_))).await;
    Some(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::new().complete(DECLARATION.settings, |name| std::env::var(name).ok());
    let puppet = match (DECLARATION.build)(&settings) {
        Ok(puppet) => puppet,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let (sender, events) = mpsc::unbounded_channel();
    let (clock, cancel) = (Clock::system(), CancellationToken::new());
    let cx = PuppetContext::new(
        "peer".into(),
        Arc::new(Sink(sender)),
        Arc::new(NoSession),
        clock.clone(),
        cancel.clone(),
        None,
    );
    let running = tokio::spawn({
        let puppet = puppet.clone();
        async move { puppet.run(cx).await }
    });
    let mut all = Walk { puppet, events, clock, passed: 0, failed: 0, requests: 0, sends: AtomicU64::new(0) };
    let through = tokio::select! {
        through = walk(&mut all) => through.is_some(),
        ended = running => {
            eprintln!("the run ended: {ended:?}");
            false
        }
    };
    cancel.cancel();
    // Without its end, the counts are no end either.
    if through {
        println!("{}", serde_json::json!({ "passed": all.passed, "failed": all.failed, "requests": all.requests }));
    }
    if through && all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
