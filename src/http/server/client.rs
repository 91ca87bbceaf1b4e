//! Who is at the other end of a connection, and under which URL they see the shop. What a proxy
//! says in `X-Forwarded-*` counts only when the connection comes from a trusted address.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use poem::{Addr, Request};

use super::surface::Surface;

/// The scheme of the remote address of connections through the onion service; what follows is the
/// circuit, the one thing that tells its clients apart.
pub const ONION_CIRCUIT: &str = "onion-circuit";

/// Whether an address belongs to a proxy of the operator.
pub type IsTrusted = dyn Fn(IpAddr) -> bool + Send + Sync;

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// Over TCP, from this address (behind a trusted proxy: from the address that it names).
    Ip(IpAddr),
    /// Through the onion service, on this circuit.
    Circuit(String),
    /// Neither is known: a proxy of the operator names nobody that could be read (or a test, a Unix
    /// socket). All of them count as one.
    Unknown,
}

impl Client {
    /// The IP address, where one is known, for the deny list.
    pub fn ip(&self) -> Option<String> {
        match self {
            Self::Ip(ip) => Some(ip.to_string()),
            _ => None,
        }
    }

    /// A text that tells clients apart; an IPv6 network of 64 bits is one client.
    pub fn label(&self) -> String {
        match self {
            Self::Ip(IpAddr::V4(address)) => address.to_string(),
            Self::Ip(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Self::Circuit(circuit) => format!("circuit {circuit}"),
            Self::Unknown => String::new(),
        }
    }

    /// Whether the client is on this machine or in a network that is not routed through the internet. A circuit is not.
    pub fn is_nearby(&self) -> bool {
        match self {
            Self::Ip(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
            Self::Ip(IpAddr::V6(address)) => {
                address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
            Self::Circuit(_) | Self::Unknown => false,
        }
    }

    /// Whether the client is on this machine: the operator's own scripts.
    pub fn is_loopback(&self) -> bool {
        matches!(self, Self::Ip(ip) if ip.is_loopback())
    }
}

/// The client and the shop's URL as it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who sends the request.
    pub client: Client,
    /// Where it came in.
    pub surface: Surface,
    /// Scheme and authority, without a slash at the end: `https://shop.example`.
    pub base: String,
}

impl Origin {
    /// Reads the origin of a request.
    pub fn of(request: &Request, is_trusted: &IsTrusted) -> Self {
        let headers = request.headers();
        let proxy = is_proxy(request, is_trusted);
        let forwarded = |name: &str| if proxy { first_of(headers, name) } else { None };
        let onion = matches!(request.remote_addr().0, Addr::Custom(ONION_CIRCUIT, _));
        let is_https = forwarded("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let scheme = if is_https && !onion { "https" } else { "http" };
        let host = forwarded("x-forwarded-host")
            .or_else(|| first_of(headers, "host"))
            .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))
            .filter(|host| is_authority(host));
        let base = match host {
            Some(host) => format!("{scheme}://{host}"),
            None => format!("{scheme}://{}", local_authority(request)),
        };
        Self { client: Self::client_of(request, is_trusted), surface: Surface::of(request), base }
    }

    /// Reads only who sends a request.
    pub fn client_of(request: &Request, is_trusted: &IsTrusted) -> Client {
        match &request.remote_addr().0 {
            Addr::Custom(ONION_CIRCUIT, circuit) => Client::Circuit(circuit.clone().into_owned()),
            Addr::SocketAddr(peer) => {
                let peer = canonical(peer);
                if is_trusted(peer) { behind(peer, request.headers(), is_trusted) } else { Client::Ip(peer) }
            }
            _ => Client::Unknown,
        }
    }
}

fn is_proxy(request: &Request, is_trusted: &IsTrusted) -> bool {
    request.remote_addr().0.as_socket_addr().is_some_and(|peer| is_trusted(canonical(peer)))
}

/// IPv4 addresses on a dual-stack socket come as IPv6.
fn canonical(peer: &SocketAddr) -> IpAddr {
    peer.ip().to_canonical()
}

fn first_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(',').next().unwrap_or(value).trim())
}

/// The client of a trusted proxy: the last address in `X-Forwarded-For` that is no proxy of ours, since
/// anything before it was written by the client; without such, the farthest of the proxies. An entry that
/// can't be read is somebody, but not this machine.
fn behind(proxy: IpAddr, headers: &HeaderMap, is_trusted: &IsTrusted) -> Client {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',').map(address));
    let mut farthest = Some(proxy);
    while farthest.is_some_and(is_trusted) {
        match hops.next() {
            Some(hop) => farthest = hop,
            None => break,
        }
    }
    farthest.map_or(Client::Unknown, Client::Ip)
}

/// An address as proxies write it: some with a port, some with brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Only what can be a host and a port; everything else would end up in URLs.
fn is_authority(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(allowed)
}

fn local_authority(request: &Request) -> String {
    match &request.local_addr().0 {
        Addr::SocketAddr(address) => address.to_string(),
        Addr::Custom(_, address) => address.clone().into_owned(),
        Addr::Unix(_) => "localhost".to_owned(),
    }
}
