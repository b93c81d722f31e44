//! The demo bot: what `wechaty run` shows without any configuration.

use std::time::Duration;

use wechaty::{BotBuilder, prelude::*};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_plugins::{half_width, words};
use wechaty_puppet::{Capability, Puppet};

use super::TERMINAL;

/// The chat page, where everybody comes to talk to the bot.
const WEBCHAT: &str = "webchat";
const PROJECT: &str = "https://github.com/wechaty/wechaty";
const MENU_WAITS: Duration = Duration::from_secs(60);

/// The demo bot on a puppet; it speaks the language of whoever started it.
pub(super) fn bot(puppet: impl Puppet, lang: Lang) -> BotBuilder {
    Bot::builder(puppet)
        .state(lang)
        .on_login(greet)
        .named("demo/greet")
        .on_message(answer)
        .named("demo/answer")
        .on_action(chosen)
        .named("demo/chosen")
}

/// Whether everybody here came to talk to this bot, so that greetings and hints bother nobody.
fn is_personal(account: &Account) -> bool {
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

async fn answer(msg: Message, lang: State<Lang>) -> wechaty::Result<Flow> {
    if msg.is_self() || msg.kind() != MessageType::Text {
        return Ok(Flow::Continue);
    }
    let text = words(&msg).await;
    let (command, words) = split(&text);
    match (command.as_str(), words) {
        ("ding", "") => msg.say("dong").await?,
        ("help", "") => msg.say(say(*lang, "demo-help")).await?,
        ("echo", words) if !words.is_empty() => msg.say(words).await?,
        ("picture", "") => msg.say(FileBox::from_qr_code(PROJECT)?).await?,
        ("menu", "") => return menu(msg, *lang).await,
        ("card", "") => msg.say(card(*lang)).await?,
        _ if is_personal(msg.account()) && msg.room().is_none() => msg.say(say(*lang, "demo-hint")).await?,
        _ => return Ok(Flow::Continue),
    };
    Ok(Flow::Handled)
}

fn card(lang: Lang) -> Card {
    Card::new(say(lang, "demo-card"))
        .text(say(lang, "demo-card-text"))
        .button("yes", say(lang, "demo-card-yes"))
        .button("no", say(lang, "demo-card-no"))
}

/// Somebody pressed a button or a menu item.
async fn chosen(action: Action, lang: State<Lang>) -> wechaty::Result<()> {
    let answer = match action.value.as_str() {
        "green" | "black" => say(*lang, "demo-tea-coming"),
        "none" => say(*lang, "demo-tea-nothing"),
        value => text(*lang, "demo-card-chosen", &Args::new().set("value", value)),
    };
    action.say(answer).await?;
    Ok(())
}

async fn menu(msg: Message, lang: Lang) -> wechaty::Result<Flow> {
    let menu = Menu::new(say(lang, "demo-tea"))
        .item("green", say(lang, "demo-tea-green"))
        .item("black", say(lang, "demo-tea-black"))
        .item("none", say(lang, "demo-tea-none"));
    if msg.account().capabilities().has(Capability::SendMenu) {
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
    fn an_echo_keeps_chinese_punctuation() {
        assert_eq!(split("echo 你好，世界！"), ("echo".to_owned(), "你好，世界！"));
    }
}
