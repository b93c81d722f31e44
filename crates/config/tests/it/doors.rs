//! `[doors]`: whose token is whose.

use crate::support::{Folder, problems};

const HEAD: &str =
    "version = 1\n[[account]]\nid = \"shop\"\npuppet = \"mock\"\n[[account]]\nid = \"club\"\npuppet = \"mock\"\n";
const UUID: &str = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

fn token(account: &str, token: &str) -> String {
    format!("[[doors.gateway.token]]\naccount = \"{account}\"\ntoken = {token}\n")
}

#[test]
fn each_account_has_its_token_or_none() {
    let text = HEAD.to_owned() + &*token("club", "{ env = \"CLUB_TOKEN\" }");
    let named = format!("club_{UUID}");
    let config = Folder::new(&text).load(&[("CLUB_TOKEN", &named)]).expect("it is right");
    let gateway = &config.doors().gateway;
    assert_eq!((gateway.token(&"club".into()), gateway.token(&"shop".into())), (Some(&*named), None));
    assert!(!format!("{config:?}").contains(UUID), "nobody is shown a token");
}

#[test]
fn what_is_wrong_with_tokens_is_told_without_them() {
    let good = format!("\"a_{UUID}\"");
    let text = [
        HEAD,
        &token("shpo", &good),
        &token("shop", &format!("\"{UUID}\"")),
        &token("shop", "\"a b_c\""),
        &token("club", &good),
    ];
    let found = problems(&text.concat());
    let told: Vec<_> = found.iter().map(|one| (one.code.as_str(), one.line, one.message())).collect();
    let starts = [
        ("C015", Some(9), "there is no account `shpo`"),
        ("C013", Some(13), "`token` is not right: it has no server name"),
        ("C013", Some(15), "`account` is not right: the account has a token already, in line 12"),
        ("C013", Some(16), "`token` is not right: a token has letters"),
        ("C013", Some(19), "`token` is not right: it is that of line 10, too"),
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for ((code, line, message), (wanted, at, start)) in told.iter().zip(starts) {
        assert_eq!((*code, *line), (wanted, at), "{message}");
        assert!(message.starts_with(start) && !message.contains(UUID), "{message}");
    }
}

#[test]
fn a_token_of_the_rest_door_is_there_once() {
    let rest = |token: &str, scope: &str| format!("[[doors.rest.token]]\ntoken = {token}\nscopes = [\"{scope}\"]\n");
    let (one, other) = (format!("\"{UUID}\""), "\"sixteen-letters-at-least\"");
    let text = [HEAD, &rest(&one, "read"), &rest(other, "admin"), &rest(&one, "admin")].concat();
    let found = problems(&text);
    let told: Vec<_> = found.iter().map(|one| (one.code.as_str(), one.line, one.message())).collect();
    let [(code, line, message)] = &told[..] else { panic!("{told:#?}") };
    assert_eq!((*code, *line), ("C013", Some(15)), "{message}");
    assert!(message.starts_with("`token` is not right: it is that of line 9, too"), "{message}");
    assert!(!message.contains(UUID), "{message}");
    assert!(problems(&[HEAD, &rest(&one, "read"), &rest(other, "admin")].concat()).is_empty());
}
