//! Rooms: administration and invitations.

use super::capability_trait;
use crate::{ContactId, FileBox, RoomId, RoomInvitationId};

/// What members may do. `None`: leave as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomPermission {
    /// New members need a confirmation.
    pub invite_confirm: Option<bool>,
    /// Only administrators manage.
    pub admin_only_manage: Option<bool>,
    /// Only administrators may mention everybody.
    pub admin_only_at_all: Option<bool>,
    /// Nobody may speak.
    pub mute_all: Option<bool>,
    /// Nobody may change the topic.
    pub forbid_topic_edit: Option<bool>,
}

capability_trait! {
    /// Rooms. A change returns once the platform acknowledged, not when members see it.
    RoomAdmin {
        /// Creates a room with us and these members. Spec: `RoomCreate`.
        create(members: &[ContactId], topic: Option<&str>) -> RoomId = RoomCreate;
        /// Adds members; `invite_only`: by invitation even where adding would work. Spec: `RoomAdd`.
        add(room: &RoomId, members: &[ContactId], invite_only: bool) -> () = RoomAdd;
        /// Removes members. Spec: `RoomDel`.
        remove(room: &RoomId, members: &[ContactId]) -> () = RoomRemove;
        /// Leaves. Spec: `RoomQuit`.
        quit(room: &RoomId) -> () = RoomQuit;
        /// Renames. `topic`: plain text; limit in [`Limits::topic`](crate::Limits). Spec: `RoomTopic` set.
        set_topic(room: &RoomId, topic: &str) -> () = RoomTopic;
        /// The announcement; empty if none. Spec: `RoomAnnounce` get.
        announce(room: &RoomId) -> String = RoomAnnounce;
        /// Sets the announcement. Spec: `RoomAnnounce` set.
        set_announce(room: &RoomId, text: &str) -> () = RoomAnnounce;
        /// Text of the room's QR code. Spec: `RoomQRCode`.
        qr_code(room: &RoomId) -> String = RoomQrCode;
        /// The picture. Spec: `RoomAvatar`.
        avatar(room: &RoomId) -> FileBox = RoomAvatar;
        /// Sets the picture; some platforms only tell it.
        set_avatar(room: &RoomId, file: FileBox) -> () = RoomAvatar;
        /// Hands the room over.
        transfer(room: &RoomId, owner: &ContactId) -> () = RoomTransfer;
        /// Closes the room for good.
        dismiss(room: &RoomId) -> () = RoomDismiss;
        /// Makes members administrators, or takes it back.
        set_admins(room: &RoomId, members: &[ContactId], admin: bool) -> () = RoomAdmins;
        /// What members may do.
        permission(room: &RoomId) -> RoomPermission = RoomPermission;
        /// Changes what members may do.
        set_permission(room: &RoomId, permission: RoomPermission) -> () = RoomPermission;
    }
}

capability_trait! {
    /// Invitations into rooms.
    RoomInvitations {
        /// Accepts one. Spec: `RoomInvitationAccept`.
        accept(id: &RoomInvitationId) -> () = RoomInvitationAccept;
    }
}
