//! Rooms as we administer them: each change is visible to whoever looks.

use wechaty_puppet::{ContactId, Puppet, RoomId, RoomPayload, RoomPermission};

use crate::conformance::{
    case::{Verdict, cases, ensure, group},
    lab::Lab,
    session::Session,
};

cases! { CASES = Rooms:
    a_created_room_has_its_topic_and_members [RoomCreate, LoadRoom];
    an_added_member_is_in_the_room [RoomAdd, LoadRoom] optional [Stranger];
    a_removed_member_is_out_of_the_room [RoomRemove, LoadRoom];
    a_room_we_left_is_not_listed [RoomQuit, RoomList];
    a_changed_topic_is_kept [RoomTopic, LoadRoom];
    an_announcement_is_kept [RoomAnnounce];
    a_room_qr_code_is_a_text [RoomQrCode];
    a_room_avatar_is_a_file [RoomAvatar];
    a_transferred_room_has_the_new_owner [RoomTransfer, LoadRoom];
    a_dismissed_room_is_gone [RoomDismiss, LoadRoom];
    administrators_are_set_and_taken_back [RoomAdmins, LoadRoom];
    permissions_are_kept [RoomPermission];
    a_topic_over_the_limit_is_refused [RoomTopic];
    changes_of_an_unknown_room_are_not_found;
}

async fn load(lab: &Lab, session: &Session<'_>, id: &RoomId) -> Verdict<std::sync::Arc<RoomPayload>> {
    lab.ok("loading the room", group!(session, loader).room(id)).await
}

async fn a_created_room_has_its_topic_and_members(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (members, topic) = (lab.world.people.clone(), lab.text("新的群"));
    let id = lab.ok("creating a room", group!(session, rooms).create(&members, Some(&topic))).await?;
    let room = load(lab, &session, &id).await?;
    ensure!(room.topic == topic, "the room was created with topic {topic:?}, but has {:?}", room.topic);
    for member in members.iter().chain(session.me().as_ref()) {
        ensure!(room.member_id_list.contains(member), "{member} is missing in the created room");
    }
    Ok(())
}

async fn an_added_member_is_in_the_room(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, who) = (lab.room()?.id, lab.stranger()?);
    lab.ok("adding a member", group!(session, rooms).add(&room, std::slice::from_ref(&who), false)).await?;
    let members = load(lab, &session, &room).await?.member_id_list.clone();
    ensure!(members.contains(&who), "{who} was added, but is not in the room");
    Ok(())
}

async fn a_removed_member_is_out_of_the_room(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, who) = (lab.room()?.id, lab.person()?);
    lab.ok("removing a member", group!(session, rooms).remove(&room, std::slice::from_ref(&who))).await?;
    let members = load(lab, &session, &room).await?.member_id_list.clone();
    ensure!(!members.contains(&who), "{who} was removed, but is still in the room");
    Ok(())
}

async fn a_room_we_left_is_not_listed(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let room = lab.room()?.id;
    lab.ok("leaving a room", group!(session, rooms).quit(&room)).await?;
    let rooms = lab.ok("listing rooms", group!(session, directory).rooms()).await?;
    ensure!(!rooms.contains(&room), "we left {room}, but it is still listed");
    Ok(())
}

async fn a_changed_topic_is_kept(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, topic) = (lab.room()?.id, lab.text("话题 🎉"));
    lab.ok("changing the topic", group!(session, rooms).set_topic(&room, &topic)).await?;
    let got = load(lab, &session, &room).await?.topic.clone();
    ensure!(got == topic, "the topic was set to {topic:?}, but is {got:?}");
    Ok(())
}

async fn an_announcement_is_kept(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, text) = (lab.room()?.id, lab.text("公告\nsecond line"));
    lab.ok("setting the announcement", group!(session, rooms).set_announce(&room, &text)).await?;
    let got = lab.ok("reading the announcement", group!(session, rooms).announce(&room)).await?;
    ensure!(got == text, "the announcement was set to {text:?}, but is {got:?}");
    Ok(())
}

