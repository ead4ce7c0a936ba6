//! Which file is read, and when none is needed.
use serde_json::json;

use super::super::Settings;
use super::{ConfigFile, SERVER_SIDE_KEY, messages, owned, with};

#[test]
fn where_the_file_is_looked_for() {
    let file = ConfigFile::of(&with(json!({"server": {"port": 1}})));
    let other = ConfigFile::of(&with(json!({"server": {"port": 2}})));
    let path = file.path().display().to_string();
    let variables = owned(&[("Config_Path", &path)]);
    assert_eq!(
        Settings::load(None, variables.clone())
            .unwrap()
            .settings
            .server
            .port,
        1
    );
    assert_eq!(
        Settings::load(Some(&other.path()), variables)
            .unwrap()
            .settings
            .server
            .port,
        2
    );
}

#[test]
fn variables_alone_are_enough() {
    let file = ConfigFile::of(&json!({}));
    let missing = file.folder.path().join("none.json");
    let pairs = format!(r#"[{{"client_side_key":"c","server_side_key":"{SERVER_SIDE_KEY}"}}]"#);
    let loaded = Settings::load(Some(&missing), owned(&[("ENVIRONMENT_KEY_PAIRS", &pairs)])).unwrap();
    assert_eq!(loaded.settings.environments.len(), 1);
    assert!(messages(&loaded)[0].contains("none.json"), "{:?}", loaded.notices);
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    let bytes = [b"\xef\xbb\xbf".as_slice(), with(json!({})).to_string().as_bytes()].concat();
    assert!(ConfigFile::of_bytes(&bytes).load(&[]).is_ok());
}
