use wechaty::prelude::*;

async fn greet(msg: Message, greeting: String) {
    let _ = (msg, greeting);
}

fn main() {
    let _ = wechaty::BotBuilder::new().on_message(greet);
}
