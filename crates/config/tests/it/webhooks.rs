//! `[[doors.webhook]]`: who is told of events.

use crate::support::{problems, told};

const HEAD: &str = "version = 1\n[[account]]\nid = \"shop\"\npuppet = \"mock\"\n";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(rest: &str) -> String {
    format!("{HEAD}[[doors.webhook]]\nid = \"crm\"\n{rest}")
}

#[test]
fn a_webhook_needs_little_and_may_say_more() {
    let plain = webhook(&format!("url = \"https://example.com/hook\"\nsecret = \"{SECRET}\"\n"));
    assert_eq!(problems(&plain), []);
    let whole = webhook(&format!(
        "url = \"http://10.0.0.7/hook\"\nsecret = [\"{SECRET}\", \"{SECRET}\"]\naccounts = [\"shop\"]\n\
         events = [\"message\", \"room-join\"]\nown = true\nallow_private = true\ntimeout = \"5s\"\nwaiting = 9\n"
    ));
    assert_eq!(problems(&whole), []);
}

#[test]
fn what_is_wrong_with_a_webhook_is_told_where_it_stands_and_no_secret_is() {
    let text = webhook(
        "url = \"http://example.com/\"\nsecret = \"whsec_canary\"\naccounts = [\"shop\", \"shpo\"]\nevents = [\"mesage\"]\n",
    ) + "[[doors.webhook]]\nid = \"two\"\nurl = \"http://example.com/\"\nsecret = \"whsec_canary\"\n"
        + &*format!("[[doors.webhook]]\nid = \"three\"\nurl = \"http://example.com/\"\nsecret = \"{SECRET}\"\n")
        + &*format!(
            "[[doors.webhook]]\nid = \"four\"\nurl = \"https://127.0.0.1/\"\nsecret = \"{SECRET}\"\naccounts = \"shpo\"\n"
        )
        + &*format!("[[doors.webhook]]\nid = \"five\"\nurl = \"https://example.com/\"\nsecret = \"{SECRET}\"\n")
        + &*format!("[[doors.webhook]]\nid = \"five\"\nurl = \"https://example.com/\"\nsecret = \"{SECRET}\"\n");
    let found = problems(&text);
    let expected = [
        ("C013", 7, "doors.webhook[0].url"),
        ("C013", 8, "doors.webhook[0].secret"),
        ("C015", 9, "doors.webhook[0].accounts[1]"),
        ("C006", 10, "doors.webhook[0].events[0]"),
        ("C013", 13, "doors.webhook[1].url"),
        ("C013", 14, "doors.webhook[1].secret"),
        ("C013", 17, "doors.webhook[2].url"),
        ("C013", 21, "doors.webhook[3].url"),
        ("C015", 23, "doors.webhook[3].accounts"),
        ("C014", 29, "doors.webhook[5].id"),
    ];
    assert_eq!(told(&found), expected.map(|(code, line, key)| (code.to_owned(), line, key.to_owned())));
    assert!(
        !found
            .iter()
            .any(|problem| problem.to_string().contains("canary") || format!("{problem:?}").contains("canary"))
    );
    assert!(found[0].message().contains("write https"), "{}", found[0]);
}
