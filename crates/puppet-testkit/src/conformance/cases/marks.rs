//! Typing indicators, read marks, tags.

use wechaty_puppet::{ContactId, TagId};

use crate::conformance::{
    Look,
    case::{Verdict, cases, ensure, group},
    lab::Lab,
};

cases! { TYPING = Typing:
    typing_is_seen_until_it_ends [Typing] optional [SeeTyping];
    typing_sends_nothing [Typing];
}

cases! { READ_MARKS = ReadMarks:
    a_read_mark_is_kept [ReadMark];
}

cases! { TAGS = Tags:
    a_tag_is_added_listed_and_removed [Tag];
    a_deleted_tag_is_on_nobody [Tag];
    a_tag_on_one_contact_is_not_on_another [Tag] optional [SecondPerson];
    a_tag_on_an_unknown_contact_is_not_found [Tag];
}

async fn typing_is_seen_until_it_ends(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    for on in [true, false] {
        lab.ok("typing", group!(session, typing).typing(&to, on)).await?;
        let complaint = if on { "people never saw the typing indicator" } else { "the typing indicator never ended" };
        lab.sees(Look::Typing(to.clone()), on, complaint).await?;
    }
    Ok(())
}

async fn typing_sends_nothing(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    lab.ok("typing", group!(session, typing).typing(&to, true)).await?;
    lab.ok("typing", group!(session, typing).typing(&to, false)).await?;
    lab.silence().await;
    ensure!(lab.received(&to).await?.is_empty(), "the typing indicator arrived as a message");
    Ok(())
}

async fn a_read_mark_is_kept(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, marks) = (lab.direct()?, group!(session, read_marks));
    for read in [true, false, true] {
        lab.ok("setting the read mark", marks.set_read(&to, read)).await?;
        let got = lab.ok("reading the read mark", marks.is_read(&to)).await?;
        ensure!(got == read, "the read mark was set to {read}, but is {got}");
    }
    Ok(())
}

async fn a_tag_is_added_listed_and_removed(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (who, tag, tags) = (lab.person()?, TagId::from(lab.text("客户")), group!(session, tags));
    lab.ok("adding a tag", tags.add(&tag, &who)).await?;
    let of_contact = lab.ok("listing the tags of a contact", tags.list(Some(&who))).await?;
    ensure!(of_contact.contains(&tag), "{tag} was added to {who}, but is not among its tags {of_contact:?}");
    let all = lab.ok("listing all tags", tags.list(None)).await?;
    ensure!(all.contains(&tag), "{tag} is on {who}, but not among all tags {all:?}");
    lab.ok("removing a tag", tags.remove(&tag, &who)).await?;
    let of_contact = lab.ok("listing the tags of a contact", tags.list(Some(&who))).await?;
    ensure!(!of_contact.contains(&tag), "{tag} was removed from {who}, but is still among its tags");
    Ok(())
}

async fn a_deleted_tag_is_on_nobody(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (who, tag, tags) = (lab.person()?, TagId::from(lab.text("gone")), group!(session, tags));
    lab.ok("adding a tag", tags.add(&tag, &who)).await?;
    lab.ok("deleting a tag", tags.delete(&tag)).await?;
    for list in [Some(&who), None] {
        let left = lab.ok("listing tags", tags.list(list)).await?;
        ensure!(!left.contains(&tag), "{tag} was deleted, but is still listed for {list:?}");
    }
    Ok(())
}

async fn a_tag_on_one_contact_is_not_on_another(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (who, other, tag) = (lab.person()?, lab.second()?, TagId::from(lab.text("one only")));
    lab.ok("adding a tag", group!(session, tags).add(&tag, &who)).await?;
    let others = lab.ok("listing tags", group!(session, tags).list(Some(&other))).await?;
    ensure!(!others.contains(&tag), "{tag} was added to {who}, but {other} has it as well");
    Ok(())
}

async fn a_tag_on_an_unknown_contact_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (nobody, tag) = (ContactId::from(lab.world.unknown.as_str()), TagId::from("nobody's"));
    lab.not_found("tags().add", group!(session, tags).add(&tag, &nobody)).await
}
