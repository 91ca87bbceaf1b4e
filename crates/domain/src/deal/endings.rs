//! What a buyer reads of an order that ends without a sale: while its node is asked to cancel the invoice,
//! and once the node has said that it is cancelled. Before that nobody can promise that no money moves.

use super::{
    EXPIRED_MESSAGE, HOLD_FAILED_MESSAGE, HOLD_HOPELESS_MESSAGE, HOLD_REFUSED_MESSAGE, HOLD_UNPLACED_MESSAGE,
    REPLACED_MESSAGE, RETURNED_MESSAGE, SWITCHED_OFF_HELD_MESSAGE, SWITCHED_OFF_MESSAGE,
};

/// What is said until the node has confirmed, and what then.
const ENDINGS: [(&str, &str); 9] = [
    ("The invoice was not paid in time and is being cancelled.", EXPIRED_MESSAGE),
    ("A newer order has taken the place of this one, whose invoice is being cancelled.", REPLACED_MESSAGE),
    ("The operator has switched this product off. The invoice is being cancelled.", SWITCHED_OFF_MESSAGE),
    ("The operator has switched this product off. The payment is being given back.", SWITCHED_OFF_HELD_MESSAGE),
    ("The host did not deliver in time. The payment is being given back.", RETURNED_MESSAGE),
    ("The host has reported that it can't deliver. The payment is being given back.", HOLD_FAILED_MESSAGE),
    (
        "The payment could not be accepted (too little, or too close to its deadline). It is being given back.",
        HOLD_REFUSED_MESSAGE,
    ),
    ("The product can't be delivered any more. The payment is being given back.", HOLD_HOPELESS_MESSAGE),
    ("The host has nothing free for it any more. The payment is being given back.", HOLD_UNPLACED_MESSAGE),
];

/// What an order says until its node has confirmed the cancellation that it tells of with `end`.
pub fn until_confirmed(end: &str) -> &str {
    ENDINGS.iter().find(|ending| ending.1 == end).map_or(end, |ending| ending.0)
}

/// What an order says from then on.
pub fn once_confirmed(until: &str) -> &str {
    ENDINGS.iter().find(|ending| ending.0 == until).map_or(until, |ending| ending.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_to_be_over_before_it_is() {
        for (until, end) in ENDINGS {
            assert_eq!((until_confirmed(end), once_confirmed(until)), (until, end));
            assert!(until.contains("is being ") && !end.contains("is being "), "{until} / {end}");
            let over = ["was cancelled", "has been cancelled", "back in your wallet", "Nothing was charged"];
            assert!(over.iter().all(|words| !until.contains(words)), "{until}");
        }
    }
}
