//! The corpora of the fuzz targets; see `fuzz/README.md`.

use wechaty_puppet_lark::parsers::{Frame, event, post, webhook};

use crate::seeds;

#[test]
fn every_frame_of_the_corpus_is_read_or_refused_and_written_as_it_was() {
    let mut sound = 0;
    for bytes in
        seeds::of("lark_frame").into_iter().map(|(_, bytes)| bytes).chain(seeds::mutants(&seeds::of("lark_frame"), 500))
    {
        if let Ok(frame) = Frame::read(&bytes.into()) {
            assert_eq!(Frame::read(&frame.to_bytes().into()), Ok(frame));
            sound += 1;
        }
    }
    assert!(sound > 5);
}

#[test]
fn no_event_and_no_mutant_of_one_panics() {
    let seeds = seeds::of("lark_event");
    let read = seeds.iter().filter(|(_, bytes)| event(bytes).is_some()).count();
    assert!(read > 8, "{read}");
    for bytes in seeds::mutants(&seeds, 500) {
        let _ = event(&bytes);
    }
}

#[test]
fn no_webhook_body_and_no_mutant_of_one_panics() {
    let seeds = seeds::of("lark_webhook");
    for bytes in seeds.iter().map(|(_, bytes)| bytes.clone()).chain(seeds::mutants(&seeds, 500)) {
        let _ = (webhook(&bytes, None), webhook(&bytes, Some("test key")));
    }
}

#[test]
fn no_post_and_no_mutant_of_one_panics_or_grows() {
    let seeds = seeds::of("lark_post");
    for bytes in seeds.iter().map(|(_, bytes)| bytes.clone()).chain(seeds::mutants(&seeds, 500)) {
        if let Some(read) = post(&bytes) {
            assert!(!read.is_plain || read.text.len() <= bytes.len());
        }
    }
}
