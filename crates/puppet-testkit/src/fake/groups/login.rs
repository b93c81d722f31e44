//! Acting on the login from the bot's side.

use async_trait::async_trait;
use wechaty_puppet::{Capability, LoginAnswer, LoginControl, PuppetError, Result};

use super::of_the_fake;
use crate::fake::{FakePuppet, account::LoginInput, queue::Interrupt};

#[async_trait]
impl LoginControl for FakePuppet {
    of_the_fake!();

    async fn logout(&self, reason: Option<&str>) -> Result<()> {
        let mut world = self.call(Capability::Logout, || format!("{reason:?}"))?;
        let account = &mut world.accounts[self.account];
        account.login.logged_out = true;
        account.queue.interrupt(Interrupt::LoggedOut(reason.map(str::to_owned)));
        Ok(())
    }

    /// Works while nobody is logged in: that is when it is needed.
    async fn answer(&self, answer: LoginAnswer) -> Result<()> {
        if !self.capability_set().has(Capability::VerifyCode) {
            return Err(PuppetError::unsupported(Self::NAME, Capability::VerifyCode));
        }
        let mut world = self.platform.shared.world.lock();
        let account = &mut world.accounts[self.account];
        account.login.inputs.push_back(LoginInput::Answer(answer));
        account.queue.wake();
        Ok(())
    }
}
