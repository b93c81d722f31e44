//! TRUST: whether a certificate is the gateway's. Nothing here can be switched off.
//!
//! Certificates of version 3 go through webpki as everywhere. The reference gateway has one of version 1, without
//! alternative names, which webpki refuses: such a one must be signed by a given root (or be a given one), be valid today,
//! and have the wanted name as its common name; the handshake must be signed with its key.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
};

use crate::der::Certificate;

/// How to connect; `roots`: those that are trusted and no others. `None`: those of the platform.
pub(crate) fn config(roots: Option<Vec<CertificateDer<'static>>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        Some(roots) => Arc::new(Verifier::new(roots, provider.clone())?),
        None => Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    roots: Vec<CertificateDer<'static>>,
    webpki: Arc<WebPkiServerVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone())?;
        }
        let algorithms = provider.signature_verification_algorithms;
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { roots, webpki, algorithms })
    }

    /// A certificate of version 1.
    fn verify_first_version(
        &self,
        der: &CertificateDer<'_>,
        leaf: &Certificate<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        valid(leaf, now)?;
        if !self.roots.iter().any(|root| root == der) {
            let signed = self.roots.iter().filter_map(|root| Certificate::read(root)).any(|root| {
                let may_sign = root.version == 1 || root.is_authority == Some(true);
                may_sign && root.subject == leaf.issuer && valid(&root, now).is_ok() && self.signed_by(leaf, &root)
            });
            if !signed {
                return Err(CertificateError::UnknownIssuer);
            }
        }
        let ServerName::DnsName(wanted) = name else { return Err(CertificateError::NotValidForName) };
        match leaf.common_name() {
            Some(common) if common.eq_ignore_ascii_case(wanted.as_ref()) => Ok(()),
            _ => Err(CertificateError::NotValidForName),
        }
    }

    fn signed_by(&self, leaf: &Certificate<'_>, root: &Certificate<'_>) -> bool {
        let fits = self.algorithms.all.iter().filter(|algorithm| {
            algorithm.signature_alg_id().as_ref() == leaf.algorithm
                && algorithm.public_key_alg_id().as_ref() == root.key_algorithm
        });
        let mut fits = fits.map(|algorithm| algorithm.verify_signature(root.key, leaf.signed, leaf.signature));
        fits.any(|verified| verified.is_ok())
    }
}

fn valid(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), CertificateError> {
    match now.as_secs() {
        now if now < certificate.not_before => Err(CertificateError::NotValidYet),
        now if now > certificate.not_after => Err(CertificateError::Expired),
        _ => Ok(()),
    }
}

/// The certificate, if it is one of version 1.
fn first_version<'a>(der: &'a CertificateDer<'_>) -> Option<Certificate<'a>> {
    Certificate::read(der).filter(|certificate| certificate.version == 1)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match first_version(end_entity) {
            Some(leaf) => {
                self.verify_first_version(end_entity, &leaf, server_name, now)?;
                Ok(ServerCertVerified::assertion())
            }
            None => self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(leaf) = first_version(cert) else {
            return self.webpki.verify_tls12_signature(message, cert, dss);
        };
        let known = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        let mut fits = known
            .flat_map(|(_, algorithms)| *algorithms)
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == leaf.key_algorithm);
        if fits.any(|algorithm| algorithm.verify_signature(leaf.key, message, dss.signature()).is_ok()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(leaf) = first_version(cert) else {
            return self.webpki.verify_tls13_signature(message, cert, dss);
        };
        let key = SubjectPublicKeyInfoDer::from(leaf.key_info);
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
