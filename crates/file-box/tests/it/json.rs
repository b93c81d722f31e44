//! The JSON of a box, both ways, against what every SDK writes.

use serde_json::{Value, json};
use wechaty_file_box::{FileBox, FileBoxError, FileBoxType};

use crate::{round_trip::round_trips, seeds};

fn round_trip(json: &Value) -> Value {
    serde_json::from_str(&FileBox::from_json(&json.to_string()).unwrap().to_json().unwrap()).unwrap()
}

#[test]
fn every_portable_kind_comes_back_as_it_went() {
    for golden in [
        json!({"metadata":{},"name":"qrcode.png","size":-1,"qrCode":"x","type":3,"boxType":3}),
        json!({"metadata":{"a":[1]},"name":"a.txt","size":2,"md5":"m","base64":"aGk=","type":1,"boxType":1}),
        json!({"metadata":{},"name":"u.dat","size":7,"uuid":"u","type":7,"boxType":7}),
        json!({"metadata":{},"name":"a.png","size":-1,"url":"https://e.invalid/a.png",
            "remoteUrl":"https://e.invalid/a.png","headers":{"X-A":"b"},"type":2,"boxType":2}),
    ] {
        assert_eq!(round_trip(&golden), golden);
    }
}

#[test]
fn a_python_box_with_nulls_and_a_null_type_is_read() {
    let file = FileBox::from_json(
        r#"{"_type":"x","mediaType":null,"mimeType":null,"headers":null,"md5":null,"metadata":null,"type":null,
            "name":"a.jpg","url":null,"remoteUrl":"https://e.invalid/a.jpg","boxType":2}"#,
    )
    .unwrap();
    assert_eq!((file.kind(), file.url()), (FileBoxType::Url, Some("https://e.invalid/a.jpg")));
}

#[test]
fn an_empty_url_beside_a_remote_url_is_skipped() {
    let file = FileBox::from_json(r#"{"boxType":2,"url":"","remoteUrl":"https://e.invalid/a.jpg"}"#).unwrap();
    assert_eq!(file.url(), Some("https://e.invalid/a.jpg"));
}

#[test]
fn header_lists_of_go_stay_lists() {
    let go = json!({"boxType":2,"url":"https://e.invalid/a","headers":{"Accept":["a","b"],"X-One":["1"],"N":5}});
    let headers = &round_trip(&go)["headers"];
    assert_eq!(*headers, json!({"Accept":["a","b"],"X-One":"1","N":"5"}));
}

#[test]
fn a_size_written_as_a_fraction_is_read() {
    let file = FileBox::from_json(r#"{"boxType":7,"uuid":"u","size":12.0}"#).unwrap();
    assert_eq!(file.size(), Some(12));
}

#[tokio::test]
async fn an_empty_file_survives_the_journey_with_size_zero_q19() {
    let json = FileBox::from_bytes("", "empty.txt").to_portable(10).await.unwrap().to_json().unwrap();
    assert!(json.contains(r#""size":0"#), "{json}");
    let back = FileBox::from_json(&json).unwrap();
    assert_eq!((back.size(), back.to_bytes().await.unwrap().len()), (Some(0), 0));
}

#[tokio::test]
async fn paths_streams_and_bytes_have_no_json_until_made_portable() {
    let file = FileBox::from_bytes("hi", "a.png").with_md5("m");
    assert!(matches!(file.to_json(), Err(FileBoxError::NoJson { .. })));
    let sent = file.to_portable(2).await.unwrap();
    assert_eq!((sent.kind(), sent.md5(), sent.media_type()), (FileBoxType::Base64, Some("m"), "image/png"));
    assert!(matches!(file.to_portable(1).await, Err(FileBoxError::TooLarge { limit: 1, .. })));
}

#[test]
fn every_box_of_the_corpus_comes_back_as_it_went() {
    let read = seeds::of("file_box_json").iter().filter(|(_, json)| round_trips::<FileBox>(json)).count();
    assert!(read > 0);
    for json in seeds::mutants(&seeds::of("file_box_json"), 400) {
        round_trips::<FileBox>(&json);
    }
}

#[test]
fn an_empty_file_in_a_uuid_store_keeps_its_size() {
    let file = |size: i64| FileBox::from_json(&json!({"type":7,"uuid":"u","size":size}).to_string()).unwrap();
    assert_eq!((file(0).size(), file(-1).size()), (Some(0), None));
}
