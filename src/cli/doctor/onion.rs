//! What may be wrong with Tor and the onion services, in one line; nobody outside is asked.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::app::StartError;
use crate::onion::{AuthorizedClients, OnionConfig, OnionError, keys};
use crate::services::doctor::{Finding, Grade};

/// How long a SOCKS proxy, which is near, may take to accept a connection.
const PROXY_PATIENCE: Duration = Duration::from_secs(2);

/// What was found about one of its parts.
type Part = (Grade, String);

/// Looks at the keys (`remembered` is the shop's address in the database), their modes, the operators' clients and the proxy.
pub fn examine(settings: &OnionConfig, remembered: Option<&str>) -> Finding {
    let parts = [Some(service(settings, remembered)), operators(settings), settings.socks_proxy.map(proxy)];
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let has = |grade: &Grade| parts.iter().any(|part| part.0 == *grade);
    let grade = [Grade::Bad, Grade::Notice].into_iter().find(has).unwrap_or(Grade::Good);
    let texts: Vec<_> = parts.iter().map(|part| part.1.as_str()).collect();
    Finding::new("onion", grade, texts.join("; "))
}

fn service(settings: &OnionConfig, remembered: Option<&str>) -> Part {
    if !settings.enabled {
        let advice = match settings.socks_proxy {
            Some(_) => "off: there is no .onion address",
            None => "off: there is no .onion address, and nothing behind one can be reached",
        };
        return (Grade::Notice, advice.to_owned());
    }
    let lost = |address: &str| {
        let text =
            format!("the key of {address} is gone, and the shop runs without it: `alerts` says where it still is");
        (Grade::Bad, text)
    };
    match keys::address(&settings.state_dir, &settings.nickname) {
        Ok(address) => remembered.filter(|known| **known != *address).map_or((Grade::Good, address), lost),
        Err(OnionError::NoKey { .. }) if remembered.is_some() => lost(remembered.unwrap_or_default()),
        Err(OnionError::NoKey { .. }) => (Grade::Good, "no address yet: the next start makes one".to_owned()),
        Err(error) => (Grade::Bad, StartError::from(error).to_string()),
    }
}

/// The operators' own service, when there is to be one.
fn operators(settings: &OnionConfig) -> Option<Part> {
    match AuthorizedClients::of_operators(settings) {
        Ok(clients) => {
            clients.map(|who| (Grade::Good, format!("the operators' own can be found by {}", who.names().join(", "))))
        }
        Err(error) => Some((Grade::Bad, error.to_string())),
    }
}

fn proxy(proxy: SocketAddr) -> Part {
    match TcpStream::connect_timeout(&proxy, PROXY_PATIENCE) {
        Ok(_) => (Grade::Good, format!("the SOCKS proxy {proxy} answers")),
        Err(error) => {
            let text = format!("the SOCKS proxy {proxy} (onion.socks_proxy) does not answer: {error}; is Tor running?");
            (Grade::Notice, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;

    use crate::onion::{authorized, prepare};

    use super::*;

    const KEY: &str = "descriptor:x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn a_shop_before_its_first_start_is_told_so_and_one_without_tor_what_it_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = OnionConfig { state_dir: dir.path().join("tor"), ..OnionConfig::default() };
        assert_eq!(
            examine(&settings, None),
            Finding::new("onion", Grade::Good, "no address yet: the next start makes one")
        );
        let found = examine(&settings, Some("abc.onion"));
        assert!(found.grade == Grade::Bad && found.text.contains("the key of abc.onion is gone"), "{}", found.text);
        settings.enabled = false;
        assert_eq!(examine(&settings, None).grade, Grade::Notice);
    }

    #[test]
    fn a_state_that_others_may_read_and_a_service_for_nobody_are_bad() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = OnionConfig { state_dir: dir.path().join("tor"), ..OnionConfig::default() };
        let state = settings.state_dir.clone();
        prepare(&state).unwrap();
        settings.admin.enabled = true;
        let found = examine(&settings, None);
        assert_eq!(found.grade, Grade::Bad);
        assert!(found.text.contains("onion authorize NAME KEY"), "{}", found.text);
        authorized::authorize(&state, "admin", "laptop", KEY).unwrap();
        let found = examine(&settings, None);
        assert_eq!(found.grade, Grade::Good, "{}", found.text);
        assert!(found.text.ends_with("can be found by laptop"), "{}", found.text);
        set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
        let found = examine(&settings, None);
        assert_eq!(found.grade, Grade::Bad);
        assert!(found.text.contains("chmod 700"), "{}", found.text);
    }

    #[test]
    fn a_proxy_that_is_gone_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let socks_proxy = Some(proxy.local_addr().unwrap());
        let settings = OnionConfig { state_dir: dir.path().join("tor"), socks_proxy, ..OnionConfig::default() };
        assert_eq!(examine(&settings, None).grade, Grade::Good);
        drop(proxy);
        let found = examine(&settings, None);
        assert_eq!(found.grade, Grade::Notice);
        assert!(found.text.contains("onion.socks_proxy"), "{}", found.text);
    }
}
