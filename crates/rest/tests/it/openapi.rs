//! The document that is served is the one of the code.

use std::path::Path;

use serde_json::Value;

/// To refresh it: `UPDATE_OPENAPI=1 cargo test -p wechaty-rest openapi`, and look at what changed.
#[test]
fn the_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let code = wechaty_rest::openapi();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, in_lines(&code)).expect("it is written");
    }
    // As values: the order of keys depends on who else is built along.
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
    let refresh = "UPDATE_OPENAPI=1 cargo test -p wechaty-rest openapi";
    assert!(kept == code, "crates/rest/openapi.json differs from the code; refresh it: {refresh}");
}

/// Small, and still a line for each operation and each schema, so that a change can be read.
fn in_lines(document: &Value) -> String {
    fn write(value: &Value, depth: usize, out: &mut String) {
        match value.as_object().filter(|object| depth > 0 && !object.is_empty()) {
            None => out.push_str(&value.to_string()),
            Some(object) => {
                out.push('{');
                for (number, (key, value)) in object.iter().enumerate() {
                    out.push_str(if number == 0 { "\n" } else { ",\n" });
                    out.push_str(&Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, depth - 1, out);
                }
                out.push_str("\n}");
            }
        }
    }
    let mut out = String::new();
    write(document, 3, &mut out);
    out + "\n"
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_refusals() {
    let document = wechaty_rest::openapi();
    let mut references = 0;
    each(&document, &mut |part| {
        if let Some(target) = part["$ref"].as_str() {
            references += 1;
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
    });
    assert!(references > 100, "{references}");
    let operations =
        document["paths"].as_object().expect("paths").values().flat_map(|path| path.as_object().expect("verbs"));
    for (verb, operation) in operations {
        for status in ["401", "403", "404", "422", "429", "500"] {
            assert!(operation["responses"].get(status).is_some(), "{verb} {}: {status}", operation["operationId"]);
        }
        // One that comes may be too large, and one that is asked for.
        let has_bytes = operation.get("requestBody").is_some() || operation["responses"].get("206").is_some();
        assert_eq!(operation["responses"].get("413").is_some(), has_bytes, "{}", operation["operationId"]);
    }
}

fn each(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(object) => object.values().for_each(|part| each(part, look)),
        Value::Array(list) => list.iter().for_each(|part| each(part, look)),
        _ => {}
    }
}

/// Of Wechaty's own mapping of the puppet service to HTTP nothing is left out.
#[test]
fn every_path_of_the_puppet_service_over_http_is_there() {
    let contract: Value = serde_json::from_str(include_str!("../../../grpc/contract.json")).expect("JSON");
    let document = wechaty_rest::openapi();
    // A parameter may have another name.
    let shape = |path: &str| {
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    let ours = document["paths"].as_object().expect("paths").iter();
    let ours: Vec<_> = ours.map(|(path, verbs)| (shape(path), verbs)).collect();
    let mut looked_at = 0;
    each(&contract, &mut |part| {
        if let (Some(verb), Some(path)) = (part["verb"].as_str(), part["path"].as_str()) {
            looked_at += 1;
            let verb = verb.to_lowercase();
            let found = ours.iter().any(|(ours, verbs)| *ours == shape(path) && verbs.get(&verb).is_some());
            assert!(found, "{verb} {path}");
        }
    });
    assert!(looked_at > 50, "{looked_at}");
}
