//! Acting on the login from outside.

use super::capability_trait;
use crate::LoginAnswer;

capability_trait! {
    /// Acting on the login.
    LoginControl {
        /// Logs out; a logout event follows.
        logout(reason: Option<&str>) -> () = Logout;
        /// Answers a question of [`LoginStep::AskCode`](crate::LoginStep::AskCode).
        answer(answer: LoginAnswer) -> () = VerifyCode;
    }
}
