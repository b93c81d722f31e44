//! Every call of the contract, and those about contacts and messages.

use std::sync::{Arc, atomic::Ordering};

use tonic::{Status, codegen::BoxStream};
use wechaty_grpc::{
    pb, puppet_calls,
    rpc::{AnyMessage, AnyMessages, Streaming, read, server::Call},
};
use wechaty_puppet::{
    ContactCard, ContactId, ConversationId, ForwardPayload, FriendRequest, IdempotencyKey, LocationPayload, Mention,
    MessageId, MiniProgramPayload, Outgoing, RoomId, SayablePayload, TextPayload, UrlLinkPayload,
};

use super::{Gate, wire};

type Answer<T> = Result<T, Status>;

macro_rules! gateway {
    (
        $service:literal
        unary { $($unary:literal $method:ident($request:ident) -> $response:ident;)* }
        down { $($down:literal $down_method:ident($down_request:ident) -> $down_response:ident;)* }
        up { $($up:literal $up_method:ident($up_request:ident) -> $up_response:ident;)* }
    ) => {
        impl Gate {
            /// What answers the call of this name.
            pub(super) fn find(&self, name: &str) -> Option<Call> {
                let gate = self.clone();
                Some(match name {
                    $($unary => Call::Unary(Box::new(move |request| {
                        let gate = gate.clone();
                        Box::pin(async move {
                            let answer: pb::$response = gate.$method(read::<pb::$request>(request.into_inner())?).await?;
                            Ok(AnyMessage::new(answer))
                        })
                    })),)*
                    $($down => Call::Down(Box::new(move |request| {
                        let gate = gate.clone();
                        Box::pin(async move {
                            let request = read::<pb::$down_request>(request.into_inner())?;
                            let answers: BoxStream<pb::$down_response> = gate.$down_method(request).await?;
                            Ok(AnyMessages::new(answers))
                        })
                    })),)*
                    $($up => Call::Up(Box::new(move |request| {
                        let gate = gate.clone();
                        Box::pin(async move {
                            let requests = Streaming::<pb::$up_request>::new(request.into_inner());
                            let answer: pb::$up_response = gate.$up_method(requests).await?;
                            Ok(AnyMessage::new(answer))
                        })
                    })),)*
                    _ => return None,
                })
            }
        }
    };
}

puppet_calls!(gateway);

/// What the platform's side offers; `Unsupported` is for its calls to say.
macro_rules! group {
    ($gate:ident.$accessor:ident) => {
        $gate.0.puppet.$accessor().ok_or_else(|| Status::unimplemented("not on this platform"))?
    };
}
pub(super) use group;

