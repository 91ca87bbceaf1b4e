//! Where real nodes differ from each other: how one is set up.

use std::time::Duration;

/// How a node is set up. The default is LND with its key-value store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The native SQL store: settlements are told again by the number of their invoice, not of their settlement.
    pub replays_by_id: bool,
    /// `gc-canceled-invoices-on-the-fly`: a cancelled invoice is gone in the same call.
    pub collects_garbage: bool,
    /// LND tells who watches an invoice in the moment in which it is made that it is open, and then once more.
    pub tells_open_twice: bool,
    /// What reading one invoice costs a node that lists them: the key-value store reads every one from the
    /// offset on, also those that it leaves out.
    pub read_cost: Duration,
}
