//! What a node is called that was never given a name: where it is, in short.

use crate::domain::address::with_port;

/// The longest name that is made up. Characters.
const LONGEST: usize = 40;

/// What a node at `host` is called by default; it stays so when the node moves. A socket (port 0) is called by its
/// last folder.
pub fn default(host: &str, port: u16) -> String {
    if port == 0 {
        let mut parts: Vec<&str> = host.rsplit('/').take(2).collect();
        parts.reverse();
        return shortened(&parts.join("/"), LONGEST);
    }
    let whole = with_port(host, port);
    if whole.len() <= LONGEST {
        return whole;
    }
    let port = format!(":{port}");
    shortened(host, LONGEST - port.len()) + &port
}

/// Whether a node at `host` has the name that it is given by default, now or by earlier versions.
pub fn is_default(name: &str, host: &str, port: u16) -> bool {
    let in_full =
        if port == 0 { [host.to_owned(), host.to_owned()] } else { [with_port(host, port), format!("{host}:{port}")] };
    !name.is_empty() && (name == default(host, port) || in_full.iter().any(|full| full == name))
}

/// The text, or its beginning and its end.
fn shortened(text: &str, longest: usize) -> String {
    let count = text.chars().count();
    if count <= longest {
        return text.to_owned();
    }
    let (start, end) = ((longest - 1) / 2, longest - 1 - (longest - 1) / 2);
    let first: String = text.chars().take(start).collect();
    let last: String = text.chars().skip(count - end).collect();
    format!("{first}\u{2026}{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_name_is_short_and_says_where_the_node_is() {
        assert_eq!(default("127.0.0.1", 10_009), "127.0.0.1:10009");
        assert_eq!(default("/home/cln/.lightning/bitcoin/lightning-rpc", 0), "bitcoin/lightning-rpc");
        let onion = default(&format!("{}.onion", "a".repeat(56)), 8080);
        assert!(onion.chars().count() == LONGEST && onion.ends_with("a.onion:8080"), "{onion}");
    }

    #[test]
    fn the_names_that_earlier_versions_gave_count_as_none() {
        let path = "/home/cln/.lightning/bitcoin/lightning-rpc";
        assert!(is_default(path, path, 0) && is_default("bitcoin/lightning-rpc", path, 0));
        assert!(!is_default("alice", path, 0) && !is_default("", "", 0));
    }
}
