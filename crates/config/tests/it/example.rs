//! Files that are right, and the bots they make.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use wechaty::{OutboxPolicy, VirtualClock, store::MemoryStore, types::AccountId};
use wechaty_config::{Config, Env, Flags};
use wechaty_puppet::Settings;

use crate::support::{Folder, catalogue};

/// The example of the design, on the mock puppet.
const EXAMPLE: &str = r#"version = 1
name = "front-desk"            # its store lies beside this file
timezone = "Asia/Shanghai"     # for every cron; never the host's silently
owners = ["shop:ou_123"]
[[account]]
id = "shop"
puppet = "mock"
world = "world.json"
[[plugin]]                     # file order = dispatch order
use = "auto-reply"
id = "vip"
accounts = ["shop"]
rooms = { re = "^VIP" }
settings = { rules = [{ contains = "课表", reply = "见群公告" }] }
"#;

const WORLD: &str = r#"{
  "version": 1, "name": "school", "self": "bot",
  "contacts": [{ "id": "bot", "name": "Bot" }, { "id": "mei", "name": "Mei", "friend": true }],
  "rooms": [
    { "id": "vip@room", "topic": "VIP 一班", "ownerId": "mei", "memberIdList": ["bot", "mei"] },
    { "id": "other@room", "topic": "二班", "ownerId": "mei", "memberIdList": ["bot", "mei"] }
  ],
  "messages": [
    { "id": "m1", "type": "Text", "talkerId": "mei", "roomId": "other@room", "text": "课表?", "timestamp": 1600000001000 },
    { "id": "m2", "type": "Text", "talkerId": "mei", "roomId": "vip@room", "text": "课表在哪里？", "timestamp": 1600000002000 },
    { "id": "m3", "type": "Text", "talkerId": "mei", "listenerId": "bot", "text": "课表", "timestamp": 1600000003000 }
  ],
  "timeline": [
    { "at": 100, "event": "login", "payload": { "contactId": "bot" } },
    { "at": 200, "event": "ready", "payload": { "data": "ready" } },
    { "at": 1000, "event": "message", "payload": { "messageId": "m1" } },
    { "at": 2000, "event": "message", "payload": { "messageId": "m2" } },
    { "at": 3000, "event": "message", "payload": { "messageId": "m3" } }
  ]
}"#;

/// What a bot says until nothing is left to happen: conversation and text.
async fn plays(config: &Config) -> Vec<(String, String)> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let (book, clock) = (said.clone(), VirtualClock::new());
    // Simulated time begins anew each time, and so does what is stored.
    let builder = config.builder().unwrap().store(Arc::new(MemoryStore::new())).clock(clock.clone());
    let builder = builder.observe_sends(move |sent| {
        book.lock().unwrap().push((sent.row.to.as_str().to_owned(), sent.row.what.fallback_text().to_string()));
    });
    let bot = builder.start().await.unwrap();
    while clock.now() < Duration::from_secs(60) {
        for _ in 0..256 {
            tokio::task::yield_now().await;
        }
        if !clock.advance_to_next() && bot.is_idle() {
            break;
        }
    }
    bot.stop().await.unwrap();
    std::mem::take(&mut *said.lock().unwrap())
}

#[tokio::test]
async fn the_example_of_the_design_answers_in_vip_rooms_and_nowhere_else() {
    let folder = Folder::new(EXAMPLE);
    folder.write("world.json", WORLD);
    let config = Config::load(folder.path().join(Config::FILE), &Env::of([("A", "")])).unwrap();
    assert_eq!((config.name(), config.timezone()), (Some("front-desk"), "Asia/Shanghai"));
    let bot = config.builder().unwrap().build().unwrap();
    assert_eq!((bot.timezone(), bot.owners()), ("Asia/Shanghai", config.owners()));
    assert_eq!(bot.owners()[0].contact.as_str(), "ou_123");
    assert_eq!((config.folder(), config.plugins()[0].id.as_str()), (folder.path().as_path(), "vip"));
    assert_eq!(plays(&config).await, [("vip@room".to_owned(), "见群公告".to_owned())]);
}

