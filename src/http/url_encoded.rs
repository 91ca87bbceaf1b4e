//! URL-encoded forms, as both the contract and the pages read them.

/// The fields of a form in their order; `None` when it can't be read or has more than `most` of them. They are counted
/// before they are made: each takes many times its own bytes.
pub fn fields(bytes: &[u8], most: usize) -> Option<Vec<(String, String)>> {
    let separators = bytes.iter().filter(|byte| **byte == b'&').count();
    if separators >= most { None } else { serde_urlencoded::from_bytes(bytes).ok() }
}
