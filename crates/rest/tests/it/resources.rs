//! What is in the world, over HTTP.

use axum::body::Body;
use serde_json::json;
use wechaty_rest::RestOptions;

use crate::support::{ALL, Door, READ, request};

const ROOM: &str = "1001@chatroom";

#[tokio::test]
async fn people_and_rooms_come_in_pages() {
    let door = Door::open().await;
    let all: Vec<String> = ids(&door.get("/contacts").await.json()["items"]);
    assert!(all.len() > 2, "{all:?}");
    let (mut seen, mut path) = (Vec::new(), "/contacts?limit=1".to_owned());
    loop {
        let page = door.get(&path).await;
        seen.extend(ids(&page.json()["items"]));
        let body = page.json();
        let Some(next) = body["next"].as_str() else { break };
        let link = page.header("link");
        assert!(link.ends_with("; rel=\"next\"") && link.contains(next), "{link}");
        path = link.trim_start_matches("</api/v1").split('>').next().unwrap_or_default().to_owned();
    }
    assert_eq!(seen, all);
    assert_eq!(door.get("/contacts?cursor=nonsense").await.status, 404);
    let alice = door.get("/accounts/default/contacts/c-alice").await.json();
    assert_eq!((alice["name"].as_str(), alice["alias"].as_str()), (Some("Alice Liddell"), Some("ally")));
    assert_eq!(ids(&door.get("/contacts?alias=ally").await.json()["items"]), ["c-alice"]);
    let unknown = door.get("/contacts/nobody").await;
    assert_eq!((unknown.status.as_u16(), unknown.code().as_str()), (404, "W510"));
    assert_eq!(door.get("/accounts/nobody/contacts").await.code(), "W510");
    assert_eq!(ids(&door.get("/rooms?topic=Tea%20Party").await.json()["items"]), [ROOM]);
    assert_eq!(door.get(&format!("/rooms/{ROOM}/members/c-bob")).await.json()["roomAlias"], "Mad Hatter");
    door.end().await;
}

