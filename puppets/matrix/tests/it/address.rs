//! An address at which no homeserver is: told as that, and not as wrong credentials.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use wechaty_puppet::{CheckError, Clock, PuppetError, Retry, Settings, SettingsError, Words, with_causes};
use wechaty_puppet_matrix::DECLARATION;

use crate::home::{Bot, Home};

/// Something that answers every request alike; where.
async fn answers(status: u16, body: impl ToString) -> String {
    let (listener, at) = port().await;
    let body = body.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let body = body.clone();
            let service = service_fn(move |_: Request<Incoming>| {
                let mut response = Response::new(Full::new(Bytes::from(body.clone())));
                *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    at
}

async fn port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, at)
}

async fn checked(at: &str, more: impl FnOnce(Settings) -> Settings) -> Result<Option<Words>, CheckError> {
    let settings = more(Settings::new().set("homeserver", at)).complete(DECLARATION.settings, |_| None);
    DECLARATION.check.expect("a check")(settings, Clock::system()).await
}

fn password(settings: Settings) -> Settings {
    settings.set("user", "bot").set("password", "s3cret")
}

fn token(settings: Settings) -> Settings {
    settings.set("access_token", "s3cret")
}

/// What a bot says that is to log in there.
async fn run(at: &str, more: impl FnOnce(Settings) -> Settings) -> PuppetError {
    let home = Home::open().await;
    Bot::with(&home, |settings| more(settings.set("homeserver", at))).fails().await
}

#[tokio::test]
async fn what_answers_and_is_no_homeserver_is_told_and_no_credential_is_blamed() {
    for (status, body) in [
        (404, "<html>not here</html>".to_owned()),
        (404, json!({ "errcode": "M_UNRECOGNIZED", "error": "Unrecognized request" }).to_string()),
        (404, json!({ "errcode": "M_NOT_FOUND", "error": "?" }).to_string()),
        (405, String::new()),
        (401, "Unauthorized".to_owned()),
        (403, "<html>blocked</html>".to_owned()),
        (200, "<html>welcome</html>".to_owned()),
        (200, "{}".to_owned()),
    ] {
        let at = answers(status, &body).await;
        for asked in [checked(&at, password).await, checked(&at, token).await] {
            let Err(CheckError::Refused(SettingsError::Invalid { key: "homeserver", reason })) = asked else {
                panic!("{status} {body}: {asked:?}")
            };
            let reason = reason.to_string();
            assert!(reason.contains(&at) && !reason.contains("s3cret"), "{status} {body}: {reason}");
        }
        for error in [run(&at, password).await, run(&at, token).await] {
            let told = with_causes(&error);
            assert!(told.contains(&at) && told.contains("is no homeserver"), "{status} {body}: {told}");
            assert_eq!(error.retry(), Retry::Backoff, "it may be a proxy: {told}");
        }
    }
}

#[tokio::test]
async fn only_what_a_homeserver_says_of_credentials_is_about_them() {
    let at = answers(403, json!({ "errcode": "M_FORBIDDEN", "error": "Invalid username or password" })).await;
    let asked = checked(&at, password).await;
    assert!(matches!(&asked, Err(CheckError::Refused(SettingsError::Invalid { key: "password", .. }))), "{asked:?}");
    let told = run(&at, password).await;
    assert!(matches!(&told, PuppetError::LoginRefused { reason } if reason.contains("M_FORBIDDEN")), "{told}");
    // Passwords are switched off there.
    let at = answers(400, json!({ "errcode": "M_UNRECOGNIZED", "error": "Invalid login type" })).await;
    let told = run(&at, password).await;
    assert!(matches!(&told, PuppetError::LoginRefused { reason } if reason.contains("Invalid login type")), "{told}");
    let at = answers(401, json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token" })).await;
    let asked = checked(&at, token).await;
    assert!(
        matches!(&asked, Err(CheckError::Refused(SettingsError::Invalid { key: "access_token", .. }))),
        "{asked:?}"
    );
    let told = run(&at, token).await;
    assert!(matches!(&told, PuppetError::LoginRefused { reason } if reason.contains("M_UNKNOWN_TOKEN")), "{told}");
}

#[tokio::test]
async fn where_nobody_answers_or_nothing_that_speaks_http_it_could_not_be_asked() {
    let (listener, nobody) = port().await;
    drop(listener);
    let (listener, other) = port().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await;
        }
    });
    let secure = other.replacen("http:", "https:", 1);
    for at in [nobody, other, secure, "https://nowhere.invalid".to_owned()] {
        let told = match checked(&at, password).await {
            Err(CheckError::Unasked(error)) => with_causes(&error),
            asked => panic!("{at}: {asked:?}"),
        };
        assert!(told.contains(&at) && told.contains("check "), "{at}: {told}");
        let error = run(&at, token).await;
        let told = with_causes(&error);
        assert!(told.contains(&at) && told.contains("check "), "{at}: {told}");
        assert_eq!(error.retry(), Retry::Backoff, "{at}: {told}");
    }
}
