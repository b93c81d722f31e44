//! API: the platform's calls. A table of operations, each a function over the state; none of them waits.

mod call;
mod cards;
mod chats;
mod contacts;
mod discovery;
mod doc;
mod docx;
mod media;
mod members;
mod messages;
mod multipart;
mod reactions;
mod registration;
mod tokens;

use serde_json::Value;

pub(crate) use self::{
    call::Call,
    discovery::{SERVICE, client_config},
};
use crate::{
    refusal::{Refusal, refused, throttled},
    state::State,
};

/// What a call is answered with.
#[derive(Debug)]
pub(crate) enum Answer {
    /// `{code:0,msg,data}`.
    Data(Value),
    /// Members beside `code` and `msg`.
    Top(Value),
    /// Just that.
    Plain(u16, Value),
    /// A file: its type, its name, what is in it.
    Bytes(&'static str, String, Vec<u8>),
}

pub(crate) type Answered = Result<Answer, Refusal>;
type Run = fn(&mut State, &Call) -> Answered;

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Anybody,
    Tenant,
}

struct Operation {
    method: &'static str,
    path: &'static str,
    who: Who,
    run: Run,
}

const fn open(method: &'static str, path: &'static str, run: Run) -> Operation {
    Operation { method, path, who: Who::Anybody, run }
}

const fn op(method: &'static str, path: &'static str, run: Run) -> Operation {
    Operation { method, path, who: Who::Tenant, run }
}

const OPERATIONS: &[Operation] = &[
    open("POST", "/open-apis/auth/v3/tenant_access_token/internal", tokens::tenant_internal),
    open("POST", "/open-apis/auth/v3/app_access_token/internal", tokens::app_internal),
    open("POST", "/open-apis/auth/v3/tenant_access_token", tokens::tenant),
    open("POST", "/open-apis/auth/v3/app_access_token", tokens::app),
    open("POST", "/open-apis/auth/v3/app_ticket/resend", tokens::resend),
    open("POST", "/callback/ws/endpoint", discovery::endpoint),
    open("POST", "/oauth/v1/app/registration", registration::registration),
    op("GET", "/open-apis/bot/v3/info", tokens::bot_info),
    op("POST", "/open-apis/im/v1/messages", messages::create),
    op("GET", "/open-apis/im/v1/messages", messages::list),
    op("POST", "/open-apis/im/v1/messages/merge_forward", messages::merge_forward),
    op("GET", "/open-apis/im/v1/messages/:id", messages::get),
    op("PUT", "/open-apis/im/v1/messages/:id", messages::update),
    op("PATCH", "/open-apis/im/v1/messages/:id", messages::patch),
    op("DELETE", "/open-apis/im/v1/messages/:id", messages::delete),
    op("POST", "/open-apis/im/v1/messages/:id/reply", messages::reply),
    op("POST", "/open-apis/im/v1/messages/:id/forward", messages::forward),
    op("GET", "/open-apis/im/v1/messages/:id/read_users", reactions::read_users),
    op("POST", "/open-apis/im/v1/messages/:id/reactions", reactions::create),
    op("GET", "/open-apis/im/v1/messages/:id/reactions", reactions::list),
    op("DELETE", "/open-apis/im/v1/messages/:id/reactions/:reaction", reactions::delete),
    op("GET", "/open-apis/im/v1/messages/:id/resources/:key", media::resource),
    op("POST", "/open-apis/im/v1/pins", reactions::pin),
    op("DELETE", "/open-apis/im/v1/pins/:id", reactions::unpin),
    op("GET", "/open-apis/im/v1/pins", reactions::pins),
    op("POST", "/open-apis/im/v1/images", media::upload_image),
    op("GET", "/open-apis/im/v1/images/:key", media::image),
    op("POST", "/open-apis/im/v1/files", media::upload_file),
    op("GET", "/open-apis/im/v1/files/:key", media::file),
    op("POST", "/open-apis/im/v1/chats", chats::create),
    op("GET", "/open-apis/im/v1/chats", chats::list),
    op("GET", "/open-apis/im/v1/chats/:id", chats::get),
    op("PUT", "/open-apis/im/v1/chats/:id", chats::update),
    op("DELETE", "/open-apis/im/v1/chats/:id", chats::delete),
    op("POST", "/open-apis/im/v1/chats/:id/link", chats::link),
    op("GET", "/open-apis/im/v1/chats/:id/announcement", doc::announcement),
    op("PATCH", "/open-apis/im/v1/chats/:id/announcement", doc::announce),
    op("POST", "/open-apis/im/v1/chats/:id/members", members::add),
    op("DELETE", "/open-apis/im/v1/chats/:id/members", members::remove),
    op("GET", "/open-apis/im/v1/chats/:id/members", members::list),
    op("GET", "/open-apis/im/v1/chats/:id/members/is_in_chat", members::is_in_chat),
    op("POST", "/open-apis/im/v1/chats/:id/managers/add_managers", members::add_managers),
    op("POST", "/open-apis/im/v1/chats/:id/managers/delete_managers", members::delete_managers),
    op("GET", "/open-apis/contact/v3/users/batch", contacts::batch),
    op("POST", "/open-apis/contact/v3/users/batch_get_id", contacts::batch_get_id),
    op("GET", "/open-apis/contact/v3/users/find_by_department", contacts::by_department),
    op("GET", "/open-apis/contact/v3/users/:id", contacts::user),
    op("GET", "/open-apis/contact/v3/departments/:id/children", contacts::departments),
    op("GET", "/open-apis/contact/v3/scopes", contacts::scopes),
    op("GET", "/open-apis/contact/v3/group/simplelist", contacts::groups),
    op("GET", "/open-apis/contact/v3/group/member_belong", contacts::groups_of),
    op("POST", "/open-apis/contact/v3/group", contacts::create_group),
    op("DELETE", "/open-apis/contact/v3/group/:id", contacts::delete_group),
    op("POST", "/open-apis/contact/v3/group/:id/member/add", contacts::add_to_group),
    op("POST", "/open-apis/contact/v3/group/:id/member/remove", contacts::remove_from_group),
    op("GET", "/open-apis/contact/v3/group/:id/member/simplelist", contacts::group_members),
    op("GET", "/open-apis/docx/v1/chats/:id/announcement", docx::announcement),
    op("GET", "/open-apis/docx/v1/chats/:id/announcement/blocks", docx::blocks),
    op("POST", "/open-apis/docx/v1/chats/:id/announcement/blocks/:block/children", docx::insert),
    op("DELETE", "/open-apis/docx/v1/chats/:id/announcement/blocks/:block/children/batch_delete", docx::delete),
    op("POST", "/open-apis/cardkit/v1/cards", cards::create),
    op("POST", "/open-apis/cardkit/v1/cards/id_convert", cards::of_message),
    op("PUT", "/open-apis/cardkit/v1/cards/:id", cards::update),
    op("PATCH", "/open-apis/cardkit/v1/cards/:id/settings", cards::settings),
    op("PUT", "/open-apis/cardkit/v1/cards/:id/elements/:element/content", cards::content),
];

