//! What goes wrong at the platform surfaces as the error that says so, once, and nothing is lost.

use std::time::Duration;

use wechaty_puppet::{PuppetError, Retry, SayablePayload};

use crate::conformance::{
    Ability, Fault,
    case::{Verdict, cases, ensure, failed, words},
    lab::Lab,
};

cases! { CASES = Faults:
    a_duplicate_event_has_the_same_dedupe_id optional [Duplicate];
    a_broken_connection_loses_nothing optional [Disconnect, Replay];
    sending_works_after_a_broken_connection [SendText] optional [Disconnect, Replay];
    a_rate_limit_surfaces_with_its_pause [SendText] optional [RateLimit];
    a_lost_reply_is_in_doubt [SendText] optional [LoseReply];
    a_lost_reply_and_its_retry_arrive_once [SendText, IdempotencyKey] optional [LoseReply];
    an_unreachable_platform_is_certain_and_retryable [SendText] optional [Unreachable];
    a_refused_send_is_permanent_and_certain [SendText] optional [Reject];
}

async fn a_duplicate_event_has_the_same_dedupe_id(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("twice"), lab.mark());
    lab.fault(Fault::DuplicateEvent).await?;
    lab.person_says(&text).await?;
    let (index, first, _) = session.hears(&text, mark).await?;
    lab.silence().await;
    // A puppet may drop the duplicate by itself; if it hands it over, the bot must be able to see it.
    let mut next = index + 1;
    while let Some(entry) = lab.recorder.entry(next) {
        next += 1;
        if entry.event.what.kind() == first.what.kind()
            && session.payload(&entry.event).await?.text.as_deref() == Some(&text)
        {
            let (a, b) = (first.dedupe_id(), entry.event.dedupe_id());
            ensure!(a == b, "one event delivered twice has the dedupe ids {a:?} and {b:?}: handlers run twice");
            ensure!(first.revision == entry.event.revision, "one event delivered twice has two revisions");
        }
    }
    Ok(())
}

async fn a_broken_connection_loses_nothing(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (before, after, mark) = (lab.text("before"), lab.text("after"), lab.mark());
    lab.can(Ability::Replay)?;
    lab.person_says(&before).await?;
    session.hears(&before, mark).await?;
    lab.fault(Fault::Disconnect).await?;
    lab.person_says(&after).await?;
    session.hears_through(&after, mark).await.map(drop)
}

async fn sending_works_after_a_broken_connection(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, heard, text, mark) = (lab.direct()?, lab.text("back again"), lab.text("still here"), lab.mark());
    lab.can(Ability::Replay)?;
    lab.fault(Fault::Disconnect).await?;
    lab.person_says(&heard).await?;
    let session = session.hears_through(&heard, mark).await?;
    lab.send_text(&session.puppet, &to, &text).await?;
    lab.received_once(&to).await.map(drop)
}

async fn a_rate_limit_surfaces_with_its_pause(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (to, pause) = (lab.direct()?, Duration::from_secs(2));
    lab.fault(Fault::RateLimit(pause)).await?;
    let out = lab.out(&to, SayablePayload::text(lab.text("too fast")));
    match lab.bounded("a send that is too fast", session.puppet.send(out.clone())).await? {
        Ok(_) => return failed("a rate limit did not surface: the puppet swallowed it, or retried inside"),
        Err(PuppetError::RateLimited { retry_after: Some(after) }) => {
            ensure!(after == pause, "the platform asks for a pause of {pause:?}, but retry_after is {after:?}");
        }
        Err(PuppetError::RateLimited { retry_after: None }) => return failed("the rate limit lost its retry_after"),
        Err(error) => return failed(format!("a rate limit surfaced as \"{}\"", words(&error))),
    }
    ensure!(lab.received(&to).await?.is_empty(), "a send failed with RateLimited, but arrived: it is not certain");
    lab.pass(pause).await;
    lab.send(&session.puppet, out).await?;
    lab.received_once(&to).await.map(drop)
}

async fn a_lost_reply_is_in_doubt(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    lab.fault(Fault::LoseReply).await?;
    let out = lab.out(&to, SayablePayload::text(lab.text("did it arrive?")));
    match lab.bounded("a send whose reply gets lost", session.puppet.send(out)).await? {
        Ok(_) => failed("the reply of a send got lost, but it answered Ok"),
        Err(error) if error.is_certain() => failed(format!(
            "the reply of a send got lost, but the error \"{}\" claims certainty that nothing happened",
            words(&error)
        )),
        Err(_) => Ok(()),
    }
}

async fn a_lost_reply_and_its_retry_arrive_once(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    lab.fault(Fault::LoseReply).await?;
    let mut out = lab.out(&to, SayablePayload::text(lab.text("once only")));
    lab.err("a send whose reply gets lost", session.puppet.send(out.clone())).await?;
    out.attempt = 2;
    lab.send(&session.puppet, out).await?;
    lab.silence().await;
    let n = lab.received(&to).await?.len();
    ensure!(n == 1, "a send whose reply got lost and its retry with the same key arrived {n} times");
    Ok(())
}

async fn an_unreachable_platform_is_certain_and_retryable(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    lab.fault(Fault::Unreachable).await?;
    let out = lab.out(&to, SayablePayload::text(lab.text("nobody home")));
    let error = lab.err("a send that does not reach the platform", session.puppet.send(out)).await?;
    ensure!(error.retry() != Retry::Never, "an unreachable platform is no permanent error: {}", words(&error));
    ensure!(error.is_certain(), "a send did not reach the platform, but \"{}\" is in doubt", words(&error));
    lab.silence().await;
    ensure!(lab.received(&to).await?.is_empty(), "a send was certain not to have happened, but arrived");
    Ok(())
}

async fn a_refused_send_is_permanent_and_certain(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let to = lab.direct()?;
    lab.fault(Fault::Reject).await?;
    let out = lab.out(&to, SayablePayload::text(lab.text("no")));
    let error = lab.err("a send that the platform refuses", session.puppet.send(out)).await?;
    ensure!(error.retry() == Retry::Never, "the platform refused for good, but \"{}\" is retryable", words(&error));
    ensure!(error.is_certain(), "the platform refused, but \"{}\" is in doubt", words(&error));
    ensure!(lab.received(&to).await?.is_empty(), "the platform refused a send, but has it");
    Ok(())
}
