//! SCHEMAS: what is answered and has no type of its own. Only for the generator of openapi.json.

use serde_json::{Value, json};

/// By name.
pub(crate) fn plain() -> Vec<(String, Value)> {
    let text = || json!({ "type": "string" });
    let maybe = || json!({ "type": ["string", "null"] });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let of = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let list = |items: Value| json!({ "type": "array", "items": items });
    [
        ("Accounts", object(&["items"], json!({ "items": list(of("Account")) }))),
        ("Version", object(&["name", "version"], json!({ "name": text(), "version": text() }))),
        ("Topic", object(&["topic"], json!({ "topic": text() }))),
        ("Text", object(&["text"], json!({ "text": text() }))),
        ("Alias", object(&["alias"], json!({ "alias": maybe() }))),
        ("QrCode", object(&["qrcode"], json!({ "qrcode": text() }))),
        ("Found", object(&["contactId"], json!({ "contactId": text() }))),
        ("Tags", object(&["items"], json!({ "items": list(text()) }))),
        ("Recalled", object(&["recalled"], json!({ "recalled": { "type": "boolean" } }))),
        ("Published", object(&["id"], json!({ "id": maybe() }))),
        ("Empty", object(&[], json!({}))),
        ("Upload", object(&["id", "name", "size"], json!({ "id": text(), "name": text(), "size": count() }))),
        (
            "Ticket",
            object(&["ticket", "expiresIn"], json!({ "ticket": { "type": "string", "pattern": "^[0-9a-f]{32}$" }, "expiresIn": count() })),
        ),
        (
            "Event",
            object(
                &["id", "account", "type", "time", "payload"],
                json!({
                    "id": { "type": "string", "description": "Sorts in the order of the log" }, "account": text(),
                    "type": { "type": "string", "description": "Wechaty's name of the event" },
                    "time": { "type": "string", "format": "date-time" }, "payload": { "type": "object" }
                }),
            ),
        ),
        (
            "EventPage",
            object(
                &["events", "next"],
                json!({
                    "events": list(of("Event")),
                    "next": { "type": "string", "description": "What to send as `after` next" },
                    "gap": object(&["oldest"], json!({ "oldest": maybe() }))
                }),
            ),
        ),
        ("Webhooks", object(&["items"], json!({ "items": list(of("Webhook")) }))),
        (
            "Webhook",
            object(
                &["id", "url", "account", "paused", "lastSuccess", "lastFailure", "pending", "sent", "dead", "rejected"],
                json!({
                    "id": text(), "url": { "type": "string", "description": "Where it is, without its path" },
                    "account": { "type": "string", "description": "Its name in the ledger" },
                    "paused": { "type": ["object", "null"] }, "lastSuccess": maybe(),
                    "lastFailure": { "type": ["object", "null"] },
                    "pending": count(), "sent": count(), "dead": count(), "rejected": count()
                }),
            ),
        ),
        ("WebhookTest", object(&["delivered", "why"], json!({ "delivered": { "type": "boolean" }, "why": maybe() }))),
        (
            "BatchResult",
            object(
                &["results"],
                json!({ "results": list(object(
                    &["status"],
                    json!({ "status": count(), "send": of("SendState"), "problem": of("Problem") }),
                )) }),
            ),
        ),
        (
            "DeadLetter",
            object(
                &["number", "send", "account", "to", "kind", "text", "state", "reason", "detail", "attempts", "at"],
                json!({
                    "number": count(), "send": text(), "account": text(), "to": { "type": "object" }, "kind": text(), "text": maybe(),
                    "state": { "type": "string", "enum": ["dead", "maybe_sent"] }, "reason": maybe(), "detail": maybe(), "attempts": count(),
                    "at": { "type": "integer" }
                }),
            ),
        ),
        // As Wechaty has it: the two forms of a post, and whatever a platform adds.
        ("PostPayload", json!({ "type": "object", "properties": { "type": { "type": "integer" } }, "additionalProperties": true })),
        (
            "Books",
            json!({
                "type": "object",
                "description": "As `wechaty ledger --json`",
                "properties": { "in": { "type": "object" }, "out": { "type": "object" }, "accounts": { "type": "object" } },
                "required": ["in", "out"],
                "additionalProperties": true
            }),
        ),
        (
            "Problem",
            json!({
                "type": "object",
                "description": "RFC 9457",
                "properties": {
                    "type": { "type": "string", "description": "`urn:wechaty:problem:` and the code" },
                    "title": { "type": "string", "description": "What the code means" },
                    "status": { "type": "integer" },
                    "detail": { "type": "string", "description": "The particulars" },
                    "code": { "type": "string", "pattern": "^W[0-9]{3}$" },
                    "fix": { "type": "string", "description": "What to do" },
                    "at": { "type": "string", "description": "The place in the body, or the parameter" },
                    "scope": { "type": "string" },
                    "candidates": list(json!({ "type": "object" })),
                    "count": count(),
                    "accounts": list(text())
                },
                "required": ["type", "title", "status", "detail", "code", "fix"],
                "additionalProperties": true
            }),
        ),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into()
}
