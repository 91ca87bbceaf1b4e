//! A range of IP addresses, as in `10.0.0.0/8`; a single address is a range of one.

use std::fmt;
use std::net::IpAddr;

use crate::domain::address;

/// Addresses that share their first `prefix` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    prefix: u8,
}

impl IpNetwork {
    /// A single address.
    pub const fn single(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    /// Reads `ADDRESS` or `ADDRESS/PREFIX`; an IPv6 address may stand in brackets. One that stands for an IPv4 address
    /// (`::ffff:10.0.0.5`) is that address, as it is where a client's is compared.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("{text:?} is neither an IP address nor a network such as 10.0.0.0/8");
        let (written, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let written = address::ip(written).ok_or_else(wrong)?;
        let whole = Self::single(written.to_canonical());
        let Some(prefix) = prefix else { return Ok(whole) };
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
        let before = Self::single(written).prefix - whole.prefix;
        let prefix = prefix.checked_sub(before).filter(|&prefix| prefix <= whole.prefix).ok_or_else(wrong)?;
        Ok(Self { prefix, ..whole })
    }

    /// Whether `address` is one of these; an IPv4 address in its IPv6-mapped form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (bits(self.address), bits(address.to_canonical()));
        if own.1 != other.1 {
            return false;
        }
        let shift = u32::from(own.1 - self.prefix);
        let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
        cut(own.0) == cut(other.0)
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix } = self;
        if *self == Self::single(*address) { write!(f, "{address}") } else { write!(f, "{address}/{prefix}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        IpNetwork::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        assert!(contains("10.0.0.0/8", "10.200.3.4"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("127.0.0.1", "127.0.0.1"));
        assert!(contains("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(!contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_and_an_address_in_brackets_are_what_they_mean() {
        assert!(contains("::ffff:10.0.0.5", "10.0.0.5") && !contains("::ffff:10.0.0.5", "10.0.0.6"));
        assert!(contains("::ffff:10.0.0.0/104", "10.9.9.9") && !contains("::ffff:10.0.0.0/104", "11.0.0.1"));
        assert!(contains("::ffff:0.0.0.0/96", "8.8.8.8"));
        assert!(contains("[::1]", "::1") && contains("[2001:db8::]/32", "2001:db8:1::1"));
        assert!(contains("[::ffff:10.0.0.5]", "10.0.0.5"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "10.0.0.0/33", "localhost", "10.0.0.0/x", "::1/129", "::ffff:10.0.0.0/24", "[10.0.0.1", "[::1", "::1]"]
        {
            assert!(IpNetwork::parse(text).is_err(), "{text}");
        }
    }
}
