//! Identifiers and randomness. Public ids are random UUIDs (version 4: a version 7 would tell when
//! an order was made); each noun has its own type so that they cannot be mixed up.

use std::fmt;

use parking_lot::Mutex;
use uuid::Uuid;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the forms that clients use: dashed, undashed, any case, `urn:uuid:`.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text.trim()).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id_type!(
    /// A host: the machine with the public IP address.
    HostId
);
id_type!(
    /// A Lightning node of an operator.
    NodeId
);
id_type!(
    /// A purchase order, its single item and its one visible invoice: there is never one without the
    /// others.
    OrderId
);
id_type!(
    /// A product: a Tor bridge or a Nostr alias.
    ProductId
);

/// An operator's number; the contract shows it as `owner` of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorId(pub i64);

/// Where identifiers and random draws come from; tests inject a seeded source.
pub trait Random: Send + Sync {
    /// Fills `buffer` with random bytes, fit for secrets.
    fn fill(&self, buffer: &mut [u8]);

    /// A random version 4 UUID.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A number in `0..bound`, evenly distributed; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        let wide = u128::from(u64::from_le_bytes(bytes)) * u128::from(bound);
        (wide >> 64) as u64
    }
}

/// So many ids begin alike. An order and its product take one each: half a page of either index.
const RUN: u32 = 256;

/// Makes the ids of what there is much of. They are random, but those of a run share their first three
/// bytes: an index over them grows in one place for a while, instead of a page of its own being written for
/// each id. The other 98 random bits keep them secret. None tells when it was made; two tell whether they
/// were made soon after one another.
#[derive(Debug, Default)]
pub struct IdRuns(Mutex<Run>);

#[derive(Debug, Default)]
struct Run {
    start: [u8; 3],
    left: u32,
}

impl IdRuns {
    /// The next id.
    pub fn next(&self, random: &dyn Random) -> Uuid {
        let mut run = self.0.lock();
        if run.left == 0 {
            random.fill(&mut run.start);
            run.left = RUN;
        }
        run.left -= 1;
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes[..3].copy_from_slice(&run.start);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The operating system's random source.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no secret may be made: there is nothing sensible to go on with.
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_ids_of_a_run_begin_alike_and_no_two_are_the_same() {
        let ids = IdRuns::default();
        let made: Vec<Uuid> = (0..2 * RUN).map(|_| ids.next(&SystemRandom)).collect();
        let starts = |ids: &[Uuid]| ids.iter().map(|id| id.as_bytes()[..3].to_vec()).collect::<HashSet<_>>();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        assert!(made.iter().all(|id| id.get_version_num() == 4));
        for run in made.chunks(RUN as usize) {
            assert_eq!(starts(run).len(), 1);
        }
        assert_eq!(starts(&made).len(), 2, "another run begins differently");
    }
}
