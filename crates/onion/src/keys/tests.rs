//! Keys on their way between files and services.

use super::*;
use std::os::unix::fs::PermissionsExt;

const NICK: &str = "shop";

/// [`super::import`] of a file's content, for a shop that has had no address yet.
fn import(state: &Path, nickname: &str, file: &Path) -> Result<String, OnionError> {
    super::import(state, nickname, file, &fs::read(file).unwrap(), None)
}

fn c_tor_key(dir: &Path, seed: u8) -> PathBuf {
    let mut content = C_TOR_HEADER.to_vec();
    content.extend([seed; 64]);
    // Clamped, as C-tor writes the first half.
    content[32] &= 248;
    content[63] = (content[63] & 63) | 64;
    let path = dir.join(format!("key{seed}"));
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_c_tor_key_keeps_its_address_through_both_formats() {
    let files = tempfile::tempdir().unwrap();
    let (one, two, three) = (files.path().join("one"), files.path().join("two"), files.path().join("three"));
    let address = import(&one, NICK, &c_tor_key(files.path(), 7)).unwrap();
    assert_eq!(address.len(), 62, "{address}");
    assert_eq!(super::address(&one, NICK).unwrap(), address);

    let (c_tor, arti) = (files.path().join("hs_ed25519_secret_key"), files.path().join("shop.key"));
    export(&one, NICK, &c_tor, KeyFormat::CTor).unwrap();
    export(&one, NICK, &arti, KeyFormat::Arti).unwrap();
    assert_eq!(import(&two, NICK, &c_tor).unwrap(), address);
    assert_eq!(import(&three, "other-name", &arti).unwrap(), address);
    for file in [&c_tor, &arti, &key_path(&three, "other-name")] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert!(!three.join(SCRATCH).exists());
}

#[test]
fn importing_never_loses_another_address() {
    let files = tempfile::tempdir().unwrap();
    let state = files.path().join("state");
    let first = import(&state, NICK, &c_tor_key(files.path(), 7)).unwrap();
    assert_eq!(import(&state, NICK, &c_tor_key(files.path(), 7)).unwrap(), first, "the same key again is fine");
    let other = c_tor_key(files.path(), 9);
    assert!(matches!(import(&state, NICK, &other), Err(OnionError::OtherKey { address }) if address == first));
    assert_eq!(reset(&state, NICK).unwrap().as_ref(), Some(&first));
    assert_ne!(import(&state, NICK, &other).unwrap(), first);
}

#[test]
fn a_service_without_a_key_says_how_to_get_one() {
    let files = tempfile::tempdir().unwrap();
    let empty = files.path().join("empty");
    state::make_directory(&empty).unwrap();
    for state in [files.path().join("missing"), empty] {
        let error = address(&state, NICK).unwrap_err();
        assert!(matches!(error, OnionError::NoKey { .. }), "{error}");
        assert!(error.to_string().contains("start the shop once"), "{error}");
    }
}

#[test]
fn files_that_are_no_keys_are_refused_with_the_reason() {
    let files = tempfile::tempdir().unwrap();
    let state = files.path().join("state");
    for (content, reason) in [
        (b"hello".as_slice(), "expected Tor's hs_ed25519_secret_key"),
        (C_TOR_HEADER.as_slice(), "it has 32 bytes instead of 96"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "is not a key"),
    ] {
        let file = files.path().join("file");
        fs::write(&file, content).unwrap();
        let error = import(&state, NICK, &file).unwrap_err();
        assert!(matches!(error, OnionError::NotAKey { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(!state.join(SCRATCH).exists());
}

#[test]
fn a_key_that_lost_its_content_is_refused_with_the_advice_to_copy_it_again() {
    let files = tempfile::tempdir().unwrap();
    let state = files.path().join("state");
    let good = fs::read(c_tor_key(files.path(), 7)).unwrap();
    // The order of the group, in little endian: zero as well.
    let order = b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
    let damaged = |from: usize, to: usize, new: &[u8]| [&good[..from], new, &good[to..]].concat();
    for content in [damaged(32, 96, &[0; 64]), damaged(32, 64, order), damaged(64, 96, &[0; 32])] {
        let file = files.path().join("damaged");
        fs::write(&file, content).unwrap();
        let error = import(&state, NICK, &file).unwrap_err();
        assert!(matches!(error, OnionError::NotAKey { .. }), "{error}");
        assert!(error.to_string().contains("copy it again"), "{error}");
    }
    assert!(matches!(address(&state, NICK), Err(OnionError::NoKey { .. })), "nothing was imported");
}

#[test]
fn a_damaged_key_is_named_with_the_way_out_which_works() {
    let files = tempfile::tempdir().unwrap();
    let (state, backup) = (files.path().join("state"), files.path().join("backup"));
    let first = import(&state, NICK, &c_tor_key(files.path(), 7)).unwrap();
    export(&state, NICK, &backup, KeyFormat::Arti).unwrap();
    let key = key_path(&state, NICK);
    fs::write(&key, &fs::read(&key).unwrap()[..60]).unwrap();
    for error in [address(&state, NICK).unwrap_err(), import(&state, NICK, &backup).unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains(&key.display().to_string()) && text.contains("onion reset"), "{text}");
    }
    assert_eq!(reset(&state, NICK).unwrap(), None, "nobody can say what it was");
    assert_eq!(import(&state, NICK, &backup).unwrap(), first);
}

#[test]
fn an_import_blames_the_state_directory_for_its_own_trouble() {
    let files = tempfile::tempdir().unwrap();
    let (state, backup) = (files.path().join("state"), files.path().join("backup"));
    import(&files.path().join("other"), NICK, &c_tor_key(files.path(), 7)).unwrap();
    export(&files.path().join("other"), NICK, &backup, KeyFormat::Arti).unwrap();
    state::prepare(&state).unwrap();
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = import(&state, NICK, &backup).unwrap_err();
    assert!(error.to_string().contains("chmod go-w"), "{error}");
}

#[test]
fn keys_are_not_changed_under_a_running_shop() {
    let files = tempfile::tempdir().unwrap();
    let state = files.path().join("state");
    let key = c_tor_key(files.path(), 7);
    let address = import(&state, NICK, &key).unwrap();
    let _running = StateLock::take(&state).unwrap();
    assert!(matches!(import(&state, NICK, &key), Err(OnionError::StateInUse(_))));
    assert!(matches!(reset(&state, NICK), Err(OnionError::StateInUse(_))));
    assert_eq!(super::address(&state, NICK).unwrap(), address, "looking is allowed");
}

#[test]
fn an_export_never_overwrites_a_file() {
    let files = tempfile::tempdir().unwrap();
    let (state, file) = (files.path().join("state"), files.path().join("backup"));
    import(&state, NICK, &c_tor_key(files.path(), 7)).unwrap();
    fs::write(&file, "precious").unwrap();
    assert!(matches!(export(&state, NICK, &file, KeyFormat::Arti), Err(OnionError::Exists(_))));
}

#[test]
fn the_key_of_the_remembered_address_replaces_a_damaged_one_and_no_other_key_does() {
    let files = tempfile::tempdir().unwrap();
    let (state, other) = (files.path().join("state"), files.path().join("other"));
    let first = import(&state, NICK, &c_tor_key(files.path(), 7)).unwrap();
    let content = fs::read(key_path(&state, NICK)).unwrap();
    let own = |content: &[u8]| super::import(&state, NICK, Path::new("backup"), content, Some(&first));
    let foreign = fs::read(c_tor_key(files.path(), 9)).unwrap();
    for damage in [|key: &Path| fs::write(key, "x").unwrap(), |key: &Path| fs::remove_file(key).unwrap()] {
        damage(&key_path(&state, NICK));
        assert!(matches!(own(&foreign), Err(OnionError::OtherKey { address }) if address == first));
        assert_eq!(own(&content).unwrap(), first);
    }
    state::prepare(&other).unwrap();
    assert_eq!(address_in(&other, Path::new("backup"), &content).unwrap(), first);
    assert_eq!(nickname_of(&state, &first).as_deref(), Some(NICK));
    assert_eq!(nickname_of(&other, &first), None);
}
