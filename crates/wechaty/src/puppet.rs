//! PUPPETS by name: what this build has, and the one the environment asks for.

use std::sync::Arc;

use strsim::jaro_winkler;
pub use wechaty_puppet::Capability;
use wechaty_puppet::{
    Capabilities, Declaration, Outgoing, PlatformName, Puppet, PuppetContext, Result as PuppetResult, Sent, Settings,
    async_trait,
};

use crate::{BuildError, Result};

/// The puppet without any configuration.
pub const DEFAULT: &str = if cfg!(feature = "webchat") { "webchat" } else { "terminal" };

/// Names less alike than this are not offered.
const ALIKE: f64 = 0.7;

/// Every puppet of this build.
pub fn declarations() -> Vec<Declaration> {
    vec![
        #[cfg(feature = "terminal")]
        wechaty_puppet_terminal::DECLARATION,
        #[cfg(feature = "mock")]
        wechaty_puppet_mock::DECLARATION,
        #[cfg(feature = "webchat")]
        wechaty_puppet_webchat::DECLARATION,
    ]
}

/// The declaration of a puppet; Wechaty's own names (`wechaty-puppet-mock`) are understood, and case is not looked at.
///
/// # Errors
/// [`BuildError::UnknownPuppet`] with the nearest name.
pub fn declaration(name: &str) -> Result<Declaration> {
    let wanted = name.trim().to_lowercase();
    let wanted = wanted.strip_prefix("wechaty-puppet-").unwrap_or(&wanted);
    let all = declarations();
    if let Some(found) = all.iter().find(|declaration| declaration.platform.as_str() == wanted) {
        return Ok(*found);
    }
    let nearest = all
        .iter()
        .map(|declaration| declaration.platform.as_str())
        .map(|name| (name, jaro_winkler(name, wanted)))
        .filter(|(_, alike)| *alike >= ALIKE)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    Err(BuildError::UnknownPuppet { name: name.to_owned(), nearest: nearest.map(|(name, _)| name) }.into())
}

/// A puppet by name; what the settings lack comes from the environment, then from the defaults.
///
/// # Errors
/// [`BuildError::UnknownPuppet`], [`BuildError::Settings`].
pub fn by_name(name: &str, settings: Settings) -> Result<AnyPuppet> {
    let declaration = declaration(name)?;
    let settings = settings.complete(declaration.settings, |name| std::env::var(name).ok());
    Ok(AnyPuppet((declaration.build)(&settings).map_err(BuildError::from)?))
}

/// The puppet `WECHATY_PUPPET` names, else [`DEFAULT`].
///
/// # Errors
/// As [`by_name`].
pub fn from_env() -> Result<AnyPuppet> {
    let name = std::env::var("WECHATY_PUPPET").ok().filter(|name| !name.trim().is_empty());
    by_name(name.as_deref().unwrap_or(DEFAULT), Settings::new())
}

/// A puppet whose kind was chosen at run time.
#[derive(Clone)]
pub struct AnyPuppet(Arc<dyn Puppet>);

impl std::fmt::Debug for AnyPuppet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnyPuppet({})", self.0.platform())
    }
}

macro_rules! delegate {
    ($($name:ident: $capability:ident;)*) => {$(
        fn $name(&self) -> Option<&dyn wechaty_puppet::$capability> {
            self.0.$name()
        }
    )*};
}

#[async_trait]
impl Puppet for AnyPuppet {
    fn platform(&self) -> PlatformName {
        self.0.platform()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn run(&self, cx: PuppetContext) -> PuppetResult<()> {
        self.0.run(cx).await
    }
    async fn send(&self, out: Outgoing) -> PuppetResult<Sent> {
        self.0.send(out).await
    }
    async fn ding(&self, data: Option<String>) -> PuppetResult<()> {
        self.0.ding(data).await
    }
    delegate! {
        loader: Loader;
        directory: Directory;
        contact_profile: ContactProfile;
        self_profile: SelfProfile;
        friendships: Friendships;
        rooms: RoomAdmin;
        room_invitations: RoomInvitations;
        media: MessageMedia;
        recall: MessageRecall;
        edits: MessageEdits;
        reactions: Reactions;
        typing: Typing;
        read_marks: ReadMarks;
        tags: Tags;
        posts: Posts;
        taps: Taps;
        login: LoginControl;
        webhook: Webhook;
    }
}
