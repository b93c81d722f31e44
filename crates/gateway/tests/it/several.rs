//! Several accounts behind one door, each with its own token: nobody sees anything of the other.

use std::sync::Arc;

use tonic::Code;
use wechaty::{Bot, Clock, store::MemoryStore};
use wechaty_gateway::{Calls, Tenant, TenantOptions};
use wechaty_grpc::{PuppetClient, pb};
use wechaty_puppet::{ContactPayload, PuppetError};
use wechaty_puppet_mock::{MockPuppet, World};

use crate::support::{Heard, OURS, TYPESCRIPT, WORLD, Wire, client, listen, start};

const SHOP: &str = "shop_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
const CLUB: &str = "club_0c2e8d3a-5d3b-4a6e-9d0f-3f1c8f7b2a11";
const MESSAGE: i32 = 2;
const DONG: i32 = 3;
const LOGOUT: i32 = 26;
const READY: i32 = 23;
const LOGIN: i32 = 25;
const ERROR: i32 = 16;

struct Gateway {
    bot: Bot,
    tenants: Vec<Arc<Tenant>>,
    shop: MockPuppet,
    club: MockPuppet,
    calls: Calls,
    folder: Arc<tempfile::TempDir>,
}

/// Two accounts in equal worlds, whose ids are the same, too.
fn gateway() -> Gateway {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    again(Arc::default(), folder)
}

fn again(store: Arc<MemoryStore>, folder: Arc<tempfile::TempDir>) -> Gateway {
    let puppet = || MockPuppet::builder(World::from_json(WORLD).expect("a world")).ids_only(true).build();
    let (shop, club) = (puppet(), puppet());
    let bot = wechaty::BotBuilder::new().account("shop", shop.clone()).account("club", club.clone());
    let bot = bot.name("several").folder(folder.path()).store(store).build().expect("a bot");
    let tenants = Tenant::all(&bot, &TenantOptions::new(folder.path())).expect("tenants");
    let calls = Calls::new(tenants.clone(), &Clock::system(), &wechaty_puppet::CancellationToken::new());
    Gateway { bot, tenants, shop, club, calls, folder }
}

impl Gateway {
    fn client(&self, token: &'static str, user_agent: &'static str) -> PuppetClient<Wire> {
        client(&self.calls, &[SHOP, CLUB], token, user_agent)
    }

    /// Both accounts, with a published client each.
    async fn both(&self) -> [(PuppetClient<Wire>, Heard); 2] {
        let mut both = Vec::new();
        for token in [SHOP, CLUB] {
            let client = self.client(token, TYPESCRIPT);
            let mut events = start(&client).await;
            events.until(READY).await;
            both.push((client, events));
        }
        both.try_into().ok().expect("two")
    }
}

/// What comes before the dong of this ding.
async fn up_to_dong(client: &mut PuppetClient<Wire>, events: &mut Heard, data: &str) -> Vec<(i32, serde_json::Value)> {
    client.ding(pb::DingRequest { data: data.into() }).await.expect("a ding");
    let mut heard = Vec::new();
    loop {
        match events.next().await {
            (DONG, payload) if payload["data"] == data => return heard,
            event => heard.push(event),
        }
    }
}

fn is_message((number, _): &(i32, serde_json::Value)) -> bool {
    *number == MESSAGE
}

