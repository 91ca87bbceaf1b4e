//! Clocks apart: what it means when a node dates an invoice otherwise than we would, and which of the two
//! clocks is likely to be right.

use super::time::Timestamp;

/// Clocks that differ by no more than this are of one mind. Seconds.
pub const TOLERANCE_SECS: i64 = 60;
/// A buyer needs so long at least to pay, or half the invoice's time where that is less. Seconds.
const TO_PAY_SECS: i64 = 300;

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

impl Validity {
    fn covers(&self, time: Timestamp) -> bool {
        (self.from..=self.until).contains(&time)
    }
}

/// How far the node's clock is ahead of ours (negative: behind), at least: it dated an invoice `made_at` that
/// was asked for at `asked_at` and answered by `now`. Seconds; 0 while nothing speaks against one time.
pub fn ahead_secs(made_at: Timestamp, asked_at: Timestamp, now: Timestamp) -> i64 {
    if made_at > now {
        made_at.secs() - now.secs()
    } else if made_at < asked_at {
        made_at.secs() - asked_at.secs()
    } else {
        0
    }
}

/// Whether a node whose clock is `ahead_secs` ahead counts as of another time.
pub const fn are_apart(ahead_secs: i64) -> bool {
    ahead_secs.abs() > TOLERANCE_SECS
}

/// Whether an invoice that ends at `expires_at` leaves a buyer the time to pay it. `expiry_secs` is what
/// was asked for.
pub fn is_payable(expires_at: Timestamp, expiry_secs: u32, now: Timestamp) -> bool {
    let needed = TO_PAY_SECS.min(i64::from(expiry_secs) / 2);
    expires_at.secs() - now.secs() >= needed
}

/// Two clocks that differ, and who agrees with which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// This machine's time.
    pub ours: Timestamp,
    /// The node's, at the same moment.
    pub theirs: Timestamp,
    /// When the node's certificate is valid, if one is given.
    pub certificate: Option<Validity>,
    /// How many other nodes have our time.
    pub with_us: u32,
    /// How many other nodes have this node's time.
    pub with_them: u32,
}

/// Whose clock is likely to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Ours,
    Theirs,
    Unknown,
}

impl Apart {
    /// One line for the operator: both times, what speaks for which, and what to do.
    pub fn text(&self, node: &str) -> String {
        let Self { ours, theirs, .. } = self;
        let seconds = theirs.secs() - ours.secs();
        let relation = if seconds < 0 { "behind" } else { "ahead" };
        format!(
            "this machine's clock says {ours}, that of node {node} {theirs} ({} {relation}). {} {}",
            span(seconds.unsigned_abs()),
            self.evidence(),
            self.advice(node)
        )
    }

    fn evidence(&self) -> String {
        let certificate = match self.certificate {
            None => String::new(),
            Some(validity) => {
                let fits = match (validity.covers(self.ours), validity.covers(self.theirs)) {
                    (true, true) => "both times",
                    (true, false) => "only this machine's time",
                    (false, true) => "only the node's time",
                    (false, false) => "neither time",
                };
                format!("The node's certificate ({} to {}) fits {fits}. ", validity.from, validity.until)
            }
        };
        let agree = |count: u32| match count {
            1 => "1 other node agrees".to_owned(),
            _ => format!("{count} other nodes agree"),
        };
        let others = match (self.with_us, self.with_them) {
            (0, 0) => "No other node can tell who is right.".to_owned(),
            (us, 0) => format!("{} with this machine.", agree(us)),
            (0, them) => format!("{} with the node.", agree(them)),
            (us, them) => format!("{} with this machine, {them} with the node.", agree(us)),
        };
        certificate + &others
    }

    fn right(&self) -> Right {
        let covers = |time| self.certificate.is_none_or(|validity| validity.covers(time));
        match (covers(self.ours), covers(self.theirs)) {
            (true, false) => Right::Ours,
            (false, true) => Right::Theirs,
            _ if self.with_us > self.with_them => Right::Ours,
            _ if self.with_us < self.with_them => Right::Theirs,
            _ => Right::Unknown,
        }
    }

