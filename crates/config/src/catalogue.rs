//! CATALOGUE: the puppets and plugins a file may name.

use std::path::Path;

use serde_json::Value;
use wechaty_plugins::PluginDeclaration;
use wechaty_puppet::Declaration;

use crate::{Config, Env, Flags, Problems, check, document::Document, schema};

/// Puppets of this project that a build may lack, and the feature that adds them.
const OPTIONAL: &[(&str, &str)] =
    &[("lark", "lark"), ("mock", "mock"), ("service", "service"), ("terminal", "terminal"), ("webchat", "webchat")];

/// What a file may name: this build's puppets and plugins, and those a bot maker adds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Catalogue {
    /// Puppets.
    pub puppets: Vec<Declaration>,
    /// Puppets that are not in this build: name, and the feature that adds them.
    pub optional: Vec<(&'static str, &'static str)>,
    /// Plugins.
    pub plugins: Vec<PluginDeclaration>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self {
            puppets: wechaty::puppet::declarations(),
            optional: [OPTIONAL, wechaty::puppet::OPTIONAL].concat(),
            plugins: wechaty_plugins::declarations().to_vec(),
        }
    }
}

impl Catalogue {
    /// JSON Schema (draft 2020-12) of a file with these.
    pub fn schema(&self) -> Value {
        schema::schema(self)
    }

    /// The configuration in a file; `.env` beside it is read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, path: impl AsRef<Path>, env: &Env, flags: &Flags) -> Result<Config, Problems> {
        let path = path.as_ref();
        match Document::read(path) {
            Ok(document) => check::check(self, &document, env, flags),
            Err(error) => Err(Problems::new(vec![*error])),
        }
    }

    /// The configuration in a text that stands, or will stand, in this file.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(&self, text: &str, path: impl AsRef<Path>, env: &Env, flags: &Flags) -> Result<Config, Problems> {
        check::check(self, &Document::new(path.as_ref(), text), env, flags)
    }

    /// The command that builds the program with a puppet that is not in this build.
    pub(crate) fn command(&self, puppet: &str) -> Option<String> {
        let (_, feature) = self.optional.iter().find(|(name, _)| *name == puppet)?;
        Some(format!("cargo build --release -p wechaty-cli --features {feature}"))
    }
}
