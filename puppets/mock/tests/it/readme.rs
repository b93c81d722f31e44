//! What README.md says of the world file is so.

use std::collections::BTreeSet;

use wechaty_puppet::EventKind;
use wechaty_puppet_mock::{Features, World};

const README: &str = include_str!("../../README.md");

/// The names in code quotes in the first column of the table under this heading.
fn names(heading: &str) -> Vec<&'static str> {
    let (_, part) = README.split_once(heading).expect("the heading");
    let rows = part.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2)).collect()
}

fn example() -> serde_json::Value {
    let (_, rest) = README.split_once("```json\n").expect("an example");
    let (json, _) = rest.split_once("```").expect("its end");
    World::from_json(json).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn the_example_is_a_world() {
    let (json, world) = (example(), World::from_json(&example().to_string()).expect("a world"));
    assert_eq!((world.name(), world.self_id().as_str()), ("tea house", "bot"));
    assert_eq!(world.timeline().count(), json["timeline"].as_array().map_or(0, Vec::len));
    for member in names("## Members of the file") {
        assert!(member == "features" || !json[member].is_null(), "the example lacks {member}");
    }
}

#[test]
fn the_features_are_those_of_the_code() {
    let told = names("## Features");
    for name in &told {
        let mut world = example();
        world["features"] = serde_json::json!({ (*name): true });
        World::from_json(&world.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let all = format!("{:?}", Features::NONE);
    assert_eq!(told.len(), all.matches(": false").count(), "{told:?}\n{all}");
    // Those of a world that names none.
    let without = World::from_json(&example().to_string()).expect("a world");
    assert_eq!(*without.features(), Features::ALL);
    let Features { stub, rich, ids_only, accept_url_file, .. } = *without.features();
    assert_eq!([stub, rich, ids_only, accept_url_file], [false; 4]);
}

#[test]
fn the_events_are_those_of_the_code() {
    let told: BTreeSet<&str> = names("## The timeline").into_iter().collect();
    let known: BTreeSet<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(told, known);
}
