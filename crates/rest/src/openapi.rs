//! OPENAPI: the document, made from the table of routes and the types of bodies. Only for its generator: what is served is the
//! committed file.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use wechaty_types::{
    ContactPayload, FriendshipPayload, LocationPayload, MessagePayload, MiniProgramPayload, RoomInvitationPayload,
    RoomMemberPayload, RoomPayload, UrlLinkPayload,
};

use crate::{
    receipts::SendState,
    route::{Gives, Kind, Route, Takes},
    routes::{accounts::AccountView, messages::MessageRecord},
    schemas, table, wire,
};

/// "Exactly one of these", for what can be said.
pub(crate) fn one_content() -> Value {
    const ALL: [&str; 17] = [
        "text",
        "markdown",
        "file",
        "attachment",
        "image",
        "audio",
        "video",
        "emoticon",
        "contact",
        "url",
        "location",
        "miniProgram",
        "post",
        "card",
        "menu",
        "forward",
        "other",
    ];
    ALL.iter().map(|name| json!({ "required": [name] })).collect()
}

/// One of a batch: meant to be a send, and nothing else refuses the others.
pub(crate) fn batched(_: &mut SchemaGenerator) -> Schema {
    let item = json!({
        "description": "A send; anything else gets a result that says what is wrong with it",
        "anyOf": [reference("Send"), {}]
    });
    json_schema!({ "type": "array", "items": item })
}

/// Bodies in which `null` means something.
const NULLS: [&str; 4] = ["AliasSet", "CorporationSet", "DescriptionSet", "Ding"];

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in table::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str().to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wechaty REST",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A Wechaty bot behind JSON over HTTP",
            "description": "Addresses are those of the HTTP mapping in Wechaty's protos. Of a bot with several accounts, say which \
                one: `/api/v1/accounts/{account}/rooms` instead of `/api/v1/rooms`. Errors are application/problem+json (RFC \
                9457) with a `code` that `wechaty explain CODE` explains, in the language of Accept-Language (en, zh).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [
            { "url": "/api/v1" }
        ],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": all_schemas(),
            "responses": { "Problem": {
                "description": "It was not done, and why",
                "content": { "application/problem+json": { "schema": reference("Problem") } }
            } },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } }
        }
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": responses(route),
    });
    if let Some(scope) = route.scope {
        operation["x-scope"] = scope.as_str().into();
        let file = match route.gives {
            Gives::Bytes => {
                " Takes `HEAD` and `If-None-Match`; and one `Range` of bytes, where the size is known (`Accept-Ranges`)."
            }
            _ => "",
        };
        operation["description"] = format!("Needs the scope `{}`.{file}", scope.as_str()).into();
    }
    if route.account {
        operation["servers"] = json!([
            { "url": "/api/v1", "description": "The only account" },
            {
                "url": "/api/v1/accounts/{account}",
                "description": "One of several accounts",
                "variables": { "account": { "default": "default", "description": "Its id" } }
            }
        ]);
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let body = match route.takes {
        Takes::Nothing => return operation,
        Takes::Json(name) => {
            json!({ "required": true, "content": { "application/json": { "schema": reference(name) } } })
        }
        Takes::MaybeJson(name) => json!({ "content": { "application/json": { "schema": reference(name) } } }),
        Takes::Bytes => {
            json!({ "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } })
        }
    };
    operation["requestBody"] = body;
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = names
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "minLength": 1, "maxLength": 1024 }
            })
        })
        .collect();
    for param in route.query {
        let schema = match param.kind {
            Kind::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
            Kind::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::OneOf(choices) => json!({ "type": "string", "enum": choices }),
        };
        all.push(json!({ "name": param.name, "in": "query", "description": param.what, "schema": schema }));
    }
    if route.idempotent {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "The same key with the same request is done once and answered the same, for a day, through restarts \
                of a named bot; with another request it is refused",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }
        }));
    }
    all
}

