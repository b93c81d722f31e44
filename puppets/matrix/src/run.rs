//! RUN: from the login to one answer after the other, each a batch whose end is the cursor.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use wechaty_puppet::{
    AcceptError, Batch, Cursor, Event, LoginEvent, Payload, PuppetContext, PuppetError, ReadyEvent, Result, Timestamp,
};

use crate::{MatrixPuppet, error, link::Link, login, sdk::Sdk};

/// How long the homeserver may wait for something to happen.
const WAIT: Duration = Duration::from_secs(30);
/// How long to wait after an answer that came at once and said nothing.
const PAUSE: Duration = Duration::from_secs(1);
/// Where the rooms of the settings are that were joined.
const ROOMS: &str = "rooms";

pub(crate) async fn run(puppet: &MatrixPuppet, cx: &PuppetContext) -> Result<()> {
    let ended = tokio::select! {
        biased;
        () = cx.cancelled() => return Ok(()),
        ended = live(puppet, cx) => ended,
    };
    match ended {
        Err(PuppetError::Accept(AcceptError::Stopping)) if cx.cancellation().is_cancelled() => Ok(()),
        // What a proxy says must not end the account for good.
        ended => ended.map_err(error::not_the_server),
    }
}

async fn live(puppet: &MatrixPuppet, cx: &PuppetContext) -> Result<()> {
    let options = puppet.options();
    let (wire, session) = login::open(options, cx).await?;
    puppet.note_device(cx.clock(), Timestamp::from_millis(session.made));
    let sdk = Sdk::open(options, &wire, &session).await?;
    let link = Arc::new(Link::new(options.clone(), wire.clone(), sdk, &session, puppet.faults(), cx.clone()));
    tracing::info!(account = %cx.account(), user = session.user_id, device = session.device_id, "logged in to the homeserver");
    let ended = tokio::select! {
        biased;
        () = link.left.cancelled() => return Err(logged_out()),
        lost = wire.until_lost() => Err(lost),
        ended = listen(puppet, &link, cx) => match (ended, wire.lost()) {
            (Err(PuppetError::NotLoggedIn), Some(lost)) => Err(lost),
            (ended, _) => Ok(ended),
        },
    };
    match ended {
        Ok(ended) => ended,
        Err(_) if link.leaving.load(Ordering::Relaxed) => {
            link.left.cancelled().await;
            Err(logged_out())
        }
        Err(lost) => {
            // The next one is none that there was yet.
            puppet.note_device(cx.clock(), cx.clock().wall());
            login::forget(options, cx, &session, &lost).await?;
            // A password makes another session.
            Err(PuppetError::NotLoggedIn)
        }
    }
}

fn logged_out() -> PuppetError {
    PuppetError::LoginRefused { reason: "the bot has logged out".into() }
}

async fn listen(puppet: &MatrixPuppet, link: &Arc<Link>, cx: &PuppetContext) -> Result<()> {
    link.load_directs().await?;
    link.again.load(cx).await?;
    #[cfg(feature = "e2ee")]
    link.late.load(cx).await?;
    let who = Arc::new(link.profile(&link.me).await?);
    // Whoever hears of the login may say something at once.
    let _published = puppet.publish(link.clone());
    let login = Event::new(LoginEvent { contact_id: who.id.clone() }).payload(Payload::Contact(who));
    let cursor = cx.cursor().and_then(Cursor::as_str).map(str::to_owned);
    let since = match cursor {
        Some(since) => {
            // A device that is new begins where the one before it ended, and knows nothing of rooms and who is in them.
            #[cfg(feature = "e2ee")]
            if link.sdk.is_new().await {
                link.sdk.sync(&link.wire, None, WAIT).await?;
            }
            cx.accept(login).await?;
            since
        }
        None => {
            // Where everything begins is known before anybody hears that the bot is there: what is said then counts.
            let first = link.sdk.sync(&link.wire, None, WAIT).await?;
            let mut events = vec![login];
            for (room, states) in &first.invited {
                events.extend(link.invited(room, "", states).await?);
            }
            cx.accept(Batch { events, cursor: Some(Cursor::new(first.next_batch.clone())) }).await?;
            first.next_batch
        }
    };
    #[cfg(feature = "e2ee")]
    if let Some(fault) = link.open_vault().await {
        cx.accept(fault).await?;
    }
    come_in(link, cx).await?;
    cx.accept(Event::new(ReadyEvent { data: None })).await?;
    tokio::select! {
        ended = answers(link, cx, since) => ended,
        ended = link.joins() => match ended? {},
    }
}

