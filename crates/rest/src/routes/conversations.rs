//! CONVERSATIONS: the sends of the HTTP mapping, to a contact or a room by its id; and whether one was read.

use axum::response::Response;
use wechaty::types::{ContactCard, ForwardPayload, SayablePayload};
use wechaty_puppet::{Capability, PuppetError, ReadMarks};

use super::{
    does,
    sends::{WAITS, created, wait},
};
use crate::{
    Scope, answer,
    call::Call,
    problem::Problem,
    route::{Done, Gives, Route, Takes},
    say::{self, Extras},
    to, wire,
};

const TAG: &str = "conversations";

/// A send of the mapping.
const fn sends(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: &'static str,
    run: crate::route::Run,
) -> Route {
    Route::post(path, id, summary, run)
        .of(TAG, Scope::Send)
        .of_account()
        .query(WAITS)
        .takes(Takes::Json(body))
        .gives(Gives::Created("SendState"))
        .says()
}

/// A forwarding of the mapping.
const fn forwards(path: &'static str, id: &'static str) -> Route {
    Route::post(path, id, "Says a message again elsewhere", forward)
        .of(TAG, Scope::Send)
        .of_account()
        .query(WAITS)
        .gives(Gives::Created("SendState"))
        .says()
}

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    sends("/conversations/{conversation_id}/text", "messageSendText", "Says a text", "TextSend", text),
    sends(
        "/conversations/{conversation_id}/contact",
        "messageSendContact",
        "Sends somebody's card",
        "ContactSend",
        contact,
    ),
    sends(
        "/conversations/{conversation_id}/mini-program",
        "messageSendMiniProgram",
        "Sends a mini program",
        "MiniProgramPayload",
        mini_program,
    ),
    sends("/conversations/{conversation_id}/url-link", "messageSendUrl", "Sends a link", "UrlLinkPayload", url_link),
    sends(
        "/conversations/{conversation_id}/location",
        "messageSendLocation",
        "Sends a place",
        "LocationPayload",
        location,
    ),
    forwards("/conversations/{conversation_id}/forward/{message_id}", "conversationForward"),
    forwards("/messages/{message_id}/forward/{conversation_id}", "messageForward"),
    Route::get("/conversation/{conversation_id}/read", "conversationReadGet", "Whether we have read it", read)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("ReadSet")),
    Route::put("/conversation/{conversation_id}/read", "conversationRead", "Marks it read or unread", set_read)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("ReadSet"))
        .gives(Gives::Json("ReadSet")),
];

does! {
    text = say_text;
    contact = say_contact;
    mini_program = say_mini_program;
    url_link = say_url;
    location = say_location;
    forward = say_again;
    read = is_read;
    set_read = mark;
}

/// Says it to the conversation of the path.
async fn say(call: Call, what: SayablePayload, mentions: Vec<String>) -> Done {
    if let Some(answer) = earlier(&call).await? {
        return Ok(answer);
    }
    let account = call.account()?;
    let to = to::by_id(account, call.at("conversation_id")).await?;
    let extras = Extras { mentions, ..Extras::default() };
    let said = say::say(&call.rest, account, to, what, extras, call.told.send_key(0).key).await?;
    let state = said.state(&call.rest, account, wait(&call)).await;
    created(&call, &state)
}

/// The answer to a request that told the same before and was cut off after it was said; asked before anything is looked up.
async fn earlier(call: &Call) -> Result<Option<Response>, Problem> {
    let account = call.account()?;
    let Some(said) = say::earlier(&call.rest, account, call.told.send_key(0)).await? else { return Ok(None) };
    created(call, &said.state(&call.rest, account, wait(call)).await).map(Some)
}

async fn say_text(mut call: Call) -> Done {
    let wire::TextSend { text, mention_ids } = call.read()?;
    say(call, SayablePayload::text(text), mention_ids).await
}

async fn say_contact(mut call: Call) -> Done {
    if let Some(answer) = earlier(&call).await? {
        return Ok(answer);
    }
    let given: wire::ContactSend = call.read()?;
    let contact = call.account()?.contact(given.contact_id).await?;
    say(call, SayablePayload::Contact(ContactCard { contact_id: contact.id().clone() }), Vec::new()).await
}

async fn say_mini_program(mut call: Call) -> Done {
    let what = SayablePayload::MiniProgram(call.read()?);
    say(call, what, Vec::new()).await
}

async fn say_url(mut call: Call) -> Done {
    let what = SayablePayload::Url(call.read()?);
    say(call, what, Vec::new()).await
}

async fn say_location(mut call: Call) -> Done {
    let what = SayablePayload::Location(call.read()?);
    say(call, what, Vec::new()).await
}

async fn say_again(call: Call) -> Done {
    if let Some(answer) = earlier(&call).await? {
        return Ok(answer);
    }
    let message = call.account()?.message(&call.at("message_id").into()).await?;
    let what = SayablePayload::Forward(ForwardPayload { message_id: message.id().clone() });
    say(call, what, Vec::new()).await
}

fn marks(call: &Call) -> Result<&dyn ReadMarks, Problem> {
    let account = call.account()?;
    let marks = account.puppet().read_marks();
    Ok(marks.ok_or_else(|| PuppetError::unsupported(account.platform(), Capability::ReadMark))?)
}

async fn is_read(call: Call) -> Done {
    let conversation = to::by_id(call.account()?, call.at("conversation_id")).await?;
    let has_read = marks(&call)?.is_read(&conversation).await?;
    answer::json(&serde_json::json!({ "hasRead": has_read }))
}

async fn mark(mut call: Call) -> Done {
    let wire::ReadSet { has_read } = call.read()?;
    let conversation = to::by_id(call.account()?, call.at("conversation_id")).await?;
    marks(&call)?.set_read(&conversation, has_read).await?;
    answer::json(&serde_json::json!({ "hasRead": has_read }))
}
