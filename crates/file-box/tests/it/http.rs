//! URL boxes against a server that behaves, misbehaves, or lies.

use std::time::Duration;

use wechaty_file_box::{FileBox, FileBoxError, LoadOptions};

use crate::server::{Server, ok, status, to};

fn local() -> LoadOptions {
    LoadOptions { allow_private: true, ..LoadOptions::default() }
}

async fn load(url: String, options: &LoadOptions) -> Result<String, FileBoxError> {
    let bytes = FileBox::from_url(url).unwrap().to_bytes_with(options).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_get_follows_relative_redirects_q19() {
    let server = Server::start(|_, path| {
        Some(match path {
            "/a/b" => to("../c?x=1"),
            _ => ok("", path),
        })
    })
    .await;
    assert_eq!(load(server.url("/a/b"), &local()).await.unwrap(), "/c?x=1");
    let mut file = FileBox::from_url(server.url("/a/b")).unwrap();
    file.ready(&local()).await.unwrap();
    assert_eq!(file.size(), Some(6));
}

#[tokio::test]
async fn an_error_page_is_not_taken_for_the_file_q19() {
    let server = Server::start(|_, path| Some(status(if path == "/a" { "404 Not Found" } else { "500 Oops" }))).await;
    assert!(matches!(load(server.url("/a"), &local()).await, Err(FileBoxError::Status { status: 404, .. })));
    assert!(matches!(load(server.url("/b"), &local()).await, Err(FileBoxError::Status { status: 500, .. })));
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let server = Server::start(|_, _| Some(to("/again"))).await;
    assert!(matches!(load(server.url("/"), &local()).await, Err(FileBoxError::Redirects { limit: 7, .. })));
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn a_redirect_to_another_scheme_or_without_target_is_refused() {
    let server =
        Server::start(|_, path| Some(if path == "/file" { to("file:///etc/passwd") } else { status("302 Found") }))
            .await;
    assert!(matches!(load(server.url("/file"), &local()).await, Err(FileBoxError::Invalid { .. })));
    assert!(matches!(load(server.url("/none"), &local()).await, Err(FileBoxError::Status { status: 302, .. })));
}

#[tokio::test]
async fn headers_go_to_their_own_origin_only() {
    let other = Server::start(|_, _| Some(ok("", "there"))).await;
    let elsewhere = other.url("/there");
    let server = Server::start(move |_, path| Some(if path == "/hop" { to(&elsewhere) } else { to("/hop") })).await;
    let file = FileBox::from_url(server.url("/")).unwrap().with_header("X-Key", "s3cret");
    assert_eq!(&file.to_bytes_with(&local()).await.unwrap()[..], b"there");
    assert!(server.requests().iter().all(|request| request.contains("s3cret")));
    assert!(other.requests().iter().all(|request| !request.contains("s3cret")));
}

#[tokio::test]
async fn a_header_cannot_name_another_host() {
    let server = Server::start(|_, _| Some(ok("", "x"))).await;
    let file = FileBox::from_url(server.url("/")).unwrap().with_header("Host", "inner").with_header("X-A", "b");
    file.to_bytes_with(&local()).await.unwrap();
    let request = server.requests().remove(0);
    assert!(!request.contains("inner") && request.contains("x-a: b"), "{request}");
}

#[tokio::test]
async fn private_addresses_are_refused_by_number_and_by_name() {
    let server = Server::start(|_, _| Some(ok("", "inside"))).await;
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"] {
        let found = load(format!("http://{host}:{port}/"), &LoadOptions::default()).await;
        assert!(matches!(found, Err(FileBoxError::PrivateAddress { .. })), "{host}: {found:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_limit_holds_where_no_length_is_told_or_it_is_chunked() {
    let body = "x".repeat(100);
    let chunked = format!("64\r\n{body}\r\n0\r\n\r\n");
    let server = Server::start(move |_, path| {
        Some(match path {
            "/none" => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
            "/chunked" => {
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}")
            }
            _ => ok("", &body),
        })
    })
    .await;
    for path in ["/none", "/chunked", "/told"] {
        let small = LoadOptions { max_bytes: 99, ..local() };
        assert!(matches!(load(server.url(path), &small).await, Err(FileBoxError::TooLarge { .. })), "{path}");
        let enough = LoadOptions { max_bytes: 100, ..local() };
        assert_eq!(load(server.url(path), &enough).await.unwrap().len(), 100, "{path}");
    }
}

#[tokio::test]
async fn a_body_shorter_than_told_is_an_error() {
    let server = Server::start(|_, _| {
        Some("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nshort".to_owned())
    })
    .await;
    assert!(matches!(load(server.url("/"), &local()).await, Err(FileBoxError::Http { .. })));
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = Server::start(|_, _| None).await;
    let options = LoadOptions { timeout: Duration::from_millis(100), ..local() };
    assert!(matches!(load(server.url("/"), &options).await, Err(FileBoxError::TimedOut { .. })));
}

#[tokio::test]
async fn ready_takes_name_type_and_size_from_the_server() {
    let server = Server::start(|_, path| {
        let name = match path {
            "/plain" => "attachment; filename=\"../报告.pdf\"",
            "/star" => "attachment; filename=x.pdf; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
            _ => "inline; filename=%E6%8A%A5%E5%91%8A.pdf",
        };
        Some(ok(&format!("Content-Disposition: {name}\r\nContent-Type: application/octet-stream\r\n"), "12345"))
    })
    .await;
    for path in ["/plain", "/star", "/percent"] {
        let mut file = FileBox::from_url(server.url(path)).unwrap();
        file.ready(&local()).await.unwrap();
        assert_eq!((file.name(), file.media_type(), file.size()), ("报告.pdf", "application/pdf", Some(5)), "{path}");
    }
}

#[tokio::test]
async fn ready_works_where_head_is_refused() {
    let server = Server::start(|method, _| {
        let page = "Content-Type: image/png; charset=x\r\nContent-Disposition: attachment; filename=a.png\r\n";
        Some(if method == "HEAD" { status("405 Method Not Allowed") } else { ok(page, "12345") })
    })
    .await;
    let mut file = FileBox::from_url(server.url("/")).unwrap();
    file.ready(&local()).await.unwrap();
    assert_eq!((file.name(), file.media_type(), file.size()), ("a.png", "image/png", Some(5)));
}

#[tokio::test]
async fn only_accepted_media_is_loaded() {
    let server = Server::start(|_, path| {
        Some(match path {
            "/page" => ok("Content-Type: text/html\r\n", "x"),
            _ => ok("Content-Type: application/octet-stream\r\n", "x"),
        })
    })
    .await;
    let pictures = LoadOptions { accept_media: Some("image/*".into()), ..local() };
    assert!(matches!(load(server.url("/page"), &pictures).await, Err(FileBoxError::MediaType { .. })));
    assert_eq!(load(server.url("/a.png"), &pictures).await.unwrap(), "x");
}

#[tokio::test]
async fn errors_do_not_tell_the_address() {
    let server = Server::start(|_, _| Some(status("403 Forbidden"))).await;
    for url in [server.url("/s3cret?k=s3cret"), "http://127.0.0.1:1/s3cret?k=s3cret".to_owned()] {
        let error = FileBox::from_url(url).unwrap().named("a").to_bytes_with(&local()).await.unwrap_err();
        let mut said = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said += &format!(" {error} {error:?}");
            cause = error.source();
        }
        assert!(!said.contains("s3cret"), "{said}");
    }
}

const SLOW: Duration = Duration::from_millis(50);

#[expect(clippy::disallowed_methods, reason = "the time a server takes is real")]
fn slowly() {
    std::thread::sleep(SLOW);
}

#[tokio::test]
async fn slow_redirects_do_not_each_get_the_whole_time() {
    let server = Server::start(|_, _| {
        slowly();
        Some(to("/again"))
    })
    .await;
    // 8 hops are tried.
    let options = LoadOptions { timeout: 3 * SLOW, ..local() };
    assert!(matches!(load(server.url("/"), &options).await, Err(FileBoxError::TimedOut { .. })));
    let mut file = FileBox::from_url(server.url("/")).unwrap();
    assert!(matches!(file.ready(&options).await, Err(FileBoxError::TimedOut { .. })));
}

#[tokio::test]
async fn a_body_that_stops_halfway_is_given_up() {
    let server = Server::start(|_, _| Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".into())).await;
    let options = LoadOptions { timeout: Duration::from_millis(200), ..local() };
    assert!(matches!(load(server.url("/"), &options).await, Err(FileBoxError::TimedOut { .. })));
}

#[test]
fn a_load_works_after_the_runtime_of_another_has_ended() {
    for _ in 0..2 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = Server::start(|_, _| Some(ok("", "x"))).await;
            assert_eq!(load(server.url("/"), &local()).await.unwrap(), "x");
        });
    }
}
