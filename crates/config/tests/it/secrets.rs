//! No secret is in an error, in words or in its debug form.

use crate::support::Folder;

const CANARY: &str = "bad-canary-5f2e";

/// Everything a load can show.
fn shown(text: &str, env: &[(&str, &str)]) -> (bool, String) {
    let folder = Folder::new(text);
    folder.write("secret.txt", format!("{CANARY}\n"));
    folder.write(".env", format!("FROM_FILE='{CANARY}'\n"));
    match folder.load(env) {
        Ok(config) => {
            (true, format!("{config:?} {:?} {:?}", config.builder().map_err(|error| error.to_string()), config.env()))
        }
        Err(problems) => (false, format!("{problems} {problems:?}")),
    }
}

#[test]
fn secrets_are_in_no_error() {
    let account = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\n";
    let cases = [
        // The puppet of the tests repeats it in its complaint.
        format!("{account}app_secret = \"{CANARY}\"\n"),
        format!("{account}app_secret = {{ env = \"CANARY\" }}\n"),
        format!("{account}app_secret = {{ env = \"FROM_FILE\" }}\n"),
        format!("{account}app_secret = {{ file = \"secret.txt\" }}\n"),
        // The wrong form, the wrong place, no TOML.
        format!("{account}app_secret = [\"{CANARY}\"]\n"),
        format!("{account}app_secret = {{ value = \"{CANARY}\" }}\n"),
        format!("{account}app_secert = \"{CANARY}\"\n"),
        format!("{account}app_secret = \"{CANARY}\"\ntoken = 7\nretries = \"many\"\n"),
        format!("{account}app_secret = \"{CANARY}\n"),
        format!("{account}app_secret = {CANARY}\n"),
        format!("{account}app_secret = \"{CANARY}\"\napp_secret = \"{CANARY}\"\n"),
        account.to_owned(),
    ];
    for text in cases {
        let env: &[(&str, &str)] = if text == account { &[("SHOP_SECRET", CANARY)] } else { &[("CANARY", CANARY)] };
        let (fine, shown) = shown(&text, env);
        assert!(!fine, "{text}");
        assert!(!shown.contains("canary"), "{text}\n{shown}");
    }
}

#[test]
fn secrets_are_in_no_debug_form() {
    let text = "version = 1\n[[account]]\nid = \"a\"\npuppet = \"shop\"\napp_id = \"1\"\napp_secret = \"fine-canary\"\n\
                [[plugin]]\nuse = \"welcome\"\nsettings = { friend = { env = \"CANARY\" } }\n";
    let (fine, shown) = shown(text, &[("CANARY", "canary too")]);
    assert!(fine && !shown.contains("canary"), "{shown}");
}