#[tokio::test]
async fn rooms_are_those_it_names_all_or_none_at_all() {
    for (rooms, places) in [
        ("\"vip@room\"", &["vip@room"][..]),
        ("true", &["other@room", "vip@room"]),
        ("false", &["mei"]),
        ("[]", &["mei"]),
    ] {
        let folder = Folder::new(&EXAMPLE.replace("{ re = \"^VIP\" }", rooms));
        folder.write("world.json", WORLD);
        let said = plays(&folder.load(&[]).unwrap()).await;
        let said: Vec<_> = said.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(said, places, "rooms = {rooms}");
    }
}

#[tokio::test]
async fn a_file_from_notepad_is_fine() {
    let text = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n").replace(" = ", "\t=\t"));
    let folder = Folder::new(&text);
    folder.write("world.json", WORLD);
    let config = folder.load(&[]).unwrap();
    assert_eq!(plays(&config).await.len(), 1);
}

#[tokio::test]
async fn two_instances_of_one_plugin_work_in_the_order_of_the_file() {
    let text = EXAMPLE.to_owned()
        + r#"
[[plugin]]
use = "auto-reply"
people = { text = "Mei" }
settings = { rules = [{ contains = "课表", reply = "{name}, ask the teacher" }] }
[[plugin]]
use = "ding-dong"
enabled = false
"#;
    let folder = Folder::new(&text);
    folder.write("world.json", WORLD);
    let config = folder.load(&[]).unwrap();
    let said = plays(&config).await;
    let said: Vec<_> = said.iter().map(|(to, text)| (to.as_str(), text.as_str())).collect();
    let asks = "Mei, ask the teacher";
    assert_eq!(said, [("other@room", asks), ("vip@room", "见群公告"), ("mei", asks)]);
    let names: Vec<_> =
        config.builder().unwrap().build().unwrap().plugins().iter().map(|p| p.name.to_string()).collect();
    assert_eq!(names, ["vip", "auto-reply"]);
}

#[test]
fn sections_have_their_effects() {
    let text = r#"version = 1
[[account]]
id = "a"
puppet = "shop"
app_id = "cli_a1"
app_secret = { file = "secret.txt" }
token = "t"
retries = 3
loud = true
mode = "webhook"
session = "session"
pacing = { burst = 5, in_doubt = "resend", kinds = { Image = 0.5 } }
adopt_identity = true
[[account]]
id = "b"
puppet = "wechaty-puppet-mock"
[pacing]
per_second = 2
attempts = 3
max_backoff = "2m"
backoff = 0.25
kinds = { Image = 2, Video = 0.1 }
[http]
listen = "127.0.0.1:9090"
next_free_port = false
hosts = ["bot.example"]
timeout = "5s"
connections = 10
[store]
path = "."
"#;
    let folder = Folder::new(text);
    folder.write("secret.txt", "s3cret\r\n");
    let config = folder.load(&[]).unwrap();
    let [a, b] = config.accounts() else { panic!("two accounts") };
    assert_eq!((a.id.clone(), b.id.clone()), (AccountId::new("a"), AccountId::new("b")));
    assert_eq!((a.settings.get("app_secret"), a.settings.get("retries")), (Some("s3cret"), Some("3")));
    assert_eq!((a.settings.get("loud"), a.settings.get("mode")), (Some("true"), Some("webhook")));
    let session = folder.path().join("session");
    assert_eq!(a.settings.get("session"), session.to_str());
    assert!(a.adopt_identity && !b.adopt_identity);
    let all = config.pacing().over(OutboxPolicy::default());
    assert_eq!((all.per_second, all.attempts, all.burst), (Some(2.0), 3, 1));
    assert_eq!((all.backoff, all.max_backoff), (Duration::from_millis(250), Duration::from_secs(120)));
    let own = a.pacing.as_ref().unwrap().over(all);
    assert_eq!((own.per_second, own.burst, own.in_doubt), (Some(2.0), 5, wechaty::InDoubt::Resend));
    let paces = own.kinds.iter().map(|(kind, pace)| (kind.as_str(), *pace)).collect::<Vec<_>>();
    assert_eq!(paces, [("Image", 0.5), ("Video", 0.1)]);
    let http = config.http();
    assert_eq!((http.listen.to_string().as_str(), http.next_free_port), ("127.0.0.1:9090", false));
    assert_eq!(
        (http.hosts.as_slice(), http.timeout, http.connections),
        (&["bot.example".to_owned()][..], Duration::from_secs(5), 10)
    );
    assert!(config.builder().is_ok());
}

