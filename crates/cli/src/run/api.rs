//! The REST door of a run: whose tokens it takes, where its files are, and what is told about it.

use std::sync::Arc;

use wechaty::BotBuilder;
use wechaty_catalogue::{Args, Lang, text};
use wechaty_config::{RestSection, TokenScope};
use wechaty_rest::{Rest, RestOptions, Scope, Scopes, Token, Webhook};

use crate::{failure::Failure, output, scratch::Scratch};

/// The variable with a token for everything.
pub(super) const TOKEN: &str = "WECHATY_API_TOKEN";

/// A door that is open while the bot runs; or webhooks alone, which have no door.
pub(crate) struct Api {
    is_door: bool,
    /// The token that was made for this run: nobody else knows it.
    made: Option<String>,
    /// Uploaded files; gone with the run.
    _folder: Scratch,
}

impl Api {
    /// Opens the door, if it is asked for: by the flag, by a section of the file or by a token in the environment.
    pub(super) fn open(
        builder: BotBuilder,
        asked: bool,
        section: Option<&RestSection>,
        token: Option<String>,
        webhooks: &[Arc<Webhook>],
    ) -> Result<(BotBuilder, Option<Self>), Failure> {
        let token = token.filter(|token| !token.is_empty());
        if !asked && section.is_none() && token.is_none() {
            if webhooks.is_empty() {
                return Ok((builder, None));
            }
            // Nobody uploads: an answer that names a file finds none, in a folder that nobody else has.
            let folder = scratch()?;
            let mut options = RestOptions::new(Vec::new(), folder.path());
            options.webhooks = webhooks.to_vec();
            let told = Rest::tell(builder, &options);
            return Ok((told, Some(Self { is_door: false, made: None, _folder: folder })));
        }
        let no_token = |error: wechaty_rest::TokenError| Failure::usage("W164").source(&error);
        let mut tokens = Vec::new();
        for one in section.iter().flat_map(|section| &section.token) {
            let token = Token::new(&one.token.0, one.scopes.iter().map(scope).collect()).map_err(no_token)?;
            tokens.push(match &one.accounts {
                Some(accounts) => token.accounts(accounts.iter().map(|id| id.as_str().into())),
                None => token,
            });
        }
        // Behind those of the file, which count where it is one of them.
        if let Some(token) = &token {
            tokens.push(Token::new(token, Scopes::all()).map_err(no_token)?);
        }
        let mut made = None;
        if tokens.is_empty() {
            let token = uuid::Uuid::new_v4().simple().to_string();
            tokens.push(Token::new(&token, Scopes::all()).map_err(no_token)?);
            made = Some(token);
        }
        let folder = scratch()?;
        let mut options = RestOptions::new(tokens, folder.path());
        if let Some(section) = section {
            options.rate.per_second = section.rate.unwrap_or(options.rate.per_second);
            options.rate.burst = section.burst.unwrap_or(options.rate.burst);
            options.uploads = section.uploads.map_or(options.uploads, |number| number as usize);
            options.upload_bytes = section.uploads_mib.map_or(options.upload_bytes, |mib| mib << 20);
            options.largest_file = section.most_mib.map_or(options.largest_file, |mib| mib << 20);
        }
        options.webhooks = webhooks.to_vec();
        Ok((Rest::door(builder, options), Some(Self { is_door: true, made, _folder: folder })))
    }

    /// Tells where it is; and the token, if nobody else could. `None`: there is no door.
    pub(super) fn told(&self, lang: Lang) -> Option<impl Fn(&str) + Send + Sync + use<>> {
        let made = self.made.clone();
        let tell = move |url: &str| {
            let args = Args::new().set("url", format!("{url}/api"));
            output::tell(&text(lang, "listen-api", &args));
            if let Some(token) = &made {
                output::tell(&text(lang, "listen-api-token", &Args::new().set("token", &**token)));
            }
        };
        self.is_door.then_some(tell)
    }
}

fn scratch() -> Result<Scratch, Failure> {
    Scratch::new("rest").map_err(|error| Failure::failed("W109").source(&error))
}

fn scope(scope: &TokenScope) -> Scope {
    match scope {
        TokenScope::Send => Scope::Send,
        TokenScope::Admin => Scope::Admin,
        _ => Scope::Read,
    }
}
