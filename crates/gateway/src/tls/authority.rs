//! The certificate authority of this host: made once, kept in a folder, and signing for as long as clients trust it.
//!
//! `ca-key.pem` (mode 0600) holds key and certificate and is all there is to keep; `ca.pem` is the certificate alone, for
//! clients, and is written again when it is gone. Processes that start at once wait for each other at the file `lock`.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData as _, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use wechaty_puppet::{Clock, Timestamp};

use super::{TlsError, pem, provider, validity};

const KEY_FILE: &str = "ca-key.pem";
const CERTIFICATE_FILE: &str = "ca.pem";
const LOCK_FILE: &str = "lock";
/// How long an authority is good: clients hold its certificate, so it is made for longer than a machine lives.
const LIFE: Duration = Duration::from_secs(20 * 366 * 24 * 3600);
/// Before now: the clock of a client may be behind.
const SLACK: Duration = Duration::from_secs(24 * 3600);
/// The last second that a certificate can name.
const END_OF_TIME: u64 = 253_402_300_799;

/// A certificate authority. See the head of this module for its files.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    validity: validity::Validity,
}

impl Authority {
    /// The one in this folder, made there if the folder holds none yet. Reads and writes files, and waits for another
    /// process that does so.
    ///
    /// # Errors
    /// [`TlsError`]: also where a file is damaged or gone, or its time is over. Nothing is made anew then: clients trust
    /// the one that was there.
    pub fn open(folder: impl Into<PathBuf>, clock: &Clock) -> Result<Self, TlsError> {
        let (folder, now) = (folder.into(), clock.wall());
        make_folder(&folder).map_err(failed("making", &folder))?;
        let _alone = lock(&folder.join(LOCK_FILE))?;
        let (key_file, certificate_file) = (folder.join(KEY_FILE), folder.join(CERTIFICATE_FILE));
        let damaged = |why: &str| TlsError::Damaged { folder: folder.clone(), why: why.to_owned() };
        match (exists(&key_file)?, exists(&certificate_file)?) {
            (true, _) => keep_secret(&key_file).map_err(failed("protecting", &key_file))?,
            (false, true) => return Err(damaged("ca.pem is there, but ca-key.pem is not")),
            (false, false) => write(&key_file, &made(now)?, 0o600).map_err(failed("writing", &key_file))?,
        }
        let authority = Self::read(folder.clone(), &pem::text(&key_file)?, now)?;
        let certificate = authority.certificate_pem();
        if fs::read(&certificate_file).is_ok_and(|there| there == certificate.as_bytes()) {
            return Ok(authority);
        }
        write(&certificate_file, &certificate, 0o644).map_err(failed("writing", &certificate_file))?;
        Ok(authority)
    }

    fn read(folder: PathBuf, text: &str, now: Timestamp) -> Result<Self, TlsError> {
        let damaged = |why: String| TlsError::Damaged { folder: folder.clone(), why };
        let in_file = |error| damaged(format!("in ca-key.pem, {}", pem::told(&error)));
        let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(in_file)?;
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(in_file)?;
        // What the error says could hold of the key.
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256);
        let key = key.map_err(|_| damaged("the key in ca-key.pem is not one of ours".into()))?;
        let validity =
            validity::of(&certificate).ok_or_else(|| damaged("the certificate in ca-key.pem is none".into()))?;
        if now >= validity.until {
            return Err(TlsError::Expired { folder, until: validity.last_day });
        }
        let issuer = Issuer::new(params(&key), key);
        let authority = Self { folder: folder.clone(), issuer, certificate, validity };
        match authority.proven(now) {
            Ok(()) => Ok(authority),
            Err(why) => Err(damaged(format!("what it signs is not good ({why})"))),
        }
    }

    /// Signs something, and looks at it as a client would.
    fn proven(&self, now: Timestamp) -> Result<(), String> {
        let text = |error: &dyn fmt::Display| error.to_string();
        let key = KeyPair::generate().map_err(|error| text(&error))?;
        let mut params = CertificateParams::new(["proof.test".to_owned()]).map_err(|error| text(&error))?;
        set_span(&mut params, now, SLACK);
        let leaf = params.signed_by(&key, &self.issuer).map_err(|error| text(&error))?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(|error| text(&error))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build();
        let name = ServerName::try_from("proof.test").map_err(|error| text(&error))?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds(now)));
        let verifier = verifier.map_err(|error| text(&error))?;
        verifier.verify_server_cert(leaf.der(), &[], &name, &[], now).map(|_| ()).map_err(|error| text(&error))
    }

    /// The certificate for clients, as a file.
    pub fn certificate_path(&self) -> PathBuf {
        self.folder.join(CERTIFICATE_FILE)
    }

    /// The certificate for clients, as PEM.
    pub fn certificate_pem(&self) -> String {
        as_pem("CERTIFICATE", &self.certificate)
    }

    /// Until when it is good.
    pub fn until(&self) -> Timestamp {
        self.validity.until
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("folder", &self.folder).field("until", &self.validity.last_day).finish()
    }
}

