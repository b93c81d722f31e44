//! TAGS: labels on contacts.

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    route::{Done, Gives, Route},
};

const TAG: &str = "tags";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/tags", "tagList", "All tags there are", list)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Tags")),
    Route::get("/contacts/{contact_id}/tags", "tagContactList", "The tags of a contact", of_contact)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Tags")),
    Route::put("/contacts/{contact_id}/tags/{id}", "tagContactAdd", "Gives a tag to a contact", add)
        .of(TAG, Scope::Send)
        .of_account(),
    Route::delete("/contacts/{contact_id}/tags/{id}", "tagContactRemove", "Takes a tag from a contact", remove)
        .of(TAG, Scope::Send)
        .of_account(),
    Route::delete("/contacts/-/tags/{id}", "tagContactDelete", "Takes a tag from everybody", delete)
        .of(TAG, Scope::Send)
        .of_account(),
];

does! {
    list = all;
    of_contact = theirs;
    add = give;
    remove = take;
    delete = take_from_all;
}

async fn all(call: Call) -> Done {
    let tags = call.account()?.tags().await?;
    answer::json(&serde_json::json!({ "items": tags.iter().map(|tag| tag.id()).collect::<Vec<_>>() }))
}

async fn theirs(call: Call) -> Done {
    let tags = call.account()?.contact(call.at("contact_id")).await?.tags().await?;
    answer::json(&serde_json::json!({ "items": tags.iter().map(|tag| tag.id()).collect::<Vec<_>>() }))
}

async fn give(call: Call) -> Done {
    let contact = call.account()?.contact(call.at("contact_id")).await?;
    call.account()?.tag(call.at("id")).add(&contact).await?;
    answer::nothing()
}

async fn take(call: Call) -> Done {
    let contact = call.account()?.contact(call.at("contact_id")).await?;
    call.account()?.tag(call.at("id")).remove(&contact).await?;
    answer::nothing()
}

async fn take_from_all(call: Call) -> Done {
    call.account()?.tag(call.at("id")).delete().await?;
    answer::nothing()
}
