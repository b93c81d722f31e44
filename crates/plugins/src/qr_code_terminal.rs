//! QrCodeTerminal: shows a login QR code where it can be scanned.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use schemars::JsonSchema;
use serde::Deserialize;
use wechaty::prelude::*;
use wechaty_catalogue::{Args, Lang, text};

use crate::declaration::{PluginDeclaration, read};

/// Where the code is drawn.
type Target = Arc<Mutex<dyn Write + Send>>;

/// Draws the QR code of a login on stderr; other steps are a line of text.
///
/// The text of a login code is as good as the login itself: it is drawn here and given to nobody else, no picture
/// service and no log.
#[derive(Clone)]
pub struct QrCodeTerminal {
    /// The least error correction, for small windows.
    small: bool,
    lang: Lang,
    target: Target,
}

/// What settings can say about it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "QrCodeTerminal")]
struct QrCodeSettings {
    /// Whether the code is drawn as small as possible. Default: no.
    small: bool,
}

pub(crate) const DECLARATION: PluginDeclaration = PluginDeclaration {
    name: "qr-code-terminal",
    summary: "draws the QR code of a login on the terminal, and shows it to nobody else",
    example: "settings = { small = true }",
    schema: || schemars::schema_for!(QrCodeSettings),
    build: |settings| {
        let settings: QrCodeSettings = read("qr-code-terminal", settings)?;
        Ok(Box::new(QrCodeTerminal::default().small(settings.small)))
    },
};

impl std::fmt::Debug for QrCodeTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QrCodeTerminal").field("small", &self.small).finish_non_exhaustive()
    }
}

impl Default for QrCodeTerminal {
    fn default() -> Self {
        let lang = Lang::of_env(|name| std::env::var(name).ok());
        Self { small: false, lang, target: Arc::new(Mutex::new(std::io::stderr())) }
    }
}

impl QrCodeTerminal {
    /// Draws as small as possible.
    #[must_use]
    pub fn small(mut self, small: bool) -> Self {
        self.small = small;
        self
    }

    /// Speaks this language, not that of the environment.
    #[must_use]
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Draws somewhere else.
    #[must_use]
    pub fn target(mut self, target: impl Write + Send + 'static) -> Self {
        self.target = Arc::new(Mutex::new(target));
        self
    }

    fn picture(&self, text: &str) -> Option<String> {
        let level = if self.small { EcLevel::L } else { EcLevel::M };
        let code = QrCode::with_error_correction_level(text, level).ok()?;
        Some(code.render::<Dense1x2>().quiet_zone(true).build())
    }

    fn show(&self, scan: &Scan) {
        let account = Args::new().set("account", scan.account.id().as_str());
        let say = |key| text(self.lang, key, &account);
        let shown = match scan.status {
            ScanStatus::Waiting | ScanStatus::Timeout if !scan.url().is_empty() => match self.picture(scan.url()) {
                Some(picture) => format!("{}\n{picture}\n", say("scan-code")),
                None => say("scan-too-long") + "\n",
            },
            ScanStatus::Cancel => say("scan-cancel") + "\n",
            ScanStatus::Waiting => say("scan-waiting") + "\n",
            ScanStatus::Scanned => say("scan-scanned") + "\n",
            ScanStatus::Confirmed => say("scan-confirmed") + "\n",
            ScanStatus::Timeout => say("scan-timeout") + "\n",
            _ => say("scan-unknown") + "\n",
        };
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        // Who closed the terminal needs no code.
        let _ = target.write_all(shown.as_bytes()).and_then(|()| target.flush());
    }
}

impl Plugin for QrCodeTerminal {
    fn meta(&self) -> PluginMeta {
        PluginMeta::new("qr-code-terminal")
    }

    fn install(&self, cx: &mut PluginContext) -> wechaty::Result<()> {
        let plugin = self.clone();
        cx.observe(move |scan: Scan| {
            plugin.show(&scan);
            async {}
        })
        .named("qr-code-terminal/show");
        Ok(())
    }
}
