//! The life of `run`: login, end, again.

use wechaty_puppet::{CancellationToken, PuppetError};

use crate::conformance::{
    case::{Verdict, cases, ensure, failed},
    lab::Lab,
    recorder::Mood,
    session::{Ended, Session},
};

cases! { CASES = Run:
    run_says_who_is_logged_in;
    run_returns_ok_once_cancelled;
    run_returns_ok_if_cancelled_at_once;
    run_can_be_called_again;
    a_fresh_puppet_is_the_same_account;
    run_returns_when_the_bot_is_stopping;
    run_returns_when_the_identity_is_refused;
    an_idle_run_goes_on;
}

async fn run_says_who_is_logged_in(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let me = session.me();
    ensure!(me.as_ref().is_some_and(|me| !me.as_str().is_empty()), "the login event names nobody: {me:?}");
    Ok(())
}

async fn run_returns_ok_once_cancelled(lab: &Lab) -> Verdict {
    lab.connect().await?.stop().await.map(drop)
}

async fn run_returns_ok_if_cancelled_at_once(lab: &Lab) -> Verdict {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let session = Session::start_with(lab, lab.harness.puppet().await, None, cancel);
    session.stop().await.map(drop)
}

async fn run_can_be_called_again(lab: &Lab) -> Verdict {
    let mut puppet = lab.harness.puppet().await;
    for _ in 0..3 {
        let session = lab.connect_as(puppet).await?;
        let (text, mark) = (lab.text("again"), lab.mark());
        lab.person_says(&text).await?;
        session.hears(&text, mark).await?;
        puppet = session.stop().await?;
    }
    Ok(())
}

async fn a_fresh_puppet_is_the_same_account(lab: &Lab) -> Verdict {
    let first = lab.connect().await?;
    let before = first.me();
    first.stop().await?;
    let after = lab.connect().await?.me();
    ensure!(before == after, "a fresh puppet logged in as {after:?}, the one before as {before:?}");
    Ok(())
}

async fn run_returns_when_the_bot_is_stopping(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    lab.recorder.set_mood(Mood::Stopping);
    // Whether anybody still hears it does not matter: a puppet may notice with an event of its own login already.
    let _ = lab.person_says(&lab.text("too late")).await;
    match session.end("run to return after accept said that the bot is stopping").await? {
        Ended::Ok | Ended::Err(PuppetError::Accept(_)) => Ok(()),
        ended => failed(format!("accept said that the bot is stopping, but {}", ended.words())),
    }
}

async fn run_returns_when_the_identity_is_refused(lab: &Lab) -> Verdict {
    lab.recorder.set_mood(Mood::Stranger);
    let session = Session::start(lab, lab.harness.puppet().await, None);
    match session.end("run to return after accept refused the identity").await? {
        Ended::Err(PuppetError::Accept(_)) => Ok(()),
        ended => failed(format!("accept refused the identity, but {}", ended.words())),
    }
}

async fn an_idle_run_goes_on(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    lab.silence().await;
    match session.ended() {
        None => Ok(()),
        Some(ended) => failed(format!("nobody cancelled it and nothing broke, but {}", ended.words())),
    }
}
