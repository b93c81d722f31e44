//! Certificates for the names that clients ask for, signed as they ask. One key for all: a name costs a signature only.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use quick_cache::sync::Cache;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType};
use rustls::{
    pki_types::PrivatePkcs8KeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, SigningKey},
};
use wechaty_puppet::{Clock, Timestamp};

use super::{Authority, TlsError, authority::set_span, provider};

/// Names that are remembered. Who asks for others all the time pays with a handshake for each signature.
const MOST_NAMES: usize = 256;
/// The longest name of a host.
const LONGEST_NAME: usize = 253;
/// How long a certificate is good.
const LIFE: Duration = Duration::from_secs(397 * 24 * 3600);
/// How long before that end a new one is made.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 3600);

/// The certificates of a listener.
pub(super) struct Leaves {
    authority: Authority,
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    known: Cache<Box<str>, Leaf>,
    clock: Clock,
}

#[derive(Clone)]
struct Leaf {
    certified: Arc<CertifiedKey>,
    renewed: Timestamp,
}

impl Leaves {
    pub(super) fn new(authority: Authority, clock: Clock) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(|error| TlsError::Unusable(error.to_string()))?;
        let der = PrivatePkcs8KeyDer::from(key.serialized_der().to_vec());
        let signing = provider().key_provider.load_private_key(der.into());
        let signing = signing.map_err(|error| TlsError::Unusable(error.to_string()))?;
        Ok(Self { authority, key, signing, known: Cache::new(MOST_NAMES), clock })
    }

    /// What answers connections to this address.
    pub(super) fn at(self: &Arc<Self>, local: Option<IpAddr>) -> Arc<dyn ResolvesServerCert> {
        Arc::new(At { leaves: self.clone(), local })
    }

    /// For a name, or for who asked for none at this address.
    fn leaf(&self, name: Option<&str>, local: Option<IpAddr>) -> Result<Arc<CertifiedKey>, TlsError> {
        let now = self.clock.wall();
        let asked = match name {
            Some(name) => name.to_ascii_lowercase(),
            // No name of a host has a colon.
            None => format!(":{}", local.map(|ip| ip.to_string()).unwrap_or_default()),
        };
        if let Some(leaf) = self.known.get(asked.as_str()).filter(|leaf| now < leaf.renewed) {
            return Ok(leaf.certified);
        }
        let names = if name.is_some() { vec![asked.clone()] } else { nameless(local) };
        let mut params = leaf_params(names)?;
        let life = LIFE.min(self.authority.until().since(now));
        set_span(&mut params, now, life);
        let signed = params.signed_by(&self.key, self.authority.issuer());
        let signed = signed.map_err(|error| TlsError::Unusable(error.to_string()))?;
        // Without the authority's: who trusts it has it.
        let certified = Arc::new(CertifiedKey::new(vec![signed.into()], self.signing.clone()));
        let renewed = now.plus(life.saturating_sub(RENEWAL));
        self.known.insert(asked.into(), Leaf { certified: certified.clone(), renewed });
        Ok(certified)
    }
}

/// What somebody may have called who sends no name: an address, or the names that self-made clients check for.
fn nameless(local: Option<IpAddr>) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "insecure", "127.0.0.1", "::1"].map(str::to_owned).into();
    names.extend(local.map(|ip| ip.to_string()).filter(|ip| !names.contains(ip)));
    names
}