const SHOP: &str =
    "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"file\"\napp_secret = \"file\"\n";

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let get = |config: &Config, key: &str| config.accounts()[0].settings.get(key).map(str::to_owned);
    let folder = Folder::new(SHOP);
    assert_eq!(get(&folder.load(&[]).unwrap(), "app_id").as_deref(), Some("file"));
    let env = [("SHOP_APP_ID", "env"), ("WECHATY_NAME", "named"), ("WECHATY_PORT", "7070")];
    let config = folder.load(&env).unwrap();
    assert_eq!((get(&config, "app_id").as_deref(), config.name()), (Some("env"), Some("named")));
    assert_eq!(config.http().listen.port(), 7070);
    let mut flags = Flags::default();
    flags.settings = Settings::new().set("app_id", "flag");
    flags.listen = Some("127.0.0.1:1".parse().unwrap());
    let config = folder.load_with(&env, &flags).unwrap();
    assert_eq!((get(&config, "app_id").as_deref(), config.http().listen.port()), (Some("flag"), 1));
    // Set on the command line, the environment, `.env`: the first wins.
    folder.write(".env", "SHOP_APP_ID=dotenv\nSHOP_RETRIES=7\n");
    assert_eq!(get(&folder.load(&env).unwrap(), "app_id").as_deref(), Some("env"));
    let config = folder.load(&[]).unwrap();
    assert_eq!((get(&config, "app_id").as_deref(), get(&config, "retries").as_deref()), (Some("dotenv"), Some("7")));
}

#[test]
fn a_variable_does_not_give_two_accounts_the_same_secret() {
    let second = "[[account]]\nid = \"b\"\npuppet = \"shop\"\napp_id = \"b\"\n";
    let config = Folder::new(&format!("{SHOP}{second}")).load(&[("SHOP_SECRET", "env")]).unwrap();
    let secrets: Vec<_> = config.accounts().iter().map(|account| account.settings.get("app_secret")).collect();
    assert_eq!(secrets, [Some("file"), Some("env")]);
}

#[test]
fn another_puppet_can_take_the_place_of_the_first_account() {
    let text = "version = 1\nowners = [\"a:me\"]\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_secret = { env = \"NOT_SET\" }\n";
    let folder = Folder::new(text);
    assert!(folder.load(&[]).is_err());
    let mut flags = Flags::default();
    flags.puppet = Some("terminal".to_owned());
    let config = folder.load_with(&[], &flags).unwrap();
    assert_eq!((config.accounts()[0].id.as_str(), config.accounts()[0].puppet.platform.as_str()), ("a", "terminal"));
    let none = Folder::new("version = 1\n").load(&[("WECHATY_PUPPET", "wechaty-puppet-Mock")]).unwrap();
    assert_eq!(none.accounts()[0].id.as_str(), "default");
    let wrong = Folder::new("version = 1\n").load(&[("WECHATY_PUPPET", "mokc")]).unwrap_err();
    let names: Vec<String> = catalogue().puppets.iter().map(|puppet| format!("`{}`", puppet.platform)).collect();
    let expected = format!(
        "$WECHATY_PUPPET: C009 there is no puppet `mokc`; there are {}; did you mean `mock`?",
        names.join(", ")
    );
    assert_eq!(wrong.to_string(), expected);
}

#[test]
fn the_examples_of_all_plugins_are_right() {
    for plugin in catalogue().plugins {
        let text = format!(
            "version = 1\ntimezone = \"UTC\"\n[[account]]\nid = \"a\"\npuppet = \"mock\"\n[[plugin]]\nuse = \"{}\"\n{}\n",
            plugin.name, plugin.example
        );
        let config = Folder::new(&text).load(&[]).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(config.builder().is_ok(), "{}", plugin.name);
    }
}

#[test]
fn a_store_has_its_key_from_the_environment_and_shows_it_nowhere() {
    let text = "version = 1\nname = \"desk\"\n[[account]]\nid = \"t\"\npuppet = \"terminal\"\n[store]\nkey = { env = \"STORE_KEY\" }\nwords = false\ndays = 7\nrecords = 1000\n";
    let config = Folder::new(text).load(&[("STORE_KEY", "canary-of-a-long-random-text")]).expect("it is fine");
    assert!(!format!("{config:?}").contains("canary"), "the key is in the debug form");
    let problems = Folder::new(text).load(&[]).expect_err("the variable is not set");
    assert!(problems.to_string().contains("C019"), "{problems}");
}
