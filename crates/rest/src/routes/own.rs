//! OWN: what the account shows of itself.

use super::{contacts::known, does};
use crate::{
    Scope, answer,
    call::Call,
    route::{Done, Gives, Route, Takes},
    say, wire,
};

const TAG: &str = "self";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/contacts/self", "contactSelf", "The account's own contact", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("ContactPayload")),
    Route::get("/contacts/self/qrcode", "contactSelfQRCode", "The text of our QR code", qr_code)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("QrCode")),
    Route::put("/contacts/self/name/{name}", "contactSelfName", "Sets our name", name)
        .of(TAG, Scope::Send)
        .of_account()
        .gives(Gives::Json("ContactPayload")),
    Route::put("/contacts/self/signature", "contactSelfSignature", "Sets our signature", signature)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("SignatureSet"))
        .gives(Gives::Json("ContactPayload")),
    Route::get("/contacts/self/avatar", "contactSelfAvatarGet", "Our picture", picture)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Bytes),
    Route::put("/contacts/self/avatar", "contactSelfAvatar", "Sets our picture", avatar)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("File")),
];

does! {
    one = me;
    qr_code = code;
    name = set_name;
    signature = set_signature;
    picture = tell_avatar;
    avatar = set_avatar;
}

async fn me(call: Call) -> Done {
    let me = call.account()?.current_user()?;
    me.ready().await?;
    answer::json(&known(&me))
}

async fn code(call: Call) -> Done {
    let text = call.account()?.current_user()?.qr_code().await?;
    answer::json(&serde_json::json!({ "qrcode": text }))
}

async fn set_name(call: Call) -> Done {
    let me = call.account()?.current_user()?;
    me.set_name(call.at("name")).await?;
    answer::json(&known(&me))
}

async fn set_signature(mut call: Call) -> Done {
    let set: wire::SignatureSet = call.read()?;
    let me = call.account()?.current_user()?;
    me.set_signature(&set.signature).await?;
    answer::json(&known(&me))
}

async fn tell_avatar(call: Call) -> Done {
    let file = call.account()?.current_user()?.avatar().await?;
    answer::file(&call, file).await
}

async fn set_avatar(mut call: Call) -> Done {
    let file = say::file(call.read()?, &call.rest).await?;
    call.account()?.current_user()?.set_avatar(file).await?;
    answer::nothing()
}
