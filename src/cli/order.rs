//! `order`: purchase orders, and what becomes of the ones that need a person.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{self, Output};
use super::refund::{self, Outcome, order_id};
use super::runtime::block_on;
use super::{history, user};
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::purchase::OrderStatus;
use crate::services::orders::place::OrderView;
use crate::services::{Shop, operator_queries, payments};
use crate::store::deals::Search;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List orders, newest first
    List {
        /// Only orders in this state: a letter such as T (to be paid), P (paid), N (needs refund)
        #[arg(long, value_name = "LETTER", value_parser = status)]
        status: Option<OrderStatus>,
        /// Only orders that owe the buyer something
        #[arg(long)]
        owed: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one order with its invoice, product and history
    Show {
        /// The order's id
        #[arg(value_parser = order_id)]
        id: OrderId,
    },
    /// Settle by hand what an order in state N (or with a surplus) needs
    Resolve {
        /// The order's id
        #[arg(value_parser = order_id)]
        id: OrderId,
        /// Let the host try again to deliver, instead of noting that the buyer was paid back
        #[arg(long, conflicts_with = "refund_outcome")]
        deliver_again: bool,
        /// What became of a refund whose wallet is lost, so that nobody else can tell: paid or failed
        #[arg(long, value_name = "OUTCOME")]
        refund_outcome: Option<Outcome>,
        /// What was done, for the change log
        #[arg(long, value_name = "TEXT", default_value = "settled by hand")]
        note: String,
    },
    /// Pay what the order owes back to the buyer, through a node that may pay refunds (see `node set --help`)
    Refund(refund::Args),
}

fn status(letter: &str) -> Result<OrderStatus, String> {
    let letters = || OrderStatus::ALL.map(OrderStatus::letter).join(", ");
    OrderStatus::parse(letter).ok_or_else(|| format!("a state is one of {}", letters()))
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = args.data.open()?;
    match args.command {
        Command::List { status, owed, limit } => {
            list(&data.shop()?, Search { status, owed, limit, ..Search::default() }, output)
        }
        Command::Show { id } => show(&data.shop()?, id, output),
        Command::Resolve { id, deliver_again: true, .. } => deliver_again(&data.shop()?, id, output),
        Command::Resolve { id, refund_outcome: Some(outcome), note, .. } => {
            refund::state_outcome(data, id, outcome, &note, output)
        }
        Command::Resolve { id, note, .. } => resolve(&data.shop()?, id, &note, output),
        Command::Refund(args) => refund::run(data, args, output),
    }
}

fn list(shop: &Shop, search: Search, output: &Output) -> Result<(), Failure> {
    let orders = operator_queries::orders(shop, &user::principal(), search)?;
    let documents: Vec<Value> = orders.iter().map(document).collect();
    let rows: Vec<_> = orders.iter().map(row).collect();
    let headers = ["ID", "ORDERED", "STATE", "PRICE", "OWED", "HOST", "PRODUCT"];
    output.list(&json!(documents), &headers, &rows, "There are no such orders.");
    Ok(())
}

fn row(view: &OrderView) -> Vec<String> {
    let purchase = &view.purchase;
    vec![
        purchase.id.to_string(),
        purchase.created_at.to_wire(),
        purchase.status.letter().to_owned(),
        purchase.price.to_string(),
        if purchase.owed == Msat(0) { "-".to_owned() } else { purchase.owed.to_string() },
        view.host.name.clone(),
        view.product.id.to_string(),
    ]
}

/// An order as JSON.
pub fn document(view: &OrderView) -> Value {
    let (purchase, invoice) = (&view.purchase, &view.purchase.invoice);
    json!({
        "id": purchase.id.to_string(),
        "kind": purchase.kind.name(),
        "status": purchase.status.letter(),
        "message": purchase.message.as_ref().map(ToString::to_string),
        "price": purchase.price.0,
        "received": invoice.received.map(|amount| amount.0),
        "owed": purchase.owed.0,
        "refunded": purchase.refunded.0,
        "delivery": purchase.delivery.name(),
        "late_secs": purchase.late_secs,
        "created_at": purchase.created_at.to_wire(),
        "product_id": view.product.id.to_string(),
        "product_status": view.product.status.letter(),
        "host_id": view.host.id.to_string(),
        "invoice": {
            "id": purchase.id.to_string(),
            "state": invoice.state.name(),
            "node_id": invoice.node_id.to_string(),
            "payment_hash": invoice.hash.to_string(),
            "is_hold": invoice.is_hold,
            "payment_request": invoice.payment_request,
            "expires_at": invoice.expires_at.map(|at| at.to_wire()),
            "paid_at": invoice.paid_at.map(|at| at.to_wire()),
        },
    })
}

fn show(shop: &Shop, id: OrderId, output: &Output) -> Result<(), Failure> {
    let by = user::principal();
    if let Some(day) = operator_queries::deleted_unpaid(shop, &by, id)? {
        let wire = day.to_wire();
        let day = wire.split('T').next().unwrap_or_default();
        let document = json!({"id": id.to_string(), "ordered_on": day, "deleted": "never paid"});
        output.result(&document, &format!("Order {id} was placed on {day}, was never paid, and has been deleted."));
        return Ok(());
    }
    let (view, past) = operator_queries::order(shop, &by, id)?;
    let mut shown = document(&view);
    shown["history"] = history::document(&past);
    let (purchase, invoice) = (&view.purchase, &view.purchase.invoice);
    let fields = output::fields(&[
        ("order", purchase.id.to_string()),
        (
            "state",
            format!(
                "{} ({})",
                purchase.status.letter(),
                purchase.message.as_ref().map_or("no message".to_owned(), ToString::to_string)
            ),
        ),
        ("price", purchase.price.to_string()),
        ("received", invoice.received.map_or_else(|| "nothing".to_owned(), |amount| amount.to_string())),
        ("owed", purchase.owed.to_string()),
        ("invoice", format!("{} on node {}", invoice.state.name(), invoice.node_id)),
        ("payment hash", invoice.hash.to_string()),
        ("product", format!("{} in state {}", view.product.id, view.product.status.letter())),
        ("host", format!("{} ({})", view.host.name, view.host.ip)),
    ]);
    output.result(&shown, &format!("{fields}\n\n{}", history::text(&past)));
    Ok(())
}

fn resolve(shop: &Shop, id: OrderId, note: &str, output: &Output) -> Result<(), Failure> {
    let owed = block_on(async { Ok(payments::apply::mark_refunded(shop, id, &user::principal(), note).await?) })?;
    let document = json!({"id": id.to_string(), "resolved": "refunded", "amount": owed.0});
    output.result(&document, &format!("Noted: {owed} of order {id} were paid back."));
    Ok(())
}

fn deliver_again(shop: &Shop, id: OrderId, output: &Output) -> Result<(), Failure> {
    block_on(async { Ok(payments::apply::retry_delivery(shop, id, &user::principal()).await?) })?;
    let document = json!({"id": id.to_string(), "resolved": "deliver_again"});
    output.result(&document, &format!("The host is asked again to deliver order {id}."));
    Ok(())
}
