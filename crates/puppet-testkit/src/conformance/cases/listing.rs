//! Lists of contacts, rooms and members.

use std::{collections::HashSet, fmt::Debug, hash::Hash};

use wechaty_puppet::RoomId;

use crate::conformance::{
    case::{Verdict, cases, ensure, group},
    lab::Lab,
};

cases! { CASES = Directory:
    friends_are_listed_once [ContactList];
    listed_contacts_can_be_loaded [ContactList, LoadContact];
    rooms_are_listed_once [RoomList];
    listed_rooms_can_be_loaded [RoomList, LoadRoom];
    members_are_listed_once [RoomMemberList];
    members_of_an_unknown_room_are_not_found [RoomMemberList];
    listed_members_are_those_of_the_room [RoomMemberList, LoadRoom];
}

fn once<T: Eq + Hash + Debug>(what: &str, list: &[T], expected: &[T]) -> Verdict {
    let mut seen = HashSet::new();
    for id in list {
        ensure!(seen.insert(id), "{id:?} is listed twice among the {what}");
    }
    for id in expected {
        ensure!(seen.contains(id), "{id:?} is missing among the listed {what}");
    }
    Ok(())
}

async fn friends_are_listed_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let list = lab.ok("listing contacts", group!(session, directory).contacts()).await?;
    once("contacts", &list, &lab.world.people)
}

async fn listed_contacts_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let list = lab.ok("listing contacts", group!(session, directory).contacts()).await?;
    for id in list.iter().take(10) {
        let contact = lab.ok("loading a listed contact", group!(session, loader).contact(id)).await?;
        ensure!(contact.id == *id, "listed contact {id} is loaded as {}", contact.id);
    }
    Ok(())
}

async fn rooms_are_listed_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let list = lab.ok("listing rooms", group!(session, directory).rooms()).await?;
    once("rooms", &list, &[lab.room()?.id])
}

async fn listed_rooms_can_be_loaded(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let list = lab.ok("listing rooms", group!(session, directory).rooms()).await?;
    for id in list.iter().take(10) {
        let room = lab.ok("loading a listed room", group!(session, loader).room(id)).await?;
        ensure!(room.id == *id, "listed room {id} is loaded as {}", room.id);
    }
    Ok(())
}

async fn members_are_listed_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let room = lab.room()?;
    let list = lab.ok("listing members", group!(session, directory).room_members(&room.id)).await?;
    once("members", &list, &room.members)
}

async fn members_of_an_unknown_room_are_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let nowhere = RoomId::from(lab.world.unknown.as_str());
    lab.not_found("directory().room_members", group!(session, directory).room_members(&nowhere)).await
}

async fn listed_members_are_those_of_the_room(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let room = lab.room()?.id;
    let listed = lab.ok("listing members", group!(session, directory).room_members(&room)).await?;
    let loaded = lab.ok("loading the room", group!(session, loader).room(&room)).await?;
    let (listed, loaded): (HashSet<_>, HashSet<_>) = (listed.iter().collect(), loaded.member_id_list.iter().collect());
    ensure!(listed == loaded, "the list has members {listed:?}, the room's payload {loaded:?}");
    Ok(())
}
