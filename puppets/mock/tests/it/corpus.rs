//! The corpus of the fuzz target; see `fuzz/README.md`.

use wechaty_puppet_mock::World;

use crate::seeds;

#[test]
fn every_world_of_the_corpus_is_loaded_or_told_what_is_wrong() {
    let mut sound = 0;
    for (name, json) in seeds::of("world_file") {
        let Ok(json) = str::from_utf8(&json) else { continue };
        match World::from_json(json) {
            Ok(_) => sound += 1,
            Err(error) => assert!(!error.to_string().is_empty(), "{name}"),
        }
    }
    assert!(sound > 1);
}

#[test]
fn no_mutant_of_the_corpus_panics() {
    for json in seeds::mutants(&seeds::of("world_file"), 200) {
        if let Ok(json) = str::from_utf8(&json) {
            let _ = World::from_json(json);
        }
    }
}
