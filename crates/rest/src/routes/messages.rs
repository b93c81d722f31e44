//! MESSAGES: what was said, found again; what it holds; taking it back.

use axum::http::StatusCode;
use serde::Serialize;
use wechaty::{
    store::{Book, MessagePage, Messages, Record},
    types::{ConversationId, MessagePayload, MessageType},
    user::Message,
};

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    page::{self, Page},
    problem::Problem,
    route::{Done, Gives, Kind, Param, Route},
    to,
};

const TAG: &str = "messages";

/// What holds something of a message.
const fn part(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    gives: Gives,
    run: crate::route::Run,
) -> Route {
    Route::get(path, id, summary, run).of(TAG, Scope::Read).of_account().gives(gives)
}

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/messages",
        "messageList",
        "Messages received and said, those that are not over first, then the latest: all, of a conversation, or with these words",
        list,
    )
    .of(TAG, Scope::Read)
    .of_account()
    .query(&[
        Param { name: "conversation", what: "Id of a contact or a room", kind: Kind::Text(1024) },
        Param {
            name: "text",
            what: "Words that are in it, small or capital; of Chinese any part of a sentence. Of other words a bot with a file finds the \
                   beginnings, once a message is over; before that, and in memory, any part",
            kind: Kind::Text(200),
        },
        page::LIMIT,
        page::CURSOR,
    ])
    .gives(Gives::Page("MessageRecord")),
    part("/message/{id}", "messagePayload", "A message", Gives::Json("MessagePayload"), one),
    part("/message/{id}/file", "messageFile", "Its file", Gives::Bytes, file),
    Route::get("/message/{id}/image", "messageImage", "Its picture in a size", image)
        .of(TAG, Scope::Read)
        .of_account()
        .query(&[Param {
            name: "size",
            what: "Default: artwork, as it was sent",
            kind: Kind::OneOf(&["thumbnail", "hd", "artwork"]),
        }])
        .gives(Gives::Bytes),
    part("/message/{id}/contact", "messageContact", "Whose card it is", Gives::Json("Found"), contact),
    part("/message/{id}/url-link", "messageUrl", "Its link", Gives::Json("UrlLinkPayload"), url_link),
    part(
        "/message/{id}/mini-program",
        "messageMiniProgram",
        "Its mini program",
        Gives::Json("MiniProgramPayload"),
        mini_program,
    ),
    part("/message/{id}/location", "messageLocation", "Its place", Gives::Json("LocationPayload"), location),
    Route::put("/message/{id}/recall", "messageRecall", "Takes it back", recall)
        .of(TAG, Scope::Send)
        .of_account()
        .gives(Gives::Json("Recalled")),
];

does! {
    list = find;
    one = payload;
    file = its_file;
    image = its_image;
    contact = its_contact;
    url_link = its_link;
    mini_program = its_program;
    location = its_place;
    recall = take_back;
}

/// A message as it is remembered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageRecord {
    /// The platform's id, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// `in`: received; `out`: said.
    direction: &'static str,
    /// What it is: `message` of what was received, the kind of what was said.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
    /// What the contact or the room is called, if that was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Who said it; nobody: the bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    talker_id: Option<String>,
    /// Its words, if they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// When, in milliseconds since 1970.
    timestamp: i64,
    /// What became of it, as the ledger counts it.
    state: String,
}

async fn find(call: Call) -> Done {
    let page = Page::of(&call)?;
    let account = call.account()?;
    let after = match &page.after {
        Some(after) => Some(after.parse().map_err(|_| Problem::unknown("cursor", after))?),
        None => None,
    };
    let conversation = match call.asked("conversation") {
        Some(id) => Some(to::by_id(account, id).await?),
        None => None,
    };
    let words = call.asked("text").map(str::to_owned);
    let archive = call.bot().store().archive();
    let archive = archive.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "W528", "rest-no-records"))?;
    let which = Messages { account: account.id().clone(), conversation, words, after };
    let MessagePage { records, next } = archive.messages(which, page.limit).await?;
    let items: Vec<_> = records.into_iter().map(view).collect();
    page::answer(&call, &items, next.map(|next| next.to_string()))
}

fn view(record: Record) -> MessageRecord {
    MessageRecord {
        id: record.id,
        direction: if record.book == Book::In { "in" } else { "out" },
        kind: record.kind.into_owned(),
        conversation: record.conversation,
        name: record.name,
        talker_id: record.person.map(|person| person.to_string()),
        text: record.text,
        timestamp: record.began.as_millis(),
        state: record.end.into_owned(),
    }
}

async fn message(call: &Call) -> Result<Message, Problem> {
    Ok(call.account()?.message(&call.at("id").into()).await?)
}

async fn payload(call: Call) -> Done {
    answer::json(&MessagePayload::clone(message(&call).await?.payload()))
}

async fn its_file(call: Call) -> Done {
    let message = message(&call).await?;
    const FILES: [MessageType; 5] =
        [MessageType::Attachment, MessageType::Audio, MessageType::Image, MessageType::Video, MessageType::Emoticon];
    if !FILES.contains(&message.kind()) {
        return Err(wechaty::Error::WrongType { expected: "file", found: message.kind() }.into());
    }
    answer::file(&call, message.to_file_box().await?).await
}

async fn its_image(call: Call) -> Done {
    let image = message(&call).await?.to_image()?;
    let file = match call.asked("size") {
        Some("thumbnail") => image.thumbnail().await?,
        Some("hd") => image.hd().await?,
        _ => image.artwork().await?,
    };
    answer::file(&call, file).await
}

async fn its_contact(call: Call) -> Done {
    let contact = message(&call).await?.to_contact().await?;
    answer::json(&serde_json::json!({ "contactId": contact.id() }))
}

async fn its_link(call: Call) -> Done {
    answer::json(&message(&call).await?.to_url_link().await?.into_payload())
}

async fn its_program(call: Call) -> Done {
    answer::json(&message(&call).await?.to_mini_program().await?.into_payload())
}

async fn its_place(call: Call) -> Done {
    answer::json(&message(&call).await?.to_location().await?.into_payload())
}

async fn take_back(call: Call) -> Done {
    let recalled = message(&call).await?.recall().await?;
    answer::json(&serde_json::json!({ "recalled": recalled }))
}
