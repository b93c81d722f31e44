//! What can be done to messages later: recall, edit, react.

use std::sync::Arc;

use wechaty_puppet::{ConversationId, MessageId, SayablePayload};

use crate::conformance::{
    Look,
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
    session::Session,
};

cases! { RECALL = Recall:
    a_recalled_message_is_gone [MessageRecall, SendText, SentId];
    a_recall_leaves_other_messages_alone [MessageRecall, SendText, SentId];
    a_recall_of_an_unknown_message_is_not_found [MessageRecall];
}

cases! { EDITS = Edits:
    an_edited_message_has_the_new_text [MessageEdit, SendText, SentId];
    an_edit_of_an_unknown_message_is_not_found [MessageEdit];
}

cases! { REACTIONS = Reactions:
    a_reaction_is_seen_and_taken_back [Reaction] optional [SeeReaction];
    a_reaction_to_an_unknown_message_is_not_found [Reaction];
}

async fn sent(lab: &Lab, session: &Session<'_>, to: &ConversationId, words: &str) -> Verdict<MessageId> {
    match lab.send_text(&session.puppet, to, &lab.text(words)).await?.id {
        Some(id) => Ok(id),
        None => failed("ids of sent messages are declared, but send returned none"),
    }
}

async fn a_recalled_message_is_gone(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let id = sent(lab, &session, &to, "to be recalled").await?;
    lab.received_n(&to, 1).await?;
    let done = lab.ok("recalling a message", group!(session, recall).recall(&id)).await?;
    ensure!(done, "a message just sent cannot be recalled");
    lab.silence().await;
    ensure!(lab.received(&to).await?.is_empty(), "recall returned true, but people still see the message");
    Ok(())
}

async fn a_recall_leaves_other_messages_alone(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(sent(lab, &session, &to, "one of three").await?);
    }
    lab.received_n(&to, 3).await?;
    lab.ok("recalling a message", group!(session, recall).recall(&ids[1])).await?;
    lab.silence().await;
    let left: Vec<_> = lab.received(&to).await?.into_iter().map(|received| received.id).collect();
    ensure!(left == [ids[0].clone(), ids[2].clone()], "recalled the second of {ids:?}, but people see {left:?}");
    Ok(())
}

async fn a_recall_of_an_unknown_message_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = MessageId::from(lab.world.unknown.as_str());
    match lab.bounded("recall().recall", group!(session, recall).recall(&id)).await? {
        Ok(true) => failed("recalling an unknown message answered true"),
        Ok(false) => Ok(()),
        Err(error) => {
            ensure!(error.is_certain(), "recalling an unknown message ended in doubt: {error}");
            Ok(())
        }
    }
}

async fn an_edited_message_has_the_new_text(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text) = (lab.direct()?, lab.text("edited 改过"));
    let id = sent(lab, &session, &to, "to be edited").await?;
    lab.received_n(&to, 1).await?;
    let what = Arc::new(SayablePayload::text(text.clone()));
    lab.ok("editing a message", group!(session, edits).edit(&to, &id, what)).await?;
    lab.silence().await;
    let received = lab.received(&to).await?;
    let texts: Vec<_> = received.iter().filter_map(|received| received.payload.as_text()).collect();
    ensure!(texts == [&text], "the message was edited to {text:?}, but people see {texts:?}");
    Ok(())
}

async fn an_edit_of_an_unknown_message_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = MessageId::from(lab.world.unknown.as_str());
    let what = Arc::new(SayablePayload::text("nothing"));
    lab.not_found("edits().edit", group!(session, edits).edit(&lab.direct()?, &id, what)).await
}

async fn a_reaction_is_seen_and_taken_back(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, text, mark) = (lab.direct()?, lab.text("like me"), lab.mark());
    lab.person_says(&text).await?;
    let id = session.hears(&text, mark).await?.2.id.clone();
    for add in [true, false] {
        lab.ok("reacting", group!(session, reactions).react(&to, &id, "👍", add)).await?;
        let complaint = if add { "people never saw the reaction" } else { "the reaction was not taken back" };
        lab.sees(Look::Reaction(id.clone(), "👍".into()), add, complaint).await?;
    }
    Ok(())
}

async fn a_reaction_to_an_unknown_message_is_not_found(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let id = MessageId::from(lab.world.unknown.as_str());
    lab.not_found("reactions().react", group!(session, reactions).react(&lab.direct()?, &id, "👍", true)).await
}
