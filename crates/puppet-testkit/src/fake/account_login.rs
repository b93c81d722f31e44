//! The login as the person with the phone drives it.

use wechaty_puppet::ContactId;

use super::{FakeAccount, FakePlatform, account::LoginInput, queue::Interrupt};

impl FakeAccount {
    /// The account has to scan a QR code at its next login. A session that the puppet stored then spares later ones.
    pub fn require_scan(&self) {
        let mut world = self.platform.shared.world.lock();
        let account = &mut world.accounts[self.index];
        account.login.needs_scan = true;
        account.login.session = None;
        account.login.logged_out |= !account.queue.is_live();
    }

    /// After the scan the platform asks for this code.
    pub fn ask_code(&self, code: impl Into<String>) {
        self.platform.shared.world.lock().accounts[self.index].login.code = Some(code.into());
    }

    /// Somebody scans the QR code and confirms; before a code is shown: scans it as soon as it is.
    pub fn scan(&self) {
        self.input(LoginInput::Scan);
    }

    /// The QR code runs out and a new one is shown.
    pub fn expire_qr(&self) {
        self.input(LoginInput::Expire);
    }

    /// Somebody cancels the login: `run` ends with `LoginRefused`.
    pub fn cancel_login(&self) {
        self.input(LoginInput::Cancel);
    }

    fn input(&self, input: LoginInput) {
        let mut world = self.platform.shared.world.lock();
        world.accounts[self.index].login.inputs.push_back(input);
        world.accounts[self.index].queue.wake();
    }

    /// The platform logs the account out: a logout event, then the login starts again, with a scan.
    pub fn log_out_bot(&self, reason: impl Into<String>) {
        self.interrupt(Interrupt::LoggedOut(Some(reason.into())));
    }

    /// Breaks the account's connection, or the next one if there is none: `run` ends with `Transport`.
    pub fn disconnect(&self) {
        self.interrupt(Interrupt::Lost);
    }

    fn interrupt(&self, interrupt: Interrupt) {
        self.platform.shared.world.lock().accounts[self.index].queue.interrupt(interrupt);
    }

    /// From its next login on the account is the person of this name: another identity than before.
    pub fn login_as(&self, name: &str) -> ContactId {
        let mut world = self.platform.shared.world.lock();
        let id = world.person(name);
        let old = std::mem::replace(&mut world.accounts[self.index].bot, id.clone());
        world.bots.remove(&old);
        world.bots.insert(id.clone(), self.index);
        id
    }
}

/// The same for the first account.
impl FakePlatform {
    /// [`FakeAccount::require_scan`].
    pub fn require_scan(&self) {
        self.account().require_scan();
    }
    /// [`FakeAccount::ask_code`].
    pub fn ask_code(&self, code: impl Into<String>) {
        self.account().ask_code(code);
    }
    /// [`FakeAccount::scan`].
    pub fn scan(&self) {
        self.account().scan();
    }
    /// [`FakeAccount::expire_qr`].
    pub fn expire_qr(&self) {
        self.account().expire_qr();
    }
    /// [`FakeAccount::cancel_login`].
    pub fn cancel_login(&self) {
        self.account().cancel_login();
    }
    /// [`FakeAccount::log_out_bot`].
    pub fn log_out_bot(&self, reason: impl Into<String>) {
        self.account().log_out_bot(reason);
    }
    /// [`FakeAccount::login_as`].
    pub fn login_as(&self, name: &str) -> ContactId {
        self.account().login_as(name)
    }
}