fn leaf_params(names: Vec<String>) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names).map_err(|error| TlsError::Unusable(error.to_string()))?;
    let common = params.subject_alt_names.iter().find_map(|name| match name {
        // The longest common name.
        SanType::DnsName(name) if name.as_str().len() <= 64 => Some(name.as_str().to_owned()),
        _ => None,
    });
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, common.unwrap_or_else(|| "wechaty gateway".into()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// See [`Leaves::at`].
struct At {
    leaves: Arc<Leaves>,
    local: Option<IpAddr>,
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At").field("local", &self.local).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for At {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().filter(|name| name.len() <= LONGEST_NAME);
        let leaf = self.leaves.leaf(name, self.local);
        leaf.inspect_err(|error| tracing::warn!(%error, "no certificate could be made for a client")).ok()
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    };
    use wechaty_puppet::VirtualClock;

    use super::*;
    use crate::tls::validity;

    struct Fixture {
        _folder: tempfile::TempDir,
        leaves: Leaves,
        clock: VirtualClock,
        root: CertificateDer<'static>,
    }

    fn fixture() -> Fixture {
        let (folder, clock) = (tempfile::tempdir().unwrap(), VirtualClock::new());
        let authority = Authority::open(folder.path(), &Clock::from(clock.clone())).unwrap();
        let root = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap();
        let leaves = Leaves::new(authority, Clock::from(clock.clone())).unwrap();
        Fixture { _folder: folder, leaves, clock, root }
    }

    impl Fixture {
        /// Whether a client that knows the authority takes it for this name.
        fn good_for(&self, leaf: &CertifiedKey, name: &str) -> bool {
            let mut roots = RootCertStore::empty();
            roots.add(self.root.clone()).unwrap();
            let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().unwrap();
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let millis = u64::try_from(self.clock.wall().as_millis()).unwrap();
            let now = UnixTime::since_unix_epoch(Duration::from_millis(millis));
            verifier.verify_server_cert(&leaf.cert[0], &leaf.cert[1..], &name, &[], now).is_ok()
        }
    }

    #[test]
    fn each_name_gets_its_certificate_also_with_an_underscore() {
        let all = fixture();
        let long = format!("{0}.{0}.{0}", "a".repeat(63));
        for name in ["insecure", "puppet_padlocal", "Wechaty.Example.COM", &long] {
            let leaf = all.leaves.leaf(Some(name), None).unwrap();
            assert!(all.good_for(&leaf, name), "{name}");
            assert!(!all.good_for(&leaf, "other.test"), "{name}");
            assert!(Arc::ptr_eq(&leaf, &all.leaves.leaf(Some(name), None).unwrap()), "{name} is signed once");
        }
        assert!(all.leaves.leaf(Some("学校"), None).is_err());
    }

    #[test]
    fn who_names_nobody_gets_the_address_it_called() {
        let all = fixture();
        let leaf = all.leaves.leaf(None, Some("192.0.2.7".parse().unwrap())).unwrap();
        for name in ["192.0.2.7", "127.0.0.1", "::1", "localhost", "insecure"] {
            assert!(all.good_for(&leaf, name), "{name}");
        }
        assert!(!all.good_for(&all.leaves.leaf(None, None).unwrap(), "192.0.2.7"));
    }

    #[test]
    fn names_without_end_are_forgotten_again() {
        let all = fixture();
        for number in 0..MOST_NAMES * 2 {
            all.leaves.leaf(Some(&format!("host-{number}")), None).unwrap();
        }
        assert!(all.leaves.known.len() <= MOST_NAMES, "{}", all.leaves.known.len());
    }

    #[test]
    fn a_certificate_is_made_anew_before_its_time_is_over_and_never_outlives_the_authority() {
        let mut all = fixture();
        let first = all.leaves.leaf(Some("insecure"), None).unwrap();
        all.leaves.clock = VirtualClock::starting_at(all.clock.wall().plus(LIFE - RENEWAL)).into();
        let second = all.leaves.leaf(Some("insecure"), None).unwrap();
        assert_ne!(first.cert[0], second.cert[0]);
        let end = all.leaves.authority.until();
        all.leaves.clock = VirtualClock::starting_at(Timestamp::from_millis(end.as_millis() - 1000)).into();
        let last = all.leaves.leaf(Some("insecure"), None).unwrap();
        assert!(validity::of(&last.cert[0]).unwrap().until <= end);
    }
}
