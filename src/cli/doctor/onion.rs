//! What may be wrong with Tor and the onion services, in one line; nobody outside is asked.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::onion::{AuthorizedClients, OnionConfig, OnionError, keys};
use crate::services::doctor::{Finding, Grade};

/// How long a SOCKS proxy, which is near, may take to accept a connection.
const PROXY_PATIENCE: Duration = Duration::from_secs(2);

/// What was found about one of its parts.
type Part = (Grade, String);

/// Looks at the keys, their modes, the operators' clients and the proxy.
pub fn examine(settings: &OnionConfig) -> Finding {
    let parts = [Some(service(settings)), operators(settings), settings.socks_proxy.map(proxy)];
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let has = |grade: &Grade| parts.iter().any(|part| part.0 == *grade);
    let grade = [Grade::Bad, Grade::Notice].into_iter().find(has).unwrap_or(Grade::Good);
    let texts: Vec<_> = parts.iter().map(|part| part.1.as_str()).collect();
    Finding::new("onion", grade, texts.join("; "))
}

fn service(settings: &OnionConfig) -> Part {
    if !settings.enabled {
        let advice = match settings.socks_proxy {
            Some(_) => "off: there is no .onion address",
            None => "off: there is no .onion address, and nothing behind one can be reached",
        };
        return (Grade::Notice, advice.to_owned());
    }
    match keys::address(&settings.state_dir, &settings.nickname) {
        Ok(address) => (Grade::Good, address),
        Err(OnionError::NoKey { .. }) => (Grade::Good, "no address yet: the next start makes one".to_owned()),
        Err(error) => (Grade::Bad, error.to_string()),
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
        assert_eq!(examine(&settings), Finding::new("onion", Grade::Good, "no address yet: the next start makes one"));
        settings.enabled = false;
        assert_eq!(examine(&settings).grade, Grade::Notice);
    }

    #[test]
    fn a_state_that_others_may_read_and_a_service_for_nobody_are_bad() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = OnionConfig { state_dir: dir.path().join("tor"), ..OnionConfig::default() };
        let state = settings.state_dir.clone();
        prepare(&state).unwrap();
        settings.admin.enabled = true;
        let found = examine(&settings);
        assert_eq!(found.grade, Grade::Bad);
        assert!(found.text.contains("onion authorize NAME KEY"), "{}", found.text);
        authorized::authorize(&state, "admin", "laptop", KEY).unwrap();
        let found = examine(&settings);
        assert_eq!(found.grade, Grade::Good, "{}", found.text);
        assert!(found.text.ends_with("can be found by laptop"), "{}", found.text);
        set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
        let found = examine(&settings);
        assert_eq!(found.grade, Grade::Bad);
        assert!(found.text.contains("chmod 700"), "{}", found.text);
    }

    #[test]
    fn a_proxy_that_is_gone_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let socks_proxy = Some(proxy.local_addr().unwrap());
        let settings = OnionConfig { state_dir: dir.path().join("tor"), socks_proxy, ..OnionConfig::default() };
        assert_eq!(examine(&settings).grade, Grade::Good);
        drop(proxy);
        let found = examine(&settings);
        assert_eq!(found.grade, Grade::Notice);
        assert!(found.text.contains("onion.socks_proxy"), "{}", found.text);
    }
}