async fn a_room_qr_code_is_a_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let text = lab.ok("the room's QR code", group!(session, rooms).qr_code(&lab.room()?.id)).await?;
    ensure!(!text.is_empty(), "the room's QR code is empty");
    Ok(())
}

async fn a_room_avatar_is_a_file(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let avatar = lab.ok("the room's avatar", group!(session, rooms).avatar(&lab.room()?.id)).await?;
    ensure!(!avatar.name().is_empty(), "the room's avatar has no name");
    Ok(())
}

async fn a_transferred_room_has_the_new_owner(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let known = lab.room()?;
    let (room, who) = (known.id, known.members.last().cloned().unwrap_or(lab.person()?));
    lab.ok("handing over the room", group!(session, rooms).transfer(&room, &who)).await?;
    let owner = load(lab, &session, &room).await?.owner_id.clone();
    ensure!(owner.as_ref() == Some(&who), "the room was handed to {who}, but its owner is {owner:?}");
    Ok(())
}

async fn a_dismissed_room_is_gone(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let room = lab.room()?.id;
    lab.ok("dismissing the room", group!(session, rooms).dismiss(&room)).await?;
    lab.not_found("loading a dismissed room", group!(session, loader).room(&room)).await
}

async fn administrators_are_set_and_taken_back(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, who) = (lab.room()?.id, lab.person()?);
    for admin in [true, false] {
        let members = std::slice::from_ref(&who);
        lab.ok("setting administrators", group!(session, rooms).set_admins(&room, members, admin)).await?;
        let admins = load(lab, &session, &room).await?.admin_id_list.clone();
        ensure!(admins.contains(&who) == admin, "administrator {who}: set to {admin}, but they are {admins:?}");
    }
    Ok(())
}

async fn permissions_are_kept(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let room = lab.room()?.id;
    let before = lab.ok("reading permissions", group!(session, rooms).permission(&room)).await?;
    let muted = !before.mute_all.unwrap_or(false);
    let change = RoomPermission { mute_all: Some(muted), ..RoomPermission::default() };
    lab.ok("setting permissions", group!(session, rooms).set_permission(&room, change)).await?;
    let after = lab.ok("reading permissions", group!(session, rooms).permission(&room)).await?;
    ensure!(after.mute_all == Some(muted), "mute_all was set to {muted}, but is {:?}", after.mute_all);
    ensure!(after.invite_confirm == before.invite_confirm, "a permission that was not given changed");
    Ok(())
}

async fn a_topic_over_the_limit_is_refused(lab: &Lab) -> Verdict {
    let Some(limit) = lab.capabilities.limits.topic else { return Ok(()) };
    let session = lab.connect().await?;
    let topic = "x".repeat(limit + 1);
    let error = lab.err("a topic over the limit", group!(session, rooms).set_topic(&lab.room()?.id, &topic)).await?;
    ensure!(error.is_certain(), "a topic over the limit ended in doubt: {error}");
    Ok(())
}

async fn changes_of_an_unknown_room_are_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, person) = (RoomId::from(lab.world.unknown.as_str()), lab.person()?);
    let Some(rooms) = session.puppet.rooms() else { return Ok(()) };
    let members: &[ContactId] = std::slice::from_ref(&person);
    let puppet: &dyn Puppet = &*session.puppet;
    macro_rules! unknown {
        ($($capability:ident $method:ident($($arg:expr),*);)*) => {$(
            if puppet.capabilities().has(wechaty_puppet::Capability::$capability) {
                lab.not_found(concat!("rooms().", stringify!($method)), rooms.$method(&room, $($arg),*)).await?;
            }
        )*};
    }
    unknown! {
        RoomAdd add(members, false);
        RoomRemove remove(members);
        RoomQuit quit();
        RoomTopic set_topic("nowhere");
        RoomAnnounce announce();
        RoomAnnounce set_announce("nowhere");
        RoomQrCode qr_code();
        RoomAvatar avatar();
        RoomTransfer transfer(&person);
        RoomDismiss dismiss();
        RoomAdmins set_admins(members, true);
        RoomPermission permission();
        RoomPermission set_permission(RoomPermission::default());
    }
    Ok(())
}
