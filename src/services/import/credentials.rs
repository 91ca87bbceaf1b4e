//! How certificates and macaroons that were pasted into the old shop are read.

/// Those who speak to nodes know what one can show and what can spend; the plan asks them through this. Both answer with
/// the one form that is stored, or with what is wrong, for people, which says nothing of the content.
#[derive(Clone, Copy)]
pub struct Credentials {
    /// A certificate that a node can show.
    pub certificate: fn(&[u8]) -> Result<Vec<u8>, String>,
    /// A macaroon that makes invoices and can't spend.
    pub macaroon: fn(&[u8]) -> Result<Vec<u8>, String>,
}
