//! Login as steps, logout, identity.

use wechaty_puppet::{LoginAnswer, LogoutEvent, ScanStatus};

use super::*;

fn scans(robot: &Robot) -> Vec<ScanStatus> {
    let accepted = robot.0.accepted.lock();
    accepted
        .iter()
        .filter_map(|event| if let EventPayload::Scan(scan) = &event.what { Some(scan.status) } else { None })
        .collect()
}

#[tokio::test]
async fn a_scan_is_asked_for_once_and_the_session_spares_the_next() {
    let platform = FakePlatform::new();
    platform.require_scan();
    let robot = Robot::new(platform.puppet());
    let running = robot.run();
    let alice = platform.user("alice");
    assert_eq!(robot.says(alice.id(), "hi").await.expect_err("not scanned").reason(), "not-logged-in");
    platform.expire_qr();
    platform.scan();
    platform.account().connected().await;
    let steps =
        [ScanStatus::Waiting, ScanStatus::Timeout, ScanStatus::Waiting, ScanStatus::Scanned, ScanStatus::Confirmed];
    assert_eq!(scans(&robot), steps);
    assert_eq!(robot.kinds()[5..], [EventKind::Login, EventKind::Ready]);
    running.stop().await;
    let _running = robot.run();
    platform.account().connected().await;
    assert_eq!(scans(&robot).len(), steps.len());
}

#[tokio::test]
async fn a_wrong_code_is_asked_for_again() {
    let platform = FakePlatform::new();
    platform.require_scan();
    platform.ask_code("1234");
    platform.scan();
    let robot = Robot::new(platform.puppet());
    let _running = robot.run();
    let login = robot.0.puppet.login().expect("declared");
    let mut asked = Vec::new();
    for code in ["1111", "1234"] {
        let question = loop {
            let accepted = robot.0.accepted.lock().clone();
            let questions: Vec<_> = accepted
                .into_iter()
                .filter_map(|event| if let EventPayload::VerifyCode(ask) = event.what { Some(ask) } else { None })
                .collect();
            match questions.get(asked.len()) {
                Some(question) => break question.clone(),
                None => tokio::task::yield_now().await,
            }
        };
        asked.push(question.wrong);
        login.answer(LoginAnswer::Code { id: question.id, code: code.to_owned() }).await.expect("taken");
    }
    platform.account().connected().await;
    assert_eq!(asked, [false, true]);
}

#[tokio::test]
async fn a_cancelled_login_is_refused() {
    let platform = FakePlatform::new();
    platform.require_scan();
    platform.cancel_login();
    let error = Robot::new(platform.puppet()).run().ended().await.expect_err("cancelled");
    assert!(matches!(error, PuppetError::LoginRefused { .. }), "{error}");
}

#[tokio::test]
async fn a_logout_is_told_and_what_is_said_meanwhile_waits() {
    let (platform, robot, _running) = connected().await;
    let alice = platform.user("alice");
    platform.log_out_bot("kicked");
    while scans(&robot).is_empty() {
        tokio::task::yield_now().await;
    }
    let logout = LogoutEvent { contact_id: platform.bot_id(), data: Some("kicked".into()) };
    assert!(robot.0.accepted.lock().iter().any(|event| event.what == EventPayload::Logout(logout.clone())));
    assert_eq!(robot.says(alice.id(), "hi").await.expect_err("logged out").reason(), "not-logged-in");
    alice.says("ding").await;
    platform.scan();
    assert_eq!(alice.hears().await, "dong");
    robot.0.puppet.login().expect("declared").logout(Some("enough")).await.expect("taken");
    while scans(&robot).len() < 4 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_identity_can_log_in() {
    let (platform, robot, running) = connected().await;
    running.stop().await;
    let mallory = platform.login_as("mallory");
    let _running = robot.run();
    platform.account().connected().await;
    let logins: Vec<_> = robot.0.accepted.lock().iter().map(|event| event.what.clone()).collect();
    assert!(matches!(&logins[2], EventPayload::Login(login) if login.contact_id == mallory));
}
