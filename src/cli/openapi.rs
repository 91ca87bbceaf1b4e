//! `openapi`: prints the document of the HTTP interface.

use super::failure::Failure;
use super::output::Output;

pub fn run(_output: &Output) -> Result<(), Failure> {
    Err(Failure::not_available("openapi"))
}
