//! Accounts are added to files as people have them, and refused without a trace.

use std::sync::Arc;

use wechaty_puppet::{CheckError, PlatformName, PuppetError};
use wechaty_puppet_terminal::TerminalPuppet;

use super::*;

const SECRET: &str = "s3cret '$\"\\ canary";

const fn setting(key: &'static str, kind: SettingKind, required: bool) -> Setting {
    Setting { key, kind, required, default: None, env: &[], help: "a setting of the tests" }
}

const SHOP: Declaration = Declaration {
    platform: PlatformName::new("shop"),
    summary: "a puppet of the tests",
    docs: "https://example.invalid/shop",
    live: wechaty_puppet::Live::Never,
    settings: &[
        setting("app_id", SettingKind::Text, true),
        setting("app_secret", SettingKind::Secret, true),
        setting("retries", SettingKind::Integer, false),
    ],
    capabilities: wechaty_puppet_terminal::DECLARATION.capabilities,
    lacks: &[],
    build: |settings| match settings.require("app_secret")? {
        "wrong" => Err(SettingsError::Invalid { key: "app_secret", reason: "wrong is not right".into() }),
        _ => Ok(Arc::new(TerminalPuppet::stdio(Lang::En))),
    },
    check: Some(|settings, _| {
        Box::pin(async move {
            match (settings.get("app_id").unwrap_or_default(), settings.get("app_secret").unwrap_or_default()) {
                ("later", _) => Ok(None),
                ("away", secret) => Err(CheckError::Unasked(PuppetError::Protocol {
                    context: "checking",
                    detail: format!("nobody is there for {secret}"),
                })),
                ("stranger", secret) => Err(CheckError::Refused(SettingsError::Invalid {
                    key: "app_id",
                    reason: format!("unknown, and so is {secret}").into(),
                })),
                (id, _) => Ok(Some(format!("the shop {id}").into())),
            }
        })
    }),
};

struct Bot {
    folder: tempfile::TempDir,
    catalogue: Catalogue,
}

impl Bot {
    fn new(text: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(text) = text {
            fs::write(folder.path().join("BOT.toml"), text).expect("written");
        }
        let mut catalogue = Catalogue::default();
        catalogue.puppets.push(SHOP);
        Self { folder, catalogue }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("BOT.toml")
    }
    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }
    fn add(&self, id: &str, set: &[&str]) -> Result<Vec<String>, String> {
        self.add_named(id, set, None).map(|added| added.secrets)
    }
    /// As `account add` does it: with a name, too, where the file is new.
    fn add_named(&self, id: &str, set: &[&str], name: Option<&str>) -> Result<Added, String> {
        let set: Vec<String> = set.iter().map(|&pair| pair.to_owned()).collect();
        let input = format!("{SECRET}\n");
        let done = ask::given(&set, &SHOP, &mut input.as_bytes()).and_then(|values| {
            let mut file = File::read(&self.path(), Lang::En)?;
            file.is_free(id)?;
            file.name(&self.catalogue, name.map(str::to_owned), false, Lang::En)?;
            add(&self.catalogue, file, &SHOP, id, &values, Lang::En)
        });
        done.map_err(|failure| {
            let told = failure.render(Lang::En, false);
            assert!(!told.contains("canary"), "{told}");
            told
        })
    }
}