/// Does what is asked; `None`: there is no such path.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Option<Answered> {
    let found = OPERATIONS.iter().find_map(|operation| {
        let params = (operation.method == call.method).then(|| matched(operation.path, &call.path))??;
        Some((operation, params))
    });
    let (operation, params) = found?;
    call.params = params;
    let name = format!("{} {}", operation.method, operation.path);
    *state.requests.entry(name.clone()).or_default() += 1;
    Some(allowed(state, call, operation, &name).and_then(|()| (operation.run)(state, call)))
}

fn allowed(state: &mut State, call: &Call, operation: &Operation, name: &str) -> Result<(), Refusal> {
    if operation.who == Who::Tenant {
        let Some(token) = call.authorization.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty())
        else {
            return Err(refused(
                99_991_661,
                "Missing access token for authorization. Please make a request with token attached.",
            ));
        };
        if !state.is_tenant_token(token) {
            return Err(match token.split_at_checked(2) {
                Some(("t-", _)) => refused(
                    99_991_663,
                    "Invalid access token for authorization. Please make a test attempt by acquiring a valid token.",
                ),
                Some(("a-", _)) if state.is_app_token(token) => {
                    refused(99_991_663, "this API needs a tenant access token")
                }
                Some(("a-", _)) => refused(99_991_664, "Invalid app access token"),
                Some(("u-", _)) => refused(99_991_668, "Invalid user access token"),
                _ => refused(99_991_671, "Invalid access token, it must start with t-, u- or a-"),
            });
        }
    }
    let full = |wait: i64| throttled((wait.max(1) as u64).div_ceil(1000), false);
    state.rate(&format!("second {name}"), 50, 1000).map_err(full)?;
    state.rate(&format!("minute {name}"), 1000, 60_000).map_err(full)
}

/// The values of the parts of a path that vary.
fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut parts, mut given) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(part), Some(is)) if part.starts_with(':') && !is.is_empty() => {
                params.push(percent_encoding::percent_decode_str(is).decode_utf8().ok()?.into_owned());
            }
            (Some(part), Some(is)) if part == is => {}
            _ => return None,
        }
    }
}

/// A page of a list, with the token of the next.
pub(crate) fn page(call: &Call, most: usize, mut all: Vec<Value>) -> Result<Value, Refusal> {
    let size = match call.query("page_size") {
        None => 20.min(most),
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| crate::refusal::violated("page_size", "page_size is out of range"))?,
    };
    let from: usize = match call.query("page_token").unwrap_or_default() {
        "" => 0,
        token => token
            .strip_prefix("page-")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| refused(99_992_402, "invalid page_token"))?,
    };
    let has_more = all.len() > from + size;
    let items: Vec<Value> = all.drain(from.min(all.len())..(from + size).min(all.len())).collect();
    let token = if has_more { format!("page-{}", from + size) } else { String::new() };
    Ok(serde_json::json!({"items": items, "has_more": has_more, "page_token": token}))
}
