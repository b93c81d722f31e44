//! What we note about contacts, about ourselves, and tags.

use super::capability_trait;
use crate::{ContactId, FileBox, TagId};

capability_trait! {
    /// What we note about contacts. A setter returns once the platform acknowledged.
    ContactProfile {
        /// Sets our name for a contact; `None` clears it. Spec: `ContactAlias`.
        set_alias(id: &ContactId, alias: Option<&str>) -> () = ContactAlias;
        /// Replaces the noted phone numbers. Spec: `ContactPhone`.
        set_phone(id: &ContactId, phone: &[String]) -> () = ContactPhone;
        /// Sets the note. Spec: `ContactDescription`.
        set_description(id: &ContactId, description: Option<&str>) -> () = ContactDescription;
        /// Sets the corporation remark. Spec: `ContactCorporationRemark`.
        set_corporation(id: &ContactId, corporation: Option<&str>) -> () = ContactCorporation;
        /// The picture. Spec: `ContactAvatar` get.
        avatar(id: &ContactId) -> FileBox = ContactAvatar;
    }
}

capability_trait! {
    /// Ourselves.
    SelfProfile {
        /// Sets our name. Spec: `ContactSelfName`.
        set_name(name: &str) -> () = SelfName;
        /// Sets our signature. Spec: `ContactSelfSignature`.
        set_signature(signature: &str) -> () = SelfSignature;
        /// Text of our QR code. Spec: `ContactSelfQRCode`.
        qr_code() -> String = SelfQrCode;
        /// Sets our picture. Spec: `ContactAvatar` set.
        set_avatar(file: FileBox) -> () = SelfAvatar;
    }
}

capability_trait! {
    /// Tags on contacts.
    Tags {
        /// Tags a contact; creates the tag where needed. Spec: `TagContactAdd`.
        add(tag: &TagId, contact: &ContactId) -> () = Tag;
        /// Untags a contact. Spec: `TagContactRemove`.
        remove(tag: &TagId, contact: &ContactId) -> () = Tag;
        /// Deletes a tag from everybody. Spec: `TagContactDelete`.
        delete(tag: &TagId) -> () = Tag;
        /// Tags of a contact, or all there are. Spec: `TagContactList`.
        list(contact: Option<&ContactId>) -> Vec<TagId> = Tag;
    }
}