#[tokio::test]
async fn nobody_sees_events_messages_contacts_or_files_of_the_other() {
    let gateway = gateway();
    let [(mut shop, mut shop_events), (mut club, mut club_events)] = gateway.both().await;
    let said = gateway.shop.says("c-alice", "for the shop alone").expect("said");
    let event = shop_events.until(MESSAGE).await;
    assert_eq!(event["messageId"], said.as_str());
    let payload = pb::MessagePayloadRequest { id: said.to_string() };
    assert_eq!(shop.message_payload(payload.clone()).await.expect("its own").into_inner().text, "for the shop alone");
    let other = club.message_payload(payload).await.map(|answer| answer.into_inner().text);
    assert_ne!(
        other.ok().as_deref(),
        Some("for the shop alone"),
        "the worlds number alike, what they say is another's"
    );
    assert!(!up_to_dong(&mut club, &mut club_events, "anything?").await.iter().any(is_message));

    gateway.club.add_contact(ContactPayload::new("c-member", "A member")).expect("a contact");
    let contact = pb::ContactPayloadRequest { id: "c-member".into() };
    assert_eq!(club.contact_payload(contact.clone()).await.expect("its own").into_inner().name, "A member");
    assert_eq!(shop.contact_payload(contact).await.expect_err("another's").code(), Code::NotFound);
    let ids = shop.contact_list(pb::ContactListRequest {}).await.expect("contacts").into_inner().ids;
    assert!(!ids.contains(&"c-member".to_owned()));

    let piece = pb::UploadRequest { chunk: b"a secret of the shop"[..].into() };
    let id = shop.upload(futures_util::stream::iter([piece])).await.expect("uploaded").into_inner().id;
    let stolen = club.download(pb::DownloadRequest { id: id.clone() }).await;
    assert_eq!(stolen.expect_err("another's file").code(), Code::NotFound);
    let file_box = serde_json::json!({ "type": 7, "boxType": 7, "name": "s.txt", "uuid": id }).to_string();
    let send = pb::MessageSendFileRequest { conversation_id: "c-alice".into(), file_box };
    club.message_send_file(send).await.expect_err("another's file");
    let mut down = shop.download(pb::DownloadRequest { id }).await.expect("its own").into_inner();
    assert_eq!(down.message().await.expect("a piece").expect("bytes").chunk, &b"a secret of the shop"[..]);

    let text = pb::MessageSendTextRequest {
        conversation_id: "c-alice".into(),
        text: "from the club".into(),
        mentional_ids: vec![],
    };
    club.message_send_text(text).await.expect("sent");
    let texts = |puppet: &MockPuppet| -> Vec<Option<String>> {
        puppet.sent().into_iter().map(|sent| sent.what.as_text().map(str::to_owned)).collect()
    };
    assert_eq!((texts(&gateway.shop), texts(&gateway.club)), (vec![], vec![Some("from the club".to_owned())]));
    assert!(!up_to_dong(&mut shop, &mut shop_events, "anything?").await.iter().any(is_message));
    gateway.bot.stop().await.expect("it stops");
}

#[tokio::test]
async fn one_that_logs_out_fails_or_stops_does_not_disturb_the_other() {
    let gateway = gateway();
    let [(shop, mut shop_events), (mut club, mut club_events)] = gateway.both().await;
    shop.logout(pb::LogoutRequest::default()).await.expect("logged out");
    shop_events.until(LOGOUT).await;
    let quiet = |heard: &[(i32, serde_json::Value)]| !heard.iter().any(|(number, _)| [LOGOUT, ERROR].contains(number));
    assert!(quiet(&up_to_dong(&mut club, &mut club_events, "one").await));

    shop.stop(pb::StopRequest {}).await.expect("stopped");
    let [shop_tenant, club_tenant] = [&gateway.tenants[0], &gateway.tenants[1]];
    assert!(!shop_tenant.is_listened_to() && club_tenant.is_listened_to());
    assert!(!shop_tenant.account().is_logged_in() && club_tenant.account().is_logged_in());
    assert!(quiet(&up_to_dong(&mut club, &mut club_events, "two").await));
    let said = gateway.club.says("c-bob", "still there?").expect("said");
    assert_eq!(club_events.until(MESSAGE).await["messageId"], said.as_str());

    let mut shop_events = start(&shop).await;
    assert_eq!(shop_events.until(LOGIN).await["contactId"], "bot-self");
    shop_events.until(READY).await;
    let why = PuppetError::LoginRefused { reason: "banned".into() };
    gateway.shop.run_fails(why).expect("it runs");
    shop_events.until(ERROR).await;
    assert!(quiet(&up_to_dong(&mut club, &mut club_events, "three").await));
    gateway.bot.stop().await.expect("it stops");
}

#[tokio::test]
async fn what_waits_for_one_client_outlives_the_gateway_and_goes_to_that_one_alone() {
    let store: Arc<MemoryStore> = Arc::default();
    let before = again(store.clone(), Arc::new(tempfile::tempdir().expect("a folder")));
    let [(_, _), (club, _)] = before.both().await;
    let said = before.shop.says("c-alice", "while nobody looks").expect("said");
    while before.bot.ledger().await.expect("the books").inbound.pending < 1 {
        tokio::task::yield_now().await;
    }
    club.stop(pb::StopRequest {}).await.expect("stopped");
    before.bot.stop().await.expect("it stops");

    let after = again(store, before.folder);
    for tenant in &after.tenants {
        tenant.resume().await;
    }
    let logged_in = |at: usize| after.tenants[at].account().state() != wechaty::AccountState::Stopped;
    assert_eq!((logged_in(0), logged_in(1)), (true, false), "each as its client left it");
    let mut club = after.client(CLUB, OURS);
    let mut club_events = start(&club).await;
    club_events.until(READY).await;
    let shop = after.client(SHOP, OURS);
    let mut shop_events = listen(&shop).await;
    assert_eq!(shop_events.until(MESSAGE).await["messageId"], said.as_str());
    assert!(!up_to_dong(&mut club, &mut club_events, "anything?").await.iter().any(is_message));
    after.bot.stop().await.expect("it stops");
}