/// Joins the rooms of the settings. One that cannot be joined is told, and the others go on.
async fn come_in(link: &Link, cx: &PuppetContext) -> Result<()> {
    let store = |source| PuppetError::Accept(AcceptError::Store(source));
    let rooms = &link.options.rooms;
    if rooms.is_empty() {
        return Ok(());
    }
    let kept = cx.session().get(ROOMS).await.map_err(store)?;
    let kept: BTreeMap<String, String> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let there = match link.joined().await {
        Err(PuppetError::NotLoggedIn) => return Err(PuppetError::NotLoggedIn),
        there => there.unwrap_or_default(),
    };
    let mut known = BTreeMap::new();
    for room in rooms {
        // What an alias led to is there: its own server is not asked again at each start.
        let id = kept.get(room).unwrap_or(room);
        if there.contains(id) {
            known.insert(room.clone(), id.clone());
            continue;
        }
        match link.join(room, &[]).await {
            Ok(id) => drop(known.insert(room.clone(), id)),
            Err(PuppetError::NotLoggedIn) => return Err(PuppetError::NotLoggedIn),
            Err(error) => {
                let data = format!("the room {room} cannot be joined: {error}; the next start tries it again");
                tracing::warn!(%room, %error, "a room of the settings cannot be joined");
                cx.accept(Event::new(wechaty_puppet::ErrorEvent { gerror: None, data: Some(data) })).await?;
            }
        }
    }
    if known != kept {
        let bytes = serde_json::to_vec(&known).map_err(|error| store(error.into()))?;
        cx.session().set(ROOMS, Some(bytes.into())).await.map_err(store)?;
    }
    Ok(())
}

/// One answer after the other. The next is asked for when everything of this one is durable.
async fn answers(link: &Link, cx: &PuppetContext, mut since: String) -> Result<()> {
    loop {
        let asked = cx.clock().now();
        let answer = link.sdk.sync(&link.wire, Some(&since), WAIT).await?;
        #[cfg_attr(
            not(feature = "e2ee"),
            expect(unused_mut, reason = "keys that come late and verifications add to them")
        )]
        let mut events = link.digest(&since, &answer).await?;
        #[cfg(feature = "e2ee")]
        {
            link.late.save(cx).await?;
            link.opened(&mut events).await?;
            link.verifications(&answer, &mut events).await;
        }
        if events.is_empty() && answer.next_batch == since {
            // A homeserver waits before it has nothing to say; one that does not is not asked without end.
            if cx.clock().now().saturating_sub(asked) < PAUSE {
                cx.clock().sleep(PAUSE).await;
            }
            continue;
        }
        cx.accept(Batch { events, cursor: Some(Cursor::new(answer.next_batch.clone())) }).await?;
        #[cfg(feature = "e2ee")]
        {
            link.late.told();
            link.late.save(cx).await?;
        }
        since = answer.next_batch;
    }
}

/// Ends the session: at the homeserver, in what is kept, and in this run.
pub(crate) async fn log_out(link: &Link, reason: Option<&str>) -> Result<()> {
    use wechaty_puppet::{EventPayload, LogoutEvent};
    let about = crate::error::About { context: "logging out", what: "session", id: "" };
    // The run hears of it by its own request, perhaps before this one is answered.
    link.leaving.store(true, Ordering::Relaxed);
    match link.v3(reqwest::Method::POST, &["logout"], about).json(serde_json::json!({})).send().await {
        Ok(_) | Err(PuppetError::NotLoggedIn) => {}
        Err(error) => {
            link.leaving.store(false, Ordering::Relaxed);
            return Err(error);
        }
    }
    login::drop_session(&link.cx).await?;
    link.wire.set_token(None);
    let told = LogoutEvent { contact_id: link.me.as_ref().into(), data: reason.map(str::to_owned) };
    link.cx.accept(EventPayload::from(told)).await?;
    link.left.cancel();
    Ok(())
}
