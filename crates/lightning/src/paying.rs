//! Payments from a node, for refunds only. They have a connection of their own, and with LND a macaroon of their
//! own; nothing that makes invoices can reach them.

mod cln;
mod lnd;
mod lnd_grpc;
mod lnd_rest;
mod payment;

pub use cln::ClnPayer;
pub use lnd_grpc::LndGrpcPayer;
pub use lnd_rest::LndRestPayer;
pub use payment::{Order, PayingNode, PaymentCredentials};
