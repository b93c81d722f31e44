//! Events by HTTP: answered only once they are accepted, and only if they are genuine.

use crate::conformance::{
    Ability,
    case::{Verdict, cases, ensure, failed, group},
    lab::{Lab, available},
    recorder::Mood,
    session::Session,
};

cases! { CASES = Webhook:
    a_webhook_request_is_claimed_and_accepted [Webhook] optional [Webhook];
    a_webhook_is_not_acknowledged_before_it_is_accepted [Webhook] optional [Webhook];
    a_webhook_before_run_is_not_acknowledged [Webhook] optional [Webhook];
    a_forged_webhook_is_refused [Webhook] optional [ForgedWebhook];
}

const fn acknowledged(status: u16) -> bool {
    status >= 200 && status < 300
}

/// Posts a text until it is acknowledged, as platforms do: a puppet may answer 503 until it is ready.
async fn posted(lab: &Lab, session: &Session<'_>, text: &str) -> Verdict {
    let request = available(Ability::Webhook, lab.harness.webhook(&lab.person()?, text).await)?;
    let webhook = group!(session, webhook);
    ensure!(webhook.claims(&request), "a request of the platform for this account is not claimed");
    let start = lab.real.now();
    loop {
        let response = lab.bounded("handling a webhook request", webhook.handle(request.clone())).await?;
        if acknowledged(response.status) {
            return Ok(());
        }
        let waited = lab.real.now().saturating_sub(start);
        ensure!(waited < lab.patience, "a genuine request was answered with status {}", response.status);
        lab.tick().await;
    }
}

async fn a_webhook_request_is_claimed_and_accepted(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (text, mark) = (lab.text("by HTTP"), lab.mark());
    posted(lab, &session, &text).await?;
    let there = session.messages(mark).await?.iter().any(|message| message.text.as_deref() == Some(&text));
    ensure!(there, "a webhook was acknowledged before its event was accepted");
    Ok(())
}

async fn a_webhook_is_not_acknowledged_before_it_is_accepted(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    posted(lab, &session, &lab.text("the puppet is ready")).await?;
    let request = available(Ability::Webhook, lab.harness.webhook(&lab.person()?, &lab.text("held")).await)?;
    lab.recorder.set_mood(Mood::Hold);
    let puppet = session.puppet.clone();
    let answer = tokio::spawn(async move {
        match puppet.webhook() {
            Some(webhook) => Some(webhook.handle(request).await.status),
            None => None,
        }
    });
    lab.silence().await;
    let early = answer.is_finished();
    lab.recorder.set_mood(Mood::Open);
    let Ok(Some(status)) = lab.bounded("handling a webhook request", answer).await? else {
        return failed("the webhook panicked");
    };
    ensure!(!early || !acknowledged(status), "a webhook was acknowledged while its event was not accepted");
    Ok(())
}

async fn a_webhook_before_run_is_not_acknowledged(lab: &Lab) -> Verdict {
    let puppet = lab.harness.puppet().await;
    let request = available(Ability::Webhook, lab.harness.webhook(&lab.person()?, &lab.text("too early")).await)?;
    let Some(webhook) = puppet.webhook() else { return failed("webhook() is None though it is declared") };
    let status = lab.bounded("handling a webhook request before run", webhook.handle(request)).await?.status;
    ensure!(!acknowledged(status), "a webhook before run was acknowledged with {status}: its event is lost");
    Ok(())
}

async fn a_forged_webhook_is_refused(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    let request = available(Ability::ForgedWebhook, lab.harness.forged_webhook().await)?;
    let response = lab.bounded("handling a forged request", group!(session, webhook).handle(request)).await?;
    ensure!(!acknowledged(response.status), "a forged request was acknowledged with {}", response.status);
    lab.silence().await;
    ensure!(session.messages(mark).await?.is_empty(), "a forged request became a message");
    Ok(())
}
