//! The flags that describe a node.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::super::credential::{Kind, credential};
use super::super::failure::Failure;
use crate::services::nodes::manage::NodeChange;

#[derive(ClapArgs, Default)]
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
    /// The file with an LND's macaroon that can pay (offchain:read offchain:write): lets the node pay refunds; only
    /// `order refund` reads it
    #[arg(long, value_name = "FILE")]
    payment_macaroon_file: Option<PathBuf>,
    /// Whether `order refund` may pay from this node; an LND needs a payment macaroon for that, Core Lightning nothing
    #[arg(long, value_name = "BOOL")]
    pays_refunds: Option<bool>,
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
    /// Those of a node at an address, with its files where it has any.
    pub fn at(name: &str, host: String, port: Option<u16>, files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut files = files.into_iter();
        Self {
            name: Some(name.to_owned()),
            host: Some(host),
            port,
            certificate_file: files.next(),
            macaroon_file: files.next(),
            details_macaroon_file: files.next(),
            ..Self::default()
        }
    }

    /// What is to change.
    pub fn change(self, database: &Path) -> Result<NodeChange, Failure> {
        let read = |field, file, what, store| credential(database, field, file, what, store);
        let stores = self.store_credentials;
        let (certificate_file, certificate) =
            read("certificate_file", self.certificate_file, Kind::Certificate, stores)?;
        let (macaroon_file, macaroon) = read("macaroon_file", self.macaroon_file, Kind::Macaroon, stores)?;
        let (details_macaroon_file, _) =
            read("details_macaroon_file", self.details_macaroon_file, Kind::Macaroon, false)?;
        // Never stored: what can spend stays in its file.
        let (payment_macaroon_file, _) =
            read("payment_macaroon_file", self.payment_macaroon_file, Kind::Macaroon, false)?;
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
            pays_refunds: self.pays_refunds,
            priority: self.priority,
            is_enabled: self.is_enabled,
            allow_spending: self.allow_spending,
            use_holds: self.use_holds,
            has_moved: false,
        })
    }
}
