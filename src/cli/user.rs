//! Who sits at the command line, for the change log. It proves nothing: whoever may open the database file may do
//! everything.

use crate::domain::principal::Principal;

/// Where the name of the account is told; `sudo` tells who called it.
const TOLD_IN: [&str; 3] = ["SUDO_USER", "USER", "LOGNAME"];
/// No account on Linux has a longer name. Bytes.
const MAX_NAME: usize = 32;

/// Who runs this command.
pub fn principal() -> Principal {
    Principal::CommandLine(TOLD_IN.iter().filter_map(|name| std::env::var(name).ok()).find(|name| is_name(name)))
}

/// Whether it can be the name of an account; anything else would only confuse who reads the log.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_an_account_gets_into_the_change_log() {
        assert!(["pi", "www-data", "anna.b", "_apt"].into_iter().all(is_name));
        assert!(!["", "a b", "cli: x", "a\nb", &"a".repeat(33)].into_iter().any(is_name));
    }
}
