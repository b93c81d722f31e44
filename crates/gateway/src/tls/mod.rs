//! TLS: what the gateway proves itself with. Between the socket and HTTP/2.
//!
//! Either an [`Authority`] of this host, made once, signs a certificate for each name that clients ask for (SDKs ask for
//! the first part of their token), or there is one certificate of the operator's own ([`OwnCertificate`]). Of clients no
//! certificate is demanded; one that is shown must be good, if [`Client certificates`](ClientAuthority) are checked at all.

mod authority;
mod error;
mod leaves;
mod own;
mod pem;
mod validity;

use std::{collections::HashMap, fmt, net::IpAddr, path::Path, sync::Arc};

use parking_lot::Mutex;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{ResolvesServerCert, WebPkiClientVerifier},
};
use wechaty_puppet::Clock;

pub use authority::Authority;
pub use error::TlsError;
pub use own::{Renewal, Standing};
pub use pem::{ClientAuthority, OwnCertificate, from_env};

use leaves::Leaves;
use own::Shown;

/// What is spoken behind the handshake. HTTP/1 only to say that it is not.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Own addresses that are remembered.
const MOST_ADDRESSES: usize = 64;

/// What a listener needs to speak TLS.
pub struct Tls {
    base: ServerConfig,
    leaves: Option<Arc<Leaves>>,
    /// Who names no server gets a certificate for the address they called.
    by_address: Mutex<HashMap<IpAddr, Arc<ServerConfig>>>,
}

impl Tls {
    /// Certificates of this host's authority, made as they are asked for.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn of_authority(
        authority: Authority,
        clients: Option<ClientAuthority>,
        clock: &Clock,
    ) -> Result<Self, TlsError> {
        let leaves = Arc::new(Leaves::new(authority, clock.clone())?);
        let base = config(clients, leaves.at(None))?;
        Ok(Self { base, leaves: Some(leaves), by_address: Mutex::default() })
    }

    /// The operator's own certificate.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn of_certificate(own: &OwnCertificate, clients: Option<ClientAuthority>) -> Result<Self, TlsError> {
        let base = config(clients, Arc::new(Shown::new(own)))?;
        Ok(Self { base, leaves: None, by_address: Mutex::default() })
    }

    /// The operator's own certificate in files that are read again when they change, as long as somebody
    /// [watches](Renewal::watch) them.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn of_files(
        own: &OwnCertificate,
        certificate: &Path,
        key: &Path,
        clients: Option<ClientAuthority>,
    ) -> Result<(Self, Renewal), TlsError> {
        let shown = Arc::new(Shown::new(own));
        let base = config(clients, shown.clone())?;
        let renewal = Renewal::new(shown, certificate.to_owned(), key.to_owned());
        Ok((Self { base, leaves: None, by_address: Mutex::default() }, renewal))
    }

    /// For a connection that came to this address of ours.
    pub(crate) fn config(&self, local: IpAddr) -> Arc<ServerConfig> {
        let local = local.to_canonical();
        let mut known = self.by_address.lock();
        if let Some(config) = known.get(&local) {
            return config.clone();
        }
        let mut config = self.base.clone();
        if let Some(leaves) = &self.leaves {
            config.cert_resolver = leaves.at(Some(local));
        }
        let config = Arc::new(config);
        if known.len() >= MOST_ADDRESSES {
            known.clear();
        }
        known.insert(local, config.clone());
        config
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("own", &self.leaves.is_none()).finish_non_exhaustive()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config(clients: Option<ClientAuthority>, resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, TlsError> {
    let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(unusable)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            for root in clients.roots {
                roots.add(root).map_err(unusable)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider()).allow_unauthenticated();
            builder.with_client_cert_verifier(verifier.build().map_err(|e| TlsError::Unusable(e.to_string()))?)
        }
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
