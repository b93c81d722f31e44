//! AUTH: who asks, by `Authorization: Bearer`, and what they may; behind the dispatcher, before everything else.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use wechaty_types::AccountId;

/// The longest token that is looked at.
const LONGEST: usize = 512;
/// A token shorter than this is guessed.
const SHORTEST: usize = 16;

/// What a token allows. They are independent: who may send may not read by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look: contacts, rooms, messages, events.
    Read,
    /// Say, and change what people see: sends, rooms, friendships, aliases.
    Send,
    /// Run the bot: login and logout, start and stop, dead letters, webhooks.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Send, Self::Admin];

    /// `read`, `send`, `admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Admin => "admin",
        }
    }
}

/// A set of [`Scope`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }
    /// Whether it has this one.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | 1 << scope as u8))
    }
}

/// A token of the door: only its digest is kept.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
    scopes: Scopes,
    accounts: Option<Vec<AccountId>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("scopes", &self.scopes).field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

/// Why a text is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has {SHORTEST} to {LONGEST} characters of ASCII without spaces")]
pub struct TokenError;

impl Token {
    /// A token with these scopes, for all accounts.
    ///
    /// # Errors
    /// When nobody could send it, or anybody could guess it.
    pub fn new(secret: &str, scopes: Scopes) -> Result<Self, TokenError> {
        let fits = (SHORTEST..=LONGEST).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self { digest: hashed(secret), scopes, accounts: None }) } else { Err(TokenError) }
    }

    /// Only for these accounts.
    #[must_use]
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = AccountId>) -> Self {
        self.accounts = Some(accounts.into_iter().collect());
        self
    }
}

/// Who asks: one of the tokens.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Names the token in keys of the store, without telling it.
    pub(crate) name: [u8; 8],
    /// Its place among the tokens.
    pub(crate) number: usize,
    pub(crate) scopes: Scopes,
    pub(crate) accounts: Option<Vec<AccountId>>,
}

impl Caller {
    /// Whether it may do something with this account.
    pub(crate) fn may_use(&self, account: &AccountId) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
    }
}

/// The tokens of the door; of equal ones the first counts.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<Token>);

impl Tokens {
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }

    /// Whose token this header holds; `None`: nobody's. It takes the same time wherever one fits.
    pub(crate) fn caller(&self, authorization: &str) -> Option<Caller> {
        let (scheme, given) = authorization.split_once(' ')?;
        let given = given.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || given.len() > LONGEST {
            return None;
        }
        const NOBODY: u64 = u64::MAX;
        let given = hashed(given);
        let mut found = NOBODY;
        for (at, token) in (0..).zip(&self.0) {
            // The first that fits: another place for the same token gives it no more than it has there.
            found.conditional_assign(&at, token.digest.ct_eq(&given) & found.ct_eq(&NOBODY));
        }
        let number = usize::try_from(found).ok()?;
        let token = self.0.get(number)?;
        let mut name = [0; 8];
        // A digest of the digest: what is stored does not help to find the token.
        name.copy_from_slice(&digest(&SHA256, &token.digest).as_ref()[..8]);
        Some(Caller { name, number, scopes: token.scopes, accounts: token.accounts.clone() })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn hashed(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_the_whole_of_it_and_nobody_else_is() {
        let read = Token::new("0123456789abcdef-read", [Scope::Read].into_iter().collect()).unwrap();
        let all = Token::new("0123456789abcdef-all", Scopes::all()).unwrap().accounts(["shop".into()]);
        let tokens = Tokens::new(vec![read, all]);
        let of = |header: &str| tokens.caller(header).map(|caller| caller.number);
        assert_eq!(of("Bearer 0123456789abcdef-read"), Some(0));
        assert_eq!(of("bearer  0123456789abcdef-all"), Some(1));
        for bad in
            ["", "Bearer", "Bearer ", "Basic 0123456789abcdef-read", "Bearer 0123456789abcdef", "0123456789abcdef-read"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
        let caller = tokens.caller("Bearer 0123456789abcdef-all").unwrap();
        assert!(caller.may_use(&"shop".into()) && !caller.may_use(&"other".into()));
        assert!(
            caller.scopes.has(Scope::Admin)
                && !tokens.caller("Bearer 0123456789abcdef-read").unwrap().scopes.has(Scope::Send)
        );
    }

    #[test]
    fn of_equal_tokens_the_first_counts() {
        let secret = "0123456789abcdef-both";
        let read = Token::new(secret, [Scope::Read].into_iter().collect()).unwrap().accounts(["shop".into()]);
        let tokens = Tokens::new(vec![read, Token::new(secret, Scopes::all()).unwrap()]);
        let caller = tokens.caller(&format!("Bearer {secret}")).unwrap();
        assert_eq!((caller.number, caller.scopes.has(Scope::Admin)), (0, false));
        assert!(!caller.may_use(&"other".into()));
    }

    #[test]
    fn no_debug_form_holds_a_token() {
        let token = Token::new("canary-canary-canary", Scopes::all()).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
        assert_eq!(Token::new("short", Scopes::all()).unwrap_err(), TokenError);
        assert_eq!(Token::new("with a space in it all", Scopes::all()).unwrap_err(), TokenError);
    }
}
