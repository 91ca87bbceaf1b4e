//! `bridge`: Tor bridges and Nostr aliases that were sold.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{self, Output};
use super::runtime::block_on;
use super::{history, user};
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{Product, ProductStatus, Subject};
use crate::domain::time::Timestamp;
use crate::services::products::operate::{Operation, OperatorAction, operate};
use crate::services::products::view::ProductView;
use crate::services::{Error, Shop, operator_queries, products};
use crate::store::products::Filter;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List products, newest first
    List {
        /// Only those in this state: a letter such as P (to activate), A (active), H (suspended)
        #[arg(long, value_name = "LETTER", value_parser = status)]
        status: Option<ProductStatus>,
        /// Only those of the host with this id
        #[arg(long, value_name = "ID", value_parser = host_id)]
        host: Option<HostId>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show one product with its orders and history
    Show {
        /// The product's id
        #[arg(value_parser = product_id)]
        id: ProductId,
    },
    /// Switch a product off; it can be extended again
    Suspend(OnOne),
    /// Switch a product off for good: abuse
    Kill {
        #[command(flatten)]
        one: OnOne,
        /// Also put its target on the deny list
        #[arg(long)]
        deny_target: bool,
    },
    /// Give the port of a suspended product back without its host's word: the host is gone or cleaned
    Release(OnOne),
    /// Bring a suspended product back while it has time left
    Resume(OnOne),
    /// Give a product more time, and the bandwidth of a period, for nothing; one that has ended comes back
    Extend {
        #[command(flatten)]
        one: OnOne,
        /// So many seconds [default: a period of what was agreed]
        #[arg(long, value_name = "SECONDS")]
        secs: Option<i64>,
    },
    /// Give a bridge that is suspended (state H) another port; with time left it comes back there
    Move {
        #[command(flatten)]
        one: OnOne,
        /// Which [default: any free one of its host]
        #[arg(long, value_name = "PORT")]
        port: Option<u16>,
    },
    /// Delete a product that owes nothing to anybody; its record stays
    Delete(OnOne),
}

#[derive(ClapArgs)]
struct OnOne {
    /// The product's id
    #[arg(value_parser = product_id)]
    id: ProductId,
    /// Why, for the change log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn status(letter: &str) -> Result<ProductStatus, String> {
    let letters = || ProductStatus::ALL.map(ProductStatus::letter).join(", ");
    ProductStatus::parse(letter).ok_or_else(|| format!("a state is one of {}", letters()))
}

fn host_id(text: &str) -> Result<HostId, String> {
    HostId::parse(text).ok_or_else(|| "this is not the id of a host (see `host list`)".to_owned())
}

