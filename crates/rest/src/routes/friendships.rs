//! FRIENDSHIPS: requests to and from others, and who has a number or a handle.

use wechaty::{FriendRequest, types::FriendshipPayload};

use super::{contacts::known, does};
use crate::{
    Scope, answer,
    call::Call,
    problem::Problem,
    route::{Done, Gives, Route, Takes},
    wire,
};

const TAG: &str = "friendships";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/friendship/{id}", "friendshipPayload", "A friend request or its answer", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("FriendshipPayload")),
    Route::get("/friendship/search/phone/{phone}", "friendshipSearchPhone", "Who has this phone number", phone)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Found")),
    Route::get("/friendship/search/handle/{weixin}", "friendshipSearchHandle", "Who has this handle", handle)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Found")),
    Route::put("/friendship/add/{contact_id}", "friendshipAdd", "Asks somebody to become a friend", add)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::MaybeJson("FriendNew"))
        .idempotent(),
    Route::put("/friendship/accept/{id}", "friendshipAccept", "Accepts a received request", accept)
        .of(TAG, Scope::Send)
        .of_account()
        .gives(Gives::Json("ContactPayload"))
        .idempotent(),
];

does! {
    one = payload;
    phone = by_phone;
    handle = by_handle;
    add = ask;
    accept = take;
}

async fn payload(call: Call) -> Done {
    let friendship = call.account()?.friendship(&call.at("id").into()).await?;
    answer::json(&FriendshipPayload::clone(friendship.payload()))
}

async fn by_phone(call: Call) -> Done {
    let phone = call.at("phone");
    let found = call.account()?.search_phone(phone).await?.ok_or_else(|| Problem::unknown("contact", phone))?;
    answer::json(&serde_json::json!({ "contactId": found.id() }))
}

async fn by_handle(call: Call) -> Done {
    let handle = call.at("weixin");
    let found = call.account()?.search_handle(handle).await?.ok_or_else(|| Problem::unknown("contact", handle))?;
    answer::json(&serde_json::json!({ "contactId": found.id() }))
}

async fn ask(mut call: Call) -> Done {
    let wire::FriendNew { hello, room_id, recommender_id } = call.read_or_default()?;
    let account = call.account()?;
    // Strangers too: what can be loaded is looked at, the rest is the platform's to say.
    let contact = account.contact(call.at("contact_id")).await?;
    let request = FriendRequest { hello, room: room_id.map(Into::into), contact: recommender_id.map(Into::into) };
    account.add_friend(&contact, request).await?;
    answer::nothing()
}

async fn take(call: Call) -> Done {
    let friendship = call.account()?.friendship(&call.at("id").into()).await?;
    if friendship.kind() != wechaty::types::FriendshipType::Receive {
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "W519", "rest-not-received"));
    }
    answer::json(&known(&friendship.accept().await?))
}