fn none(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[allow(clippy::unused_async, reason = "all calls look alike")]
impl Gate {
    async fn start(&self, _: pb::StartRequest) -> Answer<pb::StartResponse> {
        self.start_up();
        Ok(pb::StartResponse {})
    }
    async fn stop(&self, _: pb::StopRequest) -> Answer<pb::StopResponse> {
        *self.0.stream.lock() = None;
        Ok(pb::StopResponse {})
    }
    async fn logout(&self, _: pb::LogoutRequest) -> Answer<pb::LogoutResponse> {
        group!(self.login).logout(None).await.map_err(|e| self.status(e))?;
        Ok(pb::LogoutResponse {})
    }
    async fn ding(&self, r: pb::DingRequest) -> Answer<pb::DingResponse> {
        self.dong(&r.data);
        Ok(pb::DingResponse {})
    }
    async fn version(&self, _: pb::VersionRequest) -> Answer<pb::VersionResponse> {
        Ok(pb::VersionResponse { version: "1.0.0".into() })
    }
    async fn dirty_payload(&self, r: pb::DirtyPayloadRequest) -> Answer<pb::DirtyPayloadResponse> {
        self.dirty(r.r#type, &r.id);
        Ok(pb::DirtyPayloadResponse {})
    }
    async fn contact_self_qr_code(&self, _: pb::ContactSelfQrCodeRequest) -> Answer<pb::ContactSelfQrCodeResponse> {
        let qrcode = group!(self.self_profile).qr_code().await.map_err(|e| self.status(e))?;
        Ok(pb::ContactSelfQrCodeResponse { qrcode })
    }
    async fn contact_self_name(&self, r: pb::ContactSelfNameRequest) -> Answer<pb::ContactSelfNameResponse> {
        group!(self.self_profile).set_name(&r.name).await.map_err(|e| self.status(e))?;
        Ok(pb::ContactSelfNameResponse {})
    }
    async fn contact_self_signature(
        &self,
        r: pb::ContactSelfSignatureRequest,
    ) -> Answer<pb::ContactSelfSignatureResponse> {
        group!(self.self_profile).set_signature(&r.signature).await.map_err(|e| self.status(e))?;
        Ok(pb::ContactSelfSignatureResponse {})
    }
    async fn contact_payload(&self, r: pb::ContactPayloadRequest) -> Answer<pb::ContactPayloadResponse> {
        let payload = group!(self.loader).contact(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(wire::contact(&payload))
    }
    async fn contact_alias(&self, r: pb::ContactAliasRequest) -> Answer<pb::ContactAliasResponse> {
        if let Some(alias) = &r.alias {
            let set = group!(self.contact_profile).set_alias(&r.id.into(), none(alias)).await;
            set.map_err(|e| self.status(e))?;
            return Ok(pb::ContactAliasResponse::default());
        }
        let payload = group!(self.loader).contact(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::ContactAliasResponse { alias: payload.alias.clone().unwrap_or_default(), ..Default::default() })
    }
    async fn contact_avatar(&self, r: pb::ContactAvatarRequest) -> Answer<pb::ContactAvatarResponse> {
        if let Some(json) = &r.file_box {
            if Some(&r.id) != self.0.me.lock().as_ref() {
                return Err(Status::invalid_argument("another's avatar"));
            }
            let file = self.near(json)?;
            group!(self.self_profile).set_avatar(file).await.map_err(|e| self.status(e))?;
            return Ok(pb::ContactAvatarResponse::default());
        }
        let file = group!(self.contact_profile).avatar(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::ContactAvatarResponse { file_box: self.far(&file).await?, ..Default::default() })
    }
    async fn contact_phone(&self, r: pb::ContactPhoneRequest) -> Answer<pb::ContactPhoneResponse> {
        group!(self.contact_profile).set_phone(&r.contact_id.into(), &r.phones).await.map_err(|e| self.status(e))?;
        Ok(pb::ContactPhoneResponse { phones: r.phones })
    }
    async fn contact_corporation_remark(
        &self,
        r: pb::ContactCorporationRemarkRequest,
    ) -> Answer<pb::ContactCorporationRemarkResponse> {
        let set = group!(self.contact_profile).set_corporation(&r.contact_id.into(), none(&r.corporation_remark)).await;
        set.map_err(|e| self.status(e))?;
        Ok(pb::ContactCorporationRemarkResponse {})
    }
    async fn contact_description(&self, r: pb::ContactDescriptionRequest) -> Answer<pb::ContactDescriptionResponse> {
        let set = group!(self.contact_profile).set_description(&r.contact_id.into(), none(&r.description)).await;
        set.map_err(|e| self.status(e))?;
        Ok(pb::ContactDescriptionResponse {})
    }
    async fn contact_list(&self, _: pb::ContactListRequest) -> Answer<pb::ContactListResponse> {
        let ids = group!(self.directory).contacts().await.map_err(|e| self.status(e))?;
        Ok(pb::ContactListResponse { ids: ids.iter().map(ToString::to_string).collect() })
    }
    async fn friendship_payload(&self, r: pb::FriendshipPayloadRequest) -> Answer<pb::FriendshipPayloadResponse> {
        let payload = group!(self.loader).friendship(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(wire::friendship(&payload))
    }
    async fn friendship_search_phone(
        &self,
        r: pb::FriendshipSearchPhoneRequest,
    ) -> Answer<pb::FriendshipSearchPhoneResponse> {
        let found = group!(self.friendships).search_phone(&r.phone).await.map_err(|e| self.status(e))?;
        let contact_id = found.map(|id| id.to_string()).unwrap_or_default();
        Ok(pb::FriendshipSearchPhoneResponse { contact_id, ..Default::default() })
    }
    async fn friendship_search_weixin(
        &self,
        r: pb::FriendshipSearchHandleRequest,
    ) -> Answer<pb::FriendshipSearchHandleResponse> {
        let found = group!(self.friendships).search_handle(&r.weixin).await.map_err(|e| self.status(e))?;
        Ok(pb::FriendshipSearchHandleResponse {
            contact_id_string_value_deprecated: found.map(|id| id.to_string()),
            ..Default::default()
        })
    }
    /// An older contract: only the name before it is known.
    async fn friendship_search_handle(
        &self,
        r: pb::FriendshipSearchHandleRequest,
    ) -> Answer<pb::FriendshipSearchHandleResponse> {
        if self.0.no_uploads.load(Ordering::Relaxed) {
            return Err(Status::unimplemented("unknown method"));
        }
        self.friendship_search_weixin(r).await
    }
    async fn friendship_add(&self, r: pb::FriendshipAddRequest) -> Answer<pb::FriendshipAddResponse> {
        let request = FriendRequest {
            hello: none(&r.hello).map(str::to_owned),
            room: r.source_room_id_string_value_deprecated.and_then(RoomId::non_empty),
            contact: r.source_contact_id_string_value_deprecated.and_then(ContactId::non_empty),
        };
        group!(self.friendships).add(&r.contact_id.into(), request).await.map_err(|e| self.status(e))?;
        Ok(pb::FriendshipAddResponse {})
    }
    async fn friendship_accept(&self, r: pb::FriendshipAcceptRequest) -> Answer<pb::FriendshipAcceptResponse> {
        group!(self.friendships).accept(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::FriendshipAcceptResponse {})
    }
    async fn message_payload(&self, r: pb::MessagePayloadRequest) -> Answer<pb::MessagePayloadResponse> {
        let payload = group!(self.loader).message(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(wire::message(&payload))
    }
    async fn message_contact(&self, r: pb::MessageContactRequest) -> Answer<pb::MessageContactResponse> {
        let id = group!(self.media).contact(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::MessageContactResponse { id: id.to_string() })
    }
    async fn message_mini_program(&self, r: pb::MessageMiniProgramRequest) -> Answer<pb::MessageMiniProgramResponse> {
        let payload = group!(self.media).mini_program(&r.id.into()).await.map_err(|e| self.status(e))?;
        // The older field alone.
        let mini_program_deprecated = serde_json::to_string(&payload).unwrap();
        Ok(pb::MessageMiniProgramResponse { mini_program_deprecated, mini_program: None })
    }
    async fn message_url(&self, r: pb::MessageUrlRequest) -> Answer<pb::MessageUrlResponse> {
        let link = group!(self.media).url(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::MessageUrlResponse {
            url_link: Some(pb::UrlLinkPayload {
                description: link.description.unwrap_or_default(),
                thumbnail_url: link.thumbnail_url.unwrap_or_default(),
                title: link.title,
                url: link.url,
            }),
            ..Default::default()
        })
    }
    async fn message_location(&self, r: pb::MessageLocationRequest) -> Answer<pb::MessageLocationResponse> {
        let place = group!(self.media).location(&r.id.into()).await.map_err(|e| self.status(e))?;
        let location = pb::LocationPayload {
            accuracy: place.accuracy as f32,
            address: place.address,
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name,
        };
        Ok(pb::MessageLocationResponse { location: Some(location) })
    }
    async fn message_recall(&self, r: pb::MessageRecallRequest) -> Answer<pb::MessageRecallResponse> {
        let success = group!(self.recall).recall(&r.id.into()).await.map_err(|e| self.status(e))?;
        Ok(pb::MessageRecallResponse { success })
    }
    async fn conversation_read(&self, _: pb::ConversationReadRequest) -> Answer<pb::ConversationReadResponse> {
        Err(Status::unimplemented("unknown method"))
    }

    /// Says it on the platform; the message's id.
    pub(super) async fn say(&self, to: &str, what: SayablePayload) -> Answer<String> {
        let room = RoomId::from(to);
        let is_room = group!(self.loader).room(&room).await.is_ok() || to.starts_with("room");
        let to = if is_room { ConversationId::Room(room) } else { ConversationId::Contact(to.into()) };
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.0.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let out = Outgoing::new(IdempotencyKey::from_bytes(key), to, Arc::new(what));
        let sent = self.0.puppet.send(out).await.map_err(|e| self.status(e))?;
        Ok(sent.id.as_ref().map(MessageId::to_string).unwrap_or_default())
    }
    async fn message_send_text(&self, r: pb::MessageSendTextRequest) -> Answer<pb::MessageSendTextResponse> {
        let mentions = r.mentional_ids.into_iter().map(|id| Mention::Contact(id.into())).collect();
        let what = SayablePayload::Text(TextPayload { text: r.text, mentions });
        Ok(pb::MessageSendTextResponse { id: self.say(&r.conversation_id, what).await?, ..Default::default() })
    }
    async fn message_send_contact(&self, r: pb::MessageSendContactRequest) -> Answer<pb::MessageSendContactResponse> {
        let what = SayablePayload::Contact(ContactCard { contact_id: r.contact_id.into() });
        // The older field alone.
        let id = self.say(&r.conversation_id, what).await?;
        Ok(pb::MessageSendContactResponse { id_string_value_deprecated: Some(id), ..Default::default() })
    }
    async fn message_send_url(&self, r: pb::MessageSendUrlRequest) -> Answer<pb::MessageSendUrlResponse> {
        let link = r.url_link.ok_or_else(|| Status::invalid_argument("no link"))?;
        let what = SayablePayload::Url(UrlLinkPayload {
            url: link.url,
            title: link.title,
            description: none(&link.description).map(str::to_owned),
            thumbnail_url: none(&link.thumbnail_url).map(str::to_owned),
        });
        Ok(pb::MessageSendUrlResponse { id: self.say(&r.conversation_id, what).await?, ..Default::default() })
    }
    async fn message_send_mini_program(
        &self,
        r: pb::MessageSendMiniProgramRequest,
    ) -> Answer<pb::MessageSendMiniProgramResponse> {
        let m = r.mini_program.ok_or_else(|| Status::invalid_argument("no mini program"))?;
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let what = SayablePayload::MiniProgram(MiniProgramPayload {
            appid: text(m.appid),
            description: text(m.description),
            page_path: text(m.page_path),
            icon_url: text(m.icon_url),
            share_id: text(m.share_id),
            thumb_url: text(m.thumb_url),
            title: text(m.title),
            username: text(m.username),
            thumb_key: text(m.thumb_key),
        });
        Ok(pb::MessageSendMiniProgramResponse { id: self.say(&r.conversation_id, what).await?, ..Default::default() })
    }
    async fn message_send_location(
        &self,
        r: pb::MessageSendLocationRequest,
    ) -> Answer<pb::MessageSendLocationResponse> {
        let place = r.location.ok_or_else(|| Status::invalid_argument("no location"))?;
        let what = SayablePayload::Location(LocationPayload {
            accuracy: f64::from(place.accuracy),
            address: place.address,
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name,
        });
        Ok(pb::MessageSendLocationResponse { id: self.say(&r.conversation_id, what).await? })
    }
    async fn message_forward(&self, r: pb::MessageForwardRequest) -> Answer<pb::MessageForwardResponse> {
        let what = SayablePayload::Forward(ForwardPayload { message_id: r.message_id.into() });
        Ok(pb::MessageForwardResponse { id: self.say(&r.conversation_id, what).await?, ..Default::default() })
    }
}
