//! Friend requests and invitations into rooms.

use wechaty_puppet::{
    Capability, ContactId, EventPayload, FriendRequest, FriendshipId, FriendshipPayload, FriendshipType, Payload,
    RoomInvitationId,
};

use crate::conformance::{
    Ability, Deed, Look,
    case::{Stop, Verdict, cases, ensure, group},
    lab::Lab,
    session::Session,
};

cases! { CASES = Friendships:
    a_friend_request_arrives_with_its_words optional [Friendship];
    an_accepted_friend_is_a_friend [FriendshipAccept, LoadContact] optional [Friendship];
    accepting_an_unknown_friendship_is_not_found [FriendshipAccept];
    a_friend_request_reaches_the_stranger [FriendshipAdd] optional [Stranger, SeeFriendRequest];
    a_friend_request_to_nobody_is_not_found [FriendshipAdd];
    people_are_found_by_phone [FriendshipSearch] optional [Phone];
    people_are_found_by_handle [FriendshipSearch] optional [Handle];
    nobody_has_an_unknown_number [FriendshipSearch];
}

cases! { INVITATIONS = RoomInvitations:
    a_room_invitation_arrives_with_its_inviter optional [RoomInvite];
    an_accepted_invitation_brings_us_in [RoomInvitationAccept] optional [RoomInvite];
    accepting_an_unknown_invitation_is_not_found [RoomInvitationAccept];
}

/// What does not come with its event must be loadable.
fn loadable(lab: &Lab, capability: Capability, event: &str) -> Verdict {
    ensure!(lab.capabilities.has(capability), "a {event} event carries no payload, and {capability} is not declared");
    Ok(())
}

/// Lets somebody ask; the request as it arrived.
async fn request(lab: &Lab, session: &Session<'_>, hello: &str) -> Verdict<FriendshipPayload> {
    let mark = lab.mark();
    lab.act(Deed::AskFriendship { hello: hello.to_owned() }).await?;
    let found = session.event("the friendship event", mark, |entry| match &entry.event.what {
        EventPayload::Friendship(friendship) => Some((friendship.friendship_id.clone(), entry.event.payload.clone())),
        _ => None,
    });
    let (id, payload) = found.await?;
    let payload = match payload {
        Some(Payload::Friendship(payload)) => payload,
        _ => {
            loadable(lab, Capability::LoadFriendship, "friendship")?;
            lab.ok("loading the friend request", group!(session, loader).friendship(&id)).await?
        }
    };
    ensure!(payload.id == id, "the event says {id}, its payload {}", payload.id);
    Ok((*payload).clone())
}

async fn a_friend_request_arrives_with_its_words(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let hello = lab.text("请加我");
    let payload = request(lab, &session, &hello).await?;
    ensure!(payload.kind == FriendshipType::Receive, "a received request arrived as {}", payload.kind);
    ensure!(payload.hello.as_ref() == Some(&hello), "asked with {hello:?}, arrived with {:?}", payload.hello);
    ensure!(!payload.contact_id.as_str().is_empty(), "the one who asks is \"\"");
    Ok(())
}

async fn an_accepted_friend_is_a_friend(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let payload = request(lab, &session, "please").await?;
    lab.ok("accepting a friend request", group!(session, friendships).accept(&payload.id)).await?;
    let id = &payload.contact_id;
    let contact = lab.ok("loading the new friend", group!(session, loader).contact(id)).await?;
    ensure!(contact.friend != Some(false), "{id} was accepted, but is no friend");
    Ok(())
}

async fn accepting_an_unknown_friendship_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = FriendshipId::from(lab.world.unknown.as_str());
    lab.not_found("friendships().accept", group!(session, friendships).accept(&id)).await
}

async fn a_friend_request_reaches_the_stranger(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (stranger, hello) = (lab.stranger()?, lab.text("we met at the fair"));
    let request = FriendRequest { hello: Some(hello.clone()), ..FriendRequest::default() };
    lab.ok("a friend request", group!(session, friendships).add(&stranger, request)).await?;
    lab.sees(Look::FriendRequest(stranger, hello), true, "the stranger never got the friend request and its words")
        .await
}

