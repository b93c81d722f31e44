//! What we note about contacts, and our own profile.

use wechaty_puppet::{ContactId, ContactPayload};

use crate::conformance::{
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
    sample,
    session::Session,
};

cases! { CASES = ContactProfile:
    an_alias_is_set_and_cleared [ContactAlias, LoadContact];
    phone_numbers_are_replaced [ContactPhone, LoadContact];
    a_description_is_set_and_cleared [ContactDescription, LoadContact];
    a_corporation_remark_is_set_and_cleared [ContactCorporation, LoadContact];
    a_contact_avatar_is_a_file [ContactAvatar];
    an_alias_of_an_unknown_contact_is_refused [ContactAlias];
}

cases! { SELF = SelfProfile:
    the_own_name_can_be_set [SelfName, LoadContact];
    the_own_signature_can_be_set [SelfSignature, LoadContact];
    the_own_qr_code_is_a_text [SelfQrCode];
    the_own_avatar_can_be_set [SelfAvatar];
}

async fn load(lab: &Lab, session: &Session<'_>, id: &ContactId) -> Verdict<std::sync::Arc<ContactPayload>> {
    lab.ok("loading the contact", group!(session, loader).contact(id)).await
}

macro_rules! notes {
    ($($name:ident $setter:ident $field:ident;)*) => {
        $(async fn $name(lab: &Lab) -> Verdict {
            let session = lab.connect().await?;
            let (id, profile) = (lab.person()?, group!(session, contact_profile));
            for value in [Some("小张 🌱"), Some("another"), None] {
                lab.ok(stringify!($setter), profile.$setter(&id, value)).await?;
                let got = load(lab, &session, &id).await?.$field.clone();
                ensure!(got.as_deref() == value, "{} was set to {value:?}, but is {got:?}", stringify!($field));
            }
            Ok(())
        })*
    };
}

notes! {
    an_alias_is_set_and_cleared set_alias alias;
    a_description_is_set_and_cleared set_description description;
    a_corporation_remark_is_set_and_cleared set_corporation corporation;
}

async fn phone_numbers_are_replaced(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (id, profile) = (lab.person()?, group!(session, contact_profile));
    for phone in [vec!["+8613800000000".to_owned(), "+8613800000001".to_owned()], vec![]] {
        lab.ok("set_phone", profile.set_phone(&id, &phone)).await?;
        let got = load(lab, &session, &id).await?.phone.clone();
        ensure!(got == phone, "phone numbers were set to {phone:?}, but are {got:?}");
    }
    Ok(())
}

async fn a_contact_avatar_is_a_file(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let avatar = lab.ok("the avatar", group!(session, contact_profile).avatar(&lab.person()?)).await?;
    ensure!(!avatar.name().is_empty(), "the avatar has no name");
    Ok(())
}

async fn an_alias_of_an_unknown_contact_is_refused(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = ContactId::from(lab.world.unknown.as_str());
    lab.not_found("set_alias", group!(session, contact_profile).set_alias(&id, Some("nobody"))).await
}

fn me(session: &Session<'_>) -> Verdict<ContactId> {
    session.me().map_or_else(|| failed("nobody is logged in"), Ok)
}

async fn the_own_name_can_be_set(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let name = lab.text("小助手");
    lab.ok("set_name", group!(session, self_profile).set_name(&name)).await?;
    let got = load(lab, &session, &me(&session)?).await?.name.clone();
    ensure!(got == name, "the own name was set to {name:?}, but is {got:?}");
    Ok(())
}

async fn the_own_signature_can_be_set(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let words = lab.text("at your service");
    lab.ok("set_signature", group!(session, self_profile).set_signature(&words)).await?;
    let got = load(lab, &session, &me(&session)?).await?.signature.clone();
    ensure!(got.as_ref() == Some(&words), "the own signature was set to {words:?}, but is {got:?}");
    Ok(())
}

async fn the_own_qr_code_is_a_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let text = lab.ok("qr_code", group!(session, self_profile).qr_code()).await?;
    ensure!(!text.is_empty(), "the own QR code is empty");
    Ok(())
}

async fn the_own_avatar_can_be_set(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    lab.ok("set_avatar", group!(session, self_profile).set_avatar(sample::file("me.png"))).await
}
