//! Payloads and errors as gateways write them, by hand.

use std::sync::atomic::Ordering;

use tonic::{Code, Status};
use wechaty_grpc::pb;
use wechaty_puppet::{
    ContactPayload, FriendshipPayload, Mention, MessagePayload, PuppetError, RoomInvitationPayload, RoomMemberPayload,
    RoomPayload, Timestamp,
};

use super::Gate;

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn time(at: Timestamp) -> (Option<prost_types::Timestamp>, u64) {
    let ms = at.as_millis();
    let nanos = (ms % 1000) as i32 * 1_000_000;
    (Some(prost_types::Timestamp { seconds: ms / 1000, nanos }), ms as u64)
}

pub(super) fn contact(payload: &ContactPayload) -> pb::ContactPayloadResponse {
    pb::ContactPayloadResponse {
        id: payload.id.to_string(),
        gender: payload.gender.number(),
        r#type: payload.kind.number(),
        name: payload.name.clone(),
        avatar: payload.avatar.clone(),
        address: text(&payload.address),
        alias: text(&payload.alias),
        city: text(&payload.city),
        friend: payload.friend.unwrap_or_default(),
        province: text(&payload.province),
        signature: text(&payload.signature),
        star: payload.star.unwrap_or_default(),
        weixin: text(&payload.handle),
        corporation: text(&payload.corporation),
        title: text(&payload.title),
        description: text(&payload.description),
        coworker: payload.coworker.unwrap_or_default(),
        phones: payload.phone.clone(),
    }
}

pub(super) fn room(payload: &RoomPayload) -> pb::RoomPayloadResponse {
    pb::RoomPayloadResponse {
        id: payload.id.to_string(),
        topic: payload.topic.clone(),
        avatar: text(&payload.avatar),
        owner_id: payload.owner_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        admin_ids: payload.admin_id_list.iter().map(ToString::to_string).collect(),
        member_ids: payload.member_id_list.iter().map(ToString::to_string).collect(),
        handle: text(&payload.handle),
    }
}

pub(super) fn member(payload: &RoomMemberPayload) -> pb::RoomMemberPayloadResponse {
    pb::RoomMemberPayloadResponse {
        id: payload.id.to_string(),
        room_alias: text(&payload.room_alias),
        inviter_id: payload.inviter_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        avatar: payload.avatar.clone(),
        name: payload.name.clone(),
    }
}

pub(super) fn message(payload: &MessagePayload) -> pb::MessagePayloadResponse {
    let (receive_time, timestamp_deprecated) = time(payload.timestamp);
    let mentions = payload.mentions.iter().flatten().map(|mention| match mention {
        Mention::Contact(id) => id.to_string(),
        Mention::All => "@all".to_owned(),
    });
    pb::MessagePayloadResponse {
        id: payload.id.to_string(),
        filename: text(&payload.filename),
        text: text(&payload.text),
        timestamp_deprecated,
        r#type: payload.kind.number(),
        talker_id: payload.talker_id.to_string(),
        room_id: payload.room_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        listener_id: payload.listener_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        mention_ids: mentions.collect(),
        receive_time,
    }
}

pub(super) fn friendship(payload: &FriendshipPayload) -> pb::FriendshipPayloadResponse {
    pb::FriendshipPayloadResponse {
        id: payload.id.to_string(),
        contact_id: payload.contact_id.to_string(),
        hello: text(&payload.hello),
        r#type: payload.kind.number(),
        ticket: payload.receive.as_ref().map(|receive| receive.ticket.clone()).unwrap_or_default(),
        ..Default::default()
    }
}

pub(super) fn invitation(payload: &RoomInvitationPayload) -> pb::RoomInvitationPayloadResponse {
    let (receive_time, timestamp_uint64_deprecated) = time(payload.timestamp);
    pb::RoomInvitationPayloadResponse {
        id: payload.id.to_string(),
        inviter_id: payload.inviter_id.to_string(),
        topic: payload.topic.clone(),
        member_count: payload.member_count as i32,
        member_ids: payload.member_id_list.iter().map(ToString::to_string).collect(),
        timestamp_uint64_deprecated,
        avatar: payload.avatar.clone(),
        invitation: payload.invitation.clone(),
        receiver_id: payload.receiver_id.to_string(),
        receive_time,
    }
}

impl Gate {
    /// As a gateway of ours tells it; the reference one has one code and a stack for everything.
    pub(super) fn status(&self, error: PuppetError) -> Status {
        if !self.is_own() {
            let words = match error {
                PuppetError::Unsupported { .. } => "Wechaty Puppet Unsupported API Error. Learn More At …".to_owned(),
                other => other.to_string(),
            };
            return Status::unknown(format!("Error: {words}\n    at somewhere (puppet.js:1:2)"));
        }
        if matches!(error, PuppetError::Transport { .. }) && self.0.lose_reply.swap(false, Ordering::Relaxed) {
            // Nobody will hear it.
            self.cut();
        }
        let code = match error.reason() {
            "unsupported" => Code::Unimplemented,
            "rate-limited" => Code::ResourceExhausted,
            "refused" | "not-logged-in" => Code::FailedPrecondition,
            "not-found" => Code::NotFound,
            "invalid" => Code::InvalidArgument,
            "unreachable" => Code::Unavailable,
            _ => Code::Unknown,
        };
        let mut status = Status::new(code, error.to_string());
        status.metadata_mut().insert("wechaty-reason", error.reason().parse().unwrap());
        match &error {
            PuppetError::RateLimited { retry_after: Some(after) } => {
                let ms = after.as_millis().to_string();
                status.metadata_mut().insert("wechaty-retry-after-ms", ms.parse().unwrap());
            }
            PuppetError::Rejected { code, .. } => {
                status.metadata_mut().insert("wechaty-platform-code", code.parse().unwrap());
            }
            _ => {}
        }
        status
    }
}