/// Key and certificate of a new authority.
fn made(now: Timestamp) -> Result<String, TlsError> {
    let unusable = |error: rcgen::Error| TlsError::Unusable(error.to_string());
    let key = KeyPair::generate().map_err(unusable)?;
    let mut params = params(&key);
    set_span(&mut params, now, LIFE);
    let certificate = params.self_signed(&key).map_err(unusable)?;
    Ok(as_pem("PRIVATE KEY", key.serialized_der()) + &*as_pem("CERTIFICATE", certificate.der()))
}

/// All of it follows from the key, so that who signs needs to read no certificate. The subject is this authority's alone:
/// under a subject of many, clients take one for the other, or say "self-signed".
fn params(key: &KeyPair) -> CertificateParams {
    let name = digest(&SHA256, key.der_bytes());
    let name: String = name.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Wechaty gateway");
    params.distinguished_name.push(DnType::CommonName, format!("Wechaty gateway authority {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// From a day before now until so long after it.
pub(super) fn set_span(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let start = date_time_ymd(1970, 1, 1);
    let at = |seconds: u64| start + Duration::from_secs(seconds.min(END_OF_TIME));
    params.not_before = at(seconds(now).saturating_sub(SLACK.as_secs()));
    params.not_after = at(seconds(now).saturating_add(life.as_secs()));
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis() / 1000).unwrap_or(0)
}

pub(super) fn as_pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    // Base64 is ASCII: each piece of it is text.
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::Io { what, path, source }
}

fn exists(path: &Path) -> Result<bool, TlsError> {
    path.try_exists().map_err(failed("looking for", path))
}

/// Nobody else is in the folder as long as this lives, where the file system knows locks.
fn lock(path: &Path) -> Result<File, TlsError> {
    let file = options(0o600).create(true).truncate(false).open(path).map_err(failed("opening", path))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(failed("locking", path)(error)),
        _ => Ok(file),
    }
}

/// All of it, or what was there before.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let half = path.with_extension(format!("pem.{}", std::process::id()));
    let mut file = options(mode).create(true).truncate(true).open(&half)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    // The name, too. Not every system can.
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

    use super::*;

    pub(super) fn options(mode: u32) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).mode(mode);
        options
    }

    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// What came from a copy may be open to others.
    pub(super) fn keep_secret(path: &Path) -> io::Result<()> {
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        tracing::warn!(path = %path.display(), "others could read the key of the certificate authority; now they cannot");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    }
}

#[cfg(not(unix))]
mod modes {
    use super::*;

