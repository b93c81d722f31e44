//! CONTACT SELF: the account's own contact.

use std::{fmt, ops::Deref};

use wechaty_types::FileBox;

use super::{Contact, account::capability};
use crate::{Error, Result};

/// The longest text a QR code can hold, in bytes.
pub(super) const QR_CODE_LIMIT: usize = 7089;

/// The account's own contact.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactSelf(Contact);

impl fmt::Debug for ContactSelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ContactSelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for ContactSelf {
    type Target = Contact;
    fn deref(&self) -> &Contact {
        &self.0
    }
}

impl ContactSelf {
    pub(crate) fn new(contact: Contact) -> Self {
        Self(contact)
    }

    fn check(&self) -> Result<()> {
        if self.is_self() { Ok(()) } else { Err(Error::NotLoggedIn(self.account().id().clone())) }
    }

    /// Sets our name. Reads it back as [`Contact::set_alias`] does.
    ///
    /// # Errors
    /// What the puppet says to the setting; `Invalid` if the platform took it but kept another;
    /// [`Error::NotLoggedIn`] if this is not us any more.
    #[doc(alias = "name")]
    pub async fn set_name(&self, name: &str) -> Result<()> {
        self.check()?;
        capability!(self.account(), self_profile, SelfName)?.set_name(name).await?;
        self.sync_back("name", name.to_owned(), |p| p.name.clone()).await
    }
    /// Sets our signature.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name).
    #[doc(alias = "signature")]
    pub async fn set_signature(&self, signature: &str) -> Result<()> {
        self.check()?;
        capability!(self.account(), self_profile, SelfSignature)?.set_signature(signature).await?;
        self.sync_back("signature", signature.to_owned(), |p| p.signature.clone().unwrap_or_default()).await
    }
    /// Sets our picture.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name).
    #[doc(alias = "avatar")]
    pub async fn set_avatar(&self, picture: FileBox) -> Result<()> {
        self.check()?;
        Ok(capability!(self.account(), self_profile, SelfAvatar)?.set_avatar(picture).await?)
    }
    /// Text of our QR code.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name); `Invalid` if it is longer than a QR code can hold.
    #[doc(alias = "qrcode")]
    pub async fn qr_code(&self) -> Result<String> {
        self.check()?;
        qr_text(capability!(self.account(), self_profile, SelfQrCode)?.qr_code().await?)
    }
}

/// Refuses what no QR code can hold.
pub(super) fn qr_text(text: String) -> Result<String> {
    if text.len() > QR_CODE_LIMIT {
        let reason = format!("{} bytes, a QR code holds at most {QR_CODE_LIMIT}", text.len());
        return Err(Error::Invalid { what: "QR code", reason });
    }
    Ok(text)
}
