//! `openapi`: prints the document of the HTTP interface.

use super::failure::Failure;
use super::output::Output;
use crate::http;

pub fn run(output: &Output) -> Result<(), Failure> {
    let document =
        http::openapi_json().map_err(|error| Failure::from(crate::services::Error::Internal(error.to_string())))?;
    output.result(&document, &http::openapi_document());
    Ok(())
}
