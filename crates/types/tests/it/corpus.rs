//! The corpus of the fuzz targets; see `fuzz/README.md`.

use wechaty_types::{EventKind, EventPayload};

use crate::{payloads::PAYLOADS, round_trip::round_trips, seeds};

#[test]
fn every_event_of_the_corpus_comes_back_as_it_went() {
    let seeds = seeds::of("event_json");
    for (_, json) in &seeds {
        round_trips::<EventPayload>(json);
    }
    for kind in EventKind::ALL {
        let seed = seeds.iter().find(|(name, _)| *name == format!("{kind}.json"));
        let (_, json) = seed.unwrap_or_else(|| panic!("no seed of {kind}"));
        assert_eq!(serde_json::from_slice::<EventPayload>(json).unwrap().kind(), *kind);
    }
}

#[test]
fn every_payload_of_the_corpus_comes_back_as_it_went() {
    let seeds = seeds::of("payload_json");
    for (payload, round_trips) in PAYLOADS {
        let read = seeds.iter().filter(|(_, json)| round_trips(json)).count();
        assert!(read > 0, "no seed is a {payload}");
    }
}

#[test]
fn no_mutant_of_the_corpus_panics_or_changes_on_its_way() {
    for json in seeds::mutants(&seeds::of("event_json"), 400) {
        round_trips::<EventPayload>(&json);
    }
    for json in seeds::mutants(&seeds::of("payload_json"), 200) {
        PAYLOADS.iter().for_each(|(_, round_trips)| {
            round_trips(&json);
        });
    }
}
