//! Codes that follow from a secret and the time (RFC 6238, over RFC 4226): what authenticator apps show.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::domain::time::Timestamp;

/// How long a code is shown. Seconds.
const STEP_SECS: i64 = 30;
/// So many steps a clock may be ahead or behind.
const TOLERANCE: i64 = 1;
/// The digits of a code.
pub const DIGITS: usize = 6;

/// The step of a code that is right now and whose step comes after the last one that was used.
pub fn matching_step(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let current = now.secs().div_euclid(STEP_SECS);
    let mut steps = current - TOLERANCE..=current + TOLERANCE;
    steps.find(|step| *step > last && self::code(secret, *step, DIGITS) == code)
}

/// The code of a step of time.
pub fn code(secret: &[u8], step: i64, digits: usize) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let mut word = [0; 4];
    word.copy_from_slice(&digest[at..at + 4]);
    let number = u32::from_be_bytes(word) & 0x7fff_ffff;
    let all = format!("{number:010}");
    all[all.len() - digits..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        for (secs, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(SECRET, secs / STEP_SECS, 8), expected, "{secs}");
        }
    }

    #[test]
    fn a_code_is_taken_a_step_early_or_late_and_never_twice() {
        let now = Timestamp::from_secs(1_800_000_000);
        let step = now.secs() / STEP_SECS;
        for (offset, is_taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let shown = code(SECRET, step + offset, DIGITS);
            assert_eq!(matching_step(SECRET, &shown, now, 0).is_some(), is_taken, "{offset}");
        }
        let shown = code(SECRET, step, DIGITS);
        assert_eq!(matching_step(SECRET, &shown, now, step), None, "it was used");
        assert_eq!(matching_step(SECRET, "", now, 0), None);
    }
}
