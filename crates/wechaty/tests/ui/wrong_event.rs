use wechaty::prelude::*;

async fn greet(join: RoomJoin) {
    let _ = join;
}

fn main() {
    let _ = wechaty::BotBuilder::new().on_message(greet);
}
