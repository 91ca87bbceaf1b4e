//! What a bridge forwards to: a version 3 onion address and a port. Parsed strictly, because a
//! buyer's money follows it and a host's script uses it.

use sha3::{Digest, Sha3_256};

use crate::texts::{Message, OnionFault};

/// The longest text that is looked at.
pub const MAX_LENGTH: usize = 300;

/// Checks a target and returns its normal form (`<56 characters>.onion:<port>`), or every reason
/// why it is none, with the fix where it can be guessed.
pub fn parse(text: &str) -> Result<String, Vec<Message>> {
    if text.contains('\0') {
        return Err(vec![Message::NullCharacters]);
    }
    if text.chars().count() > MAX_LENGTH {
        return Err(vec![Message::TooLong { max: MAX_LENGTH }]);
    }
    let lower = text.trim().to_ascii_lowercase();
    let mut problems = Vec::new();
    if !lower.contains(".onion:") {
        problems.push(Message::NoOnion);
    }
    let (rest, port) = lower.rsplit_once(':').unwrap_or(("", &lower));
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.push(no_port(port, &lower));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let Some(port) = port.parse::<u16>().ok().filter(|port| *port > 0) else {
        return Err(vec![Message::PortOutOfRange { port: port.to_owned() }]);
    };
    match check_host(rest) {
        Ok(address) => Ok(format!("{address}.onion:{port}")),
        Err(fault) => Err(vec![Message::WrongOnion(fault, guess(&lower).filter(|guess| *guess != lower))]),
    }
}

/// Whether only Tor can reach `host`.
pub fn is_onion(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.len() >= 6 && host.is_char_boundary(host.len() - 6) && host[host.len() - 6..].eq_ignore_ascii_case(".onion")
}

/// Checks `<address>.onion` and returns the address.
pub(super) fn check_host(host: &str) -> Result<&str, OnionFault> {
    let Some(address) = host.strip_suffix(".onion") else {
        return Err(OnionFault::OnePort);
    };
    if address.contains("://") {
        return Err(OnionFault::HasProtocol);
    }
    if address.contains('@') {
        return Err(OnionFault::HasUser);
    }
    if address.len() == 16 {
        return Err(OnionFault::Version2);
    }
    // A leading label (www.xyz.onion) would be ignored by Tor, but not by every script.
    if address.len() != 56 {
        return Err(OnionFault::WrongLength);
    }
    let decoded = data_encoding::BASE32_NOPAD.decode(address.to_ascii_uppercase().as_bytes());
    let Ok(bytes) = decoded else {
        return Err(OnionFault::WrongCharacters);
    };
    if is_valid_v3(&bytes) { Ok(address) } else { Err(OnionFault::WrongChecksum) }
}

/// Version 3: public key (32 bytes), checksum (2), version (1); see Tor's rend-spec-v3, section 6.
fn is_valid_v3(bytes: &[u8]) -> bool {
    let [key @ .., sum_1, sum_2, version] = bytes else { return false };
    if *version != 3 {
        return false;
    }
    let digest = Sha3_256::new().chain_update(b".onion checksum").chain_update(key).chain_update([3]).finalize();
    digest[..2] == [*sum_1, *sum_2]
}

/// What is wrong with the part after the last colon. Where nothing better can be offered, the words are
/// those that clients know from the predecessor.
fn no_port(port: &str, text: &str) -> Message {
    match guess(text) {
        Some(guess) => Message::PortOfDigits { port: port.to_owned(), guess },
        None => Message::NoPortLast,
    }
}

/// The valid target to which the text can be cut down: without protocol, user name and what stands around
/// the first number in the port.
fn guess(text: &str) -> Option<String> {
    let after_protocol = text.rsplit("://").next()?;
    let after_key = after_protocol.rsplit('@').next()?;
    let mut parts = after_key.split(':');
    let (host, port) = (parts.next()?, parts.next()?);
    let port = first_number(port)?;
    check_host(host).ok()?;
    Some(format!("{host}:{port}"))
}

/// Where no port is given, and nothing tells what is meant: a web site with https, one without, a Lightning node.
const LIKELY_PORTS: [u16; 3] = [443, 80, 9735];

/// The valid targets that a text which is none may mean, the likeliest first. One where everything else is known; of a
/// bare address those with the usual ports; none where the address itself is wrong.
pub fn suggestions(text: &str) -> Vec<String> {
    if text.chars().count() > MAX_LENGTH || parse(text).is_ok() {
        return Vec::new();
    }
    let lower = text.trim().to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").unwrap_or(("", &lower));
    let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    // Whatever stands before the address (`www.`) is not part of it.
    let Some(name) = host.strip_suffix('.').unwrap_or(host).strip_suffix(".onion") else { return Vec::new() };
    let address = name.rsplit('.').next().unwrap_or(name);
    let onion = format!("{address}.onion");
    if check_host(&onion).is_err() {
        return Vec::new();
    }
    let ports = match (first_number(port), scheme, user) {
        (Some(port), ..) => vec![port],
        (None, "http", _) => vec![80],
        (None, "https", _) => vec![443],
        (None, _, user) if !user.is_empty() => vec![9735],
        (None, ..) => LIKELY_PORTS.to_vec(),
    };
    ports.into_iter().map(|port| format!("{onion}:{port}")).collect()
}

