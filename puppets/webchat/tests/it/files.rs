//! Files: what a browser is told about them, and how much is kept.

use wechaty_puppet::{ConversationId, FileBox, FilePayload, MessageType, SayablePayload};
use wechaty_puppet_webchat::Options;

use crate::{browser::Answer, stage::Stage};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn opaque(answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
}

#[tokio::test]
async fn a_file_that_claims_to_be_an_image_but_is_html_is_an_attachment() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    for (name, media) in
        [("a.png", "image/png"), ("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.gif", "image/gif;x")]
    {
        let message = ann.uploads("bot", name, media, &b"<html><script>alert(1)</script>"[..]).await.ok();
        let answer = ann.get(message["file"]["url"].as_str().unwrap()).await;
        assert_eq!(message["file"]["type"], "application/octet-stream");
        opaque(&answer);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("sandbox"));
    }
    let message = ann.uploads("bot", "a.pdf", "application/pdf", &b"%PDF-1.7"[..]).await.ok();
    let answer = ann.get(message["file"]["url"].as_str().unwrap()).await;
    assert_eq!(
        (&message["file"]["type"], answer.header("content-type")),
        (&"application/pdf".into(), Some("application/pdf"))
    );
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let message = ann.uploads("bot", "../b.png", "image/png", PNG).await.ok();
    let answer = ann.get(message["file"]["url"].as_str().unwrap()).await;
    assert_eq!((answer.header("content-type"), &answer.body[..]), (Some("image/png"), PNG));
    assert!(answer.header("content-disposition").unwrap().starts_with("inline"));
    assert_eq!((&message["kind"], &message["file"]["name"]), (&"image".into(), &"b.png".into()));
    let heard = stage.messages().last().unwrap().clone();
    assert_eq!((heard.kind, heard.filename.as_deref()), (MessageType::Image, Some("b.png")));
    let file = stage.puppet.media().unwrap().file(&heard.id).await.unwrap();
    assert_eq!(file.to_bytes().await.unwrap(), PNG);
}

#[tokio::test]
async fn a_file_is_found_by_its_token_only_and_in_parts() {
    let (stage, _running) = Stage::up().await;
    let ann = stage.joins("Ann").await;
    let to = ConversationId::Contact(ann.id.as_str().into());
    let file = FileBox::from_bytes(&b"0123456789"[..], "课表 \"1\".mp3");
    stage.send(stage.out(to, SayablePayload::Audio(FilePayload { file }))).await;
    let url = ann.history("bot").await[0]["file"]["url"].as_str().unwrap().to_owned();
    let mut request = ann.request("GET", &url, "");
    request.headers.push(("range".into(), "bytes=2-4".into()));
    let part = ann.ask(request).await;
    assert_eq!((part.status, part.header("content-range"), &part.body[..]), (206, Some("bytes 2-4/10"), &b"234"[..]));
    assert!(part.header("content-disposition").unwrap().is_ascii());
    let token = url.split('/').nth(3).unwrap();
    for bad in [
        "/chat/files/",
        "/chat/files/x",
        &format!("/chat/files/{token}"),
        &format!("/chat/files/{token}/../x"),
        "/chat/files/../../etc/passwd",
    ] {
        assert_eq!(ann.get(bad).await.code(), "W424", "{bad}");
    }
}

#[tokio::test]
async fn files_are_bounded_one_by_one_and_together() {
    let options = Options { file_limit: 100, files_limit: 250, ..Options::default() };
    let (stage, _running) = Stage::up_with(options).await;
    assert_eq!(stage.puppet.capabilities().limits.file, Some(100));
    let ann = stage.joins("Ann").await;
    let large = ann.uploads("bot", "a.bin", "", vec![0; 101]).await;
    assert_eq!((large.status, large.code().as_str()), (413, "W432"));
    let mut urls = Vec::new();
    for who in [&stage.joins("Bob").await, &stage.joins("Eve").await, &ann] {
        let message = who.uploads("bot", "a.bin", "", vec![0; 100]).await.ok();
        urls.push(message["file"]["url"].as_str().unwrap().to_owned());
    }
    assert_eq!(ann.get(&urls[0]).await.code(), "W424");
    assert_eq!(ann.get(&urls[1]).await.status, 200);
    // What is taken back is gone.
    let id = ann.history("bot").await[0]["id"].clone();
    ann.post("recall", &serde_json::json!({ "id": id })).await.ok();
    assert_eq!(ann.get(&urls[2]).await.code(), "W424");
    let first = stage.messages()[0].id.clone();
    assert!(stage.puppet.media().unwrap().file(&first).await.is_err());
}