fn responses(route: &Route) -> Value {
    let json_of = |what: &str, schema: Value| json!({ "description": what, "content": { "application/json": { "schema": schema } } });
    let good = match route.gives {
        Gives::Nothing => ("204", json!({ "description": "It is done" })),
        Gives::Json(name) => ("200", json_of("It", reference(name))),
        Gives::Created(name) => ("201", json_of("It is made", reference(name))),
        Gives::Accepted(name) => ("202", json_of("It will be done", reference(name))),
        Gives::Page(name) => {
            let page = json!({
                "type": "object",
                "properties": {
                    "items": { "type": "array", "items": reference(name) },
                    "next": { "type": ["string", "null"], "description": "The cursor of the next page; null: this is the last" }
                },
                "required": ["items", "next"],
                "additionalProperties": false
            });
            let mut response = json_of("A page of them", page);
            response["headers"] =
                json!({ "Link": { "description": "The next page, `rel=\"next\"`", "schema": { "type": "string" } } });
            ("200", response)
        }
        Gives::Bytes => ("200", json!({ "description": "Its bytes", "content": { "*/*": { "schema": {} } } })),
        Gives::Events => (
            "200",
            json!({ "description": "Events as they happen", "content": { "text/event-stream": { "schema": { "type": "string" } } } }),
        ),
        Gives::Switch => ("101", json!({ "description": "It goes on as a WebSocket" })),
    };
    let bytes = route.gives == Gives::Bytes;
    // What any request may meet.
    let mut refused = vec![400, 401, 403, 404, 422, 429, 500, 503, 504];
    if route.account {
        refused.extend([409, 502]);
    }
    if route.idempotent {
        refused.push(409);
    }
    match route.takes {
        Takes::Nothing => {}
        Takes::Json(_) | Takes::MaybeJson(_) => refused.extend([408, 413, 415]),
        Takes::Bytes => refused.extend([408, 413]),
    }
    if bytes {
        refused.extend([413, 416]);
    }
    refused.extend(route.refuses);
    refused.sort_unstable();
    refused.dedup();
    let mut responses = Map::from_iter([(good.0.to_owned(), good.1)]);
    if bytes {
        let part = json!({ "description": "The bytes that `Range` asks for", "content": { "*/*": { "schema": {} } } });
        responses.insert("206".to_owned(), part);
        responses
            .insert("304".to_owned(), json!({ "description": "The caller has it: `If-None-Match` names its `ETag`" }));
    }
    responses.extend(
        refused.into_iter().map(|status| (status.to_string(), json!({ "$ref": "#/components/responses/Problem" }))),
    );
    responses.into()
}

/// Every schema there is, and those they are made of.
fn all_schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    macro_rules! types {
        ($($type:ty = $name:literal,)*) => { vec![$(($name, named::<$type>(&mut generator)),)*] };
    }
    let named = types! {
        wire::Send = "Send",
        wire::Batch = "Batch",
        wire::File = "File",
        wire::Post = "Post",
        wire::RoomNew = "RoomNew",
        wire::TopicSet = "TopicSet",
        wire::TextSet = "TextSet",
        wire::AliasSet = "AliasSet",
        wire::PhoneSet = "PhoneSet",
        wire::CorporationSet = "CorporationSet",
        wire::DescriptionSet = "DescriptionSet",
        wire::SignatureSet = "SignatureSet",
        wire::ReadSet = "ReadSet",
        wire::LoginAnswer = "LoginAnswer",
        wire::Ding = "Ding",
        wire::ContactSend = "ContactSend",
        wire::TextSend = "TextSend",
        wire::FriendNew = "FriendNew",
        ContactPayload = "ContactPayload",
        RoomPayload = "RoomPayload",
        RoomMemberPayload = "RoomMemberPayload",
        RoomInvitationPayload = "RoomInvitationPayload",
        MessagePayload = "MessagePayload",
        FriendshipPayload = "FriendshipPayload",
        UrlLinkPayload = "UrlLinkPayload",
        LocationPayload = "LocationPayload",
        MiniProgramPayload = "MiniProgramPayload",
        SendState = "SendState",
        AccountView = "Account",
        MessageRecord = "MessageRecord",
    };
    let mut all = generator.take_definitions(true);
    all.extend(named.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    all.extend(schemas::plain());
    for (name, schema) in &mut all {
        tidy(schema, NULLS.contains(&name.as_str()));
    }
    all
}

fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    T::json_schema(generator).to_value()
}

/// Objects take what they list and nothing else; what may be left out is left out, not null.
fn tidy(schema: &mut Value, nulls: bool) {
    match schema {
        Value::Object(object) => {
            let required = object.get("required").cloned().unwrap_or_default();
            let is_required = |name: &str| required.as_array().is_some_and(|all| all.contains(&name.into()));
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
                if !nulls {
                    properties.iter_mut().filter(|(name, _)| !is_required(name)).for_each(|(_, one)| without_null(one));
                }
                let names: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
                if nulls {
                    object.insert("required".to_owned(), names.into());
                }
                object.entry("additionalProperties").or_insert(false.into());
            }
            for part in object.values_mut() {
                tidy(part, false);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|part| tidy(part, false)),
        _ => {}
    }
}

fn without_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = &kinds[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&"null".into()));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
}
