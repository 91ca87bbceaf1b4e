//! Where a machine is: names and IP addresses as people type them, and as they are written with a port.

use std::net::{IpAddr, Ipv6Addr};

use super::target;
use crate::texts::Message;

/// Host and port as one writes them in URLs and lists: an IPv6 address in brackets.
pub fn with_port(host: &str, port: u16) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Text without the blanks, and the byte order mark, that come along when it is copied.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|symbol: char| symbol.is_whitespace() || symbol == '\u{feff}')
}

/// An IP address as people type it: with blanks around it, or in brackets. One that stands for an IPv4 address
/// (`::ffff:192.0.2.1`) stays as it is written.
pub fn ip(text: &str) -> Option<IpAddr> {
    let text = trimmed(text);
    text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text).parse().ok()
}

/// Whether an address can be that of a machine: none, all and groups of them are not.
pub fn is_of_one_machine(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    }
}

/// A host name, IP address or onion address in its one spelling: without blanks and brackets, in lower case.
///
/// # Errors
/// What is wrong and what would be right.
pub fn host(text: &str) -> Result<String, String> {
    let hint = "Leave out the scheme (https://), the path and the port (--port): only a host name or IP address.";
    let text = trimmed(text);
    if let Some(address) = ip(text) {
        let no_machine = || format!("{text} is the address of no machine: give the one that the node listens on.");
        return is_of_one_machine(address).then(|| address.to_canonical().to_string()).ok_or_else(no_machine);
    }
    if text.is_empty() || text.contains(['/', ':', '[', ']', '@']) {
        return Err(hint.to_owned());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if target::is_onion(&name) {
        let onion =
            target::check_host(&name).map(str::to_owned).map_err(|fault| Message::WrongOnion(fault, None).to_string());
        return onion.map(|address| format!("{address}.onion"));
    }
    let fits = |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(fits);
    // A name whose last part is a number is meant as an IPv4 address.
    let is_number = name.rsplit('.').next().is_some_and(is_number);
    if name.len() > 253 || !name.split('.').all(is_label) || is_number {
        return Err(format!("{text:?} is neither a host name nor an IP address. {hint}"));
    }
    Ok(name)
}

/// Whether a part of a name is a number, in decimal or in hex.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_written_in_brackets_before_a_port() {
        assert_eq!(with_port("2001:db8::1", 20_000), "[2001:db8::1]:20000");
        assert_eq!(with_port("192.0.2.1", 80), "192.0.2.1:80");
        assert_eq!(with_port("node.example", 80), "node.example:80");
    }

    #[test]
    fn a_host_has_one_spelling() {
        let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
        for (typed, stored) in [
            (" 192.168.0.10\n", "192.168.0.10"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("Node.Example.", "node.example"),
            ("raspberrypi", "raspberrypi"),
            ("\u{feff}lnd_1", "lnd_1"),
            (&onion.to_uppercase(), onion),
        ] {
            assert_eq!(host(typed).as_deref(), Ok(stored), "{typed:?}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_refused() {
        for typed in [
            "",
            " ",
            "https://node.example",
            "node.example:10009",
            "node.example/",
            "[2001:db8::1]:10009",
            "[::1",
            "::1]",
            "a b",
            "user@node",
            "10.0.0.300",
            "0x7f000001",
            "1.2.3.0x4",
            "node.0X7F",
            "0.0.0.0",
            "::",
            "[::]",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "::ffff:0.0.0.0",
            "[192.0.2.1",
            "192.168.1",
            "abc.onion",
            "nöde.example",
            "a..b",
            "2001:db8::1%eth0",
            "\"x\"",
        ] {
            assert!(host(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn a_name_has_at_most_253_characters_and_each_of_its_parts_63() {
        let name = |parts: &[usize]| parts.iter().map(|length| "a".repeat(*length)).collect::<Vec<_>>().join(".");
        let longest = name(&[63, 63, 63, 61]);
        assert_eq!((longest.len(), host(&longest).as_deref()), (253, Ok(longest.as_str())));
        for wrong in [&[63, 63, 63, 62][..], &[63, 63, 63, 63], &[64], &[64, 3]] {
            assert!(host(&name(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_more_than_a_host_is_told_apart_from_what_is_none() {
        for more in ["https://node.example", "node.example:10009", "user@node", ""] {
            assert!(host(more).unwrap_err().starts_with("Leave out the scheme"), "{more}");
        }
        let none = host("a b").unwrap_err();
        assert!(none.starts_with("\"a b\" is neither a host name nor an IP address."), "{none}");
        assert!(host("0.0.0.0").unwrap_err().contains("is the address of no machine"));
    }
}
