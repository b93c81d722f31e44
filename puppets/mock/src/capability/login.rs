//! LoginControl: logging out.

use async_trait::async_trait;
use wechaty_puppet::{Capability, LoginControl, LogoutEvent, PlatformName, PuppetError, Result};

use crate::{MockPuppet, PLATFORM, state::Login};

#[async_trait]
impl LoginControl for MockPuppet {
    fn platform(&self) -> PlatformName {
        PLATFORM
    }

    /// Sends and changes are refused from now on, until the timeline logs in again. Where nobody is logged in,
    /// nothing happens.
    async fn logout(&self, reason: Option<&str>) -> Result<()> {
        let done = self.change(Capability::Logout, |live| {
            if let Login::In(contact_id) = live.state.login.clone() {
                live.state.login = Login::Out;
                let data = reason.map(str::to_owned);
                live.waiting.push_back(LogoutEvent { contact_id, data }.into());
            }
            Ok(())
        });
        match done {
            Err(PuppetError::NotLoggedIn) => Ok(()),
            done => done,
        }
    }
}
