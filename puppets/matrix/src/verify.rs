//! VERIFICATION: somebody compares what two devices show. Told as a step of a login; the answer is a person's.

use std::time::Duration;

use matrix_sdk::{
    Client,
    encryption::verification::{CancelInfo, Emoji, SasState, SasVerification, Verification, VerificationRequestState},
    ruma::{OwnedUserId, UserId, events::key::verification::VerificationMethod},
};
use serde_json::Value;
use wechaty_puppet::{
    Event, EventPayload, LoginAnswer, LoginStep, PuppetError, Result, ScanEvent, ScanStatus, with_causes,
};

use crate::{
    convert::{id, text},
    link::Link,
    sdk::{self, Answer},
};

/// People who verify this device at once, one verification each. The account's own devices come beside them.
const MOST: usize = 8;
/// How long a verification lasts after the homeserver did not take our part in it: it may have, and its answer was lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody's device and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flow {
    user: OwnedUserId,
    id: String,
    /// What a person has been asked to compare.
    shown: Option<String>,
    /// When our part was not taken, and why.
    fault: Option<(Duration, String)>,
}

impl Flow {
    /// What the question is called. The other side chooses the id: two of them may choose one.
    fn name(&self) -> String {
        format!("{} {}", self.user, self.id)
    }

    /// Why it is to be given up: its fault has lasted too long.
    fn hopeless(&self, now: Duration) -> Option<String> {
        let (since, why) = self.fault.as_ref()?;
        (now.saturating_sub(*since) >= PATIENCE).then(|| why.clone())
    }
}

/// Whether a verification with somebody can begin. Two with one user are none: the SDK cancels both.
fn has_place<'a>(flows: impl Iterator<Item = &'a Flow> + Clone, user: &UserId, me: &str) -> bool {
    let strangers = flows.clone().filter(|flow| *flow.user != *me).count();
    flows.clone().all(|flow| flow.user != user) && (*user == *me || strangers < MOST)
}

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Verifying(tokio::sync::Mutex<Vec<Flow>>);

/// What has become of a verification.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Waits,
    /// Our part of it is to be done; or has been.
    Goes,
    Asks(String),
    /// What was shown is not what is to be confirmed.
    Replaced,
    Verified,
    Ended(String),
    Broken(String),
}

/// Who asks for a verification here, and which.
fn request<'a>(event: &'a Value, me: &str) -> Option<(&'a str, &'a str)> {
    let by = text(event, &["sender"])?;
    match text(event, &["type"])? {
        // Older clients begin without a request.
        "m.key.verification.request" | "m.key.verification.start" => {
            Some((by, text(event, &["content", "transaction_id"])?))
        }
        "m.room.message" if text(event, &["content", "msgtype"]) == Some("m.key.verification.request") => {
            let is_for_us = text(event, &["content", "to"]) == Some(me) && by != me;
            is_for_us.then_some((by, id(event)?))
        }
        _ => None,
    }
}

/// What a person answers: the same, or not. Nothing else counts as either.
fn is_same(code: &str) -> Option<bool> {
    match &*code.trim().to_lowercase() {
        "yes" | "y" | "是" | "一致" => Some(true),
        "no" | "n" | "否" | "不一致" => Some(false),
        _ => None,
    }
}

fn cancelled(info: &CancelInfo) -> Step {
    Step::Ended(format!("{}: {}", info.cancel_code(), info.reason()))
}

/// What both devices show.
fn words(emoji: Option<&[Emoji; 7]>, (one, two, three): (u16, u16, u16)) -> String {
    let emoji = emoji.map(|all| all.each_ref().map(|one| format!("{} {}", one.symbol, one.description)).join(", "));
    let emoji = emoji.map(|emoji| format!("{emoji} / ")).unwrap_or_default();
    format!("{emoji}{one} {two} {three}")
}