    pub(super) fn options(_: u32) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true);
        options
    }

    pub(super) fn make_folder(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(path)
    }

    pub(super) fn keep_secret(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

use modes::{keep_secret, make_folder, options};

#[cfg(test)]
mod tests {
    use std::thread;

    use wechaty_puppet::VirtualClock;

    use super::*;

    fn clock() -> Clock {
        Clock::from(VirtualClock::new())
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("home").join("authority");
        (root, folder)
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn an_authority_is_made_once_and_found_again() {
        let (_root, folder) = folder();
        let made = Authority::open(&folder, &clock()).unwrap();
        let found = Authority::open(&folder, &clock()).unwrap();
        assert_eq!(made.certificate_pem(), found.certificate_pem());
        assert_eq!(fs::read_to_string(made.certificate_path()).unwrap(), made.certificate_pem());
        let name = rcgen::CertificateParams::default().distinguished_name;
        assert_ne!(params(made.issuer().key()).distinguished_name, name, "no subject of everybody's");
        assert!(!format!("{made:?}").contains("key"));
        #[cfg(unix)]
        assert_eq!(
            (mode(&folder), mode(&folder.join(KEY_FILE)), mode(&folder.join(CERTIFICATE_FILE))),
            (0o700, 0o600, 0o644)
        );
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn who_starts_at_once_agrees_on_one() {
        let (_root, folder) = folder();
        let all: Vec<String> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Authority::open(&folder, &clock()).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap().certificate_pem()).collect()
        });
        assert!(all.iter().all(|one| *one == all[0]));
        assert_eq!(fs::read_to_string(folder.join(CERTIFICATE_FILE)).unwrap(), all[0]);
    }

    #[test]
    fn the_certificate_for_clients_is_written_again_but_a_lost_key_is_told() {
        let (_root, folder) = folder();
        let made = Authority::open(&folder, &clock()).unwrap().certificate_pem();
        fs::write(folder.join(CERTIFICATE_FILE), "old").unwrap();
        assert_eq!(Authority::open(&folder, &clock()).unwrap().certificate_pem(), made);
        assert_eq!(fs::read_to_string(folder.join(CERTIFICATE_FILE)).unwrap(), made);
        fs::remove_file(folder.join(KEY_FILE)).unwrap();
        let error = Authority::open(&folder, &clock()).unwrap_err();
        assert!(
            matches!(error, TlsError::Damaged { .. }) && error.to_string().contains("delete the folder"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_closed_to_them() {
        let (_root, folder) = folder();
        Authority::open(&folder, &clock()).unwrap();
        let key = folder.join(KEY_FILE);
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        Authority::open(&folder, &clock()).unwrap();
        assert_eq!(mode(&key), 0o600);
    }

    #[test]
    fn a_damaged_one_is_told_and_left_as_it_is() {
        let (_root, folder) = folder();
        Authority::open(&folder, &clock()).unwrap();
        let (_other_root, other) = self::folder();
        Authority::open(&other, &clock()).unwrap();
        let (good, other) = [&folder, &other].map(|folder| fs::read_to_string(folder.join(KEY_FILE)).unwrap()).into();
        let at = good.find("-----BEGIN CERTIFICATE").unwrap();
        let secret = good.lines().nth(1).unwrap();
        let mixed = good[..at].to_owned() + &other[other.find("-----BEGIN CERTIFICATE").unwrap()..];
        for bad in ["", &good[..at], &good[at..], &good[..good.len() / 2], &mixed, &good.replace("MI", "MJ")] {
            fs::write(folder.join(KEY_FILE), bad).unwrap();
            let error = Authority::open(&folder, &clock()).unwrap_err();
            assert!(matches!(error, TlsError::Damaged { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
            assert_eq!(fs::read_to_string(folder.join(KEY_FILE)).unwrap(), bad);
        }
    }

    #[test]
    fn one_whose_time_is_over_says_since_when_and_what_to_do() {
        let (_root, folder) = folder();
        let made = Authority::open(&folder, &clock()).unwrap();
        let later = Clock::from(VirtualClock::starting_at(made.until()));
        let error = Authority::open(&folder, &later).unwrap_err();
        assert!(error.to_string().contains("until 2040-09-2") && error.to_string().contains("delete"), "{error}");
    }
}
