//! The demo bot: what `wechaty run` shows without any configuration.

use std::time::Duration;

use wechaty::{BotBuilder, prelude::*, types::FriendshipType};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_plugins::{half_width, words};
use wechaty_puppet::{Capability, Puppet};

use super::TERMINAL;

/// The chat page, where everybody comes to talk to the bot.
const WEBCHAT: &str = "webchat";
const PROJECT: &str = "https://github.com/wechaty/wechaty";
const MENU_WAITS: Duration = Duration::from_secs(60);
/// How long it is seen to type: long enough to be noticed, too short to be waited for.
const TYPES: Duration = Duration::from_millis(700);

/// The demo bot on a puppet; it speaks the language of whoever it talks to, else of whoever started it.
pub(super) fn bot(puppet: impl Puppet, lang: Lang) -> BotBuilder {
    Bot::builder(puppet)
        .state(lang)
        .on_login(greet)
        .named("demo/greet")
        .on_friendship(welcome)
        .named("demo/welcome")
        .on_message(answer)
        .named("demo/answer")
        .on_action(chosen)
        .named("demo/chosen")
}

/// Whether everybody here came to talk to this bot, so that greetings and hints bother nobody.
pub(super) fn is_personal(account: &Account) -> bool {
    [TERMINAL, WEBCHAT].contains(&account.platform().as_str())
}

fn say(lang: Lang, key: &str) -> String {
    text(lang, key, &Args::new())
}

async fn greet(login: Login, account: Account, lang: State<Lang>) -> wechaty::Result<()> {
    if account.platform().as_str() == TERMINAL {
        account.contact(wechaty_puppet_terminal::YOU).await?.say(say(*lang, "demo-greeting")).await?;
    }
    tracing::info!("{} is logged in", login.contact);
    Ok(())
}

/// Somebody has just opened the page.
async fn welcome(friendship: Friendship, account: Account, lang: State<Lang>) -> wechaty::Result<()> {
    if friendship.kind() == FriendshipType::Confirm && account.platform().as_str() == WEBCHAT {
        let friend = friendship.contact();
        let lang = language(&friend).await.unwrap_or(*lang);
        friend.say(say(lang, "demo-greeting")).await?;
    }
    Ok(())
}

/// What somebody reads, as far as the platform tells and the catalogue speaks it.
async fn language(contact: &Contact) -> Option<Lang> {
    if let Err(error) = contact.ready().await {
        tracing::debug!(contact = %contact.id(), %error, "nothing is known of who speaks");
    }
    Lang::of_tag(&contact.language()?)
}

/// Chinese, if somebody writes it.
fn written(text: &str) -> Option<Lang> {
    let han = |c| matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    text.contains(han).then_some(Lang::Zh)
}

/// Shows that an answer is coming, where people look at a page. Nothing is lost if it cannot.
async fn types(msg: &Message, bot: &Bot) {
    if !is_personal(msg.account()) || !msg.account().capabilities().has(Capability::Typing) {
        return;
    }
    match msg.typing().await {
        Ok(()) => bot.clock().sleep(TYPES).await,
        Err(error) => tracing::debug!(%error, "it is not shown that the bot types"),
    }
}

async fn answer(msg: Message, bot: Bot, lang: State<Lang>) -> wechaty::Result<Flow> {
    if msg.is_self() || msg.kind() != MessageType::Text {
        return Ok(Flow::Continue);
    }
    let text = words(&msg).await;
    let lang = language(&msg.talker()).await.or_else(|| written(&text)).unwrap_or(*lang);
    let command = Command::of(&text);
    if matches!(command, Some(Command::Echo(_) | Command::Picture)) {
        types(&msg, &bot).await;
    }
    match command {
        Some(Command::Ding) => msg.say("dong").await?,
        Some(Command::Hello) => msg.say(say(lang, "demo-greeting")).await?,
        Some(Command::Help) => msg.say(say(lang, "demo-help")).await?,
        Some(Command::Echo(words)) => msg.say(words).await?,
        Some(Command::Picture) => msg.say(FileBox::from_qr_code(PROJECT)?).await?,
        Some(Command::Menu) => return menu(msg, lang).await,
        Some(Command::Card) => msg.say(card(lang)).await?,
        None if is_personal(msg.account()) && msg.room().is_none() => msg.say(say(lang, "demo-hint")).await?,
        None => return Ok(Flow::Continue),
    };
    Ok(Flow::Handled)
}

/// What the bot knows, in the words of both languages.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    Ding,
    Hello,
    Help,
    Echo(&'a str),
    Picture,
    Menu,
    Card,
}