/// The first number in what stands in place of a port, if it is one.
fn first_number(text: &str) -> Option<u16> {
    let text = text.replace('_', "");
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let digits = text[from..].split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse::<u16>().ok().filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onion_hosts_are_known_in_any_spelling() {
        for host in ["a.onion", "A.ONION", "sub.a.Onion", "a.onion."] {
            assert!(is_onion(host), "{host}");
        }
        for host in ["onion", "a.onion.example", "example.com", "ü.onio", "aaü.onio", ""] {
            assert!(!is_onion(host), "{host}");
        }
    }

    /// The address of the key that is all zeros but for its last bit pattern; computed, not copied.
    fn address() -> String {
        let key = [7_u8; 32];
        let digest = Sha3_256::new().chain_update(b".onion checksum").chain_update(key).chain_update([3]).finalize();
        let mut bytes = key.to_vec();
        bytes.extend([digest[0], digest[1], 3]);
        data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    }

    #[test]
    fn a_v3_address_with_a_port_is_accepted_and_lowered() {
        let text = format!(" {}.ONION:80 ", address().to_ascii_uppercase());
        assert_eq!(parse(&text), Ok(format!("{}.onion:80", address())));
    }

    #[test]
    fn what_the_predecessor_accepted_by_mistake_is_refused() {
        let good = address();
        for port in ["0", "99999", "-5", "8_0", "\u{0661}\u{0662}", "", "http", "80/path"] {
            assert!(parse(&format!("{good}.onion:{port}")).is_err(), "port {port:?}");
        }
        for text in [
            format!("http://{good}.onion:80"),
            format!("{good}.onion:80:90"),
            format!("{good}.onion:$(id):80"),
            format!("{good}.onion:\n80"),
            format!("02abc@{good}.onion:9735"),
            format!("www.{good}.onion:80"),
            ".onion:80".to_owned(),
            "abc22el2a.onion:80".to_owned(),
            "x".repeat(301),
        ] {
            assert!(parse(&text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_character_breaks_the_checksum() {
        let mut wrong = address();
        let swapped = if wrong.starts_with('b') { "c" } else { "b" };
        wrong.replace_range(0..1, swapped);
        let problems = parse(&format!("{wrong}.onion:80")).unwrap_err();
        assert_eq!(problems, [Message::WrongOnion(OnionFault::WrongChecksum, None)]);
    }

    #[test]
    fn a_fixable_target_comes_with_the_fix() {
        let good = address();
        for text in [format!("http://{good}.onion:80"), format!("02ab@{good}.onion:9735:9735")] {
            let problems = parse(&text).unwrap_err();
            assert!(problems[0].to_string().contains(&format!("Did you mean {good}.onion:")), "{problems:?}");
        }
    }

    #[test]
    fn what_stands_in_place_of_a_port_is_named_and_the_port_in_it_offered() {
        let good = address();
        for (port, meant) in [
            ("-5", "5"),
            ("8_0", "80"),
            ("+80", "80"),
            (" 80", "80"),
            ("\n80", "80"),
            ("80/path", "80"),
            ("80/1", "80"),
        ] {
            let problems = parse(&format!("{good}.onion:{port}")).unwrap_err();
            let wanted = format!("{port:?} is no port: digits only. Did you mean {good}.onion:{meant}?");
            assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [wanted], "{port:?}");
        }
        for text in ["abc.onion:80/path".to_owned(), "abc.onion:http".to_owned(), format!("{good}.onion:http")] {
            assert_eq!(parse(&text).unwrap_err(), [Message::NoPortLast], "{text}");
        }
    }

    #[test]
    fn a_target_without_onion_and_port_has_both_messages() {
        assert_eq!(parse("foo").unwrap_err().len(), 2);
    }

    #[test]
    fn what_was_probably_meant_is_offered_as_a_valid_target() {
        let good = address();
        let onion = format!("{good}.onion");
        for (text, ports) in [
            (format!("02ab@{onion}:9735:9735"), vec![9735]),
            (format!("02ab@{onion}"), vec![9735]),
            (format!("http://{onion}/"), vec![80]),
            (format!("HTTPS://{}/path?x#y", onion.to_ascii_uppercase()), vec![443]),
            (format!("http://user@{onion}:8080/path"), vec![8080]),
            (format!("www.{onion}:80"), vec![80]),
            (format!(" {onion}. "), vec![443, 80, 9735]),
            (onion.clone(), vec![443, 80, 9735]),
            (format!("{onion}:99999"), vec![443, 80, 9735]),
        ] {
            let wanted: Vec<String> = ports.iter().map(|port| format!("{onion}:{port}")).collect();
            assert_eq!(suggestions(&text), wanted, "{text}");
            assert!(suggestions(&text).iter().all(|suggestion| parse(suggestion).is_ok()));
        }
        for text in [
            format!("{onion}:80"),
            format!("{}:80", onion.to_ascii_uppercase()),
            "expyuzz4wqqyqhjn.onion:80".to_owned(),
            format!("{}a.onion:80", &good[..55]),
            "example.com".to_owned(),
            String::new(),
            "x".repeat(301),
            "\0@:://.onion".to_owned(),
        ] {
            assert_eq!(suggestions(&text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn a_text_is_looked_at_up_to_three_hundred_characters() {
        let target = format!("{}.onion:80", address());
        let padded = |length: usize| format!("{target:>length$}");
        assert_eq!(parse(&padded(300)), Ok(target.clone()));
        assert_eq!(parse(&padded(301)), Err(vec![Message::TooLong { max: 300 }]));
        let onion = format!("{}.onion", address());
        let bare = |length: usize| suggestions(&format!("{onion:>length$}")).len();
        assert_eq!((bare(300), bare(301)), (3, 0));
    }

    #[test]
    fn a_port_is_a_number_from_one_to_65535() {
        let at = |port: &str| parse(&format!("{}.onion:{port}", address()));
        assert!(at("1").is_ok() && at("65535").is_ok());
        for port in ["0", "65536"] {
            assert_eq!(at(port), Err(vec![Message::PortOutOfRange { port: port.to_owned() }]));
        }
        assert_eq!(at(""), Err(vec![Message::NoPortLast]));
    }
}
