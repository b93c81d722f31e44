//! Payloads by id: the right one, and `NotFound` for what does not exist.

use futures_util::future::join_all;
use wechaty_puppet::{ContactId, RoomId};

use crate::conformance::{
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
};

cases! { CASES = Loader:
    a_known_contact_can_be_loaded [LoadContact];
    the_account_itself_can_be_loaded [LoadContact];
    the_talker_of_a_message_can_be_loaded [LoadContact];
    an_unknown_contact_is_not_found [LoadContact];
    a_known_room_can_be_loaded [LoadRoom];
    an_unknown_room_is_not_found [LoadRoom];
    a_known_member_can_be_loaded [LoadRoomMember];
    an_unknown_member_is_not_found [LoadRoomMember];
    a_received_message_can_be_loaded [LoadMessage];
    an_unknown_message_is_not_found [LoadMessage];
    an_unknown_friendship_is_not_found [LoadFriendship];
    an_unknown_room_invitation_is_not_found [LoadRoomInvitation];
    an_unknown_post_is_not_found [LoadPost];
    concurrent_loads_agree [LoadContact];
}

async fn a_known_contact_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    for id in &lab.world.people {
        let contact = lab.ok("loading a contact", group!(session, loader).contact(id)).await?;
        ensure!(contact.id == *id, "loaded contact {id}, but got {}", contact.id);
        ensure!(contact.alias.as_deref() != Some(""), "no alias must be None, not \"\"");
    }
    Ok(())
}

async fn the_account_itself_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let Some(me) = session.me() else { return failed("nobody is logged in") };
    let contact = lab.ok("loading the account's own contact", group!(session, loader).contact(&me)).await?;
    ensure!(contact.id == me, "loaded the account itself, {me}, but got {}", contact.id);
    Ok(())
}

async fn the_talker_of_a_message_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("who am I"), lab.mark());
    lab.person_says(&text).await?;
    let talker = session.hears(&text, mark).await?.2.talker_id.clone();
    let contact = lab.ok("loading the talker of a message", group!(session, loader).contact(&talker)).await?;
    ensure!(contact.id == talker, "loaded talker {talker}, but got {}", contact.id);
    Ok(())
}

async fn a_known_room_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let known = lab.room()?;
    let room = lab.ok("loading a room", group!(session, loader).room(&known.id)).await?;
    ensure!(room.id == known.id, "loaded room {}, but got {}", known.id, room.id);
    for member in &known.members {
        ensure!(room.member_id_list.contains(member), "{member} is in the room, but not in its payload");
    }
    let owner = room.owner_id.as_ref().map(ContactId::as_str);
    ensure!(owner != Some(""), "no owner must be None, not \"\"");
    Ok(())
}

async fn a_known_member_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, who) = (lab.room()?.id, lab.person()?);
    let member = lab.ok("loading a room member", group!(session, loader).room_member(&room, &who)).await?;
    ensure!(member.id == who, "loaded member {who}, but got {}", member.id);
    let inviter = member.inviter_id.as_ref().map(ContactId::as_str);
    ensure!(inviter != Some(""), "no inviter must be None, not \"\"");
    Ok(())
}

async fn a_received_message_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("load me"), lab.mark());
    lab.person_says(&text).await?;
    let (_, event, came) = session.hears(&text, mark).await?;
    let loaded = lab.ok("loading a received message", group!(session, loader).message(&came.id)).await?;
    ensure!(event.payload.is_none() || loaded == came, "the event carried {came:?}, but the loader has {loaded:?}");
    ensure!(loaded.text.as_deref() == Some(&text), "said {text:?}, loaded {:?}", loaded.text);
    Ok(())
}

macro_rules! unknown {
    ($($name:ident $method:ident;)*) => {
        $(async fn $name(lab: &Lab) -> Verdict {
            let session = lab.connect().await?;
            let id = lab.world.unknown.as_str().into();
            lab.not_found(concat!("loader().", stringify!($method)), group!(session, loader).$method(&id)).await
        })*
    };
}

unknown! {
    an_unknown_contact_is_not_found contact;
    an_unknown_room_is_not_found room;
    an_unknown_message_is_not_found message;
    an_unknown_friendship_is_not_found friendship;
    an_unknown_room_invitation_is_not_found room_invitation;
    an_unknown_post_is_not_found post;
}

async fn an_unknown_member_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, unknown) = (lab.room()?.id, ContactId::from(lab.world.unknown.as_str()));
    lab.not_found("loader().room_member", group!(session, loader).room_member(&room, &unknown)).await?;
    let nowhere = RoomId::from(lab.world.unknown.as_str());
    let person = lab.person()?;
    lab.not_found("loader().room_member of an unknown room", group!(session, loader).room_member(&nowhere, &person))
        .await
}

async fn concurrent_loads_agree(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (loader, id) = (group!(session, loader), lab.person()?);
    let loads = (0..8).map(|_| lab.ok("loading a contact eight times at once", loader.contact(&id)));
    for contact in join_all(loads).await {
        ensure!(contact?.id == id, "concurrent loads got another contact than {id}");
    }
    Ok(())
}
