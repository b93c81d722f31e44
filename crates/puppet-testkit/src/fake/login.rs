//! The login of the fake platform as steps: show QR, wait, ask code, done.

use wechaty_puppet::{Bytes, Event, EventPayload, LoginAnswer, LoginStep, PuppetError, ReadyEvent, Result, transport};

use super::{
    account::LoginInput,
    connection::{Cut, Link},
    delivery::with_contact,
};

/// Key in the puppet's session store.
const SESSION: &str = "fake.session";

impl Link<'_> {
    /// Through the steps to login and ready.
    pub(super) async fn log_in(&self) -> Result<(), Cut> {
        if let Some(cut) = self.cut() {
            return Err(cut);
        }
        let session = self.cx.session().get(SESSION).await.map_err(transport("read the session"))?;
        if self.needs_scan(session.as_deref()) {
            self.scan().await?;
            let token = {
                let mut world = self.shared.world.lock();
                let token = world.next_id("session");
                world.accounts[self.account].login.session = Some(token.clone());
                token
            };
            self.cx.session().set(SESSION, Some(Bytes::from(token))).await.map_err(transport("write the session"))?;
        }
        let login = {
            let mut world = self.shared.world.lock();
            world.accounts[self.account].login.logged_out = false;
            let bot = world.bot(self.account).clone();
            let login = Event::new(LoginStep::Done(bot.clone()));
            match world.people.get(&bot) {
                Some(me) if world.payloads_in_events => with_contact(login, me.payload.clone()),
                _ => login,
            }
        };
        self.tell(login).await?;
        self.tell(Event::new(EventPayload::from(ReadyEvent { data: None }))).await
    }

    fn needs_scan(&self, session: Option<&[u8]>) -> bool {
        let mut world = self.shared.world.lock();
        let login = &mut world.accounts[self.account].login;
        let known = login.session.as_ref().is_some_and(|token| Some(token.as_bytes()) == session);
        let needed = login.needs_scan && !known;
        if needed {
            login.logged_out = true;
        }
        needed
    }

    async fn step(&self, step: LoginStep) -> Result<(), Cut> {
        self.tell(Event::new(step)).await
    }

    async fn scan(&self) -> Result<(), Cut> {
        loop {
            let qr = self.shared.world.lock().next_id("qr");
            self.step(LoginStep::ShowQr(format!("https://fake.invalid/{qr}"))).await?;
            match self.scanned().await? {
                LoginInput::Expire => self.step(LoginStep::Expired).await?,
                LoginInput::Cancel => return self.cancelled().await,
                LoginInput::Scan | LoginInput::Answer(_) => break,
            }
        }
        self.step(LoginStep::WaitForConfirm).await?;
        let code = self.shared.world.lock().accounts[self.account].login.code.clone();
        if let Some(code) = code {
            self.ask(&code).await?;
        }
        self.step(LoginStep::Confirmed).await
    }

    /// What somebody does about the QR code; answers to questions that are not asked are dropped.
    async fn scanned(&self) -> Result<LoginInput, Cut> {
        loop {
            match self.input().await? {
                LoginInput::Answer(_) => {}
                input => return Ok(input),
            }
        }
    }

    async fn ask(&self, expected: &str) -> Result<(), Cut> {
        let id = self.shared.world.lock().next_id("code");
        let mut wrong = false;
        loop {
            let message = "Enter the code shown on your phone".to_owned();
            self.step(LoginStep::AskCode { id: id.clone(), message, wrong }).await?;
            match self.input().await? {
                LoginInput::Answer(LoginAnswer::Code { id: answered, code }) if answered == id => {
                    if code == expected {
                        return Ok(());
                    }
                    wrong = true;
                }
                LoginInput::Cancel | LoginInput::Answer(LoginAnswer::Cancel { .. }) => return self.cancelled().await,
                _ => {}
            }
        }
    }

    async fn cancelled(&self) -> Result<(), Cut> {
        self.step(LoginStep::Cancelled).await?;
        Err(PuppetError::LoginRefused { reason: "the person cancelled the login".into() }.into())
    }

    async fn input(&self) -> Result<LoginInput, Cut> {
        loop {
            if let Some(cut) = self.cut() {
                return Err(cut);
            }
            let input = self.shared.world.lock().accounts[self.account].login.inputs.pop_front();
            match input {
                Some(input) => return Ok(input),
                None => self.idle().await,
            }
        }
    }
}
