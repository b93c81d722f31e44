//! CONVERT: what is said becomes what the platform takes: the best form it has, files by their content; or it is refused.

use wechaty_puppet::{Capabilities, Capability, PuppetError};
use wechaty_types::{Card, Mention, Menu, SayablePayload, TextPayload};

use super::{markdown, split};
use crate::{
    Account, Error, Result,
    store::{BlobId, Spooled, StoreError, crash, named},
};

/// What is said in the platform's form.
pub(super) struct Converted {
    pub(super) what: SayablePayload,
    /// The files of `what` that are in the store, in their order.
    pub(super) files: Vec<Option<Spooled>>,
    /// What people may choose from by its number, as they cannot press it.
    pub(super) choices: Option<Menu>,
}

/// Turns what the platform cannot show into the best it can, and spools its files, which it only names then.
pub(super) async fn convert(account: &Account, mut what: SayablePayload) -> Result<Converted> {
    let capabilities = account.capabilities();
    if let SayablePayload::Forward(forward) = &what
        && !capabilities.has(Capability::SendForward)
    {
        what = account.message(&forward.message_id).await?.to_sayable().await?.into_payload();
    }
    what = pressable(&capabilities, what);
    let (needed, mut choices) = (Capability::of(&what), None);
    if !capabilities.has(needed) || too_many(&capabilities, &what) {
        let as_text = matches!(
            what,
            SayablePayload::Markdown(_)
                | SayablePayload::Card(_)
                | SayablePayload::Menu(_)
                | SayablePayload::Url(_)
                | SayablePayload::Location(_)
        );
        let as_file = matches!(
            what,
            SayablePayload::Image(_)
                | SayablePayload::Audio(_)
                | SayablePayload::Video(_)
                | SayablePayload::Emoticon(_)
        );
        what = match what {
            SayablePayload::Image(f)
            | SayablePayload::Audio(f)
            | SayablePayload::Video(f)
            | SayablePayload::Emoticon(f)
                if as_file && capabilities.has(Capability::SendAttachment) =>
            {
                SayablePayload::Attachment(f)
            }
            SayablePayload::Card(card) if rich(&capabilities, &card) => {
                let text = markdown::of_card(&card);
                choices = numbered(&SayablePayload::Card(card));
                SayablePayload::Markdown(TextPayload { text, mentions: Vec::new() })
            }
            what if as_text && capabilities.has(Capability::SendText) => {
                choices = numbered(&what);
                let mentions = what.mentions().to_vec();
                SayablePayload::Text(TextPayload { text: what.fallback_text(), mentions })
            }
            _ => return Err(PuppetError::unsupported(account.puppet().platform(), needed).into()),
        };
    }
    check_text(&capabilities, &mut what)?;
    let (core, mut files) = (account.core(), Vec::new());
    for file in what.files() {
        files.push(loop {
            match core.spooling.spool(&*core.store, file, capabilities.limits.file).await {
                Err(Error::Store(error @ StoreError::Full { .. })) if file.is_repeatable() => {
                    core.wait_for_room(error).await?
                }
                spooled => break spooled?,
            }
        });
    }
    if files.iter().all(Option::is_none) {
        return Ok(Converted { what, files: Vec::new(), choices });
    }
    what = named(&what, &ids(&files));
    crash::point("spooled-before-say");
    Ok(Converted { what, files, choices })
}

/// Whether a card is best shown as Markdown: not where there are cards, and this one only has too many buttons.
fn rich(capabilities: &Capabilities, card: &Card) -> bool {
    let is_empty = || markdown::of_card(card).is_empty();
    capabilities.has(Capability::SendMarkdown) && !capabilities.has(Capability::SendCard) && !is_empty()
}

/// Whether a card or menu has more to press than the platform shows.
fn too_many(capabilities: &Capabilities, what: &SayablePayload) -> bool {
    let buttons = match what {
        SayablePayload::Card(card) => card.buttons.len(),
        SayablePayload::Menu(menu) => menu.items.len(),
        _ => 0,
    };
    capabilities.limits.buttons.is_some_and(|most| buttons > most) && capabilities.has(Capability::SendText)
}

/// A menu as a card where that is what the platform has, and a card that says no more than a menu can as a menu.
fn pressable(capabilities: &Capabilities, what: SayablePayload) -> SayablePayload {
    match what {
        SayablePayload::Menu(menu)
            if !capabilities.has(Capability::SendMenu) && capabilities.has(Capability::SendCard) =>
        {
            let card = Card::default().text(menu.text);
            let card = menu.items.into_iter().fold(card, |card, item| card.button(item.id, item.text));
            SayablePayload::Card(Box::new(card))
        }
        SayablePayload::Card(card)
            if !capabilities.has(Capability::SendCard)
                && capabilities.has(Capability::SendMenu)
                && card.image.is_none()
                && card.fields.is_empty()
                && !card.buttons.is_empty()
                && card.buttons.iter().all(|button| button.url.is_none()) =>
        {
            let words: Vec<String> = [card.title, card.text].into_iter().filter(|text| !text.is_empty()).collect();
            let menu = Menu::new(words.join("\n"));
            SayablePayload::Menu(card.buttons.into_iter().fold(menu, |menu, button| menu.item(button.id, button.text)))
        }
        what => what,
    }
}

/// What can be chosen by the numbers that its text shows. A link has a number, too, and no id.
fn numbered(what: &SayablePayload) -> Option<Menu> {
    let menu = match what {
        SayablePayload::Menu(menu) => menu.clone(),
        SayablePayload::Card(card) => card.buttons.iter().fold(Menu::new(""), |menu, button| {
            let id = if button.url.is_some() { String::new() } else { button.id.clone() };
            menu.item(id, button.text.clone())
        }),
        _ => return None,
    };
    menu.items.iter().any(|item| !item.id.is_empty()).then_some(menu)
}

pub(super) fn ids(files: &[Option<Spooled>]) -> Vec<Option<BlobId>> {
    files.iter().map(|file| file.as_ref().map(|file| file.id)).collect()
}

/// Refuses a text that cannot even be sent in parts, and mentions only who can be mentioned.
pub(super) fn check_text(capabilities: &Capabilities, what: &mut SayablePayload) -> Result<()> {
    if let SayablePayload::Text(text) | SayablePayload::Markdown(text) = what {
        // The names stay in the words; who cannot be notified is not notified.
        text.mentions.retain(|mention| match mention {
            Mention::Contact(_) => capabilities.has(Capability::Mention),
            Mention::All => capabilities.has(Capability::MentionAll),
        });
    }
    if let Some(limit) = capabilities.limits.text
        && what.as_text().is_some_and(|text| !split::fits(text, limit, capabilities.limits.text_unit))
    {
        let reason = format!("no part of it fits into {limit} {:?}", capabilities.limits.text_unit);
        return Err(PuppetError::Invalid { what: "text", reason }.into());
    }
    Ok(())
}

/// Counts what is refused, and gives why.
pub(super) async fn refuse(account: &Account, error: Error) -> Error {
    match account.core().store.refuse(account.id(), refusal(&error).into()).await {
        Ok(()) => error,
        Err(uncounted) => uncounted.into(),
    }
}

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::Store(_) => "too-large",
        Error::Puppet(error) => error.reason(),
        Error::File(_) => "file",
        _ => "invalid",
    }
}
