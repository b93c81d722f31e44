//! Certificates and keys that somebody gives us: as PEM, in files and variables.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::{TlsError, provider, validity};

/// The largest file or variable.
const LARGEST: u64 = 1 << 20;

const SERVER_CERT: &str = "WECHATY_PUPPET_SERVICE_TLS_SERVER_CERT";
const SERVER_KEY: &str = "WECHATY_PUPPET_SERVICE_TLS_SERVER_KEY";
const CA_CERT: &str = "WECHATY_PUPPET_SERVICE_TLS_CA_CERT";

/// A certificate of the operator's own, with its chain and its key.
///
/// Also one of version 1 that has a common name only, as Wechaty's first gateways have: their clients take it.
#[derive(Debug)]
pub struct OwnCertificate {
    pub(super) certified: Arc<CertifiedKey>,
}

impl OwnCertificate {
    /// From two PEM files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (certificate_name, key_name) = (certificate.display().to_string(), key.display().to_string());
        Self::read(&(text(certificate)?, certificate_name), &(text(key)?, key_name))
    }

    /// From the texts of two PEM files, in which `\n` may stand for a new line.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        Self::read(&(lines(certificate), "the certificate".into()), &(lines(key), "its key".into()))
    }

    fn read((certificate, what): &(String, String), (key, key_name): &(String, String)) -> Result<Self, TlsError> {
        let chain = certificates(certificate, what)?;
        if chain.iter().any(|certificate| validity::of(certificate).is_none()) {
            return Err(TlsError::Pem { what: what.clone(), why: "what it holds is no certificate".into() });
        }
        let bad_key = |why: String| TlsError::Pem { what: key_name.clone(), why };
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| bad_key(told(&error)))?;
        // What rustls says of a key names its form, and nothing of it.
        let key = provider().key_provider.load_private_key(key).map_err(|error| bad_key(error.to_string()))?;
        // rustls compares itself, but cannot read what is not of version 3.
        let spki = key.public_key();
        if spki.is_some_and(|spki| !chain[0].windows(spki.len()).any(|part| part == spki.as_ref())) {
            return Err(TlsError::Mismatch { certificate: what.clone(), key: key_name.clone() });
        }
        Ok(Self { certified: Arc::new(CertifiedKey::new(chain, key)) })
    }
}

/// Who signs the certificates of clients.
#[derive(Clone, Debug)]
pub struct ClientAuthority {
    pub(super) roots: Vec<CertificateDer<'static>>,
}

impl ClientAuthority {
    /// From the text of a PEM file, in which `\n` may stand for a new line.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_pem(text: &str) -> Result<Self, TlsError> {
        Ok(Self { roots: certificates(&lines(text), "the authority of clients")? })
    }
}

/// What the variables of Wechaty say: the server's own certificate, and who signs those of clients.
///
/// # Errors
/// [`TlsError`].
pub fn from_env(
    env: impl Fn(&str) -> Option<String>,
) -> Result<(Option<OwnCertificate>, Option<ClientAuthority>), TlsError> {
    let get = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let named = |text: &str, name: &str| (lines(text), name.to_owned());
    let own = match (get(SERVER_CERT), get(SERVER_KEY)) {
        (None, None) => None,
        (Some(_), None) => return Err(TlsError::Half { given: SERVER_CERT, missing: SERVER_KEY }),
        (None, Some(_)) => return Err(TlsError::Half { given: SERVER_KEY, missing: SERVER_CERT }),
        (Some(cert), Some(key)) => Some(OwnCertificate::read(&named(&cert, SERVER_CERT), &named(&key, SERVER_KEY))?),
    };
    let clients =
        get(CA_CERT).map(|text| Ok::<_, TlsError>(ClientAuthority { roots: certificates(&lines(&text), CA_CERT)? }));
    Ok((own, clients.transpose()?))
}

/// A variable holds lines more easily than a new line.
fn lines(text: &str) -> String {
    text.replace("\\r", "").replace("\\n", "\n")
}

fn certificates(text: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |why: String| TlsError::Pem { what: what.to_owned(), why };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|error| bad(told(&error)))?;
    if found.is_empty() { Err(bad("it holds no certificate in PEM".into())) } else { Ok(found) }
}

/// Why something is no PEM, without anything of what it is: it may be a key.
pub(super) fn told(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::NoItemsFound => "it holds nothing of that kind in PEM",
        Error::MissingSectionEnd { .. } => "a section has no end",
        Error::IllegalSectionStart { .. } => "a section begins in a form that is none",
        Error::Base64Decode(_) => "what stands in it is not base64",
        _ => "it cannot be read as PEM",
    }
    .to_owned()
}

pub(super) fn text(path: &Path) -> Result<String, TlsError> {
    let failed = |source| TlsError::Io { what: "reading", path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::tls::authority::as_pem;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["example.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        (as_pem("CERTIFICATE", certificate.der()), as_pem("PRIVATE KEY", key.serialized_der()))
    }

    fn escaped(text: &str) -> String {
        text.replace('\n', "\\n")
    }

    #[test]
    fn variables_hold_certificates_with_escaped_lines() {
        let (certificate, key) = pair();
        let (own, clients) = from_env(|name| match name {
            SERVER_CERT | CA_CERT => Some(escaped(&certificate)),
            SERVER_KEY => Some(escaped(&key)),
            _ => None,
        })
        .unwrap();
        assert_eq!((own.unwrap().certified.cert.len(), clients.unwrap().roots.len()), (1, 1));
        let (own, clients) = from_env(|_| Some(String::new())).unwrap();
        assert!(own.is_none() && clients.is_none());
    }

    #[test]
    fn a_certificate_without_its_key_says_which_is_missing() {
        let (certificate, key) = pair();
        let half = from_env(|name| (name == SERVER_CERT).then(|| certificate.clone())).unwrap_err();
        assert!(matches!(half, TlsError::Half { missing: SERVER_KEY, .. }));
        let half = from_env(|name| (name == SERVER_KEY).then(|| key.clone())).unwrap_err();
        assert!(matches!(half, TlsError::Half { missing: SERVER_CERT, .. }));
        let other = pair().1;
        assert!(matches!(OwnCertificate::from_pem(&certificate, &other), Err(TlsError::Mismatch { .. })));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_key() {
        let (certificate, key) = pair();
        let broken = key.replace("\n-----END", "!\n-----END");
        let secret = key.lines().nth(1).unwrap();
        for (certificate, key) in [
            (&certificate, &broken),
            (&certificate, &certificate),
            (&certificate, &String::new()),
            (&key, &key),
            (&broken, &key),
            (&certificate.replace("MII", "MIA"), &key),
            (&as_pem("CERTIFICATE", &[0x30, 1, 0]), &key),
            (&certificate, &as_pem("PRIVATE KEY", &[0x30, 1, 0])),
        ] {
            let error = OwnCertificate::from_pem(certificate, key).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(matches!(error, TlsError::Pem { .. }), "{shown}");
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(matches!(ClientAuthority::from_pem("no"), Err(TlsError::Pem { .. })));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let missing = Path::new("no-such-file.pem");
        let error = OwnCertificate::from_files(missing, missing).unwrap_err();
        assert_eq!(error.to_string(), "reading no-such-file.pem failed");
    }
}
