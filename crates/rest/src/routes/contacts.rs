//! CONTACTS: people and what we note of them.

use futures_util::{StreamExt, TryStreamExt, stream};
use wechaty::{
    Account,
    types::{ContactId, ContactPayload},
    user::{Contact, ContactQuery, TextMatch},
};
use wechaty_puppet::{Capability, PuppetError};

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    page::{self, Page},
    problem::Problem,
    route::{Done, Gives, Kind, Param, Route, Takes},
    wire,
};

const TAG: &str = "contacts";

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/contacts", "contactList", "All contacts, or those of a name", list)
        .of(TAG, Scope::Read)
        .of_account()
        .query(&[
            Param { name: "name", what: "The name it chose", kind: Kind::Text(1024) },
            Param { name: "alias", what: "The name we gave", kind: Kind::Text(1024) },
            Param { name: "handle", what: "Its public handle", kind: Kind::Text(1024) },
            page::LIMIT,
            page::CURSOR,
        ])
        .gives(Gives::Page("ContactPayload")),
    Route::get("/contacts/{id}", "contactPayload", "A contact", one)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("ContactPayload")),
    Route::get("/contacts/{id}/avatar", "contactAvatar", "Its picture", avatar)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Bytes),
    Route::get("/contacts/{id}/alias", "contactAliasGet", "The name we gave", alias)
        .of(TAG, Scope::Read)
        .of_account()
        .gives(Gives::Json("Alias")),
    Route::put("/contacts/{id}/alias", "contactAlias", "Sets the name we give", set_alias)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("AliasSet"))
        .gives(Gives::Json("ContactPayload")),
    Route::put("/contacts/{contact_id}/phone", "contactPhone", "Notes phone numbers", set_phone)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("PhoneSet"))
        .gives(Gives::Json("ContactPayload")),
    Route::put(
        "/contacts/{contact_id}/corporation-remark",
        "contactCorporationRemark",
        "Notes the company",
        set_corporation,
    )
    .of(TAG, Scope::Send)
    .of_account()
    .takes(Takes::Json("CorporationSet"))
    .gives(Gives::Json("ContactPayload")),
    Route::put("/contacts/{contact_id}/description", "contactDescription", "Sets our note", set_description)
        .of(TAG, Scope::Send)
        .of_account()
        .takes(Takes::Json("DescriptionSet"))
        .gives(Gives::Json("ContactPayload")),
];

does! {
    list = find;
    one = payload;
    avatar = picture;
    alias = tell_alias;
    set_alias = do_alias;
    set_phone = do_phone;
    set_corporation = do_corporation;
    set_description = do_description;
}

async fn find(call: Call) -> Done {
    let (page, account) = (Page::of(&call)?, call.account()?);
    let exactly = |name| call.asked(name).map(TextMatch::from);
    let (name, alias, handle) = (exactly("name"), exactly("alias"), exactly("handle"));
    let (items, next) = if name.is_some() || alias.is_some() || handle.is_some() {
        let query = ContactQuery { id: None, name, alias, handle, any_name: None };
        let found = account.find_contacts(query).await?;
        let (found, next) = page.cut(found, |contact| contact.id().as_str());
        (found.iter().map(known).collect(), next)
    } else {
        let directory = account.puppet().directory();
        let directory =
            directory.ok_or_else(|| PuppetError::unsupported(account.platform(), Capability::ContactList))?;
        let (ids, next) = page.cut(directory.contacts().await?, |id| id.as_str());
        (loaded(account, &ids).await?, next)
    };
    page::answer(&call, &items, next)
}

/// Those of these ids that are there, as far as the platform tells about them.
pub(crate) async fn loaded(account: &Account, ids: &[ContactId]) -> Result<Vec<ContactPayload>, Problem> {
    if !account.capabilities().has(Capability::LoadContact) {
        return Ok(ids.iter().map(|id| ContactPayload::new(id.clone(), "")).collect());
    }
    let loads = ids.iter().map(|id| async move {
        match account.contact(id.clone()).await {
            Ok(contact) => Ok(Some(known(&contact))),
            Err(wechaty::Error::Puppet(PuppetError::NotFound { .. })) => Ok(None),
            Err(error) => Err(Problem::from(error)),
        }
    });
    let loads: Vec<_> = loads.collect();
    stream::iter(loads).buffered(16).try_filter_map(|found| async move { Ok(found) }).try_collect().await
}

/// What is known of it.
pub(crate) fn known(contact: &Contact) -> ContactPayload {
    match contact.payload() {
        Some(payload) => ContactPayload::clone(&payload),
        None => ContactPayload::new(contact.id().clone(), contact.name()),
    }
}

async fn payload(call: Call) -> Done {
    answer::json(&known(&call.account()?.contact(call.at("id")).await?))
}

async fn picture(call: Call) -> Done {
    let contact = call.account()?.contact(call.at("id")).await?;
    answer::file(&call, contact.avatar().await?).await
}

async fn tell_alias(call: Call) -> Done {
    let contact = call.account()?.contact(call.at("id")).await?;
    answer::json(&serde_json::json!({ "alias": contact.alias() }))
}

async fn do_alias(mut call: Call) -> Done {
    let set: wire::AliasSet = call.read()?;
    let contact = call.account()?.contact(call.at("id")).await?;
    contact.set_alias(set.alias.as_deref()).await?;
    answer::json(&known(&contact))
}

async fn do_phone(mut call: Call) -> Done {
    let set: wire::PhoneSet = call.read()?;
    let contact = call.account()?.contact(call.at("contact_id")).await?;
    contact.set_phone(&set.phones).await?;
    answer::json(&known(&contact))
}

async fn do_corporation(mut call: Call) -> Done {
    let set: wire::CorporationSet = call.read()?;
    let contact = call.account()?.contact(call.at("contact_id")).await?;
    contact.set_corporation(set.corporation_remark.as_deref().filter(|text| !text.is_empty())).await?;
    answer::json(&known(&contact))
}

async fn do_description(mut call: Call) -> Done {
    let set: wire::DescriptionSet = call.read()?;
    let contact = call.account()?.contact(call.at("contact_id")).await?;
    contact.set_description(set.description.as_deref().filter(|text| !text.is_empty())).await?;
    answer::json(&known(&contact))
}
