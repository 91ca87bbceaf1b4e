//! What is read, and what is refused.

use super::*;

fn problem(config: &OnionConfig) -> String {
    config.validate().unwrap_err().to_string()
}

#[test]
fn the_defaults_work_and_an_empty_section_is_the_defaults() {
    let config: OnionConfig = toml::from_str("").unwrap();
    assert_eq!(config, OnionConfig::default());
    config.validate().unwrap();
}

#[test]
fn all_problems_are_reported_at_once_in_words() {
    let text = "nickname = \"a b/c\"\nvirtual_port = 0\nvanguards = \"x\"\nmax_circuits = -1\nnope = 1\n\
                socks_proxy = \"9050\"\nenabled = \"yes\"\n[admin]\nvirtual_port = 70000\ncolour = 1\n";
    let problems = OnionConfig::from_table(toml::from_str(text).unwrap()).unwrap_err();
    let text = |setting: &str| {
        let found: Vec<_> = problems.iter().filter(|problem| problem.setting == setting).collect();
        assert_eq!(found.len(), 1, "{setting} in {problems:?}");
        found[0].text.clone()
    };
    assert_eq!(text("vanguards"), "must be one of \"full\", \"lite\", \"disabled\", not \"x\"");
    assert_eq!(text("max_circuits"), "must be a whole number of at least 1, not -1");
    assert_eq!(text("admin.virtual_port"), "must be a whole number from 1 to 65535, not 70000");
    assert_eq!(text("enabled"), "must be true or false, not \"yes\"");
    assert_eq!(text("virtual_port"), "must be at least 1");
    assert!(text("nope").starts_with("there is no such setting here; there are: enabled, nickname, "));
    assert!(text("admin.colour").ends_with("there are: enabled, nickname, virtual_port, clients"));
    assert!(text("socks_proxy").contains("127.0.0.1:9050"));
    assert!(!text("nickname").is_empty());
    assert_eq!(problems.len(), 9);
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
    let text = "nonsense = 1\n[arti.path_rules]\nlong_lived_ports = [22]\nlong_lived_prots = [22]\n\
                [[arti.tor_network.fallback_caches]]\ncolour = 1\n[arti.proxy]\nsocks_listen = 9150\n";
    let problems = OnionConfig::from_table(toml::from_str(text).unwrap()).unwrap_err();
    let mut settings: Vec<_> = problems.iter().map(|problem| problem.setting.as_str()).collect();
    settings.sort_unstable();
    let expected = [
        "arti",
        "arti.path_rules.long_lived_prots",
        "arti.proxy",
        "arti.tor_network.fallback_caches.0.colour",
        "nonsense",
    ];
    assert_eq!(settings, expected);
}

#[test]
fn settings_for_arti_are_handed_through_and_bad_ones_are_reported() {
    let text = "[arti.path_rules]\nlong_lived_ports = [22]\n";
    toml::from_str::<OnionConfig>(text).unwrap().validate().unwrap();
    let text = "[arti.path_rules]\nlong_lived_ports = \"all\"\n";
    let config: OnionConfig = toml::from_str(text).unwrap();
    assert!(problem(&config).starts_with("setting onion.arti"), "{}", problem(&config));
}

#[test]
fn settings_of_the_shop_win_over_those_handed_to_arti() {
    let config: OnionConfig = toml::from_str("[arti.vanguards]\nmode = \"disabled\"\n").unwrap();
    let text = format!("{:?}", config.to_arti().unwrap());
    assert!(text.contains("Full") && !text.contains("Disabled"), "vanguards in {text}");
}
