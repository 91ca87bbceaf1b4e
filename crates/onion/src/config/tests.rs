//! What is refused, and what arti is handed.

use super::*;

fn problem(config: &OnionConfig) -> String {
    config.validate().unwrap_err().to_string()
}

fn handing_arti(text: &str) -> OnionConfig {
    OnionConfig { arti: text.parse().unwrap(), ..OnionConfig::default() }
}

#[test]
fn the_defaults_work() {
    OnionConfig::default().validate().unwrap();
}

#[test]
fn both_services_need_their_own_nickname() {
    let mut config = OnionConfig::default();
    config.admin.nickname = config.nickname.clone();
    assert!(problem(&config).starts_with("setting onion.admin.nickname"), "{}", problem(&config));
}

#[test]
fn a_nickname_that_is_no_file_name_is_refused() {
    let config = OnionConfig { nickname: "../keys".to_owned(), ..OnionConfig::default() };
    assert!(problem(&config).starts_with("setting onion.nickname"), "{}", problem(&config));
}

#[test]
fn limits_of_zero_are_refused() {
    let config = OnionConfig { max_circuits: 0, ..OnionConfig::default() };
    assert_eq!(problem(&config), "setting onion.max_circuits: must be at least 1");
}

#[test]
fn a_memory_limit_that_is_too_small_is_reported_under_its_own_name() {
    let with = |memory_limit_bytes| OnionConfig { memory_limit_bytes, ..OnionConfig::default() };
    for wrong in [0, 1000, LEAST_MEMORY - 1, u64::MAX] {
        let problems = with(wrong).problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].setting, "memory_limit_bytes");
    }
    with(LEAST_MEMORY).validate().unwrap();
}

#[test]
fn the_folder_that_may_be_deleted_is_not_the_folder_with_the_keys() {
    let config =
        OnionConfig { state_dir: "/shop/tor".into(), cache_dir: "/shop/tor/".into(), ..OnionConfig::default() };
    assert!(problem(&config).starts_with("setting onion.cache_dir"), "{}", problem(&config));
}

#[test]
fn settings_that_arti_does_not_know_are_reported_with_their_path() {
    let text = "[path_rules]\nlong_lived_ports = [22]\nlong_lived_prots = [22]\n\
                [[tor_network.fallback_caches]]\ncolour = 1\n[proxy]\nsocks_listen = 9150\n";
    let problems = handing_arti(text).problems();
    let mut settings: Vec<_> = problems.iter().map(|problem| problem.setting.as_str()).collect();
    settings.sort_unstable();
    let expected =
        ["arti", "arti.path_rules.long_lived_prots", "arti.proxy", "arti.tor_network.fallback_caches.0.colour"];
    assert_eq!(settings, expected);
}

#[test]
fn settings_for_arti_are_handed_through_and_bad_ones_are_reported() {
    handing_arti("[path_rules]\nlong_lived_ports = [22]\n").validate().unwrap();
    let config = handing_arti("[path_rules]\nlong_lived_ports = \"all\"\n");
    assert!(problem(&config).starts_with("setting onion.arti"), "{}", problem(&config));
}

#[test]
fn settings_of_the_shop_win_over_those_handed_to_arti() {
    let config = handing_arti("[vanguards]\nmode = \"disabled\"\n");
    let text = format!("{:?}", config.to_arti().unwrap());
    assert!(text.contains("Full") && !text.contains("Disabled"), "vanguards in {text}");
}
