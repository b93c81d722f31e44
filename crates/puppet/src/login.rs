//! Login as steps: show a QR code, wait, ask for a code, done.

use wechaty_types::{ContactId, EventPayload, LoginEvent, ScanEvent, ScanStatus, VerifyCodeEvent};

/// A step of a login, as the puppet reports it: `cx.accept(LoginStep::…)`.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
