//! The enums of the reference (its section 3.3 and, where named so, 5), numbers exact.

use crate::open_enum::open_enum;

open_enum! {
    /// Where a login stands.
    ScanStatus = Unknown { Unknown = 0, Cancel = 1, Waiting = 2, Scanned = 3, Confirmed = 4, Timeout = 5, }

    /// What a message holds; the SDK's own numbers (the gRPC ones differ and live with the wire).
    MessageType = Unknown {
        Unknown = 0, Attachment = 1, Audio = 2, Contact = 3, ChatHistory = 4, Emoticon = 5, Image = 6, Text = 7,
        Location = 8, MiniProgram = 9, GroupNote = 10, Transfer = 11, RedEnvelope = 12, Recalled = 13, Url = 14,
        Video = 15, Post = 16,
        /// Fork and later: a channel entry.
        Channel = 17,
        /// Fork and later: a notice of the platform itself.
        System = 18,
        Markdown = 19, CallRecord = 20, AppRaw = 21, WeChatNote = 22, ChannelCard = 23, ConsultCard = 24,
        PremiumOnlineAppointmentCard = 25, WxxdProduct = 26, WxxdOrder = 27,
    }

    /// What a contact is.
    ContactType = Unknown {
        Unknown = 0, Individual = 1, Official = 2, Corporation = 3,
        /// Fork: another bot or app.
        Application = 4,
    }

    /// A contact's gender as the platform tells it.
    ContactGender = Unknown { Unknown = 0, Male = 1, Female = 2, }

    /// What a friendship event means.
    FriendshipType = Unknown {
        Unknown = 0,
        /// The other side accepted.
        Confirm = 1,
        /// The other side asks.
        Receive = 2,
        /// The other side wants a request first.
        Verify = 3,
        /// Fork: we removed the friend.
        Delete = 4,
        /// Fork: the friend removed us.
        Removed = 5,
    }

    /// How the other side found us.
    FriendshipSceneType = Unknown {
        Unknown = 0, QQ = 1, Email = 2, Weixin = 3, QQtbd = 12, Room = 14, Phone = 15, Card = 17, Location = 18,
        Bottle = 25, Shaking = 29, QRCode = 30,
    }

    /// Which rendition of an image.
    ImageType = Unknown { Unknown = 0, Thumbnail = 1, HD = 2, Artwork = 3, }

    /// Where a post stands.
    PostType = Unspecified {
        Unspecified = 0, Moment = 1, Channel = 2, Message = 3,
        /// Fork and later.
        Broadcast = 4,
        TextButton = 5, GoodsCard = 6,
    }

    /// What a tap on a post means; `Unspecified` in a query means any.
    TapType = Unspecified { Unspecified = 0, Like = 1, }

    /// Which cached payload has become stale. Also exported by Wechaty as `PayloadType`.
    DirtyType = Unspecified {
        Unspecified = 0, Message = 1, Contact = 2, Room = 3, RoomMember = 4, Friendship = 5, Post = 6,
        /// Fork and later.
        Tag = 7,
        TagGroup = 8, WxxdProduct = 9, WxxdOrder = 10,
    }

    /// `type` of a raw WeChat app message (`appmsg`).
    WechatAppMessageType = Text {
        Text = 1, Img = 2, Audio = 3, Video = 4, Url = 5, Attach = 6, Open = 7, Emoji = 8, VoiceRemind = 9,
        ScanGood = 10, Good = 13, Emotion = 15, CardTicket = 16, RealtimeShareLocation = 17, ChatHistory = 19,
        MiniProgram = 33, Transfers = 2000, RedEnvelopes = 2001, ReaderType = 100001,
    }

    /// `MsgType` of a raw WeChat message.
    WechatMessageType = Text {
        Text = 1, Image = 3, Voice = 34, VerifyMsg = 37, PossibleFriendMsg = 40, ShareCard = 42, Video = 43,
        Emoticon = 47, Location = 48, App = 49, VoipMsg = 50, StatusNotify = 51, VoipNotify = 52, VoipInvite = 53,
        MicroVideo = 62, Transfer = 2000, RedEnvelope = 2001, MiniProgram = 2002, GroupInvite = 2003, File = 2004,
        SysNotice = 9999, Sys = 10000, Recalled = 10002,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_references() {
        assert_eq!(MessageType::Text.number(), 7);
        assert_eq!(MessageType::Post.number(), 16);
        assert_eq!(FriendshipSceneType::QRCode.number(), 30);
        assert_eq!(ScanStatus::from_number(5), ScanStatus::Timeout);
        assert_eq!(DirtyType::RoomMember.number(), 4);
    }

    #[test]
    fn unknown_numbers_survive() {
        let kind: MessageType = serde_json::from_str("4711").unwrap();
        assert_eq!(kind, MessageType::Other(4711));
        assert_eq!(serde_json::to_string(&kind).unwrap(), "4711");
        for kind in MessageType::ALL {
            assert_eq!(MessageType::from_number(kind.number()), *kind);
            assert_eq!(MessageType::from_name(kind.name().unwrap()), Some(*kind));
        }
    }
}
