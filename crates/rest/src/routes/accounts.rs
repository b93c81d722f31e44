//! ACCOUNTS: who is logged in where, logins and logouts, the ledger, and the bot as a whole.

use serde::Serialize;
use wechaty::{
    Account, AccountState, LoginAnswer,
    types::{AccountId, ContactId},
};
use wechaty_store::Books;

use super::does;
use crate::{
    Scope, answer,
    call::Call,
    problem::Problem,
    route::{Done, Gives, Route, Takes},
    wire,
};

/// Its routes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/accounts", "accountList", "All accounts this token may use", list)
        .of("accounts", Scope::Read)
        .gives(Gives::Json("Accounts")),
    Route::get(
        "/login",
        "accountPayload",
        "How an account stands: its state, who is logged in, the QR code to scan",
        one,
    )
    .of("accounts", Scope::Read)
    .of_account()
    .gives(Gives::Json("Account")),
    Route::put("/logout", "logout", "Logs the account out", logout).of("accounts", Scope::Admin).of_account(),
    Route::put(
        "/login/answer",
        "loginAnswer",
        "Answers a verify-code event: with a code, or yes or no where something is compared; without one it is given up",
        answer_login,
    )
    .of("accounts", Scope::Admin)
    .of_account()
    .takes(Takes::Json("LoginAnswer")),
    Route::post("/ding", "ding", "Asks the account's connection for a dong event", ding)
        .of("accounts", Scope::Send)
        .of_account()
        .takes(Takes::MaybeJson("Ding")),
    Route::get("/version", "version", "Name and version of the bot's SDK", version)
        .of("bot", Scope::Read)
        .gives(Gives::Json("Version")),
    Route::get("/ledger", "ledger", "Both books: what was received and said, and what became of it", ledger)
        .of("bot", Scope::Read)
        .gives(Gives::Json("Books")),
    Route::put("/start", "start", "Starts an account that has stopped; one that runs is left alone", start)
        .of("accounts", Scope::Admin)
        .of_account()
        .gives(Gives::Accepted("Empty")),
    Route::put("/restart", "restart", "Stops all accounts and starts them again; this door closes meanwhile", restart)
        .of("bot", Scope::Admin)
        .gives(Gives::Accepted("Empty")),
    Route::put("/stop", "stop", "Stops the bot, and with it this door", stop)
        .of("bot", Scope::Admin)
        .gives(Gives::Accepted("Empty")),
];

does! {
    list = all;
    one = payload;
    logout = log_out;
    answer_login = do_answer;
    ding = do_ding;
    version = tell_version;
    ledger = books;
    start = do_start;
    restart = do_restart;
    stop = do_stop;
}

/// How an account stands.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView {
    id: AccountId,
    /// Its puppet.
    platform: &'static str,
    /// `stopped`, `starting`, `connected` (nobody is logged in), `logged-in`, `retrying`, `failed`.
    state: &'static str,
    /// Why it is retried or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who is logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<ContactId>,
    /// Whether contacts and rooms are known.
    ready: bool,
    /// The text of the QR code that waits to be scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    qrcode: Option<String>,
    /// What its puppet can do.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    capabilities: Vec<wechaty_puppet::Capability>,
}

impl AccountView {
    fn of(account: &Account) -> Self {
        let (state, reason) = match account.state() {
            AccountState::Stopped => ("stopped", None),
            AccountState::Starting => ("starting", None),
            AccountState::LoggedIn(_) => ("logged-in", None),
            AccountState::Retrying(why) => ("retrying", Some(why)),
            AccountState::Failed(why) => ("failed", Some(why)),
            _ => ("connected", None),
        };
        let capabilities = account.capabilities();
        let all = wechaty_puppet::Capability::ALL.iter().copied();
        Self {
            id: account.id().clone(),
            platform: account.platform().as_str(),
            state,
            reason,
            contact_id: account.me().map(|me| ContactId::clone(&me)),
            ready: account.is_ready(),
            qrcode: account.auth_qr_code(),
            capabilities: all.filter(|capability| capabilities.has(*capability)).collect(),
        }
    }
}

async fn all(call: Call) -> Done {
    let accounts = call.bot().accounts().iter().filter(|account| call.caller.may_use(account.id()));
    answer::json(&serde_json::json!({ "items": accounts.map(AccountView::of).collect::<Vec<_>>() }))
}

async fn payload(call: Call) -> Done {
    answer::json(&AccountView::of(call.account()?))
}

async fn log_out(call: Call) -> Done {
    call.account()?.logout(None).await?;
    answer::nothing()
}

async fn do_answer(mut call: Call) -> Done {
    let wire::LoginAnswer { id, code } = call.read()?;
    let answer = match code {
        Some(code) => LoginAnswer::Code { id, code },
        None => LoginAnswer::Cancel { id },
    };
    call.account()?.answer_login(answer).await?;
    answer::nothing()
}

async fn do_ding(mut call: Call) -> Done {
    let data = call.read_or_default::<wire::Ding>()?.data;
    call.account()?.puppet().ding(data).await?;
    answer::nothing()
}

async fn tell_version(call: Call) -> Done {
    answer::json(&serde_json::json!({ "name": call.bot().name(), "version": call.bot().version() }))
}

/// As `wechaty ledger --json`; to a token of some accounts only theirs.
async fn books(call: Call) -> Done {
    let books = call.bot().store().books().await?;
    let Some(mine) = &call.caller.accounts else { return answer::json(&books) };
    let accounts = books.accounts.into_iter().filter(|(account, _)| mine.contains(account)).collect();
    let mut books = Books { accounts, ..Books::default() };
    if let [(_, only)] = books.accounts.iter().collect::<Vec<_>>()[..] {
        books.total = only.clone();
        return answer::json(&books);
    }
    Err(Problem::new(axum::http::StatusCode::FORBIDDEN, "W525", "rest-all-accounts"))
}

async fn do_start(call: Call) -> Done {
    let (bot, account) = (call.bot().clone(), call.account()?.clone());
    // In a task: a platform may take its time, and who gives up waiting finds it started.
    wechaty_puppet::task::spawn(async move {
        if let Err(error) = bot.start_account(&account).await {
            tracing::error!(account = %account.id(), %error, "the account could not be started");
        }
    });
    answer::with(axum::http::StatusCode::ACCEPTED, &serde_json::json!({}))
}

async fn do_restart(call: Call) -> Done {
    call.whole_bot()?;
    let bot = call.bot().clone();
    // In a task: it closes the connection this answer goes through.
    wechaty_puppet::task::spawn(async move {
        bot.clock().sleep(SOON).await;
        if let Err(error) = bot.restart().await {
            tracing::error!(%error, "the bot could not be started again");
        }
    });
    answer::with(axum::http::StatusCode::ACCEPTED, &serde_json::json!({}))
}

async fn do_stop(call: Call) -> Done {
    call.whole_bot()?;
    let bot = call.bot().clone();
    wechaty_puppet::task::spawn(async move {
        bot.clock().sleep(SOON).await;
        if let Err(error) = bot.stop().await {
            tracing::error!(%error, "the bot has stopped, but not all of it was written");
        }
    });
    answer::with(axum::http::StatusCode::ACCEPTED, &serde_json::json!({}))
}

/// Time for the answer to leave.
const SOON: std::time::Duration = std::time::Duration::from_millis(100);