impl<'a> Command<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (command, words) = split(text);
        if !words.is_empty() {
            return matches!(command.as_str(), "echo" | "回声" | "复读").then_some(Self::Echo(words));
        }
        // As people end a sentence; in Chinese nothing stands between the word and what is to be echoed.
        match command.trim_end_matches(['!', '.', '?', '~', '。']) {
            "ding" => Some(Self::Ding),
            "hello" | "hi" | "你好" | "您好" | "嗨" => Some(Self::Hello),
            "help" | "帮助" => Some(Self::Help),
            "picture" | "图片" => Some(Self::Picture),
            "menu" | "菜单" => Some(Self::Menu),
            "card" | "卡片" | "名片" => Some(Self::Card),
            _ => {
                let text = text.trim();
                let words = ["回声", "复读"].iter().find_map(|word| text.strip_prefix(word))?;
                let words = words.trim_start_matches([':', '：', '，', ',', ' ']);
                (!words.is_empty()).then_some(Self::Echo(words))
            }
        }
    }
}

fn card(lang: Lang) -> Card {
    Card::new(say(lang, "demo-card"))
        .text(say(lang, "demo-card-text"))
        .button("yes", say(lang, "demo-card-yes"))
        .button("no", say(lang, "demo-card-no"))
}

/// Somebody pressed a button or a menu item.
async fn chosen(action: Action, lang: State<Lang>) -> wechaty::Result<()> {
    let lang = language(&action.actor).await.unwrap_or(*lang);
    let answer = match action.value.as_str() {
        "green" | "black" => say(lang, "demo-tea-coming"),
        "none" => say(lang, "demo-tea-nothing"),
        "yes" => say(lang, "demo-card-chosen-yes"),
        "no" => say(lang, "demo-card-chosen-no"),
        value => text(lang, "demo-card-chosen", &Args::new().set("value", value)),
    };
    action.say(answer).await?;
    Ok(())
}

async fn menu(msg: Message, lang: Lang) -> wechaty::Result<Flow> {
    let menu = Menu::new(say(lang, "demo-tea"))
        .item("green", say(lang, "demo-tea-green"))
        .item("black", say(lang, "demo-tea-black"))
        .item("none", say(lang, "demo-tea-none"));
    let capabilities = msg.account().capabilities();
    if capabilities.has(Capability::SendMenu) || capabilities.has(Capability::SendCard) {
        // Its items can be pressed: the action tells which.
        msg.say(menu).await?;
        return Ok(Flow::Handled);
    }
    let (choices, items) = (menu.clone(), menu.clone());
    let chosen = msg
        .ask(menu)
        .filter(move |answer| answer.text().is_some_and(|text| choices.choice(text).is_some()))
        .timeout(MENU_WAITS)
        .await?;
    match chosen {
        Some(answer) => {
            let none = answer.text().and_then(|text| items.choice(text)).is_some_and(|item| item.id == "none");
            answer.say(say(lang, if none { "demo-tea-nothing" } else { "demo-tea-coming" })).await?
        }
        None => msg.say(say(lang, "demo-tea-late")).await?,
    };
    Ok(Flow::Handled)
}

/// The command word in small plain letters, and the words behind it as they are.
fn split(text: &str) -> (String, &str) {
    let text = text.trim();
    let (command, words) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (half_width(command).to_lowercase(), words.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_commands_are_understood() {
        assert_eq!(split("ｄｉｎｇ"), ("ding".to_owned(), ""));
        assert_eq!(split("　ＥＣＨＯ　你好 "), ("echo".to_owned(), "你好"));
    }

    #[test]
    fn the_words_of_both_languages_are_understood() {
        for (text, command) in [
            ("ding", Some(Command::Ding)),
            ("ＤＩＮＧ！", Some(Command::Ding)),
            ("帮助", Some(Command::Help)),
            ("帮助。", Some(Command::Help)),
            ("菜单", Some(Command::Menu)),
            ("图片", Some(Command::Picture)),
            ("名片", Some(Command::Card)),
            ("卡片", Some(Command::Card)),
            ("你好！", Some(Command::Hello)),
            ("Hello!", Some(Command::Hello)),
            ("回声 你好，世界！", Some(Command::Echo("你好，世界！"))),
            ("回声：你好", Some(Command::Echo("你好"))),
            ("回声　你好", Some(Command::Echo("你好"))),
            ("复读一遍", Some(Command::Echo("一遍"))),
            ("echo", None),
            ("回声", None),
            ("帮助 我", None),
            ("你好吗，机器人", None),
            ("", None),
        ] {
            assert_eq!(Command::of(text), command, "{text}");
        }
    }

    #[test]
    fn who_writes_chinese_is_answered_in_chinese() {
        assert_eq!(written("我要喝 tea"), Some(Lang::Zh));
        assert_eq!((written("ding"), written("ｄｉｎｇ！"), written("ございます")), (None, None, None));
    }

    #[test]
    fn an_echo_keeps_chinese_punctuation() {
        assert_eq!(split("echo 你好，世界！"), ("echo".to_owned(), "你好，世界！"));
    }
}
