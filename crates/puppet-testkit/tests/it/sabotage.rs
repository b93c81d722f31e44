//! Every broken puppet fails a case, and the case's words name the fault. The same case passes on the good one.

use std::{collections::HashSet, sync::Arc, time::Duration};

use wechaty_puppet::Capability;
use wechaty_puppet_testkit::conformance::{Outcome, run_where};

use crate::{
    broken::{Broken, Sabotage},
    fake_harness::FakeHarness,
};

/// What is broken, what the platform cannot do, the case that finds it, words of its message.
type Row = (Sabotage, &'static [Capability], &'static str, &'static str);

use Sabotage as S;

const ROWS: &[Row] = &[
    (S::UpperCaseName, &[], "platform_name_is_lower_case_and_stable", "\"Fake\" is not lower case"),
    (S::CapabilitiesChange, &[], "capabilities_are_stable", "changed between two calls: [Tag]"),
    (S::AccessorUndeclared, &[Capability::Tag], "accessors_agree_with_capabilities", "tags() is Some though"),
    (S::AccessorMissing, &[], "accessors_agree_with_capabilities", "tags() is None though [Tag] is declared"),
    (S::SentTwice, &[], "a_sent_text_arrives_exactly_once", "sent once, but the platform received it 2 times"),
    (S::SendDropped, &[], "a_sent_text_arrives_exactly_once", "though send said Ok: the others are lost"),
    (S::TextTrimmed, &[], "sent_texts_are_byte_exact", "altered on the way: sent \" leading"),
    (S::SpacesReplaced, &[], "sent_texts_are_byte_exact", "altered on the way: sent \"@Bob\\u{2005}"),
    (S::LongTextCut, &[], "a_text_over_the_limit_is_refused_or_whole", "was cut from 501 to 500"),
    (S::LimitInBytes, &[], "a_text_at_the_limit_arrives_whole", "a text of \"你\" within the limit (counted in Chars)"),
    (S::LimitInUtf16, &[], "a_text_at_the_limit_arrives_whole", "a text of \"😀\" within the limit (counted in Chars)"),
    (S::MentionsDropped, &[], "mentions_arrive", "mentions were lost"),
    (S::MentionsDropped, &[Capability::Mention], "undeclared_mentions_and_quotes_refuse", "a silent no-op"),
    (S::QuoteDropped, &[], "a_quote_arrives", "the quote was lost"),
    (
        S::QuoteDropped,
        &[Capability::Quote],
        "undeclared_mentions_and_quotes_refuse",
        "a send with a quote is not declared",
    ),
    (S::ConversationsMixed, &[], "sends_to_different_conversations_do_not_mix", "conversations are mixed up"),
    (S::KeyIgnored, &[], "the_same_key_twice_arrives_once", "the key does not reach the platform"),
    (S::KeyIgnored, &[], "a_lost_reply_and_its_retry_arrive_once", "arrived 2 times"),
    (S::SentIdInvented, &[], "the_sent_id_can_be_loaded", "loading a sent message by its id failed"),
    (S::SentIdInvented, &[], "the_sent_id_is_the_platforms", "send returned Some(MessageId(\"invented"),
    (S::SentIdUndeclared, &[Capability::SentId], "an_id_is_returned_exactly_if_declared", "are not declared"),
    (S::UnknownTargetOk, &[], "a_send_to_an_unknown_contact_is_not_found", "NotFound is swallowed"),
    (
        S::UndeclaredKindOk,
        &[Capability::SendVideo],
        "undeclared_kinds_of_sends_refuse",
        "sending videos is not declared",
    ),
    (S::SendPanics, &[], "a_sent_text_arrives_exactly_once", "panicked: told to panic"),
    (S::SendHangs, &[], "a_sent_text_arrives_exactly_once", "sending Text hangs"),
    (S::SendBlocksItsThread, &[], "a_sent_text_arrives_exactly_once", "it was at: sending Text"),
    (S::LostReplyIsCertain, &[], "a_lost_reply_is_in_doubt", "claims certainty"),
    (S::LostReplyIsOk, &[], "a_lost_reply_is_in_doubt", "got lost, but it answered Ok"),
    (S::RateLimitRetriedInside, &[], "a_rate_limit_surfaces_with_its_pause", "retried inside"),
    (S::RetryAfterLost, &[], "a_rate_limit_surfaces_with_its_pause", "lost its retry_after"),
    (S::RefusalIsRetryable, &[], "a_refused_send_is_permanent_and_certain", "is retryable"),
    (S::UnreachableIsInDoubt, &[], "an_unreachable_platform_is_certain_and_retryable", "is in doubt"),
    (S::OwnFlagLost, &[], "own_messages_are_flagged", "as if contact-alice had said it"),
    (S::DuplicateIds, &[], "different_messages_have_different_ids", "have the same id the-same"),
    (S::DedupeIdChanges, &[], "a_duplicate_event_has_the_same_dedupe_id", "delivered twice has the dedupe ids"),
    (S::EmptyNobody, &[], "a_leave_names_room_and_removee", "the remover is \"\": nobody must be None"),
    (S::EmptySelf, &[], "run_says_who_is_logged_in", "names nobody"),
    (S::InboundTextAltered, &[], "inbound_texts_are_byte_exact", "inbound text was altered"),
    (S::OrderLost, &[], "events_keep_their_order_in_a_conversation", "changed their order"),
    (S::TimesInSeconds, &[], "message_times_are_milliseconds", "is not in milliseconds"),
    (S::DongForgets, &[], "a_ding_comes_back_as_a_dong_with_its_data", "but dong None"),
    (S::AckedEarly, &[], "a_refused_batch_comes_again_after_a_crash", "acknowledged before it was accepted"),
    (S::AckedEarly, &[], "a_refused_batch_is_delivered_again", "acknowledged before it was accepted"),
    (S::RefusedBatchSkipped, &[], "a_refused_batch_is_delivered_again", "was not delivered again"),
    (S::CursorNeverSent, &[], "a_cursor_is_committed_with_the_events", "no cursor was committed"),
    (S::CursorIgnored, &[], "a_restart_resumes_from_an_older_cursor", "it ignores cx.cursor()"),
    (S::StartsFromTheBeginning, &[], "a_restart_does_not_start_from_the_beginning", "the position is not kept"),
    (S::StartsTooEarly, &[], "a_restart_does_not_start_from_the_beginning", "the position is not kept"),
    (S::StartsFromTheBeginning, &[], "a_restart_resumes_from_an_older_cursor", "came again, though run started"),
    (S::CancelIgnored, &[], "run_returns_ok_once_cancelled", "it ignores the cancellation"),
    (S::CancelIsAnError, &[], "run_returns_ok_once_cancelled", "instead of Ok"),
    (S::DisconnectIsPermanent, &[], "a_broken_connection_loses_nothing", "the permanent error"),
    (S::DisconnectIsOk, &[], "a_broken_connection_loses_nothing", "as if it was cancelled"),
    (
        S::SilentNoOp,
        &[Capability::RoomTopic],
        "undeclared_room_calls_refuse",
        "rooms().set_topic is not declared, but answered Ok",
    ),
    (S::UndeclaredHangs, &[Capability::RoomTopic], "undeclared_room_calls_refuse", "call rooms().set_topic hangs"),
    (
        S::UndeclaredNamesAnother,
        &[Capability::RoomTopic],
        "undeclared_room_calls_refuse",
        "instead of Unsupported(RoomTopic)",
    ),
    (S::TopicNotKept, &[], "a_changed_topic_is_kept", "but is \"lobby\""),
    (S::RecallPretended, &[], "a_recalled_message_is_gone", "recall returned true, but people still see"),
    (S::LoaderInvents, &[], "an_unknown_contact_is_not_found", "answered Ok for an unknown id"),
    (S::EditIgnored, &[], "an_edited_message_has_the_new_text", "but people see [\"to be edited"),
    (S::WebhookAckedEarly, &[], "a_webhook_is_not_acknowledged_before_it_is_accepted", "acknowledged while its event"),
    (S::WebhookAckedEarly, &[], "a_webhook_before_run_is_not_acknowledged", "its event is lost"),
    (S::StatusDropped, &[], "a_delivered_message_is_told", "in vain for the status \"delivered\" of message"),
    (S::StatusDropped, &[], "a_read_message_is_told", "in vain for the status \"read\" of message"),
    (S::StatusOfAnother, &[], "a_read_message_is_told", "which was never sent"),
    (S::StatusElsewhere, &[], "a_delivered_message_is_told", "has a status in Room"),
    (S::StatusBySomebodyElse, &[], "a_read_message_is_told", "but the status says Some(ContactId(\"mallory"),
    (S::StatusTooEarly, &[], "a_status_comes_after_the_answer_to_its_send", "before its send was answered"),
    (S::StatusGoesBack, &[], "a_status_never_goes_back", "goes back: [Read, Delivered]"),
    (S::ReadWhenDelivered, &[], "a_delivered_message_is_told", "in vain for the status \"delivered\""),
    (
        S::PinPretended,
        &[],
        "a_pinned_message_is_listed_until_it_is_taken_off",
        "was set to true, but the pinned messages are []",
    ),
    (S::PinKeptInside, &[], "a_pin_is_seen_by_people", "people never saw the pin"),
    (S::OldestPinFirst, &[], "pins_are_listed_newest_first_and_each_once", "newest first and each once is"),
    (S::ReadersInvented, &[], "a_message_that_nobody_has_read_has_no_readers", "nobody has read"),
    (S::ReadersLost, &[], "who_has_read_a_message_is_among_its_readers", "but its readers are []"),
    (S::GrowIgnored, &[], "a_growing_message_shows_each_text", "but people see [\"one\"]"),
    (
        S::GrowSendsAnother,
        &[],
        "a_growing_message_is_one_message_and_has_the_last_text",
        "but people see [\"Once upon a time 从前有座山。",
    ),
    (
        S::GrowForgetsRestarts,
        &[],
        "a_growing_message_is_gone_on_with_after_a_restart",
        "growing after a restart failed: no message that is still being written",
    ),
    (S::FinishForgotten, &[], "a_message_is_seen_to_grow_until_it_is_finished", "looks as if it was still being"),
    (S::AliasNotCleared, &[], "an_alias_is_set_and_cleared", "set to None, but is Some(\"\")"),
];

/// Who breaks a puppet waits no longer than this at first: most of what is looked for does not come.
const HASTE: Duration = Duration::from_secs(1);
/// And so long where a machine may have been busy.
const PATIENCE: Duration = Duration::from_secs(20);

fn outcome(name: &'static str, without: &'static [Capability], sabotage: Option<(Sabotage, Duration)>) -> Outcome {
    let make = move || async move {
        let builder = without.iter().fold(FakeHarness::full(), |builder, less| builder.deny(*less));
        let harness = FakeHarness::new(builder);
        match sabotage {
            Some((sabotage, patience)) => {
                harness.patience(patience).wrapped(move |inner| Arc::new(Broken::new(inner, sabotage)))
            }
            None => harness,
        }
    };
    let report = run_where(|case| case.name == name, make);
    report.outcome(name).unwrap_or_else(|| panic!("there is no case {name}")).clone()
}

/// Those in `part` of four, so that they run side by side.
fn check(part: usize) {
    let mut wrong = Vec::new();
    for (sabotage, without, name, words) in ROWS.iter().skip(part).step_by(4) {
        let good = outcome(name, without, None);
        if good != Outcome::Passed {
            wrong.push(format!("the good puppet should pass {name}: {good:?}"));
        }
        let broken = |patience| outcome(name, without, Some((*sabotage, patience)));
        let is_found = |outcome: &Outcome| matches!(outcome, Outcome::Failed(message) if message.contains(words));
        if !is_found(&broken(HASTE)) {
            let other = broken(PATIENCE);
            if !is_found(&other) {
                wrong.push(format!("{sabotage:?} should fail {name} with {words:?}, but: {other:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn broken_puppets_fail_1() {
    check(0);
}

#[test]
fn broken_puppets_fail_2() {
    check(1);
}

#[test]
fn broken_puppets_fail_3() {
    check(2);
}

#[test]
fn broken_puppets_fail_4() {
    check(3);
}

#[test]
fn there_are_at_least_fifteen_broken_puppets() {
    let broken: HashSet<Sabotage> = ROWS.iter().map(|(sabotage, ..)| *sabotage).collect();
    assert!(broken.len() >= 15, "{}", broken.len());
}
