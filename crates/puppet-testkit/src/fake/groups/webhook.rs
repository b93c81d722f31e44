//! Events by HTTP: `POST {"from": "alice", "text": "ding"}` with the bot's id in `x-fake-account`.

use async_trait::async_trait;
use serde::Deserialize;
use wechaty_puppet::{Webhook, WebhookRequest, WebhookResponse};

use crate::fake::{FakePuppet, Person};

#[derive(Deserialize)]
struct Body {
    from: String,
    text: String,
}

#[async_trait]
impl Webhook for FakePuppet {
    fn claims(&self, request: &WebhookRequest) -> bool {
        request.header("x-fake-account").is_some_and(|id| id == self.account().bot_id().as_str())
    }

    /// 200 once the message is accepted, 503 while nobody is connected (it is not kept then), 400 for nonsense.
    async fn handle(&self, request: WebhookRequest) -> WebhookResponse {
        let Ok(body) = serde_json::from_slice::<Body>(&request.body) else {
            return WebhookResponse::text(400, "expected {\"from\": …, \"text\": …}");
        };
        if !self.account().is_connected() {
            return WebhookResponse::text(503, "nobody is connected");
        }
        let person: Person = self.account().stranger(&body.from);
        let id = person.says(body.text).await;
        WebhookResponse::text(200, id.to_string())
    }
}
