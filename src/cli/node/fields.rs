//! The flags that describe a node.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::super::failure::Failure;
use crate::services::nodes_admin::NodeChange;

#[derive(ClapArgs)]
pub struct NodeFields {
    /// What you call it
    #[arg(long)]
    name: Option<String>,
    /// Host name, IP address, .onion address, or the full path of a Core Lightning socket
    #[arg(long)]
    host: Option<String>,
    /// Its port [default: 10009 for lnd_grpc, 8080 for lnd_rest]
    #[arg(long)]
    port: Option<u16>,
    /// The file with its certificate (tls.cert), read anew for each connection
    #[arg(long, value_name = "FILE")]
    certificate_file: Option<PathBuf>,
    /// The file with its macaroon for invoices (invoice.macaroon), read anew for each connection
    #[arg(long, value_name = "FILE")]
    macaroon_file: Option<PathBuf>,
    /// The file with its read-only macaroon, where the one for invoices tells nothing of the node
    #[arg(long, value_name = "FILE")]
    details_macaroon_file: Option<PathBuf>,
    /// The file with a macaroon that can pay (offchain:read offchain:write); only `order refund` reads it,
    /// and only for nodes of kind lnd_grpc
    #[arg(long, value_name = "FILE")]
    payment_macaroon_file: Option<PathBuf>,
    /// Keep copies of certificate and macaroon for invoices in the database, so that the files may go
    #[arg(long)]
    store_credentials: bool,
    /// The lowest number is tried first
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Whether it is used
    #[arg(long, value_name = "BOOL")]
    is_enabled: Option<bool>,
    /// Whether a macaroon that could spend is accepted
    #[arg(long, value_name = "BOOL")]
    allow_spending: Option<bool>,
    /// Whether hold invoices are used where it can make them
    #[arg(long, value_name = "BOOL")]
    use_holds: Option<bool>,
    /// The name of the operator that it belongs to
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
}

impl NodeFields {
    /// What is to change.
    pub fn change(self) -> Result<NodeChange, Failure> {
        let (certificate_file, certificate) = credential(self.certificate_file, self.store_credentials)?;
        let (macaroon_file, macaroon) = credential(self.macaroon_file, self.store_credentials)?;
        let (details_macaroon_file, _) = credential(self.details_macaroon_file, false)?;
        // Never stored: what can spend stays in its file.
        let (payment_macaroon_file, _) = credential(self.payment_macaroon_file, false)?;
        Ok(NodeChange {
            name: self.name,
            host: self.host,
            port: self.port,
            certificate_file,
            certificate,
            macaroon_file,
            macaroon,
            details_macaroon_file,
            payment_macaroon_file,
            priority: self.priority,
            is_enabled: self.is_enabled,
            allow_spending: self.allow_spending,
            use_holds: self.use_holds,
            has_moved: false,
        })
    }
}

/// The file as the database keeps it (a full path), or its content.
fn credential(file: Option<PathBuf>, store: bool) -> Result<(Option<String>, Option<Vec<u8>>), Failure> {
    let Some(file) = file else { return Ok((None, None)) };
    let content = read(&file)?;
    if store {
        return Ok((None, Some(content)));
    }
    let path = std::path::absolute(&file).map_err(|error| unreadable(&file, &error))?;
    Ok((Some(path.display().to_string()), None))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "; the shop's user must be able to read it: add the user to the file's group, or give it a copy of its own"
        }
        _ => "",
    };
    Failure::Failed(format!("can't read {}: {error}{hint}", file.display()))
}
