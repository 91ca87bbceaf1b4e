//! A development Lightning node: it speaks LND's real gRPC over TLS with macaroons, makes real
//! signed BOLT11 invoices and answers as LND does, but there is no chain, no channel and no money
//! behind it. It can be told to fail. The shop talks to it as to any LND.

#![expect(clippy::result_large_err, reason = "the error of every call is tonic's Status, of a given size")]

mod auth;
mod bolt11;
mod book;
mod calls;
mod cln;
mod cln_calls;
mod cln_faults;
mod cln_params;
mod cln_pay;
mod commands;
mod control;
mod faults;
mod files;
mod grpc;
mod invoice;
mod journal;
mod line;
mod memory;
mod node;
mod oddities;
mod oddity;
mod payer;
mod payment;
mod quirks;
mod rest;
mod rest_calls;
mod rest_fields;
mod rest_json;
mod running;
mod server;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod tls;
mod upkeep;
mod wire;

pub use cln_faults::{Part, PayEnd};
pub use commands::{cli_fault, cli_pay, cli_serve};
pub use control::CommandError;
pub use faults::{Fault, Faults, Instruction, Rule, UnknownInstruction, Wallet};
pub use files::{MACAROONS, StartError};
pub use invoice::{Hex32, Htlc, Invoice, Progress, State, Terms};
pub use node::{AddFailure, Node, NodeFailure};
pub use oddity::Oddity;
pub use payer::Started;
pub use payment::{FailureReason, PayError, PayOrder, Payment, PaymentState};
pub use quirks::Quirks;
pub use running::{Options, Running, Simulator};
