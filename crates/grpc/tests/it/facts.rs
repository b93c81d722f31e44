//! The protos say what the facts say: every call, message, field, type and number, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use serde_json::{Value, json};
use wechaty_grpc::{CONTRACT, health_calls, proto::DESCRIPTORS, puppet_calls};

fn facts() -> Value {
    serde_json::from_str(CONTRACT).unwrap()
}

fn descriptors() -> FileDescriptorSet {
    FileDescriptorSet::decode(DESCRIPTORS).unwrap()
}

/// A field as the facts write it, without when it came.
fn field(field: &FieldDescriptorProto) -> Value {
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        plain => plain.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    let mut fact = json!({ "name": field.name(), "number": field.number(), "type": kind });
    for (key, holds) in [
        ("repeated", field.label() == Label::Repeated),
        ("optional", field.proto3_optional()),
        ("deprecated", field.options.as_ref().is_some_and(|options| options.deprecated())),
    ] {
        if holds {
            fact[key] = true.into();
        }
    }
    fact
}

fn by_number(fields: &[Value]) -> BTreeMap<i64, Value> {
    let mut fields = fields.to_vec();
    for field in &mut fields {
        field.as_object_mut().unwrap().remove("since");
    }
    let count = fields.len();
    let map: BTreeMap<_, _> = fields.into_iter().map(|field| (field["number"].as_i64().unwrap(), field)).collect();
    assert_eq!(map.len(), count, "two fields of one number");
    map
}

fn messages(package: &str) -> BTreeMap<String, DescriptorProto> {
    let files = descriptors().file.into_iter().filter(|file| file.package() == package);
    let messages = files.flat_map(|file| file.message_type);
    messages.map(|message| (format!("{package}.{}", message.name()), message)).collect()
}

#[test]
fn messages_have_the_fields_of_the_facts() {
    let facts = facts();
    let told = facts["messages"].as_object().unwrap();
    let ours = messages("wechaty.puppet");
    assert_eq!(ours.keys().collect::<BTreeSet<_>>(), told.keys().collect::<BTreeSet<_>>());
    assert_eq!(ours.len(), 127);
    for (name, message) in &ours {
        let fields: Vec<_> = message.field.iter().map(field).collect();
        assert_eq!(by_number(&fields), by_number(told[name].as_array().unwrap()), "{name}");
    }
}

#[test]
fn enums_have_the_numbers_of_the_facts() {
    let facts = facts();
    let told = facts["enums"].as_object().unwrap();
    let files = descriptors().file.into_iter().filter(|file| file.package() == "wechaty.puppet");
    let ours: BTreeMap<String, BTreeMap<String, i64>> = files
        .flat_map(|file| file.enum_type)
        .map(|kind| {
            let values = kind.value.iter().map(|value| (value.name().to_owned(), i64::from(value.number())));
            (format!("wechaty.puppet.{}", kind.name()), values.collect())
        })
        .collect();
    assert_eq!(serde_json::to_value(&ours).unwrap(), Value::Object(told.clone()));
    assert_eq!(ours.len(), 8);
}

#[test]
fn calls_are_those_of_the_facts_in_their_order() {
    let facts = facts();
    let file = descriptors().file.into_iter().find(|file| file.package() == "wechaty").unwrap();
    let [service] = &file.service[..] else { panic!("one service") };
    assert_eq!(format!("wechaty.{}", service.name()), facts["service"].as_str().unwrap());
    let told = facts["rpcs"].as_array().unwrap();
    assert_eq!((told.len(), service.method.len()), (62, 62));
    for (method, fact) in service.method.iter().zip(told) {
        let is = |key: &str| fact[key].as_bool().unwrap_or_default();
        assert_eq!(method.name(), fact["name"]);
        assert_eq!(method.input_type().trim_start_matches('.'), fact["request"]);
        assert_eq!(method.output_type().trim_start_matches('.'), fact["response"]);
        assert_eq!(method.client_streaming(), is("client_streaming"), "{}", method.name());
        assert_eq!(method.server_streaming(), is("server_streaming"), "{}", method.name());
    }
}

#[test]
fn paths_of_the_http_mapping_name_fields_of_their_requests() {
    let facts = facts();
    let messages = messages("wechaty.puppet");
    let mut mapped = 0;
    for call in facts["rpcs"].as_array().unwrap().iter().filter(|call| !call["http"].is_null()) {
        mapped += 1;
        let verb = call["http"]["verb"].as_str().unwrap();
        assert!(["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&verb), "{verb}");
        let path = call["http"]["path"].as_str().unwrap();
        let request = &messages[call["request"].as_str().unwrap()];
        for name in path.split('{').skip(1).map(|part| part.split('}').next().unwrap()) {
            assert!(request.field.iter().any(|field| field.name() == name), "{path}: no field {name}");
        }
    }
    assert!(mapped > 50, "{mapped}");
}

#[test]
fn the_health_service_is_the_standard_one() {
    let file = descriptors().file.into_iter().find(|file| file.package() == "grpc.health.v1").unwrap();
    let methods: Vec<_> = file.service[0].method.iter().map(|m| (m.name(), m.server_streaming())).collect();
    assert_eq!(methods, [("Check", false), ("Watch", true)]);
    let response = file.message_type.iter().find(|m| m.name() == "HealthCheckResponse").unwrap();
    let statuses: Vec<_> = response.enum_type[0].value.iter().map(|v| (v.name(), v.number())).collect();
    assert_eq!(statuses, [("UNKNOWN", 0), ("SERVING", 1), ("NOT_SERVING", 2), ("SERVICE_UNKNOWN", 3)]);
}

macro_rules! streams {
    (
        $service:literal
        unary { $($unary:literal $unary_method:ident $unary_types:tt -> $unary_response:ident;)* }
        down { $($down:literal $down_method:ident $down_types:tt -> $down_response:ident;)* }
        up { $($up:literal $up_method:ident $up_types:tt -> $up_response:ident;)* }
    ) => {
        ($service, vec![$(($unary, [false, false]),)* $(($down, [false, true]),)* $(($up, [true, false]),)*])
    };
}

#[test]
fn the_lists_of_calls_are_those_of_the_facts() {
    let facts = facts();
    let (service, mut calls) = puppet_calls!(streams);
    assert_eq!(service, facts["service"].as_str().unwrap());
    let mut expected: Vec<_> = facts["rpcs"].as_array().unwrap().iter().collect();
    let streams = |call: &serde_json::Value| {
        ["client_streaming", "server_streaming"].map(|key| call[key].as_bool().unwrap_or(false))
    };
    expected.sort_by_key(|call| call["name"].as_str());
    calls.sort_unstable();
    let expected: Vec<_> = expected.iter().map(|call| (call["name"].as_str().unwrap(), streams(call))).collect();
    assert_eq!(calls, expected);
    assert_eq!(health_calls!(streams).0, "grpc.health.v1.Health");
}
