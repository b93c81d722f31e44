//! What happens to rooms comes as events, with nobody as `None`.

use wechaty_puppet::{ContactId, EventPayload};

use crate::conformance::{
    Deed,
    case::{Verdict, cases, ensure},
    lab::Lab,
};

cases! { CASES = Events:
    a_join_names_room_and_invitee optional [Room, Stranger, RoomJoin];
    a_leave_names_room_and_removee optional [Room, RoomLeave];
    a_changed_topic_names_changer_and_topics optional [Room, RoomTopic];
    a_changed_announcement_is_told optional [Room, RoomAnnounce];
}

fn somebody(who: Option<&ContactId>, what: &str) -> Verdict {
    ensure!(who.is_none_or(|who| !who.as_str().is_empty()), "the {what} is \"\": nobody must be None");
    Ok(())
}

async fn a_join_names_room_and_invitee(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, stranger, mark) = (lab.room()?.id, lab.stranger()?, lab.mark());
    lab.act(Deed::JoinRoom { room: room.clone() }).await?;
    let join = session.event("the room-join event", mark, |entry| match &entry.event.what {
        EventPayload::RoomJoin(join) => Some(join.clone()),
        _ => None,
    });
    let join = join.await?;
    ensure!(join.room_id == room, "joined {room}, but the event names {}", join.room_id);
    ensure!(
        join.invitee_id_list == [stranger.clone()],
        "{stranger} joined, the event names {:?}",
        join.invitee_id_list
    );
    somebody(join.inviter_id.as_ref(), "inviter")
}

async fn a_leave_names_room_and_removee(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, who, mark) = (lab.room()?.id, lab.person()?, lab.mark());
    lab.act(Deed::LeaveRoom { room: room.clone(), who: who.clone() }).await?;
    let leave = session.event("the room-leave event", mark, |entry| match &entry.event.what {
        EventPayload::RoomLeave(leave) => Some(leave.clone()),
        _ => None,
    });
    let leave = leave.await?;
    ensure!(leave.room_id == room, "{who} left {room}, but the event names {}", leave.room_id);
    ensure!(leave.removee_id_list == [who.clone()], "{who} left, the event names {:?}", leave.removee_id_list);
    somebody(leave.remover_id.as_ref(), "remover")
}

async fn a_changed_topic_names_changer_and_topics(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, by, topic, mark) = (lab.room()?.id, lab.person()?, lab.text("topic"), lab.mark());
    lab.act(Deed::ChangeTopic { room: room.clone(), by: by.clone(), topic: topic.clone() }).await?;
    let change = session.event("the room-topic event", mark, |entry| match &entry.event.what {
        EventPayload::RoomTopic(change) => Some(change.clone()),
        _ => None,
    });
    let change = change.await?;
    ensure!(change.room_id == room, "the topic of {room} changed, but the event names {}", change.room_id);
    ensure!(change.new_topic == topic, "the topic became {topic:?}, the event says {:?}", change.new_topic);
    somebody(change.changer_id.as_ref(), "changer")?;
    let changer = &change.changer_id;
    ensure!(changer.as_ref().is_none_or(|who| *who == by), "{by} changed it, but the event names {changer:?}");
    Ok(())
}

async fn a_changed_announcement_is_told(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (room, by, text, mark) = (lab.room()?.id, lab.person()?, lab.text("announcement"), lab.mark());
    lab.act(Deed::Announce { room: room.clone(), by: by.clone(), text: text.clone() }).await?;
    let change = session.event("the room-announce event", mark, |entry| match &entry.event.what {
        EventPayload::RoomAnnounce(change) => Some(change.clone()),
        _ => None,
    });
    let change = change.await?;
    ensure!(change.room_id == room, "{room} has an announcement, but the event names {}", change.room_id);
    ensure!(change.new_announce == text, "it became {text:?}, the event says {:?}", change.new_announce);
    somebody(change.changer_id.as_ref(), "changer")
}
