//! How operations are grouped in the document.

use poem_openapi::Tags;

/// The group of these operations in the document.
#[derive(Tags)]
pub enum Tag {
    /// For those who run the shop; on the faces that are chosen for it.
    Admin,
}
