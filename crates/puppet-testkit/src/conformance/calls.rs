//! Every call of the contract by its capability, to see that undeclared ones refuse.

use std::{future::Future, pin::Pin, sync::Arc};

use wechaty_puppet::{
    Capability, ContactId, ConversationId, FriendRequest, ImageType, LoginAnswer, Mention, MessageId, Outgoing,
    PageRequest, PostFilter, PostId, Puppet, PuppetError, Result as Called, RoomId, RoomPermission, SayablePayload,
    TagId, TapFilter, TapType, TextPayload,
};

use super::{
    case::{Verdict, failed, words},
    lab::Lab,
    sample,
    session::Session,
};

type Call<'a> = Pin<Box<dyn Future<Output = Called<()>> + Send + 'a>>;

/// What calls are about.
struct Things {
    contact: ContactId,
    contacts: Vec<ContactId>,
    conversation: ConversationId,
    room: RoomId,
    message: MessageId,
    post: PostId,
    tag: TagId,
    phone: Vec<String>,
    text: Arc<SayablePayload>,
    out: Outgoing,
}

/// Whether the puppet offers the accessor behind each group of capabilities.
pub(super) fn accessors(puppet: &dyn Puppet) -> Vec<(&'static str, bool, &'static [Capability])> {
    macro_rules! list {
        ($($accessor:ident: $($capability:ident),+;)*) => {
            vec![$((stringify!($accessor), puppet.$accessor().is_some(), &[$(Capability::$capability),+] as &[_])),*]
        };
    }
    list! {
        loader: LoadContact, LoadRoom, LoadRoomMember, LoadMessage, LoadFriendship, LoadRoomInvitation, LoadPost;
        directory: ContactList, RoomList, RoomMemberList;
        contact_profile: ContactAlias, ContactPhone, ContactDescription, ContactCorporation, ContactAvatar;
        self_profile: SelfName, SelfSignature, SelfQrCode, SelfAvatar;
        friendships: FriendshipAdd, FriendshipAccept, FriendshipSearch;
        rooms: RoomCreate, RoomAdd, RoomRemove, RoomQuit, RoomTopic, RoomAnnounce, RoomQrCode, RoomAvatar,
            RoomTransfer, RoomDismiss, RoomAdmins, RoomPermission;
        room_invitations: RoomInvitationAccept;
        media: MessageFile, MessageImage, MessageContact, MessageUrl, MessageMiniProgram, MessageLocation;
        recall: MessageRecall;
        edits: MessageEdit;
        reactions: Reaction;
        typing: Typing;
        read_marks: ReadMark;
        tags: Tag;
        posts: Post;
        taps: Tap;
        login: Logout, VerifyCode;
        webhook: Webhook;
        pins: Pin;
        readers: MessageReaders;
        growing: GrowingText;
    }
}

