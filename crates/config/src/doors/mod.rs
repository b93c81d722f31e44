//! DOORS: `[doors]`, the ways for others into the bot, and who may take them; one file for each.

mod gateway;
mod rest;
mod webhook;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::{
    gateway::{AccountToken, GatewayDoor},
    rest::{RestSection, RestToken, TokenScope, TokenText},
    webhook::WebhookSection,
};
use crate::{check::Check, key::Key};

/// `[doors]`: ways into the bot beside its messengers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Doors {
    /// For bots made with a Wechaty SDK of any language: `wechaty gateway`.
    pub gateway: GatewayDoor,
    /// The bot as JSON over HTTP.
    pub rest: Option<RestSection>,
    /// Who is told of events; `None`: one that cannot be read.
    #[serde(deserialize_with = "webhook::each")]
    #[schemars(with = "Vec<WebhookSection>")]
    pub webhook: Vec<Option<WebhookSection>>,
}

impl<'a> Check<'a> {
    /// `[doors]`; `ids`: of all accounts.
    pub(crate) fn doors(&mut self, ids: &[String]) -> Doors {
        let key = Key::new("doors");
        let doors: Doors = self.section(&key, &self.value["doors"]);
        self.gateway(ids);
        self.rest(ids);
        doors
    }

    /// The items of a list below `[doors]`, right and wrong ones: one that does not fit is no reason to be silent about others.
    fn door_items(&self, list: &str) -> Vec<(Key, &'a Value)> {
        let all: &'a Value = self.value;
        let (mut key, mut value) = (Key::new("doors"), &all["doors"]);
        for name in list.split('.') {
            (key, value) = (key.field(name), &value[name]);
        }
        value.as_array().into_iter().flatten().enumerate().map(|(i, item)| (key.item(i), item)).collect()
    }

    /// Tells those of these accounts that there are not; one name, or several.
    fn names_accounts(&mut self, key: &Key, names: &Value, ids: &[String]) {
        let one = names.as_str().map(|name| (key.clone(), name));
        let several = names.as_array().into_iter().flatten().enumerate();
        let several = several.filter_map(|(i, name)| Some((key.item(i), name.as_str()?)));
        for (place, name) in one.into_iter().chain(several) {
            if !self.is_told(&place) && !ids.iter().any(|id| id == name) {
                self.no_account(&place, name, ids);
            }
        }
    }
}