async fn a_friend_request_to_nobody_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = ContactId::from(lab.world.unknown.as_str());
    lab.not_found("friendships().add", group!(session, friendships).add(&id, FriendRequest::default())).await
}

async fn people_are_found_by_phone(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let none = || Stop::Unavailable(Ability::Phone, "its world has none".into());
    let (phone, who) = lab.world.phone.clone().ok_or_else(none)?;
    let found = lab.ok("search_phone", group!(session, friendships).search_phone(&phone)).await?;
    ensure!(found.as_ref() == Some(&who), "{phone} is {who}'s number, but the search found {found:?}");
    Ok(())
}

async fn people_are_found_by_handle(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let none = || Stop::Unavailable(Ability::Handle, "its world has none".into());
    let (handle, who) = lab.world.handle.clone().ok_or_else(none)?;
    let found = lab.ok("search_handle", group!(session, friendships).search_handle(&handle)).await?;
    ensure!(found.as_ref() == Some(&who), "{handle} is {who}'s handle, but the search found {found:?}");
    Ok(())
}

async fn nobody_has_an_unknown_number(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    match lab.bounded("search_phone", group!(session, friendships).search_phone("+000000000000")).await? {
        Ok(found) => ensure!(found.is_none(), "nobody has the number, but the search found {found:?}"),
        // A platform may offer one of the two searches only; then that one must say so.
        Err(error) => ensure!(error.is_certain(), "a search in vain ended in doubt: {error}"),
    }
    Ok(())
}

async fn invitation(lab: &Lab, session: &Session<'_>, topic: &str) -> Verdict<RoomInvitationId> {
    let (mark, by) = (lab.mark(), lab.person()?);
    lab.act(Deed::InviteToRoom { by: by.clone(), topic: topic.to_owned() }).await?;
    let found = session.event("the room-invite event", mark, |entry| match &entry.event.what {
        EventPayload::RoomInvite(invite) => Some((invite.room_invitation_id.clone(), entry.event.payload.clone())),
        _ => None,
    });
    let (id, payload) = found.await?;
    let payload = match payload {
        Some(Payload::RoomInvitation(payload)) => payload,
        _ => {
            loadable(lab, Capability::LoadRoomInvitation, "room-invite")?;
            lab.ok("loading the room invitation", group!(session, loader).room_invitation(&id)).await?
        }
    };
    ensure!(payload.id == id, "the event says {id}, its payload {}", payload.id);
    ensure!(payload.inviter_id == by, "{by} invited us, but the invitation names {}", payload.inviter_id);
    ensure!(payload.topic.is_empty() || payload.topic == topic, "invited to {topic:?}, arrived {:?}", payload.topic);
    Ok(id)
}

async fn a_room_invitation_arrives_with_its_inviter(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    invitation(lab, &session, &lab.text("a new room")).await.map(drop)
}

async fn an_accepted_invitation_brings_us_in(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = invitation(lab, &session, &lab.text("a new room")).await?;
    let mark = lab.mark();
    lab.ok("accepting a room invitation", group!(session, room_invitations).accept(&id)).await?;
    let me = session.me();
    let joined = session.event("the room-join event of the account itself", mark, |entry| match &entry.event.what {
        EventPayload::RoomJoin(join) => {
            join.invitee_id_list.iter().any(|id| Some(id) == me.as_ref()).then(|| join.room_id.clone())
        }
        _ => None,
    });
    let room = joined.await?;
    if let Some(loader) = session.puppet.loader()
        && lab.capabilities.has(Capability::LoadRoom)
    {
        lab.ok("loading the room we came into", loader.room(&room)).await?;
    }
    Ok(())
}

async fn accepting_an_unknown_invitation_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = RoomInvitationId::from(lab.world.unknown.as_str());
    lab.not_found("room_invitations().accept", group!(session, room_invitations).accept(&id)).await
}
