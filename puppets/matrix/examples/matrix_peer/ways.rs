//! Ways to log in beside a password, being let in again, and the picture of a room that changes.

use reqwest::Method;
use serde_json::json;
use wechaty_puppet::{DirtyType, EventPayload, FileBox, Settings};

use crate::{
    harness::{built, puppet},
    oracle::{Server, part},
    walks::{Bot, Outcome, Walk, devices, holds, same, walks},
};

walks! {
    an_access_token_is_a_session_that_there_is
    a_token_of_single_sign_on_is_good_for_one_login_and_the_session_is_kept
    what_was_said_before_the_bot_was_removed_and_let_in_again_is_heard
    the_picture_of_a_room_that_changes_is_told_and_read
}

async fn an_access_token_is_a_session_that_there_is(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let direct = alice.opens_direct(&bot.account.id).await;
    let before = devices(&bot.account).await;
    bot.puppet = built(Settings::new().set("access_token", bot.account.token.clone()), &bot.proxy);
    bot.runs().await?;
    alice.says(&direct, "by a token").await;
    bot.hears("by a token").await?;
    bot.stops().await?;
    same("devices", devices(&bot.account).await, before)
}

async fn a_token_of_single_sign_on_is_good_for_one_login_and_the_session_is_kept(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let direct = alice.opens_direct(&bot.account.id).await;
    let before = devices(&bot.account).await;
    let made = bot.account.call_version("v1", Method::POST, "/login/get_token", Some(json!({}))).await;
    let token = made["login_token"].as_str().ok_or(format!("no token: {made}"))?.to_owned();
    let login = || Settings::new().set("login_token", token.clone());
    for words in ["by single sign-on", "by the session that is kept"] {
        bot.puppet = built(login(), &bot.proxy);
        bot.runs().await?;
        alice.says(&direct, words).await;
        bot.hears(words).await?;
        bot.stops().await?;
    }
    same("devices", devices(&bot.account).await, before + 1)
}

async fn what_was_said_before_the_bot_was_removed_and_let_in_again_is_heard(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat", "name": "in and out" })).await;
    bot.account.joins(&room).await;
    bot.starts().await?;
    alice.says(&room, "first").await;
    bot.hears("first").await?;
    bot.stops().await?;
    alice.says(&room, "while it was there").await;
    let us = Some(json!({ "user_id": bot.account.id }));
    alice.call(Method::POST, &format!("/rooms/{}/kick", part(&room)), us).await;
    for number in 0..120 {
        alice.says(&room, &format!("while it was out {number}")).await;
    }
    bot.account.joins(&room).await;
    alice.says(&room, "welcome back").await;
    bot.starts().await?;
    bot.hears("welcome back").await?;
    same("texts", bot.texts(), ["first", "while it was there", "welcome back"].map(str::to_owned).to_vec())
}

async fn the_picture_of_a_room_that_changes_is_told_and_read(server: Server) -> Outcome {
    let mut bot = Bot::new(&server).await;
    let alice = server.person("alice").await;
    let levels = json!({ "events": { "m.room.avatar": 0 } });
    let room = json!({ "preset": "public_chat", "name": "pictured", "power_level_content_override": levels });
    let room = alice.create_room(room).await;
    bot.account.joins(&room).await;
    bot.puppet = puppet(&bot.account, &bot.proxy, None);
    bot.runs().await?;
    let rooms = bot.puppet.rooms().ok_or("no rooms")?;
    let id = wechaty_puppet::RoomId::from(room.as_str());
    holds("there is none", rooms.avatar(&id).await.is_err())?;
    for bytes in [b"the first picture".to_vec(), b"another one".to_vec()] {
        let mark = bot.heard.events.lock().len();
        let uri = alice.uploads("room.png", "image/png", bytes.clone()).await;
        alice.sets(&room, "m.room.avatar", json!({ "url": uri })).await;
        let changed = bot.event("the change", mark, |event| match &event.what {
            EventPayload::Dirty(dirty) if dirty.payload_type == DirtyType::Room => Some(dirty.payload_id.clone()),
            _ => None,
        });
        same("what changed", changed.await?, room.clone())?;
        let picture = rooms.avatar(&id).await.map_err(|error| error.to_string())?;
        let read = picture.to_bytes().await.map_err(|error| error.to_string())?;
        holds("the picture is the one that was set", read == bytes)?;
    }
    let ours = FileBox::from_bytes(b"the bot's picture".to_vec(), "bot.png");
    rooms.set_avatar(&id, ours).await.map_err(|error| error.to_string())?;
    let picture = rooms.avatar(&id).await.map_err(|error| error.to_string())?;
    let read = picture.to_bytes().await.map_err(|error| error.to_string())?;
    holds("the picture is the bot's", &*read == b"the bot's picture")?;
    bot.stops().await
}
