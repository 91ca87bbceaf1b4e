//! What becomes of the old shop: rows of this one, decided without looking at anything but the dump. Ids stay as they are,
//! since buyers' software extends by them and hosts' scripts show theirs.

mod machines;
mod nodes;
mod orders;
mod parts;
mod people;
mod places;
mod products;
mod sales;
mod untraceable;
mod whole;

use super::credentials::Credentials;
use super::env::Env;
use super::old::Old;
use super::refused::Refused;
use crate::domain::purchase::InvoiceState;
use crate::domain::time::Timestamp;

pub use parts::Plan;

/// Decides.
///
/// # Errors
/// [`Refused`] for what contradicts itself, and for a part of a shop.
pub fn make(old: &Old, env: &Env, credentials: &Credentials, now: Timestamp) -> Result<Plan, Refused> {
    let mut plan = Plan::default();
    whole::check(old, &mut plan);
    let people = people::take(old, &mut plan);
    nodes::take(old, &people, credentials, &mut plan);
    machines::take_hosts(old, &people, env, &mut plan);
    machines::take_site(old, &mut plan);
    machines::take_denied(old, &mut plan);
    let sales = sales::link(old, &mut plan);
    products::take(old, sales, &mut plan, now);
    places::give(&mut plan, now);
    machines::tell_of_leftover_ports(old, &mut plan);
    people::tell_of_env(env, &mut plan);
    tell_of_open_invoices(&mut plan);
    for key in &old.rest {
        plan.ledger.drop(key, why_not(&key.model));
    }
    Refused::of(std::mem::take(&mut plan.wrong))?;
    Ok(plan)
}

/// Their preimages are their nodes': nobody but these can say what became of them.
fn tell_of_open_invoices(plan: &mut Plan) {
    let open = plan.orders.iter().filter(|new| new.purchase.invoice.state == InvoiceState::Open).count();
    if open > 0 {
        plan.ledger.note(format!(
            "invoices that can still be paid, or may have been without the old shop noticing; they are looked up at their \
             nodes when the shop starts: {open}"
        ));
    }
}

/// Why no object of a model is taken over.
fn why_not(model: &str) -> &'static str {
    match model {
        "auth.group" => "what its members may do is their role here",
        "admin.logentry" => "the old shop's log; this one begins its own",
        "lnrates.fiatrate" => "exchange rates are fetched anew",
        "shop.bandwidthextension" => "the hosts never counted: each bridge has its full allowance",
        "shop.rsshtunnel" => "reverse SSH tunnels were never sold",
        "lnnode.clightningnode" => "the old shop could not use it; add it: `node add --kind cln --host SOCKET`",
        _ => "this shop has nothing of the kind",
    }
}
