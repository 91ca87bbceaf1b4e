//! Port numbers that people remember, and so pay more for.
//!
//! Two kinds, as the predecessor's `get_port_ranges` command had them:
//! * premium: five times the same digit (11111, 22222, 33333, 44444, 55555);
//! * silver: exactly two different digits, one of them only once (22922, 10000, 8088).

/// Ports, both ends included.
pub type Span = (u16, u16);

/// Five times the same digit.
pub fn is_premium(port: u16) -> bool {
    port > 9999 && port.is_multiple_of(11_111)
}

/// Exactly two different digits, one of them only once.
pub fn is_silver(port: u16) -> bool {
    let digits = port.to_string();
    let count = |digit: char| digits.chars().filter(|&other| other == digit).count();
    let mut different: Vec<char> = digits.chars().collect();
    different.sort_unstable();
    different.dedup();
    different.len() == 2 && different.into_iter().any(|digit| count(digit) == 1)
}

/// Splits the ports `first..=last` into those that `special` picks and the rest; each as few spans
/// as possible, in ascending order.
pub fn split(first: u16, last: u16, special: impl Fn(u16) -> bool) -> (Vec<Span>, Vec<Span>) {
    let (mut picked, mut rest) = (Vec::new(), Vec::new());
    for port in first..=last {
        extend(if special(port) { &mut picked } else { &mut rest }, port);
    }
    (picked, rest)
}

fn extend(spans: &mut Vec<Span>, port: u16) {
    match spans.last_mut() {
        Some((_, end)) if end.checked_add(1) == Some(port) => *end = port,
        _ => spans.push((port, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn premium_ports_have_five_equal_digits() {
        let (premium, _) = split(1, u16::MAX, is_premium);
        let expected = [11_111, 22_222, 33_333, 44_444, 55_555].map(|port| (port, port));
        assert_eq!(premium, expected);
    }

    #[test]
    fn silver_ports_have_two_digits_one_of_them_once() {
        for port in [22_922, 10_000, 11_112, 8088, 443, 12] {
            assert!(is_silver(port), "{port}");
        }
        for port in [11_111, 22_299, 12_345, 8080, 11] {
            assert!(!is_silver(port), "{port}");
        }
    }

    #[test]
    fn the_rest_is_what_is_left_of_the_span() {
        let (premium, rest) = split(22_220, 22_225, is_premium);
        assert_eq!(premium, [(22_222, 22_222)]);
        assert_eq!(rest, [(22_220, 22_221), (22_223, 22_225)]);
        assert_eq!(split(65_535, 65_535, is_premium), (vec![], vec![(65_535, 65_535)]));
    }
}
