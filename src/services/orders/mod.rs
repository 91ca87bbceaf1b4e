//! Orders: placing them, extending what was bought, refusing what is denied, probing before the invoice is made.

pub mod by_form;
pub mod deny;
pub mod extend;
pub mod follow;
pub mod place;
pub mod probe;
pub mod search;
