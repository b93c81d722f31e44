//! Login as steps: show a QR code, wait, ask for a code, done.

use std::fmt;

use wechaty_types::{ContactId, EventPayload, LoginEvent, ScanEvent, ScanStatus, VerifyCodeEvent};

/// A step of a login, as the puppet reports it: `cx.accept(LoginStep::…)`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum LoginStep {
    /// A person has to scan this text as a QR code (or open it as a link).
    ShowQr(String),
    /// The code was scanned; the person has to confirm on the phone.
    WaitForConfirm,
    /// Confirmed; logging in.
    Confirmed,
    /// The code ran out; a new one follows.
    Expired,
    /// The person cancelled.
    Cancelled,
    /// The platform wants a code; answered with [`LoginAnswer::Code`].
    AskCode {
        /// Names the question.
        id: String,
        /// The platform's words.
        message: String,
        /// The code given before was wrong.
        wrong: bool,
    },
    /// Logged in as.
    Done(ContactId),
}

/// A person's answer to [`LoginStep::AskCode`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginAnswer {
    /// The code for question `id`.
    Code {
        /// The question.
        id: String,
        /// The code.
        code: String,
    },
    /// The person gives up question `id`.
    Cancel {
        /// The question.
        id: String,
    },
}

impl fmt::Debug for LoginStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Whoever sees the code can log in, or take the login over.
            Self::ShowQr(_) => f.write_str("ShowQr(…)"),
            Self::WaitForConfirm => f.write_str("WaitForConfirm"),
            Self::Confirmed => f.write_str("Confirmed"),
            Self::Expired => f.write_str("Expired"),
            Self::Cancelled => f.write_str("Cancelled"),
            Self::AskCode { id, message, wrong } => {
                f.debug_struct("AskCode").field("id", id).field("message", message).field("wrong", wrong).finish()
            }
            Self::Done(contact) => f.debug_tuple("Done").field(contact).finish(),
        }
    }
}

impl fmt::Debug for LoginAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { id, .. } => f.debug_struct("Code").field("id", id).finish_non_exhaustive(),
            Self::Cancel { id } => f.debug_struct("Cancel").field("id", id).finish(),
        }
    }
}

impl From<LoginStep> for EventPayload {
    fn from(step: LoginStep) -> Self {
        let scan = |status, qrcode| EventPayload::Scan(ScanEvent { status, qrcode, data: None });
        match step {
            LoginStep::ShowQr(text) => scan(ScanStatus::Waiting, Some(text)),
            LoginStep::WaitForConfirm => scan(ScanStatus::Scanned, None),
            LoginStep::Confirmed => scan(ScanStatus::Confirmed, None),
            LoginStep::Expired => scan(ScanStatus::Timeout, None),
            LoginStep::Cancelled => scan(ScanStatus::Cancel, None),
            LoginStep::AskCode { id, message, wrong } => VerifyCodeEvent { id, message, wrong }.into(),
            LoginStep::Done(contact_id) => LoginEvent { contact_id }.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_neither_qr_codes_nor_answers() {
        let show = LoginStep::ShowQr("https://e.invalid/s3cret".into());
        let code = LoginAnswer::Code { id: "q".into(), code: "s3cret".into() };
        let said = format!("{show:?} {code:?} {:?}", crate::Batch::from(show.clone()));
        assert!(said.contains("ShowQr") && said.contains("ScanEvent") && !said.contains("s3cret"), "{said}");
    }
}