fn ids(items: &serde_json::Value) -> Vec<String> {
    let items = items.as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| Some(item["id"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn what_is_changed_reads_back() {
    let door = Door::open().await;
    let set = door.ask("PUT", "/contacts/c-alice/alias", Some(json!({ "alias": "queen" }))).await;
    assert_eq!((set.status.as_u16(), set.json()["alias"].as_str()), (200, Some("queen")), "{set:?}");
    let cleared = door.ask("PUT", "/contacts/c-alice/alias", Some(json!({ "alias": null }))).await;
    assert!(cleared.status == 200 && cleared.json()["alias"].as_str().unwrap_or_default().is_empty(), "{cleared:?}");
    assert_eq!(door.ask("PUT", "/contacts/c-alice/alias", Some(json!({}))).await.status, 422);
    let topic = door.ask("PUT", &format!("/rooms/{ROOM}/topic"), Some(json!({ "topic": "Croquet" }))).await;
    assert_eq!(topic.json()["topic"], "Croquet");
    let made = door.ask("POST", "/rooms", Some(json!({ "contactIds": ["c-alice", "c-bob"], "topic": "New" }))).await;
    assert_eq!((made.status.as_u16(), made.json()["topic"].as_str()), (201, Some("New")), "{made:?}");
    let place = made.header("location").trim_start_matches("/api/v1").to_owned();
    assert_eq!(door.get(&place).await.json()["id"], made.json()["id"]);
    let removed = door.ask("DELETE", &format!("{place}/member/c-bob"), None).await;
    assert_eq!(removed.status, 204);
    assert_eq!(door.ask("DELETE", &format!("{place}/member/c-bob"), None).await.status, 404);
    assert_eq!(door.ask("PUT", "/contacts/c-alice/tags/vip", None).await.status, 204);
    assert_eq!(door.get("/contacts/c-alice/tags").await.json()["items"], json!(["vip"]));
    door.end().await;
}

#[tokio::test]
async fn an_answer_of_a_login_is_for_admins_and_goes_to_the_puppet() {
    let door = Door::open().await;
    let answer = door.ask("PUT", "/login/answer", Some(json!({ "id": "q", "code": "yes" }))).await;
    // A simulated world asks nothing.
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "W512"), "{answer:?}");
    assert_eq!(door.ask("PUT", "/login/answer", Some(json!({ "code": "yes" }))).await.status, 422);
    let reader = door.send(request(READ, "PUT", "/login/answer", &[], Some(json!({ "id": "q" })))).await;
    assert_eq!(reader.status, 403);
    door.end().await;
}

#[tokio::test]
async fn a_file_is_uploaded_sent_and_read_again_and_a_large_one_refused() {
    let door = Door::with(None, wechaty_rest::Rate::default(), 1_000).await;
    let upload = |bytes: Vec<u8>| {
        let mut request = request(ALL, "POST", "/upload?name=tea.txt", &[], None);
        *request.body_mut() = Body::from(bytes);
        request
    };
    let kept = door.send(upload(b"two lumps".to_vec())).await;
    assert_eq!((kept.status.as_u16(), kept.json()["size"].as_u64()), (201, Some(9)), "{kept:?}");
    let id = kept.json()["id"].as_str().unwrap_or_default().to_owned();
    let read = door.get(&format!("/download/{id}")).await;
    assert_eq!(
        (&read.body[..], read.header("content-disposition")),
        (&b"two lumps"[..], "attachment; filename*=UTF-8''tea%2Etxt")
    );
    assert_eq!(door.send(upload(vec![0; 1_001])).await.status, 413);
    assert_eq!(door.get("/download/00000000-0000-4000-8000-000000000000").await.status, 404);
    assert_eq!(door.get("/download/..%2F..%2Fetc%2Fpasswd").await.status, 404);
    let body = json!({ "to": { "contact": "c-alice" }, "file": kept.json() });
    let sent = door.ask("POST", "/sends?wait=sent", Some(body)).await;
    assert_eq!((sent.status.as_u16(), sent.json()["state"].as_str()), (201, Some("sent")), "{sent:?}");
    let message = sent.json()["messageId"].as_str().unwrap_or_default().to_owned();
    assert_eq!(&door.get(&format!("/message/{message}/file")).await.body[..], b"two lumps");
    // Its size is not looked at, however large.
    let mut body = json!({ "to": { "contact": "c-alice" }, "file": kept.json() });
    body["file"]["size"] = json!(1e30);
    assert_eq!(door.ask("POST", "/sends?wait=sent", Some(body)).await.status, 201);
    door.end().await;
}

#[tokio::test]
async fn our_picture_is_there_as_often_as_it_is_asked_for() {
    let door = Door::open().await;
    let mut upload = request(ALL, "POST", "/upload?name=tea.txt", &[], None);
    *upload.body_mut() = Body::from("two lumps");
    let kept = door.send(upload).await.json();
    let set = door.ask("PUT", "/contacts/self/avatar", Some(json!({ "id": kept["id"] }))).await;
    assert_eq!(set.status, 204, "{set:?}");
    for method in ["HEAD", "GET", "GET"] {
        let picture = door.ask(method, "/contacts/self/avatar", None).await;
        assert_eq!((picture.status.as_u16(), picture.header("content-length")), (200, "9"), "{method}: {picture:?}");
        assert!(method == "HEAD" || picture.body[..] == b"two lumps"[..], "{picture:?}");
    }
    door.end().await;
}

#[tokio::test]
async fn an_account_that_has_stopped_is_started_and_one_that_runs_is_left_alone() {
    let door = Door::open().await;
    let account = door.bot.accounts()[0].clone();
    let running = door.ask("PUT", "/start", None).await;
    assert_eq!(running.status, 202, "{running:?}");
    assert!(account.is_logged_in(), "it goes on");
    door.bot.stop_account(&account).await.expect("it stops");
    assert_eq!(door.send(request(READ, "PUT", "/start", &[], None)).await.code(), "W502");
    for path in ["/start", "/accounts/default/start"] {
        assert_eq!(door.ask("PUT", path, None).await.status, 202);
    }
    account.ready().await;
    assert_eq!(door.get("/login").await.json()["state"], "logged-in");
    door.end().await;
}

#[tokio::test]
async fn a_part_of_a_file_is_had_and_what_one_has_is_not_sent_again() {
    let door = Door::open().await;
    let mut upload = request(ALL, "POST", "/upload?name=tea.txt", &[], None);
    *upload.body_mut() = Body::from("two lumps");
    let kept = door.send(upload).await.json();
    let body = json!({ "to": { "contact": "c-alice" }, "file": kept });
    let sent = door.ask("POST", "/sends?wait=sent", Some(body)).await.json();
    let upload = format!("/download/{}", kept["id"].as_str().unwrap_or_default());
    let message = format!("/message/{}/file", sent["messageId"].as_str().unwrap_or_default());
    for path in [upload, message] {
        let ask = async |method, headers: &[(&str, &str)]| door.send(request(ALL, method, &path, headers, None)).await;
        let whole = ask("GET", &[]).await;
        assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &b"two lumps"[..]), "{path}");
        assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "9"), "{path}");
        let part = ask("GET", &[("range", "bytes=4-6")]).await;
        assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"lum"[..]), "{path}");
        assert_eq!((part.header("content-range"), part.header("content-length")), ("bytes 4-6/9", "3"), "{path}");
        let outside = ask("GET", &[("range", "bytes=9-")]).await;
        assert_eq!((outside.status.as_u16(), outside.code().as_str()), (416, "W531"), "{path}");
        assert_eq!(outside.header("content-range"), "bytes */9", "{path}");
        let head = ask("HEAD", &[("range", "bytes=4-6")]).await;
        assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "9", 0), "{path}");
        let tag = whole.header("etag");
        let same = ask("GET", &[("if-none-match", tag)]).await;
        assert_eq!((same.status.as_u16(), same.header("etag"), same.body.len()), (304, tag, 0), "{path}");
        assert_eq!(ask("GET", &[("if-none-match", "\"another\"")]).await.status, 200, "{path}");
    }
    let head = door.ask("HEAD", "/rooms", None).await;
    let get = door.get("/rooms").await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    door.end().await;
}

