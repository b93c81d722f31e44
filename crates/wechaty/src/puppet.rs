//! PUPPETS by name: what this build has, and the one the environment asks for.

use std::sync::Arc;

use strsim::jaro_winkler;
pub use wechaty_puppet::Capability;
use wechaty_puppet::{
    Capabilities, Declaration, DirtyEvent, Outgoing, PlatformName, Puppet, PuppetContext, Result as PuppetResult, Sent,
    Settings, async_trait,
};

use crate::{BuildError, Result};

/// The puppet without any configuration.
pub const DEFAULT: &str = if cfg!(feature = "webchat") { "webchat" } else { "terminal" };

/// Names less alike than this are not offered.
const ALIKE: f64 = 0.7;

/// Puppets of this project that the default build does not hold, and the feature of `wechaty-cli` that brings each.
pub const OPTIONAL: &[(&str, &str)] = &[("matrix", "full")];

/// Names of puppets in Wechaty that are another one's here.
const RENAMED: &[(&str, &str)] = &[("gitter", "matrix")];

/// A puppet's name as it is called here: Wechaty's own names (`wechaty-puppet-mock`, `wechaty-puppet-gitter`) are understood,
/// and case is not looked at.
pub fn plain_name(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.strip_prefix("wechaty-puppet-").unwrap_or(&name);
    RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new).to_owned()
}

/// The command that builds and runs the program with a puppet that this build may lack; `None`: there is no such puppet.
pub fn command_with(name: &str) -> Option<String> {
    let wanted = plain_name(name);
    let (puppet, feature) = OPTIONAL.iter().find(|(puppet, _)| *puppet == wanted)?;
    Some(format!("cargo run --release -p wechaty-cli --features {feature} -- run --puppet {puppet}"))
}

/// Every puppet of this build.
pub fn declarations() -> Vec<Declaration> {
    vec![
        #[cfg(feature = "terminal")]
        wechaty_puppet_terminal::DECLARATION,
        #[cfg(feature = "mock")]
        wechaty_puppet_mock::DECLARATION,
        #[cfg(feature = "webchat")]
        wechaty_puppet_webchat::DECLARATION,
        #[cfg(feature = "service")]
        wechaty_puppet_service::DECLARATION,
        #[cfg(feature = "matrix")]
        wechaty_puppet_matrix::DECLARATION,
        #[cfg(feature = "lark")]
        wechaty_puppet_lark::DECLARATION,
    ]
}

/// The declaration of a puppet, by any of its names (see [`plain_name`]).
///
/// # Errors
/// [`BuildError::NotBuiltIn`] with the command that builds it in, [`BuildError::UnknownPuppet`] with the nearest name.
pub fn declaration(name: &str) -> Result<Declaration> {
    let wanted = plain_name(name);
    let all = declarations();
    if let Some(found) = all.iter().find(|declaration| declaration.platform.as_str() == wanted) {
        return Ok(*found);
    }
    if let Some(command) = command_with(&wanted) {
        return Err(BuildError::NotBuiltIn { name: wanted, command }.into());
    }
    let nearest = all
        .iter()
        .map(|declaration| declaration.platform.as_str())
        .map(|name| (name, jaro_winkler(name, &wanted)))
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
    async fn stale(&self, what: DirtyEvent) -> PuppetResult<()> {
        self.0.stale(what).await
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
        pins: Pins;
        readers: Readers;
        growing: Growing;
    }
}

#[cfg(all(test, not(feature = "matrix")))]
mod tests {
    use super::*;

    #[test]
    fn a_puppet_that_is_not_built_in_comes_with_the_command_that_builds_it() {
        for name in ["matrix", "gitter", "wechaty-puppet-gitter", "Wechaty-Puppet-Matrix "] {
            let told = declaration(name).expect_err("not built in").to_string();
            assert!(
                told.contains("cargo run --release -p wechaty-cli --features full -- run --puppet matrix"),
                "{told}"
            );
        }
        assert!(!declaration("matrx").expect_err("unknown").to_string().contains("cargo"));
    }
}
