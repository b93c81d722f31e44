//! Broken capability groups. What a group does not break is `Unsupported`: the cases in question do not call it.

use std::sync::Arc;

use async_trait::async_trait;
use wechaty_puppet::{
    Capability, ContactId, ContactPayload, ContactProfile, ConversationId, Loader, MessageEdits, MessageId,
    MessageRecall, PlatformName, Puppet, PuppetError, Result, RoomAdmin, RoomId, SayablePayload, Tags, Webhook,
    WebhookRequest, WebhookResponse,
};

use super::{Broken, Sabotage};

macro_rules! of_the_inner {
    () => {
        fn platform(&self) -> PlatformName {
            Puppet::platform(&*self.inner)
        }
    };
}

#[async_trait]
impl Loader for Broken {
    of_the_inner!();

    async fn contact(&self, id: &ContactId) -> Result<Arc<ContactPayload>> {
        Ok(Arc::new(ContactPayload::new(id.clone(), "")))
    }
}

#[async_trait]
impl ContactProfile for Broken {
    of_the_inner!();

    async fn set_alias(&self, id: &ContactId, alias: Option<&str>) -> Result<()> {
        match self.inner.contact_profile() {
            Some(profile) => profile.set_alias(id, Some(alias.unwrap_or_default())).await,
            None => Err(PuppetError::unsupported(Puppet::platform(self), Capability::ContactAlias)),
        }
    }
}

#[async_trait]
impl RoomAdmin for Broken {
    of_the_inner!();

    async fn set_topic(&self, _room: &RoomId, _topic: &str) -> Result<()> {
        match self.sabotage {
            Sabotage::UndeclaredHangs => std::future::pending().await,
            Sabotage::UndeclaredNamesAnother => {
                Err(PuppetError::unsupported(Puppet::platform(self), Capability::RoomAnnounce))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl MessageRecall for Broken {
    of_the_inner!();

    async fn recall(&self, _id: &MessageId) -> Result<bool> {
        Ok(true)
    }
}

#[async_trait]
impl MessageEdits for Broken {
    of_the_inner!();

    async fn edit(&self, _: &ConversationId, _: &MessageId, _: Arc<SayablePayload>) -> Result<()> {
        Ok(())
    }
}

impl Tags for Broken {
    of_the_inner!();
}

#[async_trait]
impl Webhook for Broken {
    fn claims(&self, request: &WebhookRequest) -> bool {
        self.inner.webhook().is_some_and(|webhook| webhook.claims(request))
    }

    async fn handle(&self, request: WebhookRequest) -> WebhookResponse {
        let inner = self.inner.clone();
        tokio::spawn(async move {
            if let Some(webhook) = inner.webhook() {
                webhook.handle(request).await;
            }
        });
        WebhookResponse::text(200, "")
    }
}
