//! The limits that the map names are those of the code: what is behind a key is asked of the configuration, what is a
//! constant is read where it stands.

use std::fs;
use std::path::Path;

use ip2tor_shop::config::Config;
use ip2tor_shop::domain::host::Host;
use ip2tor_shop::domain::host_rules;
use ip2tor_shop::domain::id::{HostId, OperatorId};

use crate::support::START;

/// The part of the map that names them.
fn limits() -> &'static str {
    let map = include_str!("../../../docs/ARCHITECTURE.md");
    let (_, rest) = map.split_once("## Limits\n").expect("the limits");
    rest.split_once("\n## ").expect("their end").0
}

/// A key with its default, and the least and the most that may be set.
struct Limit {
    key: String,
    default: i64,
    bounds: Option<(i64, i64)>,
}

/// What stands as `key`: 5, from 1 to 9.
fn of_keys(text: &str, between: &str) -> Vec<Limit> {
    let parts: Vec<&str> = text.split('`').collect();
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<i64>().ok()
    };
    let limit = |pair: &[&str]| {
        let told = pair[1].strip_prefix(between)?;
        let bounds =
            told.split_once(", from ").filter(|(before, _)| number(before).is_some_and(|n| n.to_string() == *before));
        let bounds = bounds.and_then(|(_, told)| Some((number(told)?, number(told.split_once(" to ")?.1)?)));
        Some(Limit { key: pair[0].to_owned(), default: number(told)?, bounds })
    };
    parts[1..].chunks(2).filter(|pair| pair.len() == 2).filter_map(limit).collect()
}

fn section_and_name(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("http", key))
}

fn takes(key: &str, value: i64) -> bool {
    let (section, name) = section_and_name(key);
    Config::parse(&format!("[{section}]\n{name} = {value}\n")).is_ok()
}

/// What the example of a configuration says; another test compares that with the code.
fn default_of(key: &str) -> Option<i64> {
    let example = include_str!("../../../packaging/config.example.toml");
    let (section, name) = section_and_name(key);
    let (_, rest) = example.split_once(&format!("\n#[{section}]\n"))?;
    let rest = rest.split("\n#[").next()?;
    let line = rest.lines().find_map(|line| line.strip_prefix(&format!("#{name} = ")))?;
    line.parse().ok()
}

#[test]
fn what_the_map_says_of_the_configuration_is_its_defaults_and_bounds() {
    let found = of_keys(limits(), ": ");
    assert!(found.len() >= 14 && found.iter().filter(|limit| limit.bounds.is_some()).count() >= 6, "{}", found.len());
    for Limit { key, default, bounds } in found {
        assert_eq!(default_of(&key), Some(default), "{key}");
        let Some((least, most)) = bounds else { continue };
        let taken = [least - 1, least, most, most + 1].map(|value| takes(&key, value));
        assert_eq!(taken, [false, true, true, false], "{key}: {least} to {most}");
    }
}

#[test]
fn what_the_map_says_of_a_hosts_settings_is_their_defaults_and_bounds() {
    let found = of_keys(limits(), " of the host: ");
    assert_eq!(found.len(), 2);
    for Limit { key, default, bounds } in found {
        let mut host = Host::new(HostId(uuid::Uuid::nil()), OperatorId(1), START);
        let mut is_refused = |value: Option<i64>| {
            let field = match key.as_str() {
                "hold_limit_secs" => &mut host.hold_limit_secs,
                "grace_secs" => &mut host.grace_secs,
                other => panic!("{other}: compare it here"),
            };
            match value {
                Some(value) => *field = value,
                None => assert_eq!(*field, default, "{key}"),
            }
            host_rules::errors(&host).iter().any(|(field, _)| *field == key)
        };
        is_refused(None);
        let (least, most) = bounds.expect("bounds");
        let refused = [least - 1, least, most, most + 1].map(|value| is_refused(Some(value)));
        assert_eq!(refused, [true, false, false, true], "{key}: {least} to {most}");
    }
}

/// Constants, with what the map says of them.
const CONSTANTS: [(&str, &str, &str); 23] = [
    ("crates/domain/src/deal.rs", "MIN_HOLD_BLOCKS: i64 = 24;", "with fewer than 24 left"),
    ("crates/domain/src/purchase.rs", "CLOSE_MARGIN_SECS: i64 = 2;", "and closed 2 seconds later"),
    ("src/services/orders/extend.rs", "INVOICE_WAIT: Duration = Duration::from_secs(5);", "an extension waits 5"),
    ("crates/domain/src/product.rs", "ACTIVATION_LIMIT_SECS: i64 = 30 * 60;", "1800 seconds, then it is owed"),
    ("crates/domain/src/host.rs", "ALIVE_SECS: i64 = 300;", "300 seconds"),
    ("crates/domain/src/account.rs", "SESSION_SECS: i64 = 30 * 86_400;", "2592000 seconds"),
    ("crates/domain/src/account.rs", "IDLE_SECS: i64 = 12 * 3600;", "43200 without use"),
    ("src/http/middleware/rate_limit.rs", "Self::per(count, Duration::from_secs(60), 2)", "half of them at once"),
    ("src/http/middleware/rate_limit.rs", "burst: rate.burst.max(5)", "a sixth (at least five) at once"),
    ("src/services/orders/extend.rs", "MAX_UNPAID: u32 = 12;", "12 within 3600 seconds"),
    ("src/services/orders/extend.rs", "UNPAID_WINDOW_SECS: i64 = 3600;", "12 within 3600 seconds"),
    ("src/services/operators/authenticate/throttle.rs", "MOST_BAD: u32 = 5;", "5, 20, 30 within 60 seconds"),
    ("src/services/operators/authenticate/throttle.rs", "MOST_BAD_OF_CLIENT: u32 = 20;", "5, 20, 30"),
    ("src/services/operators/authenticate/throttle.rs", "MOST_BAD_OF_CROWD: u32 = 30;", "5, 20, 30"),
    ("src/services/operators/authenticate/throttle.rs", "WINDOW_SECS: i64 = 60;", "within 60 seconds"),
    ("src/services/operators/login/delays.rs", "FREE: u32 = 3;", "3, then waits that double"),
    ("src/services/operators/login/delays.rs", "MOST_SECS_OF_NAME: u32 = 60;", "up to 60 seconds of a name"),
    ("src/services/operators/login/delays.rs", "MOST_SECS_OF_CLIENT: u32 = 900;", "and 900 of a client"),
    ("src/http/push_limit.rs", "MAX_PER_HOST: u32 = 4;", "| 4 | host |"),
    ("src/http/watch_limit.rs", "MOST: usize = 32;", "| 32, 4, 2 |"),
    ("src/http/event_limit.rs", "MOST: usize = 16;", "| 16 | all |"),
    ("src/http/server/bodies.rs", "LARGE_AT_ONCE: usize = 8;", "8 at once beyond 4096 bytes"),
    ("src/http/server/bodies.rs", "SMALL_BODY: usize = 4 << 10;", "4096 bytes"),
];

#[test]
fn what_the_map_says_of_constants_is_what_they_are() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, constant, told) in CONSTANTS {
        let code = fs::read_to_string(repository.join(file)).expect("a source file");
        assert!(code.contains(constant), "{file} has no longer {constant:?}: change it here and in the map");
        assert!(limits().contains(told), "the map does not say {told:?} of {file}");
    }
}
