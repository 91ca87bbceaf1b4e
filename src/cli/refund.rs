//! `order refund`: pays what an order owes back through a Lightning node; and what to say of a refund whose outcome
//! no node can tell any more.

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;

use super::data::Data;
use super::failure::Failure;
use super::output::Output;
use super::runtime::block_on;
use super::user;
use crate::app;
use crate::background::refunds;
use crate::background::refunds::RefundOrder;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::lightning::bolt11;
use crate::services::nodes;
use crate::services::payments::refunds::Stated;

#[derive(ClapArgs)]
pub struct Args {
    /// The order's id
    #[arg(value_parser = order_id)]
    id: OrderId,
    /// The buyer's payment request, over what is owed (`order show`)
    bolt11: String,
    /// The amount, where the payment request names none: what is owed
    #[arg(long, value_name = "MSAT")]
    amount: Option<u64>,
    /// The most that the route may cost [default: 1 %, at least 10000]
    #[arg(long, value_name = "MSAT")]
    fee_limit: Option<u64>,
    /// You have looked through the node's payments: since the backup that was restored it was not paid back
    #[arg(long)]
    not_paid_since_the_backup: bool,
}

/// What became of a refund, as a person knows it.
#[derive(Clone, Copy, ValueEnum)]
pub enum Outcome {
    /// The buyer has the money
    Paid,
    /// Nothing was paid, and nothing will be
    Failed,
}

/// Reads an order's id.
pub fn order_id(text: &str) -> Result<OrderId, String> {
    OrderId::parse(text).ok_or_else(|| "this is not the id of an order (see `order list`)".to_owned())
}

/// Pays, and says what was paid. Fails when that was another payment request than the one given.
pub fn run(data: Data, args: Args, output: &Output) -> Result<(), Failure> {
    crate::onion::tls::install_provider();
    let (nodes, config) = (data.read(nodes::manage::list)?, data.config.clone());
    let shop = data.shop()?;
    let wanted = RefundOrder {
        order: args.id,
        bolt11: bolt11::from_pasted(&args.bolt11),
        amount: args.amount.map(Msat),
        fee_limit: args.fee_limit.map(Msat),
        not_paid_since_backup: args.not_paid_since_the_backup,
    };
    let paid = block_on(async {
        let dial = app::command_dial(&config, nodes.iter().map(|node| node.host.as_str())).await?;
        Ok(refunds::refund(&shop, &dial, wanted, &user::principal()).await?)
    })?;
    let document = json!({
        "order": args.id.to_string(),
        "payment_hash": paid.hash.to_string(),
        "is_this_request": paid.is_this_request,
        "amount": paid.amount.0,
        "fee": paid.fee.0,
        "status": paid.status.letter(),
        "owed": paid.owed.0,
    });
    let mut text = if paid.is_this_request {
        format!("Paid back {}; the route cost {}.", paid.amount, paid.fee)
    } else {
        format!("{} were already paid back, to payment hash {}; the route cost {}.", paid.amount, paid.hash, paid.fee)
    };
    if paid.owed > Msat(0) {
        text.push_str(&format!(" The order still owes {}: ask the buyer for a payment request over that.", paid.owed));
    }
    output.result(&document, &text);
    if paid.is_this_request {
        return Ok(());
    }
    Err(Failure::Failed("nothing was paid to this payment request: an earlier one had been paid".to_owned()))
}

/// Notes the outcome of a refund whose wallet is lost.
pub fn state_outcome(data: Data, id: OrderId, outcome: Outcome, note: &str, output: &Output) -> Result<(), Failure> {
    crate::onion::tls::install_provider();
    let (nodes, config) = (data.read(nodes::manage::list)?, data.config.clone());
    let shop = data.shop()?;
    let (stated, resolved, word) = match outcome {
        Outcome::Paid => (Stated::Paid, "refund_paid", "was paid"),
        Outcome::Failed => (Stated::Failed, "refund_failed", "failed; the order still owes it"),
    };
    let refund = block_on(async {
        let dial = app::command_dial(&config, nodes.iter().map(|node| node.host.as_str())).await?;
        Ok(refunds::state_outcome(&shop, &dial, id, stated, &user::principal(), note).await?)
    })?;
    let (hash, amount) = (refund.hash.to_string(), refund.amount);
    let document = json!({"id": id.to_string(), "resolved": resolved, "payment_hash": hash, "amount": amount.0});
    output.result(&document, &format!("Noted: the refund of {amount} to payment hash {hash} {word}."));
    Ok(())
}
