//! Contents of messages beyond their text, loaded when asked for.

use std::sync::Arc;

use wechaty_puppet::{Capability, ImageType, MessageId, MessagePayload, SayablePayload};

use crate::conformance::{
    Said,
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
    sample,
    session::Session,
};

cases! { CASES = Media:
    the_file_of_a_message_is_the_one_that_was_sent [MessageFile] optional [SayKind];
    the_image_of_a_message_comes_in_renditions [MessageImage] optional [SayKind];
    the_contact_card_of_a_message_names_the_contact [MessageContact] optional [SayKind];
    the_link_of_a_message_is_the_one_that_was_sent [MessageUrl] optional [SayKind];
    the_mini_program_of_a_message_is_the_one_that_was_sent [MessageMiniProgram] optional [SayKind];
    the_location_of_a_message_is_the_one_that_was_sent [MessageLocation] optional [SayKind];
    the_file_of_an_unknown_message_is_not_found [MessageFile];
    the_file_of_a_text_is_refused [MessageFile];
}

/// The first friend sends this; the message as it arrived.
async fn sent(lab: &Lab, session: &Session<'_>, kind: Capability) -> Verdict<(SayablePayload, Arc<MessagePayload>)> {
    let person = lab.person()?;
    let what = sample::of(kind, &person, &MessageId::from("none"));
    let mark = lab.mark();
    lab.says(Said { from: person.clone(), room: None, what: what.clone(), quote: None }).await?;
    let (_, _, message) = session.message("what the person sent", mark, |m| m.talker_id == person).await?;
    Ok((what, message))
}

async fn the_file_of_a_message_is_the_one_that_was_sent(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (_, message) = sent(lab, &session, Capability::SendAttachment).await?;
    let got = lab.ok("the file of a message", group!(session, media).file(&message.id)).await?;
    sample::same_file(lab, &sample::file("notes.txt"), &got).await
}

async fn the_image_of_a_message_comes_in_renditions(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (_, message) = sent(lab, &session, Capability::SendImage).await?;
    let media = group!(session, media);
    for kind in [ImageType::Thumbnail, ImageType::HD] {
        let got = lab.ok("a rendition of an image", media.image(&message.id, kind)).await?;
        ensure!(!got.name().is_empty(), "the {kind} of an image has no name");
    }
    let artwork = lab.ok("the image as it was sent", media.image(&message.id, ImageType::Artwork)).await?;
    sample::same_file(lab, &sample::file("photo.png"), &artwork).await
}

macro_rules! contents {
    ($($name:ident $method:ident $kind:ident $variant:ident |$got:ident| $same:expr;)*) => {
        $(async fn $name(lab: &Lab) -> Verdict {
            let session = lab.connect().await?;
            let (what, message) = sent(lab, &session, Capability::$kind).await?;
            let $got = lab.ok(concat!("media().", stringify!($method)), group!(session, media).$method(&message.id)).await?;
            sample::same(lab, &what, &SayablePayload::$variant($same)).await
        })*
    };
}

contents! {
    the_contact_card_of_a_message_names_the_contact contact SendContact Contact
        |id| wechaty_puppet::ContactCard { contact_id: id };
    the_link_of_a_message_is_the_one_that_was_sent url SendUrl Url |link| link;
    the_mini_program_of_a_message_is_the_one_that_was_sent mini_program SendMiniProgram MiniProgram |program| program;
    the_location_of_a_message_is_the_one_that_was_sent location SendLocation Location |place| place;
}

async fn the_file_of_an_unknown_message_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = MessageId::from(lab.world.unknown.as_str());
    lab.not_found("media().file", group!(session, media).file(&id)).await
}

async fn the_file_of_a_text_is_refused(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("no file"), lab.mark());
    lab.person_says(&text).await?;
    let (_, _, message) = session.hears(&text, mark).await?;
    match lab.bounded("media().file of a text", group!(session, media).file(&message.id)).await? {
        Ok(file) => failed(format!("a text has no file, but media().file found {:?}", file.name())),
        Err(_) => Ok(()),
    }
}
