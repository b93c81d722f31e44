//! LIFE: start, stop, the event stream, and what keeps both sides alive.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tonic::Status;
use wechaty::types::{DirtyEvent, DirtyType, DongEvent};
use wechaty_grpc::{Dialect, pb};
use wechaty_puppet::PuppetError;

use super::BoxStream;
use crate::{fault::Answer, listen::Connection, tenant::Tenant};

/// So long after its stream a client has started the bot, if it is one that does.
const UNSTARTED: Duration = Duration::from_secs(3);

impl Tenant {
    pub(super) async fn start(&self, _: pb::StartRequest, _: Dialect) -> Answer<pb::StartResponse> {
        self.turn_on().await?;
        Ok(pb::StartResponse {})
    }

    /// Python stops before it starts.
    pub(super) async fn stop(&self, _: pb::StopRequest, _: Dialect) -> Answer<pb::StopResponse> {
        if let Err(error) = self.turn_off(super::connection().as_ref()).await {
            // What could not be written is told by the log; the client could do nothing about it.
            tracing::error!(account = %self.account.id(), error = %error.0.message(), "the bot was stopped by its client");
        }
        Ok(pb::StopResponse {})
    }

    pub(super) async fn event(
        self: &Arc<Self>,
        _: pb::EventRequest,
        dialect: Dialect,
        connection: Option<Connection>,
    ) -> Answer<BoxStream<pb::EventResponse>> {
        match self.feed.open(&self.account, &self.bot, dialect, connection) {
            Ok(events) => {
                if dialect == Dialect::Go {
                    wechaty_puppet::task::spawn(self.clone().start_for_who_only_listens());
                }
                Ok(events.boxed())
            }
            Err(_) => {
                let why =
                    "another client reads the events: there is one stream an account; stop the other client first";
                Err(Status::already_exists(why).into())
            }
        }
    }

    /// Go opens its stream again without a start, and hears nothing of a gateway that came up anew.
    async fn start_for_who_only_listens(self: Arc<Self>) {
        self.bot.clock().sleep(UNSTARTED).await;
        if self.feed.is_open()
            && let Err(fault) = self.turn_on().await
        {
            tracing::error!(account = %self.account.id(), error = fault.0.message(), "the bot could not be started");
        }
    }

    /// Clients answer a logout with one: nothing is to be done then.
    pub(super) async fn logout(&self, _: pb::LogoutRequest, _: Dialect) -> Answer<pb::LogoutResponse> {
        if self.account.is_logged_in() {
            self.account.logout(None).await?;
        }
        Ok(pb::LogoutResponse {})
    }

    /// A client that gets no dong takes the gateway for dead: it is answered here where no platform answers.
    pub(super) async fn ding(&self, request: pb::DingRequest, _: Dialect) -> Answer<pb::DingResponse> {
        let data = Some(request.data);
        if !self.feed.expect_dong(&data) {
            return Err(behind().into());
        }
        match self.account.puppet().ding(data.clone()).await {
            Ok(()) => {}
            Err(error) => {
                if !matches!(error, PuppetError::Unsupported { .. } | PuppetError::NotLoggedIn) {
                    tracing::debug!(account = %self.account.id(), %error, "the platform does not answer a ding");
                }
                self.feed.tell(DongEvent { data }.into());
            }
        }
        Ok(pb::DingResponse {})
    }

    pub(super) async fn version(&self, _: pb::VersionRequest, _: Dialect) -> Answer<pb::VersionResponse> {
        Ok(pb::VersionResponse { version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    /// Clients wait for the event with the same type and id.
    pub(super) async fn dirty_payload(
        &self,
        request: pb::DirtyPayloadRequest,
        _: Dialect,
    ) -> Answer<pb::DirtyPayloadResponse> {
        let number = request.r#type;
        if !(DirtyType::Message.number()..=DirtyType::Post.number()).contains(&number) {
            let why =
                format!("{number} is no type of a payload: 1 is a message, 2 a contact, 3 a room, 4 a room member");
            return Err(Status::invalid_argument(why).into());
        }
        let dirty = DirtyEvent::from(request);
        self.account.forget_payload(dirty.payload_type, &dirty.payload_id).await;
        if !self.feed.tell(dirty.into()) {
            return Err(behind().into());
        }
        Ok(pb::DirtyPayloadResponse {})
    }
}

/// What was asked for is told by an event, for which there is no room.
fn behind() -> Status {
    Status::resource_exhausted("events are waiting to be read: read the stream of events before asking for more")
}
