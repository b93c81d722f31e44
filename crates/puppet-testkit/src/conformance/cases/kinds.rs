//! Each kind of send arrives as that kind.

use wechaty_puppet::{Capability, MessageId, SayablePayload};

use crate::conformance::{
    case::{Verdict, cases, ensure},
    lab::Lab,
    sample,
};

cases! { CASES = Kinds:
    markdown_arrives [SendMarkdown];
    an_attachment_arrives [SendAttachment];
    audio_arrives [SendAudio];
    an_emoticon_arrives [SendEmoticon];
    an_image_arrives [SendImage];
    a_video_arrives [SendVideo];
    a_contact_card_arrives [SendContact];
    a_location_arrives [SendLocation];
    a_mini_program_arrives [SendMiniProgram];
    a_link_arrives [SendUrl];
    a_post_arrives [SendPost];
    a_card_arrives [SendCard];
    a_menu_arrives [SendMenu];
    a_vendor_payload_arrives [SendOther];
    a_forwarded_message_arrives [SendForward];
    too_many_buttons_are_refused [SendMenu];
}

async fn arrives(lab: &Lab, kind: Capability) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let what = sample::of(kind, &lab.person()?, &MessageId::from("none"));
    lab.send(&session.puppet, lab.out(&to, what.clone())).await?;
    let received = lab.received_once(&to).await?;
    sample::same(lab, &what, &received.payload).await
}

macro_rules! kinds {
    ($($name:ident $kind:ident;)*) => {
        $(async fn $name(lab: &Lab) -> Verdict {
            arrives(lab, Capability::$kind).await
        })*
    };
}

kinds! {
    markdown_arrives SendMarkdown;
    an_attachment_arrives SendAttachment;
    audio_arrives SendAudio;
    an_emoticon_arrives SendEmoticon;
    an_image_arrives SendImage;
    a_video_arrives SendVideo;
    a_contact_card_arrives SendContact;
    a_location_arrives SendLocation;
    a_mini_program_arrives SendMiniProgram;
    a_link_arrives SendUrl;
    a_post_arrives SendPost;
    a_card_arrives SendCard;
    a_menu_arrives SendMenu;
    a_vendor_payload_arrives SendOther;
}

/// The platform shows what was forwarded.
async fn a_forwarded_message_arrives(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text, mark) = (lab.direct()?, lab.text("to be forwarded"), lab.mark());
    lab.person_says(&text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    let what = sample::of(Capability::SendForward, &lab.person()?, &message.id);
    lab.send(&session.puppet, lab.out(&to, what)).await?;
    let received = lab.received_once(&to).await?;
    let got = received.payload.as_text();
    ensure!(got == Some(&text), "forwarded {text:?}, but the platform shows {:?}", received.payload);
    Ok(())
}

async fn too_many_buttons_are_refused(lab: &Lab) -> Verdict {
    let Some(limit) = lab.capabilities.limits.buttons else { return Ok(()) };
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let menu = (0..=limit).fold(wechaty_puppet::Menu::new("Too many"), |menu, i| menu.item(i.to_string(), "item"));
    let what = SayablePayload::Menu(menu);
    let error = lab.err("a menu with too many items", session.puppet.send(lab.out(&to, what))).await?;
    ensure!(error.is_certain(), "a menu with too many items ended in doubt: {error}");
    ensure!(lab.received(&to).await?.is_empty(), "a menu with too many items was refused, but arrived");
    Ok(())
}