/// How far a comparison is, of which this was shown. The other device may begin anew at any time, under the same name: what is
/// compared then is something else.
fn compares(state: &SasState, we_started: bool, shown: Option<&str>) -> Step {
    match state {
        SasState::KeysExchanged { emojis, decimals } => {
            let now = words(emojis.as_ref().map(|all| &all.emojis), *decimals);
            match shown {
                None => Step::Asks(now),
                Some(shown) if shown == now => Step::Waits,
                Some(_) => Step::Replaced,
            }
        }
        SasState::Done { .. } => Step::Verified,
        SasState::Cancelled(info) => cancelled(info),
        // By us: nobody else can.
        SasState::Confirmed => Step::Waits,
        _ if shown.is_some() => Step::Replaced,
        SasState::Started { .. } if !we_started => Step::Goes,
        _ => Step::Waits,
    }
}

async fn sas(client: &Client, flow: &Flow) -> Option<SasVerification> {
    client.encryption().get_verification(&flow.user, &flow.id).await.and_then(Verification::sas)
}

/// How far a verification is, and what is ours to do in it.
async fn step(client: &Client, flow: &Flow) -> matrix_sdk::Result<Step> {
    let request = client.encryption().get_verification_request(&flow.user, &flow.id).await;
    if let Some(sas) = sas(client, flow).await {
        let step = compares(&sas.state(), sas.we_started(), flow.shown.as_deref());
        match step {
            Step::Goes => sas.accept().await?,
            Step::Replaced => {
                sas.cancel().await?;
                return Ok(Step::Ended("the other device began anew: what was compared no longer counts".to_owned()));
            }
            _ => {}
        }
        return Ok(step);
    }
    let Some(request) = request else { return Ok(Step::Ended("it took too long".to_owned())) };
    Ok(match request.state() {
        VerificationRequestState::Requested { .. } => {
            request.accept_with_methods(vec![VerificationMethod::SasV1]).await?;
            Step::Goes
        }
        VerificationRequestState::Cancelled(info) => cancelled(&info),
        // It went another way than ours.
        VerificationRequestState::Done => Step::Ended("nothing was compared".to_owned()),
        _ => Step::Waits,
    })
}

/// Tells the other device that it is over.
async fn give_up(client: &Client, flow: &Flow) {
    let given_up = match client.encryption().get_verification_request(&flow.user, &flow.id).await {
        Some(request) => request.cancel().await,
        None => match sas(client, flow).await {
            Some(sas) => sas.cancel().await,
            None => Ok(()),
        },
    };
    if let Err(error) = given_up {
        tracing::info!(error = with_causes(&error), "the other device does not hear that a verification is over");
    }
}

fn ended(status: ScanStatus, why: String) -> Event {
    Event::new(EventPayload::Scan(ScanEvent { status, qrcode: None, data: Some(why) }))
}

impl Link {
    /// Goes on with what is under way, and takes the requests of an answer.
    pub(crate) async fn verifications(&self, answer: &Answer, events: &mut Vec<Event>) {
        let mut flows = self.verifying.0.lock().await;
        self.go_on(&mut flows, events).await;
        let mut new = Vec::new();
        let said = answer.joined.iter().flat_map(|room| &room.events);
        for (by, id) in answer.to_device.iter().chain(said).filter_map(|event| request(event, &self.me)) {
            let Ok(user) = UserId::parse(by) else { continue };
            if has_place(flows.iter().chain(&new), &user, &self.me) {
                tracing::info!(%user, "somebody asks to verify this device");
                new.push(Flow { user, id: id.to_owned(), shown: None, fault: None });
            }
        }
        self.go_on(&mut new, events).await;
        flows.append(&mut new);
    }

