//! POSTS: moments and channel entries.

use axum::http::StatusCode;
use wechaty::types::{PageRequest, PostFilter};

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    page::{self, Page},
    route::{Done, Gives, Kind, Param, Route, Takes},
    say, wire,
};

const TAG: &str = "posts";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/posts", "postSearch", "Posts, of a contact or of all", list)
        .of(TAG, Scope::Read)
        .of_account()
        .query(&[
            Param { name: "contact_id", what: "Who posted it", kind: Kind::Text(1024) },
            page::LIMIT,
            page::CURSOR,
        ])
        .gives(Gives::Page("PostPayload")),
    Route::get("/posts/{id}", "postPayload", "A post", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("PostPayload")),
    Route::post("/posts", "postPublish", "Publishes a post", publish)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("Post"))
        .gives(Gives::Created("Published"))
        .idempotent(),
];

does! {
    list = search;
    one = payload;
    publish = put_out;
}

async fn search(call: Call) -> Done {
    let page = Page::of(&call)?;
    let filter = PostFilter { contact_id: call.asked("contact_id").map(Into::into), ..PostFilter::default() };
    let wanted = PageRequest { page_size: u32::try_from(page.limit).ok(), page_token: page.after };
    let found = call.account()?.find_posts(filter, wanted).await?;
    let items: Vec<_> = found.response.iter().map(|post| post.payload().clone()).collect();
    page::answer(&call, &items, found.next_page_token)
}

async fn payload(call: Call) -> Done {
    let post = call.account()?.post(&call.at("id").into()).await?;
    answer::json(&post.payload())
}

async fn put_out(mut call: Call) -> Done {
    let given: wire::Post = call.read()?;
    let account = call.account()?;
    let post = say::post(given, &call.rest, account, say::PUBLISHED).await?;
    let published = account.publish(post).await?;
    let id = published.and_then(|post| post.payload().id().cloned());
    answer::with(StatusCode::CREATED, &serde_json::json!({ "id": id }))
}
