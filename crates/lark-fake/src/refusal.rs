//! REFUSAL: an error of the platform, in its shape.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status; mostly 400.
    pub status: u16,
    /// The platform's code.
    pub code: i64,
    /// Its words.
    pub msg: String,
    /// Fields that are wrong, and why.
    pub violations: Vec<(&'static str, &'static str)>,
    /// After how many seconds it may be asked again.
    pub reset: Option<u64>,
}

/// With HTTP 400.
pub(crate) fn refused(code: i64, msg: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal { status: 400, code, msg: msg.into().into_owned(), violations: Vec::new(), reset: None }
}

/// A field is missing or not what it should be.
pub(crate) fn violated(field: &'static str, why: &'static str) -> Refusal {
    Refusal { violations: vec![(field, why)], ..refused(99_992_402, "field validation failed") }
}

/// Too many of them.
pub(crate) fn throttled(reset: u64, old: bool) -> Refusal {
    let status = if old { 400 } else { 429 };
    Refusal { status, reset: Some(reset), ..refused(99_991_400, "request trigger frequency limit") }
}

impl Refusal {
    /// The body of the answer.
    pub(crate) fn body(&self, log_id: &str) -> Value {
        let mut error = json!({
            "log_id": log_id,
            "troubleshooter": format!("https://open.feishu.cn/search?log_id={log_id}&code={}", self.code),
        });
        if !self.violations.is_empty() {
            let told = |(field, why): &(&str, &str)| json!({"field": field, "description": why});
            error["field_violations"] = self.violations.iter().map(told).collect();
        }
        json!({"code": self.code, "msg": self.msg, "error": error})
    }
}
