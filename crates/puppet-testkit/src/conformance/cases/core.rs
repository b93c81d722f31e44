//! Name, capabilities and accessors: what holds before anything is connected.

use wechaty_puppet::{Capabilities, Capability, CapabilitySet, SayablePayload};

use crate::conformance::{
    calls::accessors,
    case::{Verdict, cases, ensure},
    lab::Lab,
    sample::KINDS,
};

cases! { CASES = Core:
    platform_name_is_lower_case_and_stable;
    capabilities_are_stable;
    capabilities_are_those_the_harness_expects;
    capabilities_never_widen_once_connected;
    capabilities_agree_with_each_other;
    limits_make_sense;
    accessors_agree_with_capabilities;
    accessors_agree_with_capabilities_once_connected;
    groups_name_the_same_platform;
}

async fn platform_name_is_lower_case_and_stable(lab: &Lab) -> Verdict {
    let (puppet, other) = (lab.harness.puppet().await, lab.harness.puppet().await);
    let name = puppet.platform().as_str();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(!name.is_empty() && name.chars().all(fits), "platform name {name:?} is not lower case (a-z, 0-9, -)");
    ensure!(puppet.platform() == other.platform(), "two puppets of one kind have different platform names");
    Ok(())
}

fn difference(a: CapabilitySet, b: CapabilitySet) -> Vec<Capability> {
    a.iter().filter(|capability| !b.has(*capability)).collect()
}

fn same(first: &Capabilities, second: &Capabilities, when: &str) -> Verdict {
    let changed = [difference(first.set, second.set), difference(second.set, first.set)].concat();
    ensure!(changed.is_empty(), "capabilities changed {when}: {changed:?}");
    ensure!(first == second, "limits or key window changed {when}");
    Ok(())
}

async fn capabilities_are_stable(lab: &Lab) -> Verdict {
    let puppet = lab.harness.puppet().await;
    let first = puppet.capabilities();
    for _ in 0..5 {
        same(&first, &puppet.capabilities(), "between two calls")?;
    }
    same(&first, &lab.harness.puppet().await.capabilities(), "from one puppet to the next")
}

async fn capabilities_are_those_the_harness_expects(lab: &Lab) -> Verdict {
    let declared = lab.harness.puppet().await.capabilities().set;
    let missing = difference(lab.capabilities.set, declared);
    ensure!(missing.is_empty(), "the harness expects capabilities that the puppet does not declare: {missing:?}");
    let more = difference(declared, lab.capabilities.set);
    ensure!(more.is_empty(), "the puppet declares capabilities that the harness does not expect: {more:?}");
    Ok(())
}

async fn capabilities_never_widen_once_connected(lab: &Lab) -> Verdict {
    let puppet = lab.harness.puppet().await;
    let before = puppet.capabilities().set;
    let session = lab.connect_as(puppet).await?;
    let wider = difference(session.puppet.capabilities().set, before);
    ensure!(wider.is_empty(), "capabilities widened once connected: {wider:?}");
    Ok(())
}

async fn capabilities_agree_with_each_other(lab: &Lab) -> Verdict {
    let capabilities = lab.harness.puppet().await.capabilities();
    let sends = KINDS.iter().any(|kind| capabilities.has(*kind));
    let says = capabilities.has(Capability::SendText) || capabilities.has(Capability::SendMarkdown);
    for extra in [Capability::Mention, Capability::MentionAll] {
        ensure!(says || !capabilities.has(extra), "{extra} is declared, but no text can be sent");
    }
    for extra in [Capability::Quote, Capability::IdempotencyKey, Capability::SentId, Capability::EchoSelf] {
        ensure!(sends || !capabilities.has(extra), "{extra} is declared, but nothing can be sent");
    }
    ensure!(
        capabilities.key_window.is_none() || capabilities.has(Capability::IdempotencyKey),
        "a key window is given, but idempotency keys are not declared"
    );
    Ok(())
}

async fn limits_make_sense(lab: &Lab) -> Verdict {
    let limits = lab.harness.puppet().await.capabilities().limits;
    for (name, limit) in [("text", limits.text), ("topic", limits.topic), ("buttons", limits.buttons)] {
        ensure!(limit != Some(0), "the limit of {name} is zero: then leave the capability out");
    }
    ensure!(limits.file != Some(0), "the limit of files is zero: then leave the capability out");
    ensure!(!limits.call_timeout.is_zero(), "the time limit of a call is zero");
    let rate = limits.sends_per_second;
    ensure!(rate.is_none_or(|rate| rate.is_finite() && rate > 0.0), "{rate:?} sends a second make no sense");
    let strange =
        |(kind, rate): &&(&str, f64)| !(SayablePayload::KINDS.contains(kind) && rate.is_finite() && *rate > 0.0);
    let wrong = limits.kinds.iter().find(strange);
    ensure!(wrong.is_none(), "{wrong:?} is no pace of a kind");
    let wrong = limits.quotas.iter().find(|quota| quota.sends == 0 || quota.within.is_zero());
    ensure!(wrong.is_none(), "{wrong:?} lets nothing through");
    Ok(())
}

fn check_accessors(puppet: &dyn wechaty_puppet::Puppet) -> Verdict {
    let capabilities = puppet.capabilities();
    for (accessor, there, group) in accessors(puppet) {
        let declared: Vec<_> = group.iter().filter(|capability| capabilities.has(**capability)).collect();
        ensure!(there || declared.is_empty(), "{accessor}() is None though {declared:?} is declared");
        ensure!(!there || !declared.is_empty(), "{accessor}() is Some though no capability of it is declared");
    }
    Ok(())
}

async fn accessors_agree_with_capabilities(lab: &Lab) -> Verdict {
    check_accessors(&*lab.harness.puppet().await)
}

async fn accessors_agree_with_capabilities_once_connected(lab: &Lab) -> Verdict {
    check_accessors(&*lab.connect().await?.puppet)
}

async fn groups_name_the_same_platform(lab: &Lab) -> Verdict {
    let puppet = lab.harness.puppet().await;
    macro_rules! check {
        ($($accessor:ident)*) => {$(
            if let Some(group) = puppet.$accessor() {
                let (name, own) = (group.platform(), puppet.platform());
                ensure!(name == own, "{}() says it is of platform {name}, the puppet {own}", stringify!($accessor));
            }
        )*};
    }
    check! {
        loader directory contact_profile self_profile friendships rooms room_invitations media recall edits reactions
        typing read_marks tags posts taps login
    }
    Ok(())
}
