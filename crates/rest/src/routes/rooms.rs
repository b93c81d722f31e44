//! ROOMS: conversations of several, what they are called and what is announced there.

use axum::http::{StatusCode, header};
use futures_util::{StreamExt, TryStreamExt, stream};
use wechaty::{
    types::RoomPayload,
    user::{Room, RoomQuery},
};
use wechaty_puppet::{Capability, PuppetError};

use super::{does, location};
use crate::{
    Scope, answer,
    call::Call,
    dispatch::encoded,
    page::{self, Page},
    problem::Problem,
    route::{Done, Gives, Kind, Param, Route, Takes},
    wire,
};

const TAG: &str = "rooms";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/rooms", "roomList", "All rooms, or those of a topic", list)
        .of(TAG, Scope::Read)
        .of_account()
        .query(&[Param { name: "topic", what: "Its topic", kind: Kind::Text(1024) }, page::LIMIT, page::CURSOR])
        .gives(Gives::Page("RoomPayload")),
    Route::post("/rooms", "roomCreate", "Makes a room with us and these contacts", create)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("RoomNew"))
        .gives(Gives::Created("RoomPayload"))
        .idempotent(),
    Route::get("/rooms/{id}", "roomPayload", "A room", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("RoomPayload")),
    Route::delete("/rooms/{id}", "roomQuit", "Leaves the room", quit).of(TAG, Scope::Send).of_account(),
    Route::get("/rooms/{id}/topic", "roomTopic", "Its topic", topic)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Topic")),
    Route::put("/rooms/{id}/topic", "roomTopicSet", "Renames it", set_topic)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("TopicSet"))
        .gives(Gives::Json("RoomPayload")),
    Route::get("/rooms/{id}/announcement", "roomAnnounce", "What is announced", announcement)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Text")),
    Route::put("/rooms/{id}/announcement", "roomAnnounceSet", "Announces something", announce)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("TextSet"))
        .gives(Gives::Json("Text")),
    Route::get("/rooms/{id}/qrcode", "roomQRCode", "The text of its QR code", qr_code)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("QrCode")),
    Route::get("/rooms/{id}/avatar", "roomAvatar", "Its picture", avatar)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Bytes),
];

does! {
    list = find;
    create = make;
    one = payload;
    quit = leave;
    topic = tell_topic;
    set_topic = rename;
    announcement = tell_announcement;
    announce = set_announcement;
    qr_code = code;
    avatar = picture;
}

async fn find(call: Call) -> Done {
    let (page, account) = (Page::of(&call)?, call.account()?);
    let (items, next) = match call.asked("topic") {
        Some(topic) => {
            let found = account.find_rooms(RoomQuery::from(topic)).await?;
            let (found, next) = page.cut(found, |room| room.id().as_str());
            (found.iter().map(known).collect::<Vec<_>>(), next)
        }
        None => {
            let directory = account.puppet().directory();
            let directory =
                directory.ok_or_else(|| PuppetError::unsupported(account.platform(), Capability::RoomList))?;
            let (ids, next) = page.cut(directory.rooms().await?, |id| id.as_str());
            let loads = ids.iter().map(|id| async move {
                match account.room(id.clone()).await {
                    Ok(room) => Ok(Some(known(&room))),
                    Err(wechaty::Error::Puppet(PuppetError::NotFound { .. })) => Ok(None),
                    Err(error) => Err(Problem::from(error)),
                }
            });
            let loads: Vec<_> = loads.collect();
            let items = stream::iter(loads).buffered(16).try_filter_map(|found| async move { Ok(found) });
            (items.try_collect().await?, next)
        }
    };
    page::answer(&call, &items, next)
}

fn known(room: &Room) -> RoomPayload {
    match room.payload() {
        Some(payload) => RoomPayload::clone(&payload),
        None => RoomPayload::new(room.id().clone(), "", Vec::new()),
    }
}

async fn make(mut call: Call) -> Done {
    let wire::RoomNew { contact_ids, topic } = call.read()?;
    let account = call.account()?;
    let mut members = Vec::with_capacity(contact_ids.len());
    for id in contact_ids {
        members.push(account.contact(id).await?);
    }
    let room = account.create_room(&members, topic.as_deref()).await?;
    let mut response = answer::with(StatusCode::CREATED, &known(&room))?;
    if let Some(place) = location(&call, &format!("/rooms/{}", encoded(room.id().as_str()))) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// The room of the path.
pub(super) async fn room(call: &Call) -> Result<Room, Problem> {
    Ok(call.account()?.room(call.at("id")).await?)
}

async fn payload(call: Call) -> Done {
    answer::json(&known(&room(&call).await?))
}

async fn leave(call: Call) -> Done {
    room(&call).await?.quit().await?;
    answer::nothing()
}

async fn tell_topic(call: Call) -> Done {
    let topic = room(&call).await?.topic().await?;
    answer::json(&serde_json::json!({ "topic": topic }))
}

async fn rename(mut call: Call) -> Done {
    let set: wire::TopicSet = call.read()?;
    let room = room(&call).await?;
    room.set_topic(&set.topic).await?;
    answer::json(&known(&room))
}

async fn tell_announcement(call: Call) -> Done {
    let text = room(&call).await?.announce().await?;
    answer::json(&serde_json::json!({ "text": text }))
}

async fn set_announcement(mut call: Call) -> Done {
    let set: wire::TextSet = call.read()?;
    room(&call).await?.set_announce(&set.text).await?;
    answer::json(&serde_json::json!({ "text": set.text }))
}

async fn code(call: Call) -> Done {
    let text = room(&call).await?.qr_code().await?;
    answer::json(&serde_json::json!({ "qrcode": text }))
}

async fn picture(call: Call) -> Done {
    let file = room(&call).await?.avatar().await?;
    answer::file(&call, file).await
}
