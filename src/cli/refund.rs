//! `order refund`: pays what an order owes back through a Lightning node.

use clap::Args as ClapArgs;
use serde_json::json;

use super::block_on;
use super::data::Data;
use super::failure::Failure;
use super::output::Output;
use crate::app;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::services::nodes_admin;
use crate::worker::refunds::{self, RefundOrder};

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

/// Reads an order's id.
pub fn order_id(text: &str) -> Result<OrderId, String> {
    OrderId::parse(text).ok_or_else(|| "this is not the id of an order (see `order list`)".to_owned())
}

/// Pays, and says what was paid.
pub fn run(data: Data, args: Args, output: &Output) -> Result<(), Failure> {
    crate::tls::install_provider();
    let (nodes, config) = (data.read(nodes_admin::list)?, data.config.clone());
    let shop = data.shop()?;
    let wanted = RefundOrder {
        order: args.id,
        bolt11: args.bolt11,
        amount: args.amount.map(Msat),
        fee_limit: args.fee_limit.map(Msat),
        not_paid_since_backup: args.not_paid_since_the_backup,
    };
    let paid = block_on(async {
        let dial = app::command_dial(&config, nodes.iter().map(|node| node.host.as_str())).await?;
        Ok(refunds::refund(&shop, &dial, wanted, "cli").await?)
    })?;
    let document = json!({
        "order": args.id.to_string(),
        "amount": paid.amount.0,
        "fee": paid.fee.0,
        "status": paid.status.letter(),
        "owed": paid.owed.0,
    });
    let mut text = format!("Paid back {}; the route cost {}.", paid.amount, paid.fee);
    if paid.owed > Msat(0) {
        text.push_str(&format!(" The order still owes {}: ask the buyer for a payment request over that.", paid.owed));
    }
    output.result(&document, &text);
    Ok(())
}
