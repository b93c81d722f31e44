//! MEMBERS: who is in a room.

use wechaty::types::RoomMemberPayload;
use wechaty_puppet::{Capability, PuppetError};

use super::{contacts::loaded, does, rooms::room};
use crate::{
    Scope, answer,
    call::Call,
    page::{self, Page},
    problem::Problem,
    route::{Done, Gives, Kind, Param, Route},
};

const TAG: &str = "rooms";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/rooms/{id}/members", "roomMemberList", "Who is in it", list)
        .of(TAG, Scope::Read)
        .of_account()
        .query(&[page::LIMIT, page::CURSOR])
        .gives(Gives::Page("ContactPayload")),
    Route::get("/rooms/{id}/members/{member_id}", "roomMemberPayload", "A member, with its name in the room", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("RoomMemberPayload")),
    Route::put("/rooms/{id}/add/{contact_id}", "roomAdd", "Adds somebody, or invites them", add)
        .of(TAG, Scope::Send)
        .of_account()
        .query(&[Param { name: "invite_only", what: "By invitation even where adding would work", kind: Kind::Flag }])
        .idempotent(),
    Route::delete("/rooms/{id}/member/{contact_id}", "roomDel", "Removes somebody", remove)
        .of(TAG, Scope::Send)
        .of_account(),
];

does! {
    list = members;
    one = member;
    add = bring;
    remove = take_out;
}

async fn members(call: Call) -> Done {
    let page = Page::of(&call)?;
    let ids = room(&call).await?.member_ids().await?;
    let (ids, next) = page.cut(ids, |id| id.as_str());
    page::answer(&call, &loaded(call.account()?, &ids).await?, next)
}

async fn member(call: Call) -> Done {
    let (account, room) = (call.account()?, room(&call).await?);
    let id = call.at("member_id");
    if !room.member_ids().await?.iter().any(|member| member.as_str() == id) {
        return Err(Problem::unknown("member", id));
    }
    let loader = account.puppet().loader().filter(|_| account.capabilities().has(Capability::LoadRoomMember));
    let loader = loader.ok_or_else(|| PuppetError::unsupported(account.platform(), Capability::LoadRoomMember))?;
    let payload = loader.room_member(room.id(), &id.into()).await?;
    answer::json(&RoomMemberPayload::clone(&payload))
}

async fn bring(call: Call) -> Done {
    let (account, room) = (call.account()?, room(&call).await?);
    let contact = account.contact(call.at("contact_id")).await?;
    room.add_all(&[contact], call.asked("invite_only") == Some("true")).await?;
    answer::nothing()
}

async fn take_out(call: Call) -> Done {
    let room = room(&call).await?;
    let id = call.at("contact_id");
    if !room.member_ids().await?.iter().any(|member| member.as_str() == id) {
        return Err(Problem::unknown("member", id));
    }
    room.remove(&call.account()?.contact_handle(&id.into())).await?;
    answer::nothing()
}