/// The calls behind one capability that can be reached, by name.
fn calls<'a>(puppet: &'a dyn Puppet, capability: Capability, on: &'a Things) -> Vec<(&'static str, Call<'a>)> {
    macro_rules! via {
        ($accessor:ident: $($method:ident($($arg:expr),*)),+) => {
            match puppet.$accessor() {
                Some(group) => vec![$((
                    concat!(stringify!($accessor), "().", stringify!($method)),
                    Box::pin(async move { group.$method($($arg),*).await.map(drop) }) as Call<'a>,
                )),+],
                None => Vec::new(),
            }
        };
    }
    use Capability as C;
    match capability {
        C::LoadContact => via!(loader: contact(&on.contact)),
        C::LoadRoom => via!(loader: room(&on.room)),
        C::LoadRoomMember => via!(loader: room_member(&on.room, &on.contact)),
        C::LoadMessage => via!(loader: message(&on.message)),
        C::LoadFriendship => via!(loader: friendship(&"none".into())),
        C::LoadRoomInvitation => via!(loader: room_invitation(&"none".into())),
        C::LoadPost => via!(loader: post(&on.post)),
        C::ContactList => via!(directory: contacts()),
        C::RoomList => via!(directory: rooms()),
        C::RoomMemberList => via!(directory: room_members(&on.room)),
        C::ContactAlias => via!(contact_profile: set_alias(&on.contact, Some("alias"))),
        C::ContactPhone => via!(contact_profile: set_phone(&on.contact, &on.phone)),
        C::ContactDescription => via!(contact_profile: set_description(&on.contact, Some("words"))),
        C::ContactCorporation => via!(contact_profile: set_corporation(&on.contact, Some("words"))),
        C::ContactAvatar => via!(contact_profile: avatar(&on.contact)),
        C::SelfName => via!(self_profile: set_name("name")),
        C::SelfSignature => via!(self_profile: set_signature("words")),
        C::SelfQrCode => via!(self_profile: qr_code()),
        C::SelfAvatar => via!(self_profile: set_avatar(sample::file("me.png"))),
        C::FriendshipAdd => via!(friendships: add(&on.contact, FriendRequest::default())),
        C::FriendshipAccept => via!(friendships: accept(&"none".into())),
        C::FriendshipSearch => via!(friendships: search_phone("123"), search_handle("handle")),
        C::RoomCreate => via!(rooms: create(&on.contacts, Some("topic"))),
        C::RoomAdd => via!(rooms: add(&on.room, &on.contacts, false)),
        C::RoomRemove => via!(rooms: remove(&on.room, &on.contacts)),
        C::RoomQuit => via!(rooms: quit(&on.room)),
        C::RoomTopic => via!(rooms: set_topic(&on.room, "topic")),
        C::RoomAnnounce => via!(rooms: announce(&on.room), set_announce(&on.room, "words")),
        C::RoomQrCode => via!(rooms: qr_code(&on.room)),
        C::RoomAvatar => via!(rooms: avatar(&on.room)),
        C::RoomTransfer => via!(rooms: transfer(&on.room, &on.contact)),
        C::RoomDismiss => via!(rooms: dismiss(&on.room)),
        C::RoomAdmins => via!(rooms: set_admins(&on.room, &on.contacts, true)),
        C::RoomPermission => {
            via!(rooms: permission(&on.room), set_permission(&on.room, RoomPermission::default()))
        }
        C::RoomInvitationAccept => via!(room_invitations: accept(&"none".into())),
        C::MessageFile => via!(media: file(&on.message)),
        C::MessageImage => via!(media: image(&on.message, ImageType::Thumbnail)),
        C::MessageContact => via!(media: contact(&on.message)),
        C::MessageUrl => via!(media: url(&on.message)),
        C::MessageMiniProgram => via!(media: mini_program(&on.message)),
        C::MessageLocation => via!(media: location(&on.message)),
        C::MessageRecall => via!(recall: recall(&on.message)),
        C::MessageEdit => via!(edits: edit(&on.conversation, &on.message, on.text.clone())),
        C::Reaction => via!(reactions: react(&on.conversation, &on.message, "👍", true)),
        C::Typing => via!(typing: typing(&on.conversation, true)),
        C::ReadMark => via!(read_marks: is_read(&on.conversation), set_read(&on.conversation, true)),
        C::Tag => via!(tags: add(&on.tag, &on.contact), remove(&on.tag, &on.contact), delete(&on.tag), list(None)),
        C::Post => {
            via!(posts: publish(sample::post("words")), search(PostFilter::default(), PageRequest::default()))
        }
        C::Tap => via!(taps: is_tapped(&on.post, TapType::Like), set_tapped(&on.post, TapType::Like, true),
            search(&on.post, TapFilter::default(), PageRequest::default())),
        C::Logout => via!(login: logout(None)),
        C::VerifyCode => via!(login: answer(LoginAnswer::Cancel { id: "none".into() })),
        C::Pin => via!(pins: pin(&on.conversation, &on.message, true), pinned(&on.conversation)),
        C::MessageReaders => via!(readers: readers(&on.conversation, &on.message)),
        C::GrowingText => via!(growing: begin(on.out.clone()), grow(&on.conversation, &on.message, "words"),
            finish(&on.conversation, &on.message, "words")),
        _ => Vec::new(),
    }
}

