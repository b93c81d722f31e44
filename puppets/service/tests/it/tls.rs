//! Whom the client trusts: certificates of both versions, and those that only look like them.

use std::sync::Arc;

use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use wechaty_puppet::{PuppetError, Settings};
use wechaty_puppet_service::{Options, ServicePuppet};
use wechaty_puppet_testkit::FakePlatform;

use crate::{
    gate::{Gate, TOKEN, Tls},
    stage::{Stage, told},
};

fn pem(name: &str) -> String {
    let path = format!("{}/tests/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The server's own checks refuse version 1, so it gets what it shall show in its hand.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn acceptor(certificate: Vec<u8>, key: &str, versions: &[&'static SupportedProtocolVersion]) -> Tls {
    let path = format!("{}/tests/tls/{key}.key", env!("CARGO_MANIFEST_DIR"));
    let key = ring::sign::any_supported_type(&PrivateKeyDer::from_pem_file(path).unwrap()).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from(certificate)], key);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shown(Arc::new(shown))));
    config.alpn_protocols = vec![b"h2".to_vec()];
    Some(Arc::new(config).into())
}

fn der(name: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem(name).as_bytes()).unwrap().to_vec()
}

async fn gate(tls: Tls) -> Gate {
    let platform = FakePlatform::builder().clock(wechaty_puppet::Clock::system()).build();
    Gate::open(Arc::new(platform.puppet()), true, tls).await
}

fn settings(gate: &Gate, ca: &str) -> Settings {
    Settings::new().set("token", TOKEN).set("endpoint", gate.0.address.to_string()).set("tls_ca_cert", ca)
}

/// What comes of a run: nothing, if it logs in.
async fn connects(settings: Settings) -> Option<PuppetError> {
    let puppet = ServicePuppet::new(Options::read(&settings).unwrap());
    let stage = Stage::run(Arc::new(puppet));
    stage.logged_in_or_ended().await
}

async fn shows(
    certificate: &str,
    key: &str,
    ca: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Option<PuppetError> {
    let gate = gate(acceptor(der(certificate), key, versions)).await;
    connects(settings(&gate, ca)).await
}

#[tokio::test]
async fn both_versions_are_taken_when_their_root_is_given() {
    for version in [&TLS12, &TLS13] {
        for name in ["v1", "v1-ec", "v3"] {
            let error = shows(name, name, &pem("good-root"), &[version]).await;
            assert!(error.is_none(), "{name} with {version:?}: {}", told(&error.unwrap()));
        }
    }
    // Line breaks as the environment has them, and more than one root.
    let both = (pem("other-root") + &*pem("good-root")).replace('\n', "\\n");
    assert!(shows("v1", "v1", &both, &[&TLS13]).await.is_none());
}

#[tokio::test]
async fn the_very_certificate_is_enough() {
    assert!(shows("v1", "v1", &pem("v1"), &[&TLS13]).await.is_none());
}

#[tokio::test]
async fn whoever_only_looks_like_it_is_refused() {
    for (name, key, root, words) in [
        ("v1", "v1", "other-root", "UnknownIssuer"),
        ("v1", "v1", "impostor-root", "UnknownIssuer"),
        ("v1-name", "v1-name", "good-root", "NotValidForName"),
        ("v1-old", "v1", "good-root", "Expired"),
        ("v1-by-leaf", "v1", "v3", "UnknownIssuer"),
        // The certificate of one, the key of another.
        ("v1", "v1-name", "good-root", "BadSignature"),
        ("v3", "v3", "other-root", "UnknownIssuer"),
    ] {
        for version in [&TLS12, &TLS13] {
            let error = shows(name, key, &pem(root), &[version]).await;
            let words_of = told(&error.unwrap_or_else(|| panic!("{name} with {root} was trusted")));
            let alike = words_of.to_lowercase().replace([' ', '_'], "");
            assert!(alike.contains(&words.to_lowercase()) || by_other_words(&alike, words), "{name}: {words_of}");
            assert!(words_of.contains("WECHATY_PUPPET_SERVICE_TLS_CA_CERT"), "what to do: {words_of}");
        }
    }
}

/// How rustls words it.
fn by_other_words(told: &str, words: &str) -> bool {
    match words {
        "NotValidForName" => told.contains("notvalidforname") || told.contains("notvalidfor"),
        "BadSignature" => told.contains("badsignature") || told.contains("badencoding"),
        _ => false,
    }
}

#[tokio::test]
async fn a_certificate_with_any_byte_changed_is_not_trusted() {
    let good = der("v1");
    // Every seventh byte, so that each part is met: version, names, dates, key, signature.
    for at in (4..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let gate = gate(acceptor(bad, "v1", &[&TLS13])).await;
        let error = connects(settings(&gate, &pem("good-root"))).await;
        assert!(error.is_some(), "byte {at} of the certificate was changed, and it was trusted");
    }
}

#[tokio::test]
async fn without_its_root_the_gateway_is_not_trusted_and_without_tls_it_is_told() {
    let secure = gate(acceptor(der("v1"), "v1", &[&TLS13])).await;
    let without = Settings::new().set("token", TOKEN).set("endpoint", secure.0.address.to_string());
    let words = told(&connects(without).await.unwrap());
    assert!(words.contains("WECHATY_PUPPET_SERVICE_TLS_CA_CERT"), "{words}");
    let plain = gate(None).await;
    let words = told(&connects(settings(&plain, &pem("good-root"))).await.unwrap());
    assert!(words.contains("WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT"), "{words}");
}

#[tokio::test]
async fn the_token_is_the_authority_and_goes_as_a_header_over_tls_only() {
    let (secure, plain) = (gate(acceptor(der("v1"), "v1", &[&TLS13])).await, gate(None).await);
    assert!(connects(settings(&secure, &pem("good-root"))).await.is_none());
    assert!(connects(plain.settings()).await.is_none());
    for (gate, header) in [(&secure, Some(format!("Wechaty {TOKEN}"))), (&plain, None)] {
        let seen = gate.seen("Event").remove(0);
        assert_eq!(seen.authority.as_deref(), Some(TOKEN));
        assert_eq!(seen.authorization, header);
        assert!(seen.agent.unwrap().starts_with("wechaty-rust/"));
    }
}
