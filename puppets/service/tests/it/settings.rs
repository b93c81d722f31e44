//! What can be set, from code and from the environment.

use wechaty_puppet::{Settings, SettingsError};
use wechaty_puppet_service::{DECLARATION, Options};

const TOKEN: &str = "insecure_5e0a4b1c-0000-4000-8000-000000000000";

fn env(given: &[(&str, &str)]) -> Settings {
    Settings::new().complete(DECLARATION.settings, |name| {
        given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn refused(settings: &Settings) -> String {
    Options::read(settings).unwrap_err().to_string()
}

#[test]
fn every_name_of_the_environment_is_read() {
    for (name, key) in [
        ("WECHATY_PUPPET_SERVICE_TOKEN", "token"),
        ("WECHATY_PUPPET_HOSTIE_TOKEN", "token"),
        ("WECHATY_PUPPET_SERVICE_ENDPOINT", "endpoint"),
        ("WECHATY_PUPPET_HOSTIE_ENDPOINT", "endpoint"),
        ("WECHATY_PUPPET_SERVICE_AUTHORITY", "authority"),
        ("WECHATY_SERVICE_DISCOVERY_ENDPOINT", "authority"),
        ("WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT", "no_tls_insecure_client"),
        ("WECHATY_PUPPET_SERVICE_TLS_CA_CERT", "tls_ca_cert"),
        ("WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME", "tls_server_name"),
    ] {
        assert_eq!(env(&[(name, "x")]).get(key), Some("x"), "{name}");
    }
    let both = env(&[("WECHATY_PUPPET_HOSTIE_TOKEN", "old"), ("WECHATY_PUPPET_SERVICE_TOKEN", "new")]);
    assert_eq!(both.get("token"), Some("new"));
    let code = Settings::new().set("no_tls_insecure_client", "false");
    let code = code.complete(DECLARATION.settings, |_| Some("true".to_owned()));
    assert_eq!(code.get("no_tls_insecure_client"), Some("false"), "an explicit `false` wins");
}

#[test]
fn without_a_token_it_is_named_and_without_a_server_name_what_to_do_is_told() {
    assert!(matches!(Options::read(&env(&[])), Err(SettingsError::Missing { key: "token" })));
    assert!(matches!(Options::read(&Settings::new().set("token", " ")), Err(SettingsError::Missing { .. })));
    for token in ["5e0a4b1c", "_5e0a4b1c"] {
        for plain in ["true", "false"] {
            let settings = Settings::new().set("token", token).set("no_tls_insecure_client", plain);
            let told = refused(&settings);
            assert!(told.contains("WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME") && !told.contains("5e0a"), "{told}");
            Options::read(&settings.set("tls_server_name", "gateway")).unwrap();
        }
    }
}

#[test]
fn wrong_values_are_told_by_their_key_and_no_secret_is() {
    for (key, value) in [
        ("endpoint", "a:b"),
        ("endpoint", ":1"),
        ("endpoint", "a b:1"),
        ("endpoint", "a:0"),
        ("endpoint", "[::1"),
        ("authority", "a/b"),
        ("tls_ca_cert", "/etc/ca.pem"),
        ("tls_ca_cert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        ("tls_server_name", "not a name"),
    ] {
        let told = refused(&Settings::new().set("token", TOKEN).set(key, value));
        assert!(told.contains(&format!("`{key}`")), "{key}={value}: {told}");
    }
    for token in ["insecure_s3cret/x", "insecure_s3cret\n:x", "insecure_s3c ret", "学校_s3cret", "a@b_s3cret"] {
        let told = refused(&Settings::new().set("token", token));
        assert!(told.contains("`token`") && !told.contains("s3c"), "{told}");
    }
    let options = Options::read(&Settings::new().set("token", TOKEN)).unwrap();
    assert!(!format!("{options:?}").contains("5e0a4b1c"), "{options:?}");
}

#[test]
fn endpoints_have_a_port_or_the_usual_one() {
    for (text, shown) in [
        ("gw.invalid", "gw.invalid"),
        ("gw.invalid:99", "99"),
        ("https://gw.invalid:99/", "99"),
        ("[::1]:99", "99"),
        ("[::1]", "8788"),
        ("192.0.2.1", "8788"),
    ] {
        let options = Options::read(&Settings::new().set("token", TOKEN).set("endpoint", text)).unwrap();
        assert!(format!("{options:?}").contains(shown), "{text}: {options:?}");
    }
}