    fn advice(&self, node: &str) -> String {
        match self.right() {
            Right::Ours => format!("Set the clock of {node}'s machine (`timedatectl`)."),
            Right::Theirs => "Set this machine's clock (`timedatectl`).".to_owned(),
            Right::Unknown => "Compare both with your own and set the wrong one (`timedatectl`).".to_owned(),
        }
    }
}

/// A length of time in words, in its largest unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn an_invoice_dated_between_question_and_answer_shows_no_difference() {
        let asked = NOW.plus_secs(-40);
        for made in [-40, -20, 0] {
            assert_eq!(ahead_secs(NOW.plus_secs(made), asked, NOW), 0);
        }
        assert_eq!(ahead_secs(NOW.plus_secs(-100), asked, NOW), -60, "asked 40 s ago, dated 100 s ago");
        assert_eq!(ahead_secs(NOW.plus_secs(90), asked, NOW), 90);
        assert!(!are_apart(-60) && are_apart(-61) && are_apart(61));
    }

    #[test]
    fn an_invoice_must_leave_the_time_to_pay_it() {
        assert!(is_payable(NOW.plus_secs(900), 900, NOW) && is_payable(NOW.plus_secs(300), 900, NOW));
        assert!(!is_payable(NOW.plus_secs(299), 900, NOW) && !is_payable(NOW.plus_secs(-5), 900, NOW));
        assert!(is_payable(NOW.plus_secs(30), 60, NOW), "a short one needs half of its time");
    }

    #[test]
    fn the_operator_reads_both_times_and_which_one_the_rest_of_the_world_agrees_with() {
        let theirs = NOW.plus_secs(-3600);
        let certificate = |from: i64| Some(Validity { from: NOW.plus_secs(from), until: NOW.plus_secs(1_000_000) });
        let apart = Apart { ours: NOW, theirs, certificate: certificate(-60), with_us: 0, with_them: 0 };
        let text = apart.text("alice");
        assert!(text.contains("2027-01-15T08:00:00Z") && text.contains("2027-01-15T07:00:00Z"), "{text}");
        assert!(text.contains("60 minutes behind") && text.contains("fits only this machine's time"), "{text}");
        assert!(text.ends_with("Set the clock of alice's machine (`timedatectl`)."), "{text}");
        let text = Apart { certificate: None, with_them: 2, ..apart }.text("alice");
        assert!(text.contains("2 other nodes agree with the node. Set this machine's clock"), "{text}");
        let text = Apart { certificate: certificate(-999_999), ..apart }.text("alice");
        assert!(text.contains("fits both times") && text.contains("Compare both"), "{text}");
    }

    #[test]
    fn a_certificate_that_fits_one_time_decides_and_else_the_number_of_nodes() {
        let theirs = NOW.plus_secs(-3600);
        let ours_alone = Validity { from: NOW.plus_secs(-60), until: NOW.plus_secs(60) };
        let theirs_alone = Validity { from: theirs.plus_secs(-60), until: theirs.plus_secs(60) };
        let both = Validity { from: theirs.plus_secs(-60), until: NOW.plus_secs(60) };
        let neither = Validity { from: NOW.plus_secs(60), until: NOW.plus_secs(120) };
        for (certificate, with_us, with_them, told) in [
            (Some(ours_alone), 0, 5, "5 other nodes agree with the node. Set the clock of alice"),
            (Some(theirs_alone), 5, 0, "5 other nodes agree with this machine. Set this machine's clock"),
            (Some(both), 2, 1, "2 other nodes agree with this machine, 1 with the node. Set the clock of alice"),
            (Some(neither), 1, 2, "1 other node agrees with this machine, 2 with the node. Set this machine's clock"),
            (None, 1, 0, "1 other node agrees with this machine. Set the clock of alice"),
            (None, 1, 1, "Compare both with your own"),
            (None, 0, 0, "No other node can tell who is right. Compare both with your own"),
        ] {
            let text = Apart { ours: NOW, theirs, certificate, with_us, with_them }.text("alice");
            assert!(text.contains(told), "{text}: {told}");
        }
    }

    #[test]
    fn a_length_of_time_is_told_in_its_largest_unit_from_two_of_it_on() {
        let told = [119, 120, 7199, 7200, 172_799, 172_800].map(span);
        assert_eq!(told, ["119 s", "2 minutes", "119 minutes", "2 hours", "47 hours", "2 days"]);
    }
}