fn product_id(text: &str) -> Result<ProductId, String> {
    ProductId::parse(text).ok_or_else(|| "this is not the id of a product (see `bridge list`)".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let shop = args.data.open()?.shop()?;
    match args.command {
        Command::List { status, host, limit } => list(&shop, Filter { host, status }, limit, output),
        Command::Show { id } => show(&shop, id, output),
        Command::Suspend(one) => change(&shop, one, OperatorAction::Suspend, false, output),
        Command::Release(one) => change(&shop, one, OperatorAction::Release, false, output),
        Command::Resume(one) => change(&shop, one, OperatorAction::Resume, false, output),
        Command::Extend { one, secs } => change(&shop, one, OperatorAction::Extend(secs), false, output),
        Command::Move { one, port } => relocate(&shop, one, port, output),
        Command::Delete(one) => change(&shop, one, OperatorAction::Delete, false, output),
        Command::Kill { one, deny_target } => change(&shop, one, OperatorAction::Kill, deny_target, output),
    }
}

fn list(shop: &Shop, filter: Filter, limit: u32, output: &Output) -> Result<(), Failure> {
    let products = operator_queries::products(shop, &user::principal(), filter, limit)?;
    let documents: Vec<Value> = products.iter().map(document).collect();
    let rows: Vec<_> = products.iter().map(row).collect();
    let headers = ["ID", "STATE", "HOST", "PORT", "ENDS", "WHAT"];
    output.list(&json!(documents), &headers, &rows, "There are no such products.");
    Ok(())
}

fn ends(product: &Product) -> String {
    product.suspend_after.map_or_else(|| "never".to_owned(), Timestamp::to_wire)
}

fn what(product: &Product) -> String {
    match &product.subject {
        Subject::Target(target) => target.clone(),
        Subject::Alias { alias, .. } => format!("alias {alias}"),
    }
}

fn row(view: &ProductView) -> Vec<String> {
    let product = &view.product;
    let port = product.port.filter(|_| product.placed).map_or_else(|| "-".to_owned(), |port| port.to_string());
    let state = product.status.letter().to_owned();
    vec![product.id.to_string(), state, view.host.name.clone(), port, ends(product), what(product)]
}

fn document(view: &ProductView) -> Value {
    let product = &view.product;
    json!({
        "id": product.id.to_string(),
        "kind": product.kind().name(),
        "status": product.status.letter(),
        "host_id": product.host_id.to_string(),
        "port": product.port.filter(|_| product.placed),
        "what": what(product),
        "comment": product.comment,
        "suspend_after": product.suspend_after.map(Timestamp::to_wire),
        "activated_at": product.activated_at.map(Timestamp::to_wire),
        "bandwidth_remaining": product.bandwidth_remaining,
        "is_killed": product.is_killed,
        "created_at": product.created_at.to_wire(),
    })
}

fn show(shop: &Shop, id: ProductId, output: &Output) -> Result<(), Failure> {
    let (view, orders, past) = operator_queries::product(shop, &user::principal(), id)?;
    let mut shown = document(&view);
    let orders: Vec<_> = orders.iter().map(|order| (order.id.to_string(), order.status.letter())).collect();
    shown["orders"] = orders.iter().map(|(id, status)| json!({"id": id, "status": status})).collect();
    shown["history"] = history::document(&past);
    let product = &view.product;
    let orders: Vec<_> = orders.iter().map(|(id, status)| format!("{id} ({status})")).collect();
    let fields = output::fields(&[
        ("product", product.id.to_string()),
        ("state", product.status.letter().to_owned()),
        ("what", what(product)),
        ("host", format!("{} ({})", view.host.name, view.host.ip)),
        ("port", product.port.map_or_else(|| "none".to_owned(), |port| port.to_string())),
        ("ends", ends(product)),
        ("bandwidth left", format!("{} bytes", product.bandwidth_remaining)),
        ("orders", orders.join(", ")),
    ]);
    output.result(&shown, &format!("{fields}\n\n{}", history::text(&past)));
    Ok(())
}

fn change(
    shop: &Shop,
    one: OnOne,
    action: OperatorAction,
    denies_target: bool,
    output: &Output,
) -> Result<(), Failure> {
    let OnOne { id, reason } = one;
    let operation = Operation { action, reason, denies_target };
    tell(id, block_on(async { Ok(operate(shop, &user::principal(), id, operation).await) })?, output)
}

fn relocate(shop: &Shop, one: OnOne, port: Option<u16>, output: &Output) -> Result<(), Failure> {
    let OnOne { id, reason } = one;
    let moving = async { Ok(products::relocate::relocate(shop, &user::principal(), id, port, reason).await) };
    tell(id, block_on(moving)?, output)
}

fn tell(id: ProductId, done: Result<Product, Error>, output: &Output) -> Result<(), Failure> {
    let product = done.map_err(|error| match error {
        // What was asked for makes no sense of this product.
        Error::Refused(text) => Failure::Usage(text.to_string()),
        other => other.into(),
    })?;
    let letter = product.status.letter();
    let document =
        json!({"id": id.to_string(), "status": letter, "port": product.port, "suspend_after": ends(&product)});
    output.result(&document, &format!("Product {id} is in state {letter} now, and ends {}.", ends(&product)));
    Ok(())
}
