//! INVITATIONS: rooms we are asked into.

use wechaty::types::RoomInvitationPayload;

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    route::{Done, Gives, Route},
};

const TAG: &str = "invitations";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/room-invitations/{id}", "roomInvitationPayload", "An invitation into a room", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("RoomInvitationPayload")),
    Route::put("/room-invitations/{id}/accept", "roomInvitationAccept", "Accepts it", accept)
        .of(TAG, Scope::Send)
        .of_account()
        .idempotent(),
];

does! {
    one = payload;
    accept = take;
}

async fn payload(call: Call) -> Done {
    let invitation = call.account()?.room_invitation(&call.at("id").into()).await?;
    answer::json(&RoomInvitationPayload::clone(invitation.payload()))
}

async fn take(call: Call) -> Done {
    call.account()?.room_invitation(&call.at("id").into()).await?.accept().await?;
    answer::nothing()
}
