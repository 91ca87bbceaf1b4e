//! What a configuration file may hold, and what is said of one that can't be used.

use super::*;

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn all_problems_are_reported_at_once_with_their_keys() {
    let text = "data_dir = \"relative\"\ncolour = 1\n[http]\nlisten = \"8000\"\ntrusted_proxies = [\"x\", 5]\n\
                [orders]\nexpiry_secs = 5\n[jobs]\nbackup = \"daily\"\n[probe]\npolicy = true\nsped = 1\n\
                [lightning]\nallow_regtest = 1\n[log]\nlevel = \"shouting=loud\"";
    let problems = Config::parse(text).unwrap_err();
    let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "data_dir",
            "http.listen",
            "http.trusted_proxies[0]",
            "http.trusted_proxies[1]",
            "orders.expiry_secs",
            "lightning.allow_regtest",
            "jobs.backup",
            "probe.policy",
            "probe.sped",
            "log.level",
            "colour"
        ]
    );
}

#[test]
fn those_who_run_the_shop_are_listened_to_beside_the_others_on_this_machine() {
    let at = |http: &str| Config::parse(&format!("[http]\n{http}")).unwrap().http.admin_listen.map(|at| at.to_string());
    assert_eq!(at("").as_deref(), Some("127.0.0.1:8001"));
    assert_eq!(at("listen = \"0.0.0.0:80\"").as_deref(), Some("127.0.0.1:81"));
    assert_eq!(at("listen = \"127.0.0.1:0\"").as_deref(), Some("127.0.0.1:0"));
    assert_eq!(at("listen = \"[::]:65535\"").as_deref(), Some("127.0.0.1:65534"));
    assert_eq!(at("admin_listen = \"192.168.1.5:9000\"").as_deref(), Some("192.168.1.5:9000"));
    assert_eq!(at("admin_listen = \"off\""), None);
    assert!(Config::parse("[http]\nadmin_listen = \"on\"").is_err());
}

#[test]
fn a_log_level_that_is_none_and_a_schedule_that_never_comes_are_problems() {
    for (text, key) in [
        ("[log]\nlevel = \"verbose\"", "log.level"),
        ("[log]\nlevel = \"\"", "log.level"),
        ("[jobs]\nbackup = \"0 0 0 30 2 *\"", "jobs.backup"),
        ("[jobs]\nbackup = \"0 0 0 1 1 * 2020\"", "jobs.backup"),
    ] {
        let problems = Config::parse(text).unwrap_err();
        assert_eq!(problems.0[0].key, key, "{text}");
    }
}

#[test]
fn what_is_no_toml_is_one_problem_with_its_line() {
    let problems = Config::parse("data_dir = ").unwrap_err();
    assert!(problems.to_string().contains("line 1"), "{problems}");
}

#[test]
fn rates_live_until_the_next_but_one_fetch() {
    let with = |secs: u64| Config::parse(&format!("[rates]\nmax_age_seconds = {secs}"));
    assert!(with(1199).is_err());
    assert_eq!(with(1200).unwrap().rates.max_age, 2 * INTERVAL);
}

#[test]
fn the_example_shows_every_setting_at_its_default() {
    let example = include_str!("../../../packaging/config.example.toml");
    let uncommented: String =
        example.lines().filter(|line| !line.starts_with("##")).map(|line| format!("{}\n", setting(line))).collect();
    let shown = Config::parse(&uncommented).unwrap();
    assert_eq!(shown.onion_settings(), Config::default().onion_settings());
    assert_eq!(Config { onion: Onion::default(), ..shown }, Config::default());
    let table: toml::Table = uncommented.parse().unwrap();
    for path in all_keys() {
        let shown = path.split('.').try_fold(&toml::Value::Table(table.clone()), |at, key| at.get(key)).is_some();
        assert!(shown, "{path} is not in the example");
    }
}

#[test]
fn every_setting_is_among_those_that_are_shown() {
    let shown = Config::default().shown();
    for path in all_keys() {
        assert!(shown.iter().any(|(key, _)| *key == path), "{path}");
    }
}

/// The path of every setting that has a default.
fn all_keys() -> Vec<String> {
    let sections = [
        "http",
        "orders",
        "holds",
        "lightning",
        "jobs",
        "retention",
        "credit",
        "refunds",
        "probe",
        "rates",
        "alerts",
        "log",
        "onion",
        "onion.admin",
    ];
    let without_default = [
        "alerts.email",
        "alerts.ntfy",
        "alerts.webhook",
        "alerts.nostr",
        "alerts.heartbeat",
        "onion.socks_proxy",
        "onion.admin",
        "onion.arti",
        "onion.admin.clients",
    ];
    let keys = sections
        .into_iter()
        .flat_map(|section| known_keys(section).into_iter().map(move |key| format!("{section}.{key}")));
    keys.filter(|path| !without_default.contains(&path.as_str())).collect()
}

/// A setting stands after `#`, an explanation after `##` (and after `###` what has no default).
fn setting(line: &str) -> &str {
    line.strip_prefix('#').unwrap_or(line)
}

/// The settings of a section, as the message about an unknown one lists them.
fn known_keys(section: &str) -> Vec<String> {
    let problems = Config::parse(&format!("[{section}]\nno_such_key = 1")).unwrap_err();
    let message = &problems.0[0].message;
    let list = message.split_once("there are: ").unwrap().1;
    list.split(", ").map(str::to_owned).collect()
}
