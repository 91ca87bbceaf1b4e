//! Ways that never lead to this machine or into its network: for servers that were named by somebody who need not be
//! trusted with what is there. What a name leads to is looked at when it is asked for, each time, and the connection goes
//! to the very address that was looked at; a redirect is followed by nobody here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::is_near;
use crate::domain::target::is_onion;
use crate::lightning::dial::Dial;

/// What is said of any other address.
pub const NOT_PUBLIC: &str = "only a server with a public address (or an onion address) can be named here";

/// Finds the addresses of a host.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// As this machine resolves names.
pub fn system_resolver() -> Resolve {
    Arc::new(|host, port| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// The same way for public addresses alone. Without `resolve` names are resolved at the other end of Tor, where this
/// machine's network is not.
pub fn public_only(dial: Dial, resolve: Option<Resolve>) -> Dial {
    Dial::new(move |host, port| {
        let (dial, resolve) = (dial.clone(), resolve.clone());
        Box::pin(async move {
            if !may_be_public(&host) {
                return Err(refused());
            }
            let is_address = host.parse::<IpAddr>().is_ok();
            let Some(resolve) = resolve.filter(|_| !is_address && !is_onion(&host)) else {
                return dial.open(&host, port).await;
            };
            let found = resolve(host, port).await?;
            if !found.iter().all(|address| is_public(*address)) {
                return Err(refused());
            }
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for address in found {
                match dial.open(&address.to_string(), port).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    })
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, NOT_PUBLIC)
}

/// Whether a host as it is named can be public; a name may still lead elsewhere.
pub fn may_be_public(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => is_public(address),
        Err(_) => !is_near(host) && !host.to_ascii_lowercase().trim_end_matches('.').ends_with("localhost"),
    }
}

/// Whether an address is one of the internet, and not of a machine or of a network behind one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_within_a_provider = first == 100 && second & 0b1100_0000 == 64;
    let is_for_protocols = first == 192 && second == 0 && third == 0;
    let is_for_measuring = first == 198 && second & 0b1111_1110 == 18;
    let is_no_host = first == 0 || first >= 224;
    !(is_within_a_provider
        || is_for_protocols
        || is_for_measuring
        || is_no_host
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local())
}

/// Only global unicast (2000::/3); an address that stands for one of IPv4 is as public as that.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        // 6to4, and Teredo, which leads to machines behind others.
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        [0x2001, 0, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_of_its_network_are_not_public_however_they_are_written() {
        for near in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:192.168.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2001:0:1::1",
        ] {
            assert!(!is_public(near.parse().unwrap()), "{near}");
            assert!(!may_be_public(near), "{near}");
        }
        for public in ["8.8.8.8", "100.128.0.1", "198.20.0.1", "2606:4700::1", "::ffff:8.8.8.8", "2002:808:808::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        assert!(!may_be_public("localhost") && !may_be_public("LOCALHOST.") && !may_be_public("a.localhost"));
        assert!(may_be_public("a.example") && may_be_public("a.onion"));
    }

    /// A way that answers which host it was asked for, as an error.
    fn telling() -> Dial {
        Dial::new(|host, _| Box::pin(async move { Err(io::Error::other(format!("opened {host}"))) }))
    }

    fn resolver(addresses: &'static [&'static str]) -> Option<Resolve> {
        let found: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Some(Arc::new(move |_, _| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        }))
    }

    async fn opened(resolve: Option<Resolve>, host: &str) -> String {
        let Err(error) = public_only(telling(), resolve).open(host, 443).await else { panic!("it was opened") };
        error.to_string()
    }

    #[tokio::test]
    async fn the_address_that_was_looked_at_is_the_one_that_is_connected_to() {
        assert_eq!(opened(resolver(&["8.8.8.8"]), "a.example").await, "opened 8.8.8.8");
        for mixed in [&["127.0.0.1"][..], &["8.8.8.8", "192.168.1.1"], &["::ffff:10.0.0.1"]] {
            assert_eq!(opened(resolver(mixed), "a.example").await, NOT_PUBLIC, "{mixed:?}");
        }
        assert_eq!(opened(resolver(&[]), "a.example").await, "the name has no address");
        assert_eq!(opened(resolver(&["127.0.0.1"]), "8.8.8.8").await, "opened 8.8.8.8");
        assert_eq!(opened(resolver(&["8.8.8.8"]), "127.0.0.1").await, NOT_PUBLIC);
    }

    #[tokio::test]
    async fn names_that_tor_resolves_and_onion_addresses_are_resolved_by_nobody_here() {
        assert_eq!(opened(None, "a.example").await, "opened a.example");
        assert_eq!(opened(None, "192.168.1.1").await, NOT_PUBLIC);
        assert_eq!(opened(resolver(&["127.0.0.1"]), "a.onion").await, "opened a.onion");
    }

    #[tokio::test]
    async fn what_this_machine_calls_itself_is_refused_by_its_own_resolver() {
        // Numbers that resolvers take for addresses.
        for odd in ["2130706433", "0x7f000001", "127.1"] {
            let said = opened(Some(system_resolver()), odd).await;
            assert!(!said.starts_with("opened"), "{odd}: {said}");
        }
    }
}