    async fn go_on(&self, flows: &mut Vec<Flow>, events: &mut Vec<Event>) {
        let Some(client) = self.sdk.client() else { return };
        let now = self.wire.clock().now();
        let mut still = Vec::new();
        for mut flow in std::mem::take(flows) {
            let mut step = step(client, &flow).await.unwrap_or_else(|error| Step::Broken(with_causes(&error)));
            let given_up = flow.hopeless(now).filter(|_| matches!(step, Step::Waits | Step::Broken(_)));
            if let Some(why) = given_up {
                give_up(client, &flow).await;
                step = Step::Ended(why);
            }
            match step {
                Step::Waits | Step::Replaced => still.push(flow),
                Step::Goes => still.push(Flow { fault: None, ..flow }),
                Step::Broken(why) => {
                    tracing::info!(user = %flow.user, why, "the homeserver did not take a step of a verification");
                    flow.fault.get_or_insert((now, why));
                    still.push(flow);
                }
                Step::Asks(shown) => {
                    events.push(asks(&flow, &shown, false));
                    still.push(Flow { shown: Some(shown), fault: None, ..flow });
                }
                Step::Verified => {
                    let device = sas(client, &flow).await.map(|sas| sas.other_device().device_id().to_string());
                    events.push(ended(ScanStatus::Confirmed, format!("{} {}", flow.user, device.unwrap_or_default())));
                }
                Step::Ended(why) if flow.shown.is_some() || flow.fault.is_some() => {
                    events.push(ended(ScanStatus::Cancel, why));
                }
                // What nobody was asked is nobody's business.
                Step::Ended(why) => {
                    tracing::info!(user = %flow.user, why, "a verification ended before anything was shown")
                }
            }
        }
        *flows = still;
    }

    /// What a person answers. It counts for what was shown, and for nothing that has come in its place.
    ///
    /// # Errors
    /// [`PuppetError::NotFound`] where nothing is asked under this name, or no longer.
    pub(crate) async fn compared(&self, answer: LoginAnswer) -> Result<()> {
        let (id, code) = match &answer {
            LoginAnswer::Code { id, code } => (id, Some(code)),
            LoginAnswer::Cancel { id } => (id, None),
            _ => return Err(PuppetError::Invalid { what: "answer", reason: "it is none of a verification".into() }),
        };
        let mut events = Vec::new();
        let outcome = {
            let mut flows = self.verifying.0.lock().await;
            let outcome = self.answered(&mut flows, id, code.map(|code| is_same(code)), &mut events).await;
            self.go_on(&mut flows, &mut events).await;
            outcome
        };
        if !events.is_empty() {
            self.cx.accept(wechaty_puppet::Batch { events, cursor: None }).await?;
        }
        outcome
    }

    /// `None`: it is called off; `Some(None)`: it is neither yes nor no.
    async fn answered(
        &self,
        flows: &mut [Flow],
        id: &str,
        same: Option<Option<bool>>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let nobody = || PuppetError::not_found("question", id);
        let client = self.sdk.client().ok_or_else(nobody)?;
        let flow = flows.iter_mut().find(|flow| flow.name() == *id).ok_or_else(nobody)?;
        let shown = flow.shown.clone().ok_or_else(nobody)?;
        let sas = sas(client, flow).await.ok_or_else(nobody)?;
        if compares(&sas.state(), sas.we_started(), Some(&shown)) != Step::Waits {
            return Err(nobody());
        }
        let done = match same {
            Some(Some(true)) => sas.confirm().await,
            Some(Some(false)) => sas.mismatch().await,
            None => sas.cancel().await,
            Some(None) => {
                events.push(asks(flow, &shown, true));
                Ok(())
            }
        };
        done.map_err(|error| {
            flow.fault.get_or_insert((self.wire.clock().now(), with_causes(&error)));
            sdk::broken(error, &self.wire)
        })
    }
}

