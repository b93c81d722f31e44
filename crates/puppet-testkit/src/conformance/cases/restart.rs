//! Events are acknowledged only after they are accepted: whatever fails or restarts, nothing is lost.

use crate::conformance::{
    Ability,
    case::{Stop, Verdict, cases, ensure, failed},
    lab::Lab,
    recorder::Mood,
    session::Session,
};

cases! { CASES = Restart:
    a_refused_batch_is_delivered_again;
    a_refused_batch_comes_again_after_a_crash optional [Replay];
    a_crash_while_accepting_loses_nothing optional [Replay];
    what_was_said_while_down_arrives optional [Replay];
    order_is_kept_across_a_refusal;
    a_restart_does_not_start_from_the_beginning;
    a_cursor_is_committed_with_the_events optional [Cursor];
    a_restart_resumes_from_an_older_cursor optional [Cursor];
}

/// The puppet may retry by itself, or end its run and be called again.
async fn a_refused_batch_is_delivered_again(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("refused once"), lab.mark());
    lab.recorder.set_mood(Mood::RefuseMessage);
    lab.person_says(&text).await?;
    lab.until("a batch with the message", || Ok((lab.recorder.turned_away() > 0).then_some(()))).await?;
    again(session, &text, mark).await
}

/// Waits for a text whose first delivery was refused.
async fn again(session: Session<'_>, text: &str, mark: usize) -> Verdict {
    match session.hears_through(text, mark).await {
        Ok(_) => Ok(()),
        Err(Stop::Failed(message)) => failed(format!(
            "accept failed, but the event was not delivered again: it was acknowledged before it was accepted ({message})"
        )),
        Err(stop) => Err(stop),
    }
}

async fn a_refused_batch_comes_again_after_a_crash(lab: &Lab) -> Verdict {
    lab.can(Ability::Replay)?;
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("refused, then a crash"), lab.mark());
    lab.recorder.set_mood(Mood::RefuseMessage);
    lab.person_says(&text).await?;
    lab.until("a batch with the message", || Ok((lab.recorder.turned_away() > 0).then_some(()))).await?;
    // The bot dies before the puppet can offer the batch again.
    drop(session);
    again(lab.connect().await?, &text, mark).await
}

async fn a_crash_while_accepting_loses_nothing(lab: &Lab) -> Verdict {
    lab.can(Ability::Replay)?;
    let session = lab.connect().await?;
    let (first, second, mark) = (lab.text("being stored"), lab.text("behind it"), lab.mark());
    lab.recorder.set_mood(Mood::Hold);
    lab.person_says(&first).await?;
    lab.person_says(&second).await?;
    lab.until("a batch with the message", || Ok((lab.recorder.turned_away() > 0).then_some(()))).await?;
    lab.silence().await;
    drop(session);
    lab.recorder.set_mood(Mood::Open);
    let session = lab.connect().await?;
    let index = session.hears(&first, mark).await?.0;
    let later = session.hears(&second, mark).await?.0;
    ensure!(index < later, "after a crash the later message came before the earlier one");
    Ok(())
}

async fn what_was_said_while_down_arrives(lab: &Lab) -> Verdict {
    lab.can(Ability::Replay)?;
    let session = lab.connect().await?;
    let (before, mark) = (lab.text("while up"), lab.mark());
    lab.person_says(&before).await?;
    session.hears(&before, mark).await?;
    session.stop().await?;
    let texts = [lab.text("while down"), lab.text("while down")];
    for text in &texts {
        lab.person_says(text).await?;
    }
    let session = lab.connect().await?;
    let first = session.hears(&texts[0], mark).await?.0;
    let second = session.hears(&texts[1], mark).await?.0;
    ensure!(first < second, "what was said while down arrived in another order");
    Ok(())
}

async fn order_is_kept_across_a_refusal(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    let texts = [lab.text("first"), lab.text("second"), lab.text("third")];
    lab.recorder.set_mood(Mood::RefuseMessage);
    for text in &texts {
        lab.person_says(text).await?;
    }
    let session = session.hears_through(&texts[2], mark).await?;
    let mut order = Vec::new();
    for message in session.messages(mark).await? {
        let text = message.text.clone().unwrap_or_default();
        if texts.contains(&text) && !order.contains(&text) {
            order.push(text);
        }
    }
    ensure!(order == texts, "after a refused batch the order is {order:?}: a message was lost or overtaken");
    Ok(())
}

/// The last event may come again: the bot may have stopped before the platform knew that it was accepted.
async fn a_restart_does_not_start_from_the_beginning(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    let old: Vec<_> = (0..5).map(|_| lab.text("old")).collect();
    for text in &old {
        lab.person_says(text).await?;
        session.hears(text, mark).await?;
    }
    session.stop().await?;
    let (new, mark) = (lab.text("new"), lab.mark());
    let session = lab.connect().await?;
    lab.person_says(&new).await?;
    session.hears(&new, mark).await?;
    let arrived = session.messages(mark).await?;
    let again: Vec<_> = arrived.iter().filter_map(|m| m.text.as_ref()).filter(|text| old.contains(text)).collect();
    let only_the_last = again.iter().all(|text| Some(*text) == old.last());
    ensure!(only_the_last, "after a restart the accepted messages {again:?} came again: the position is not kept");
    Ok(())
}

async fn a_cursor_is_committed_with_the_events(lab: &Lab) -> Verdict {
    lab.can(Ability::Cursor)?;
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("with a cursor"), lab.mark());
    lab.person_says(&text).await?;
    session.hears(&text, mark).await?;
    ensure!(lab.recorder.cursor().is_some(), "events were accepted, but no cursor was committed with them");
    Ok(())
}

async fn a_restart_resumes_from_an_older_cursor(lab: &Lab) -> Verdict {
    lab.can(Ability::Cursor)?;
    let session = lab.connect().await?;
    let mark = lab.mark();
    let texts = [lab.text("first"), lab.text("second"), lab.text("third")];
    let mut cursor = None;
    for text in &texts {
        lab.person_says(text).await?;
        let index = session.hears(text, mark).await?.0;
        if cursor.is_none() {
            cursor = lab.recorder.entry(index).and_then(|entry| entry.cursor);
        }
    }
    ensure!(cursor.is_some(), "events were accepted, but no cursor was committed with them");
    session.stop().await?;
    // As if the bot had lost the last two commits.
    let mark = lab.mark();
    let session = Session::start(lab, lab.harness.puppet().await, cursor);
    session.logged_in().await?;
    for text in &texts[1..] {
        match session.hears(text, mark).await {
            Err(Stop::Failed(message)) => {
                return failed(format!(
                    "run started from an older cursor, but {text:?} behind it did not come again: it ignores cx.cursor() ({message})"
                ));
            }
            heard => heard?,
        };
    }
    lab.silence().await;
    let again = session.messages(mark).await?;
    let first = again.iter().any(|message| message.text.as_ref() == Some(&texts[0]));
    ensure!(!first, "{:?} came again, though run started from the cursor committed with it", texts[0]);
    Ok(())
}
