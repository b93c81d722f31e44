//! The operator's own certificate: the one that is shown now, and its files, which are read again when they change.
//! Connections that are there go on; who comes gets the new one.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use wechaty_puppet::{Clock, Timestamp};

use super::{OwnCertificate, validity};

/// How often somebody looks whether the files have changed.
const LOOK: Duration = Duration::from_secs(30);
/// So long before its end an operator is told.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);
/// How often.
const TELL: Duration = Duration::from_secs(24 * 3600);

/// How a certificate stands, with the last day it is good for, as in `2046-11-24`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// For two weeks at least, or nobody can tell.
    Good,
    /// Its end is near.
    EndsSoon(String),
    /// Its time is over: clients refuse it.
    Over(String),
}

impl OwnCertificate {
    /// How it stands at this moment.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let Some(validity) = self.certified.cert.first().and_then(|certificate| validity::of(certificate)) else {
            return Standing::Good;
        };
        if validity.until <= now {
            Standing::Over(validity.last_day)
        } else if validity.until <= now.plus(SOON) {
            Standing::EndsSoon(validity.last_day)
        } else {
            Standing::Good
        }
    }
}

/// The certificate that is shown now.
#[derive(Debug)]
pub(super) struct Shown(Mutex<Arc<CertifiedKey>>);

impl Shown {
    pub(super) fn new(own: &OwnCertificate) -> Self {
        Self(Mutex::new(own.certified.clone()))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.lock().clone())
    }
}

/// Keeps the certificate of a [`Tls`](super::Tls) as its files are.
#[derive(Debug)]
pub struct Renewal {
    shown: Arc<Shown>,
    files: [PathBuf; 2],
}

/// When each file was changed, and how long it is.
type State = [Option<(SystemTime, u64)>; 2];

impl Renewal {
    pub(super) fn new(shown: Arc<Shown>, certificate: PathBuf, key: PathBuf) -> Self {
        Self { shown, files: [certificate, key] }
    }

    fn state(&self) -> State {
        let of = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        [of(&self.files[0]), of(&self.files[1])]
    }

    /// Looks now and then whether they have changed, and tells in the log when the end is near; for ever.
    pub async fn watch(self, clock: Clock) {
        // Whoever has started it was told at the start.
        let (mut known, mut told) = (self.state(), Some(clock.now()));
        loop {
            clock.sleep(LOOK).await;
            let state = self.state();
            // One is written after the other: both must rest.
            if state != known && state == self.state() && self.renew() {
                (known, told) = (state, None);
            }
            if told.is_none_or(|told| clock.now().saturating_sub(told) >= TELL) {
                told = Some(clock.now());
                let own = OwnCertificate { certified: self.shown.0.lock().clone() };
                match own.standing(clock.wall()) {
                    Standing::Good => {}
                    Standing::EndsSoon(day) => tracing::warn!(day, "the gateway's certificate is good until then only"),
                    Standing::Over(day) => tracing::error!(day, "the time of the gateway's certificate is over"),
                }
            }
        }
    }

    /// False: they do not fit (yet), and the certificate stays as it was.
    fn renew(&self) -> bool {
        match OwnCertificate::from_files(&self.files[0], &self.files[1]) {
            Ok(own) => {
                *self.shown.0.lock() = own.certified;
                tracing::info!("the gateway's certificate was read again, as its files have changed");
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the gateway's new certificate cannot be used, and the one before goes on");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use wechaty_puppet::VirtualClock;

    use super::*;
    use crate::tls::authority::as_pem;

    /// A certificate that is good until the first of a month, and its key.
    fn until(year: i32, month: u8) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["gateway.test".to_owned()]).expect("a name");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, month, 1));
        let certificate = params.self_signed(&key).expect("a certificate");
        (as_pem("CERTIFICATE", certificate.der()), as_pem("PRIVATE KEY", key.serialized_der()))
    }

    fn put(folder: &Path, (certificate, key): &(String, String)) -> [PathBuf; 2] {
        let files = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        fs::write(&files[0], certificate).expect("written");
        fs::write(&files[1], key).expect("written");
        files
    }

    #[test]
    fn who_ends_soon_and_who_has_ended_is_told_with_the_day() {
        // The 20th of May 2033.
        let now = Timestamp::from_millis(2_000_160_000_000);
        let standing = |year, month| {
            let (certificate, key) = until(year, month);
            OwnCertificate::from_pem(&certificate, &key).expect("a certificate").standing(now)
        };
        assert_eq!(standing(2034, 1), Standing::Good);
        assert_eq!(standing(2033, 6), Standing::EndsSoon("2033-06-01".to_owned()));
        assert_eq!(standing(2033, 5), Standing::Over("2033-05-01".to_owned()));
    }

    #[tokio::test]
    async fn new_files_are_shown_and_half_of_them_is_not() {
        let (folder, time) = (tempfile::tempdir().expect("a folder"), VirtualClock::new());
        let files = put(folder.path(), &until(2030, 1));
        let read = || OwnCertificate::from_files(&files[0], &files[1]).expect("a certificate");
        let (first, shown) = (read(), Arc::new(Shown::new(&read())));
        let is = |own: &OwnCertificate| shown.0.lock().cert == own.certified.cert;
        let renewal = Renewal::new(shown.clone(), files[0].clone(), files[1].clone());
        let watching = tokio::spawn(renewal.watch(time.clone().into()));
        let look = async || {
            tokio::task::yield_now().await;
            time.advance(LOOK).await;
            tokio::task::yield_now().await;
        };
        let changed = |second: u64| {
            // Files of tests are written within one tick of some file systems.
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            for path in &files {
                fs::File::options().write(true).open(path).and_then(|file| file.set_modified(at)).expect("dated");
            }
        };
        look().await;
        assert!(is(&first));
        let (new, other) = (until(2031, 1), until(2032, 1));
        put(folder.path(), &(new.0.clone(), other.1));
        changed(1);
        look().await;
        assert!(is(&first), "a key of another certificate");
        put(folder.path(), &new);
        changed(2);
        look().await;
        assert!(is(&read()) && !is(&first));
        watching.abort();
    }
}