fn asks(flow: &Flow, shown: &str, wrong: bool) -> Event {
    let message = format!("{} compares with this device: {shown} - the same? yes / no", flow.user);
    Event::new(EventPayload::from(LoginStep::AskCode { id: flow.name(), message, wrong }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ME: &str = "@bot:example.org";

    #[test]
    fn only_a_clear_yes_is_one() {
        for (code, same) in [
            ("yes", Some(true)),
            (" YES\n", Some(true)),
            ("是", Some(true)),
            ("no", Some(false)),
            ("不一致", Some(false)),
            ("", None),
            ("yes, but the third is another", None),
            ("ok?", None),
        ] {
            assert_eq!(is_same(code), same, "{code:?}");
        }
    }

    fn flow(user: &str) -> Flow {
        Flow { user: UserId::parse(user).expect("a user"), id: user.to_owned(), shown: None, fault: None }
    }

    #[test]
    fn a_yes_counts_for_what_was_shown_and_for_nothing_in_its_place() {
        let exchanged = |three| SasState::KeysExchanged { emojis: None, decimals: (1000, 2000, three) };
        let asked = compares(&exchanged(3000), false, None);
        assert_eq!(asked, Step::Asks("1000 2000 3000".to_owned()));
        let shown = Some("1000 2000 3000");
        assert_eq!(compares(&exchanged(3000), false, shown), Step::Waits, "it may be confirmed");
        assert_eq!(compares(&exchanged(3001), false, shown), Step::Replaced);
        let began = json!({ "key_agreement_protocols": [], "hashes": [], "message_authentication_codes": [],
            "short_authentication_string": [] });
        let began = |shown| {
            let protocols = serde_json::from_value(began.clone()).expect("protocols");
            compares(&SasState::Started { protocols }, false, shown)
        };
        assert_eq!(began(None), Step::Goes);
        assert_eq!(began(shown), Step::Replaced, "before its keys are exchanged as well");
        assert_eq!(compares(&SasState::Confirmed, false, shown), Step::Waits);
    }

    #[test]
    fn an_answer_is_to_one_person_whatever_they_call_their_question() {
        let (a, b) = (Flow { id: "t".to_owned(), ..flow("@a:b") }, Flow { id: "t".to_owned(), ..flow("@c:b") });
        assert_ne!(a.name(), b.name());
        let EventPayload::VerifyCode(asked) = asks(&b, "1 2 3", false).what else { panic!("no question") };
        assert_eq!(asked.id, b.name());
    }

    #[test]
    fn nobody_fills_the_desk_alone_and_the_account_always_has_a_place() {
        let user = |name: &str| UserId::parse(name).expect("a user");
        let mut flows = vec![flow("@a:b")];
        assert!(!has_place(flows.iter(), &user("@a:b"), ME));
        assert!(has_place(flows.iter(), &user("@c:b"), ME));
        flows.extend((1..MOST).map(|n| flow(&format!("@{n}:b"))));
        assert!(!has_place(flows.iter(), &user("@c:b"), ME), "it is full");
        assert!(has_place(flows.iter(), &user(ME), ME));
        flows.push(flow(ME));
        assert!(!has_place(flows.iter(), &user(ME), ME), "one of them too");
        flows.swap_remove(0);
        assert!(has_place(flows.iter(), &user("@c:b"), ME), "the account's own take nobody's");
    }

    #[test]
    fn a_fault_is_borne_for_a_while() {
        let mut flow = flow("@a:b");
        let at = Duration::from_secs(100);
        assert_eq!(flow.hopeless(at + PATIENCE), None);
        flow.fault = Some((at, "502".to_owned()));
        assert_eq!(flow.hopeless(at + PATIENCE / 2), None);
        assert_eq!(flow.hopeless(at + PATIENCE).as_deref(), Some("502"));
    }

    #[test]
    fn requests_are_found_where_clients_put_them() {
        let asked = |event: &Value| request(event, ME).map(|(by, id)| (by.to_owned(), id.to_owned()));
        let own = |kind: &str| json!({ "type": kind, "sender": ME, "content": { "transaction_id": "t" } });
        let found = Some((ME.to_owned(), "t".to_owned()));
        assert_eq!(asked(&own("m.key.verification.request")), found);
        assert_eq!(asked(&own("m.key.verification.start")), found);
        assert_eq!(asked(&own("m.key.verification.mac")), None);
        let said = |to: &str, by: &str| {
            let content = json!({ "msgtype": "m.key.verification.request", "to": to });
            json!({ "type": "m.room.message", "event_id": "$e", "sender": by, "content": content })
        };
        assert_eq!(asked(&said(ME, "@a:b")), Some(("@a:b".to_owned(), "$e".to_owned())));
        assert_eq!(asked(&said("@other:b", "@a:b")), None, "it is for somebody else");
        assert_eq!(asked(&said("@a:b", ME)), None, "it is ours");
        for odd in [json!(7), json!({ "type": [], "sender": {} }), json!({ "type": "m.key.verification.request" })] {
            assert_eq!(asked(&odd), None);
        }
    }
}