#[test]
fn an_account_goes_into_a_new_file_and_its_secret_into_another_that_only_its_owner_reads() {
    let bot = Bot::new(None);
    let added = bot.add_named("front-desk", &["app_id=cli_a1", "app_secret=-", "retries=3"], Some("school"));
    let added = added.expect("added");
    assert_eq!(added.secrets, ["WECHATY_FRONT_DESK_APP_SECRET"]);
    assert_eq!(
        bot.read("BOT.toml"),
        "version = 1\nname = \"school\"  # what it has to remember is kept in a file of that name, beside this one\n\n\
         [[account]]\nid = \"front-desk\"\npuppet = \"shop\"\napp_id = \"cli_a1\"\n\
         app_secret = { env = \"WECHATY_FRONT_DESK_APP_SECRET\" }\nretries = 3\n\n\
         # What it does, for a start: it answers `ding` with `dong`. `wechaty plugin list` tells what else there is.\n\
         [[plugin]]\nuse = \"ding-dong\"\n"
    );
    assert_eq!(missing(&added.config, Lang::En), [] as [&str; 0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(bot.folder.path().join(ENV)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let config = bot.catalogue.load(bot.path(), &Env::of::<&str, &str>([]), &Flags::default()).expect("fine");
    assert_eq!(config.accounts()[0].settings.get("app_secret"), Some(SECRET));
    assert!(super::super::in_words(&config.accounts()[0], Lang::En).contains("app_id = cli_a1, app_secret is set"));
    assert!(!super::super::as_json(&config.accounts()[0]).to_string().contains("canary"));
    assert_eq!(fs::read_dir(bot.folder.path()).expect("a folder").count(), 3, "something is left over");
    assert_eq!(bot.read(".gitignore"), ".env\n");
}

#[test]
fn a_new_bot_is_called_like_its_folder_and_another_keeps_what_it_has_and_is_told_what_it_lacks() {
    let called = |name: &str| {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join(name);
        fs::create_dir(&folder).expect("made");
        let mut file = File::read(&folder.join("BOT.toml"), Lang::En).expect("new");
        file.name(&Catalogue::default(), None, false, Lang::En).expect("a name");
        file.document["name"].as_str().expect("a name").to_owned()
    };
    for (folder, name) in [("front desk", "front-desk"), (".家校", "家校"), ("...", "bot"), ("a\"b:c", "a-b-c")] {
        assert_eq!(called(folder), name);
    }
    assert_eq!(called(&"词".repeat(80)).chars().count(), LONGEST_NAME);
    let new = Bot::new(None);
    let told = new.add_named("a", &["app_id=x", "app_secret=-"], Some("a b")).expect_err("a space");
    assert!(told.contains("[C026] name: `a b`") && new.read("BOT.toml").is_empty(), "{told}");

    let text = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"terminal\"\n";
    let bot = Bot::new(Some(text));
    let told = bot.add_named("b", &["app_id=x", "app_secret=-"], Some("desk")).expect_err("not new");
    assert!(told.contains("[W202]") && bot.read("BOT.toml") == text, "{told}");
    let added = bot.add_named("b", &["app_id=x", "app_secret=-"], None).expect("added");
    let after = bot.read("BOT.toml");
    assert!(after.starts_with(text) && !after.contains("name =") && !after.contains("[[plugin]]"), "{after}");
    for (lang, name, plugin) in
        [(Lang::En, "has no `name`", "no [[plugin]]"), (Lang::Zh, "没有 `name`", "没有启用任何")]
    {
        let told = missing(&added.config, lang).join("\n");
        assert!(told.contains(name) && told.contains(plugin) && told.contains("BOT.toml"), "{told}");
    }
}

#[test]
fn comments_layout_and_line_ends_are_kept() {
    let before = "\u{feff}# mine\r\nversion = 1   # one\r\n\r\n[[account]] # here\r\nid = \"a\"\r\npuppet = \"terminal\"\r\n\r\n\
                  # plugins\r\n[[plugin]]\r\nuse    = \"ding-dong\"\r\n# end\r\n";
    let bot = Bot::new(Some(before));
    fs::write(bot.folder.path().join(ENV), "# mine\nA=1").expect("written");
    bot.add("b", &["app_id=x", "app_secret=-"]).expect("added");
    let block = "\r\n[[account]]\r\nid = \"b\"\r\npuppet = \"shop\"\r\napp_id = \"x\"\r\n\
                 app_secret = { env = \"WECHATY_B_APP_SECRET\" }\r\n";
    let after = bot.read("BOT.toml");
    assert!(after.contains(block), "{after}");
    assert_eq!(after.replace(block, ""), before);
    assert!(bot.read(ENV).starts_with("# mine\nA=1\nWECHATY_B_APP_SECRET="));
}

#[test]
fn accounts_in_one_list_get_another() {
    let bot = Bot::new(Some("version = 1\naccount = [{ id = \"a\", puppet = \"terminal\" }]\n"));
    assert!(bot.add("a", &["app_id=x", "app_secret=-"]).expect_err("taken").contains("[W201]"));
    bot.add("b", &["app_id=x", "app_secret=-"]).expect("added");
    assert!(bot.read("BOT.toml").contains("id = \"b\""), "{}", bot.read("BOT.toml"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_written() {
    let text = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"terminal\"\n";
    let bot = Bot::new(Some(text));
    for (id, set, words) in [
        ("a", &["app_id=x", "app_secret=-"][..], "[W201]"),
        ("b", &["app_id=x"], "setting `app_secret` is missing"),
        ("b", &["app_id=x", "app_secret=wrong"], "… is not right"),
        ("b", &["app_id=x", "app_secret=-", "retries=many"], "expected integer"),
        ("b", &["app_id=x", "app_secrte=canary"], "did you mean `app_secret`?"),
        ("b", &["app_id=x", "app_id=y"], "[W124]"),
        ("b", &["canary"], "[W123]"),
        ("b c", &["app_id=x", "app_secret=-"], "[C026] account[1].id"),
    ] {
        let told = bot.add(id, set).expect_err(words);
        assert!(told.contains(words), "no `{words}` in\n{told}");
        assert_eq!(bot.read("BOT.toml"), text);
        assert!(!bot.folder.path().join(ENV).exists(), "{words}");
    }
    let bot = Bot::new(Some("version = \"canary\n"));
    assert!(bot.add("b", &["app_id=x", "app_secret=-"]).expect_err("no TOML").contains("[C002]"));
}

#[test]
fn a_gitignore_is_extended_once_and_kept() {
    let bot = Bot::new(None);
    fs::write(bot.folder.path().join(IGNORED), "target").expect("written");
    for id in ["a", "b"] {
        bot.add(id, &["app_id=x", "app_secret=-"]).expect("added");
        assert_eq!(bot.read(IGNORED), "target\n.env\n");
    }
}

#[test]
fn a_page_that_is_taken_is_told_before_settings_are_asked_for() {
    let bot = Bot::new(Some("version = 1\n[[account]]\nid = \"a\"\npuppet = \"webchat\"\n"));
    let file = File::read(&bot.path(), Lang::En).expect("read");
    let told = no_page_twice(&bot.catalogue, &file, "webchat", "w", Lang::En).expect_err("one page");
    let told = told.render(Lang::En, false);
    assert!(told.contains("[C030] puppet: accounts `a` and `w` both serve"), "{told}");
    assert!(no_page_twice(&bot.catalogue, &file, "terminal", "w", Lang::En).is_ok());
}

#[test]
fn a_wrong_answer_is_asked_again() {
    let bot = Bot::new(Some("version = 1\n[[account]]\nid = \"a\"\npuppet = \"terminal\"\n"));
    let file = File::read(&bot.path(), Lang::En).expect("read");
    let mut answers = ["a", "b c", "b"].into_iter();
    let ask = || Ok(answers.next().expect("asked too often").to_owned());
    let free =
        |id: String| file.is_free(&id).and_then(|()| is_formed(&bot.catalogue, "id", &id, Lang::En)).map(|()| id);
    assert_eq!(ask::until(ask, free, Lang::En).expect("taken"), "b");
    let told = is_formed(&bot.catalogue, "id", "b c", Lang::En).expect_err("a space").render(Lang::En, false);
    assert!(told.contains("[C026] id: `b c`"), "{told}");
    let mut answers = ["shpo", "shop"].into_iter();
    let ask = || Ok(answers.next().expect("asked too often"));
    let found = ask::until(ask, |name| named(&bot.catalogue, name), Lang::En).expect("found");
    assert_eq!(found.platform.as_str(), "shop");
    let values = BTreeMap::from([("app_id", "x".to_owned()), ("app_secret", "wrong".to_owned())]);
    let refused = build(&SHOP, &values, bot.folder.path(), &Env::of::<&str, &str>([])).expect_err("wrong");
    assert_eq!(refused.key, Some("app_secret"));
}

#[test]
fn credentials_are_checked_with_the_messenger_and_what_it_says_repeats_no_secret() {
    let bot = Bot::new(None);
    let asked = |app_id: &str, checks: bool| {
        let values = BTreeMap::from([("app_id", app_id.to_owned()), ("app_secret", SECRET.to_owned())]);
        take(&SHOP, &values, bot.folder.path(), &Env::of::<&str, &str>([]), checks)
    };
    assert!(matches!(asked("cli_a1", true), Ok(Checked::Good(whose)) if whose.to_string() == "the shop cli_a1"));
    assert!(matches!((asked("later", true), asked("stranger", false)), (Ok(Checked::Not), Ok(Checked::Not))));
    let Ok(Checked::Unknown(why)) = asked("away", true) else { panic!("nobody is there") };
    assert!(why.to_string().contains("nobody is there for …"), "{why}");
    let refused = asked("stranger", true).expect_err("unknown");
    let told = refused.failure.render(Lang::En, false);
    assert!(told.contains("[W208]") && told.contains("unknown, and so is …") && !told.contains("canary"), "{told}");
    assert_eq!(refused.key, Some("app_id"));
}

#[test]
fn names_of_variables_that_are_taken_get_a_number() {
    assert_eq!(variable("front-desk", "app_secret", |_| false), "WECHATY_FRONT_DESK_APP_SECRET");
    assert_eq!(variable("客服", "token", |name| name == "WECHATY____TOKEN"), "WECHATY____TOKEN_2");
}
