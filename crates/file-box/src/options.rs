//! Bounds of loading.

use std::{fmt, sync::Arc, time::Duration};

use crate::UuidStore;

/// How far loading may go.
#[derive(Clone)]
pub struct LoadOptions {
    /// Largest file in bytes, held while its bytes come in. Default: 100 MiB.
    pub max_bytes: u64,
    /// Longest time for the whole file: redirects, a second question and every byte. Default: 60 s.
    pub timeout: Duration,
    /// Longest time without a byte while the file comes. Default: as long as `timeout`.
    pub stall_timeout: Option<Duration>,
    /// Longest time until the server answers the connection. Default: 10 s.
    pub connect_timeout: Duration,
    /// How often a server may send us elsewhere. Default: 7.
    pub max_redirects: u32,
    /// Whether loopback, private and link-local addresses may be reached. Default: no.
    pub allow_private: bool,
    /// Only files of this media type, `image/png` or `image/*`. Default: any.
    pub accept_media: Option<String>,
    /// Where UUID boxes live.
    pub uuid_store: Option<Arc<dyn UuidStore>>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            max_bytes: 100 << 20,
            timeout: Duration::from_secs(60),
            stall_timeout: None,
            connect_timeout: Self::CONNECT_TIMEOUT,
            max_redirects: 7,
            allow_private: false,
            accept_media: None,
            uuid_store: None,
        }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("max_bytes", &self.max_bytes)
            .field("timeout", &self.timeout)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

impl LoadOptions {
    pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Whether a media type is wanted.
    pub(crate) fn accepts(&self, found: &str) -> bool {
        let found = found.split(';').next().unwrap_or_default().trim();
        match self.accept_media.as_deref() {
            None => true,
            Some(wanted) => match wanted.strip_suffix("/*") {
                Some(family) => found.split('/').next().is_some_and(|f| f.eq_ignore_ascii_case(family)),
                None => found.eq_ignore_ascii_case(wanted),
            },
        }
    }
}