#[tokio::test]
async fn uploads_are_bounded_in_all() {
    let mut options = RestOptions::new(Vec::new(), "");
    (options.uploads, options.upload_bytes, options.largest_file) = (2, 10, 8);
    let door = Door::made(None, &options).await;
    let upload = async |size: usize, length: bool| {
        let mut request = request(ALL, "POST", "/upload", &[], None);
        let pieces = futures_util::stream::iter((0..size).map(|_| Ok::<_, std::io::Error>("x")));
        *request.body_mut() = Body::from_stream(pieces);
        if length {
            request.headers_mut().insert("content-length", size.into());
        }
        let answer = door.send(request).await;
        (answer.status.as_u16(), if answer.status == 201 { String::new() } else { answer.code() })
    };
    for length in [true, false] {
        assert_eq!(upload(9, length).await, (413, "W413".to_owned()), "one file is too large");
    }
    assert_eq!(upload(8, false).await.0, 201);
    for length in [true, false] {
        assert_eq!(upload(3, length).await, (429, "W530".to_owned()), "all together are");
    }
    assert_eq!(upload(2, true).await.0, 201);
    assert_eq!(upload(0, true).await, (429, "W530".to_owned()), "there are as many as may be");
    door.end().await;
}

#[tokio::test]
async fn of_an_upload_that_does_not_say_how_large_it_is_and_is_too_large_nothing_is_kept() {
    let mut options = RestOptions::new(Vec::new(), "");
    (options.uploads, options.upload_bytes, options.largest_file) = (9, 8 << 20, 4 << 20);
    let door = Door::made(None, &options).await;
    // In pieces; more than is written at once.
    let upload = async |mib: usize| {
        let mut request = request(ALL, "POST", "/upload", &[], None);
        let pieces = (0..mib * 16).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 16]));
        *request.body_mut() = Body::from_stream(futures_util::stream::iter(pieces));
        assert!(!request.headers().contains_key("content-length"));
        door.send(request).await
    };
    assert_eq!(upload(3).await.status, 201);
    for (mib, refused) in [(5, (413, "W413")), (4, (201, "")), (2, (429, "W530"))] {
        let (before, answer) = (door.files(), upload(mib).await);
        let is_kept = answer.status == 201;
        let code = if is_kept { String::new() } else { answer.code() };
        assert_eq!((answer.status.as_u16(), code.as_str()), refused, "{mib} MiB");
        assert_eq!(door.files(), before + usize::from(is_kept), "{mib} MiB: files on the disk");
    }
    assert_eq!(upload(1).await.status, 201, "what was refused takes no room");
    door.end().await;
}

#[tokio::test]
async fn the_ledger_is_what_the_bot_counts() {
    let door = Door::open().await;
    let body = json!({ "to": { "contact": "c-alice" }, "text": "tea?" });
    assert_eq!(door.ask("POST", "/sends?wait=sent", Some(body)).await.json()["state"], "sent");
    let ledger = door.get("/ledger").await.json();
    let books = door.bot.store().books().await.expect("books");
    assert_eq!(ledger, serde_json::to_value(&books).expect("JSON"));
    assert_eq!((ledger["out"]["sent"].as_u64(), ledger["out"]["residue"].as_i64()), (Some(1), Some(0)));
    door.end().await;
}
