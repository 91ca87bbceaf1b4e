//! What Core Lightning's commands for payments can be told to do wrong.

use parking_lot::{Mutex, MutexGuard};

/// How `pay` and `xpay` are made to end: with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayEnd {
    /// lightningd's code, such as 203.
    pub code: i32,
    /// What goes its way nevertheless.
    pub part: Part,
}

/// When a part of a payment leaves whose command ends with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Never.
    None,
    /// Before the command ends.
    Sent,
    /// A moment later: it was being prepared when another one failed.
    Late,
}

#[derive(Default)]
struct Conditions {
    end: Option<PayEnd>,
    lacks_xpay: bool,
}

/// The faults in force.
#[derive(Default)]
pub struct ClnFaults(Mutex<Conditions>);

impl ClnFaults {
    /// Makes each payment end with an error, or as it ends.
    pub fn end_payments(&self, end: Option<PayEnd>) {
        self.lock().end = end;
    }

    /// How each payment is to end.
    pub fn payments_end(&self) -> Option<PayEnd> {
        self.lock().end
    }

    /// Whether the node is one of before v24.11, with `pay` alone.
    pub fn set_lacks_xpay(&self, lacks: bool) {
        self.lock().lacks_xpay = lacks;
    }

    /// Whether the node has `pay` alone.
    pub fn lacks_xpay(&self) -> bool {
        self.lock().lacks_xpay
    }

    /// Back to a healthy node.
    pub fn clear(&self) {
        *self.lock() = Conditions::default();
    }

    fn lock(&self) -> MutexGuard<'_, Conditions> {
        self.0.lock()
    }
}