/// Every reachable call of this accessor's group that is not declared refuses with an error that names it.
pub(super) async fn refuse(lab: &Lab, accessor: &str) -> Verdict {
    let session = lab.connect().await?;
    let groups = accessors(&*session.puppet);
    let capabilities = groups.iter().find(|(name, ..)| *name == accessor).map_or(&[] as &[_], |(.., group)| group);
    let contact = lab.person()?;
    let room = lab.world.room.as_ref().map_or_else(|| RoomId::from(lab.world.unknown.as_str()), |room| room.id.clone());
    let on = Things {
        contacts: vec![contact.clone()],
        conversation: contact.clone().into(),
        out: lab.out(&contact.clone().into(), SayablePayload::text("words")),
        contact,
        room,
        message: lab.world.unknown.as_str().into(),
        post: lab.world.unknown.as_str().into(),
        tag: "tag".into(),
        phone: vec!["123".into()],
        text: Arc::new(SayablePayload::text("words")),
    };
    for capability in capabilities.iter().filter(|capability| !lab.capabilities.has(**capability)) {
        for (name, call) in calls(&*session.puppet, *capability, &on) {
            refused(lab, name, *capability, call).await?;
        }
    }
    Ok(())
}

async fn refused<T>(lab: &Lab, name: &str, capability: Capability, call: impl Future<Output = Called<T>>) -> Verdict {
    match lab.bounded(&format!("the undeclared call {name}"), call).await? {
        Err(PuppetError::Unsupported { capability: named, .. }) if named == capability => Ok(()),
        Err(error) => failed(format!(
            "{name} is not declared, but answered \"{}\" instead of Unsupported({capability:?})",
            words(&error)
        )),
        Ok(_) => failed(format!("{name} is not declared, but answered Ok (a silent no-op)")),
    }
}

/// A ding that is not declared refuses.
pub(super) async fn refuse_ding(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    if lab.capabilities.has(Capability::Ding) {
        return Ok(());
    }
    refused(lab, "ding", Capability::Ding, session.puppet.ding(None)).await
}

/// Sends of kinds that are not declared refuse, and nothing arrives.
pub(super) async fn refuse_kinds(lab: &Lab, session: &Session<'_>) -> Verdict {
    let (person, to) = (lab.person()?, lab.direct()?);
    for kind in sample::KINDS.iter().filter(|kind| !lab.capabilities.has(**kind)) {
        let out = lab.out(&to, sample::of(*kind, &person, &"none".into()));
        refused(lab, &format!("{kind}"), *kind, session.puppet.send(out)).await?;
    }
    nothing_arrived(lab, &to).await
}

/// Mentions and quotes that are not declared refuse, and nothing arrives.
pub(super) async fn refuse_extras(lab: &Lab, session: &Session<'_>) -> Verdict {
    let to = lab.direct()?;
    if !lab.capabilities.has(Capability::SendText) {
        return Ok(());
    }
    let mentioning =
        |mention| SayablePayload::Text(TextPayload { text: "@somebody hello".into(), mentions: vec![mention] });
    if !lab.capabilities.has(Capability::Mention) {
        let out = lab.out(&to, mentioning(Mention::Contact(lab.person()?)));
        refused(lab, "a send with a mention", Capability::Mention, session.puppet.send(out)).await?;
    }
    if !lab.capabilities.has(Capability::MentionAll) {
        let out = lab.out(&to, mentioning(Mention::All));
        refused(lab, "a send with a mention of everybody", Capability::MentionAll, session.puppet.send(out)).await?;
    }
    if !lab.capabilities.has(Capability::Quote) {
        let text = lab.text("to be quoted");
        let mark = lab.mark();
        lab.person_says(&text).await?;
        let (_, _, quoted) = session.hears(&text, mark).await?;
        let mut out = lab.out(&to, SayablePayload::text("an answer"));
        out.quote = Some(quoted.id.clone());
        refused(lab, "a send with a quote", Capability::Quote, session.puppet.send(out)).await?;
    }
    nothing_arrived(lab, &to).await
}

async fn nothing_arrived(lab: &Lab, to: &ConversationId) -> Verdict {
    match lab.received(to).await?.first() {
        Some(received) => {
            failed(format!("a refused send arrived at the platform all the same: {:?}", received.payload))
        }
        None => Ok(()),
    }
}
