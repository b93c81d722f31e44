//! How boxes are made, and what they are then called.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use wechaty_file_box::{FileBox, FileBoxError, LoadOptions};

#[test]
fn an_empty_file_has_size_zero_q19() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(FileBox::from_file(file.path()).unwrap().size(), Some(0));
    assert_eq!(FileBox::from_bytes("", "").size(), Some(0));
}

#[test]
fn a_name_cannot_lead_elsewhere_or_read_backwards() {
    for (name, kept) in [
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\a.doc", "a.doc"),
        ("a\0b\n.txt", "ab.txt"),
        ("..", "buffer.dat"),
        ("", "buffer.dat"),
        ("\u{202E}gnp.exe", "gnp.exe"),
    ] {
        assert_eq!(FileBox::from_bytes("", name).name(), kept, "{name:?}");
    }
    let long = format!("{}.png", "图".repeat(300));
    let file = FileBox::from_bytes("", long);
    assert!(file.name().len() <= 255 && file.name().ends_with("图.png") && file.media_type() == "image/png");
}

#[tokio::test]
async fn data_urls_of_any_form_keep_their_bytes() {
    for (url, media_type, bytes) in [
        ("data:image/png;base64,aGk=", "image/png", &b"hi"[..]),
        ("DATA:image/png;charset=x;BASE64,aGk%3D", "image/png", b"hi"),
        (r#"data:text/plain;name="a,b";base64,aGk"#, "text/plain", b"hi"),
        ("data:application/x,%ff%00a,b", "application/x", b"\xff\0a,b"),
        ("data:,", "text/plain", b""),
    ] {
        let file = FileBox::from_data_url(url, None).unwrap();
        assert_eq!((file.media_type(), &file.to_bytes().await.unwrap()[..]), (media_type, bytes), "{url}");
        assert_eq!(file.name(), "data-url.dat");
    }
    for url in ["", "图data:,", "http://a/,b", "data:image/png;base64", "data:;base64,a!"] {
        assert!(matches!(FileBox::from_data_url(url, None), Err(FileBoxError::Invalid { .. })), "{url}");
    }
}

#[tokio::test]
async fn base64_of_any_dialect_is_read() {
    for text in ["+/8=", "+/8", "-_8", " +/\n8= "] {
        assert_eq!(FileBox::from_base64(text, "a").unwrap().to_bytes().await.unwrap()[..], *b"\xfb\xff", "{text}");
    }
    for text in ["A", "AAAAA", "A===", "A=A=", "AA!A"] {
        assert!(FileBox::from_base64(text, "a").is_err(), "{text}");
    }
}

#[tokio::test]
async fn base64_of_a_stream_does_not_depend_on_its_pieces() {
    let bytes: Vec<u8> = (0..1000).map(|n| (n % 251) as u8).collect();
    let whole = FileBox::from_bytes(bytes.clone(), "a").to_base64().await.unwrap();
    for step in [1, 2, 4, 999] {
        let pieces: Vec<_> = bytes.chunks(step).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        assert_eq!(FileBox::from_stream(stream::iter(pieces), "a").to_base64().await.unwrap(), whole);
    }
}

#[tokio::test]
async fn a_stream_is_read_once_by_whichever_clone_is_first() {
    let file = FileBox::from_stream(stream::iter([Ok(Bytes::from_static(b"hi"))]), "a");
    assert_eq!(&file.clone().to_bytes().await.unwrap()[..], b"hi");
    assert!(matches!(file.to_bytes().await, Err(FileBoxError::Consumed { .. })));
}

#[tokio::test]
async fn a_qr_code_is_a_png_and_too_long_a_text_is_told() {
    let png = FileBox::from_qr_code("https://wechaty.js.org").unwrap().to_bytes().await.unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let too_long = FileBox::from_qr_code("图".repeat(2000)).unwrap().to_bytes().await;
    assert!(matches!(too_long, Err(FileBoxError::Invalid { .. })));
}

#[test]
fn debug_tells_neither_contents_nor_secrets() {
    let url = FileBox::from_url("https://me:s3cret@e.invalid/s3cret?k=s3cret").unwrap().named("a");
    for file in [url.with_header("Authorization", "s3cret"), FileBox::from_bytes("s3cret", "a")] {
        assert!(!format!("{file:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn a_stream_that_never_ends_is_given_up() {
    let options = LoadOptions { timeout: Duration::from_millis(50), ..LoadOptions::default() };
    let stalled = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending());
    let found = FileBox::from_stream(stalled, "a").to_bytes_with(&options).await;
    assert!(matches!(found, Err(FileBoxError::TimedOut { .. })), "{found:?}");
}
