//! One bot on several messengers at once: all have the same handlers, and what is said once appears on each in the best form
//! that it has.
//!
//! ```text
//! $ cargo run -p wechaty --features matrix --example everywhere -- matrix lark
//! ```
//!
//! Each word is a puppet, whose settings come from their environment variables. Say `ding`, `menu` or `bill`; then press, or
//! answer with a number where nothing can be pressed.

use wechaty::{BotBuilder, Settings, prelude::*};

#[tokio::main]
async fn main() -> wechaty::Result<()> {
    let mut bot = BotBuilder::new().on_message(serve).on_action(chosen);
    for name in std::env::args().skip(1) {
        bot = bot.account(name.as_str(), puppet::by_name(&name, Settings::new())?);
    }
    bot.on_scan(|scan: Scan| async move { println!("{}: scan to log in: {}", scan.account.id(), scan.url()) })
        .on_ready(|ready: Ready| async move { println!("{}: ready", ready.account.id()) })
        .run()
        .await
}

async fn serve(msg: Message) -> wechaty::Result<()> {
    match msg.text() {
        Some("ding") => msg.reply("dong").await?,
        Some("menu") => {
            let menu = Menu::new("What would you like?").item("tea", "Tea").item("coffee", "Coffee");
            msg.say(menu.item("nothing", "Nothing, thanks")).await?
        }
        Some("bill") => {
            let card = Card::new("Your bill").text("Thank you for **coming**.").field("Coffee", "3.50");
            let card = card.button("card", "By card").button("cash", "In cash");
            msg.say(card.link("Tell us how it was", "https://example.org/?a=1&b=2")).await?
        }
        _ => return Ok(()),
    };
    Ok(())
}

/// Buttons, items of menus, and the numbers of both: whatever was chosen comes here.
async fn chosen(action: Action) -> wechaty::Result<()> {
    println!("{}: {} has chosen {}", action.account.id(), action.actor.name(), action.value);
    action.say(format!("{} it is, {}", action.value, action.actor.name())).await?;
    Ok(())
}
