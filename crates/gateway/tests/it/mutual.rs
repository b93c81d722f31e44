//! Certificates of clients: looked at when they are shown, and not demanded.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::{
    Code,
    transport::{ClientTlsConfig, Identity},
};
use wechaty_grpc::{PuppetClient, pb::DingRequest};

use crate::door::{Gateway, TOKEN, Wish, with_token};

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// An authority, and a client's certificate by it with its key.
fn authority() -> (String, Identity) {
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(["clients.test".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&authority_key).unwrap();
    let client = CertificateParams::new(["bot.test".to_owned()]).unwrap();
    let client = client.signed_by(&key, &Issuer::new(params, authority_key)).unwrap();
    let identity = Identity::from_pem(pem("CERTIFICATE", client.der()), pem("PRIVATE KEY", key.serialized_der()));
    (pem("CERTIFICATE", certificate.der()), identity)
}

async fn ding(gateway: &Gateway, identity: Option<Identity>) -> Result<(), Code> {
    let tls = ClientTlsConfig::new();
    let tls = identity.into_iter().fold(tls, ClientTlsConfig::identity);
    let channel = gateway.connected("insecure", tls).await.map_err(|_| Code::Unavailable)?;
    let answer = PuppetClient::new(channel).ding(with_token(DingRequest::default(), TOKEN)).await;
    answer.map(|_| ()).map_err(|status| status.code())
}

#[tokio::test]
async fn a_certificate_of_a_client_must_be_good_but_need_not_be_there() {
    let ((clients, good), (_, bad)) = (authority(), authority());
    let gateway = Gateway::open(Wish { tls: true, clients: Some(clients), ..Wish::default() }).await;
    assert_eq!(ding(&gateway, None).await, Ok(()));
    assert_eq!(ding(&gateway, Some(good)).await, Ok(()));
    assert!(ding(&gateway, Some(bad)).await.is_err());
}
