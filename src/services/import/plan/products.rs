//! Bridges and aliases with their orders.

use super::super::old::{Old, OldProduct};
use super::orders;
use super::parts::Plan;
use super::sales::{Money, Sale, Sales, Standing};
use super::untraceable::drop_untraceable;
use crate::domain::deal::Deal;
use crate::domain::effect::Effect;
use crate::domain::host::Host;
use crate::domain::id::ProductId;
use crate::domain::product::{Product, ProductStatus, Subject, Terms};
use crate::domain::purchase::{Delivery, OrderStatus, PurchaseKind};
use crate::domain::time::Timestamp;
use crate::domain::{alias, target};

use ProductStatus as P;

/// Takes all products over that somebody has paid for, or still can, with their orders.
pub fn take(old: &Old, mut sales: Sales<'_>, plan: &mut Plan, now: Timestamp) {
    let mut counts = Counts::default();
    let mut products: Vec<&OldProduct> = old.products.iter().collect();
    products.sort_by_key(|product| (product.created_at, product.id));
    for found in products {
        let Some(host) = plan.hosts.iter().find(|new| new.host.id == found.host).map(|new| new.host.clone()) else {
            plan.wrong.push(format!("{}: its host is not in the dump", found.key));
            continue;
        };
        let own = sales.by_product.remove(&found.id).unwrap_or_default();
        let was_ordered = |sale: &Sale<'_>| sale.invoice.is_some() && matches!(sale.money, Money::Paid | Money::Open);
        if found.status == P::Initial && !own.iter().any(was_ordered) {
            let is_paid = own.iter().any(|sale| sale.money == Money::Paid);
            plan.ledger.drop(&found.key, if is_paid { "paid by what can't be traced: an alert" } else { "never paid" });
            own.iter().for_each(|sale| drop_ungiven(sale, plan, now));
            continue;
        }
        counts.look_at(found, now);
        take_one(found, &host, &own, plan, now);
    }
    counts.tell(plan);
    sales.homeless.iter().for_each(|sale| orders::drop_homeless(sale, plan, now));
}

/// What was ordered was never given, whatever the order says.
fn drop_ungiven(sale: &Sale<'_>, plan: &mut Plan, now: Timestamp) {
    match sale.standing() {
        Standing::Delivered => drop_untraceable(sale, Standing::Unapplied, plan),
        _ => orders::drop_homeless(sale, plan, now),
    }
}

fn take_one(found: &OldProduct, host: &Host, own: &[Sale<'_>], plan: &mut Plan, now: Timestamp) {
    let mut product = product(found, host, plan);
    let standings = standings(&product, found.status, own, now);
    let given = standings.iter().filter(|standing| **standing == Standing::Delivered).count();
    let awaited = standings.iter().filter(|standing| **standing == Standing::Awaiting).count();
    let was_active = match found.status {
        P::Active | P::NeedsSuspend | P::Suspended => true,
        // A second period is only sold of what has worked. Without orders somebody has given it away.
        P::NeedsActivate => given > 0 || awaited == 0 && !standings.contains(&Standing::Unapplied),
        _ => given > 0,
    };
    product.activated_at = was_active.then(|| own.first().map_or(found.created_at, |sale| sale.order.created_at));
    restate(&mut product, new_status(found.status), now);
    if product.is_killed && matches!(found.status, P::Initial | P::NeedsActivate) {
        restate(&mut product, P::NeedsSuspend, now);
    }
    let letter = found.status.letter();
    plan.ledger.take(&found.key, format!("{letter} becomes {}", product.status.letter()));
    let (mut kind, first) = (PurchaseKind::First, plan.orders.len());
    for (sale, standing) in own.iter().zip(&standings) {
        orders::take(sale, *standing, kind, &product, plan, now);
        kind = PurchaseKind::Extension;
    }
    apply_unapplied(&mut product, first, plan, now);
    plan.products.push(product);
}

/// Where its orders are, seen from the product.
fn standings(product: &Product, was: ProductStatus, own: &[Sale<'_>], now: Timestamp) -> Vec<Standing> {
    let mut all: Vec<Standing> = own.iter().map(Sale::standing).collect();
    let has_time = product.suspend_after.is_none_or(|end| end > now);
    let is_dangerous = product.is_killed && matches!(was, P::Initial | P::NeedsActivate);
    for standing in &mut all {
        let is_unnoticed = *standing == Standing::Unapplied || was == P::Initial && *standing == Standing::Delivered;
        if is_unnoticed {
            *standing = if is_dangerous { Standing::Owed } else { Standing::Unapplied };
        }
    }
    if let Some(last) = all.iter().rposition(|standing| *standing == Standing::Delivered) {
        all[last] = match was {
            P::NeedsActivate if is_dangerous => Standing::Owed,
            P::NeedsActivate => Standing::Awaiting,
            P::Failed => Standing::OwedUnlessDelivered,
            P::NeedsDelete | P::Archived if has_time => Standing::Owed,
            _ => Standing::Delivered,
        };
    }
    // More time was paid for on what has no end: nothing could be given for it.
    if product.suspend_after.is_none() {
        for standing in all.iter_mut().skip(1).filter(|standing| **standing == Standing::Unapplied) {
            *standing = Standing::Owed;
        }
    }
    all
}

const fn new_status(was: ProductStatus) -> ProductStatus {
    match was {
        P::NeedsDelete => P::Archived,
        P::Failed => P::NeedsSuspend,
        other => other,
    }
}

fn product(found: &OldProduct, host: &Host, plan: &mut Plan) -> Product {
    let (subject, is_harmless) = subject(&found.subject);
    if !is_harmless {
        plan.ledger.note(format!(
            "{}: what it is for is nothing that a host's script should be given; it ends with the time that is paid",
            found.key
        ));
    }
    let is_bridge = matches!(subject, Subject::Target(_));
    let bandwidth_initial = if is_bridge { host.bridge_bandwidth_initial } else { 0 };
    let (duration_secs, price_extension) = match is_bridge {
        true => (host.tor_bridge_duration, host.tor_bridge_price_extension),
        false => (host.nostr_alias_duration, host.nostr_alias_price_extension),
    };
    // What never ends stays so, whatever its host sells now.
    let duration_secs = if found.suspend_after.is_some() { duration_secs } else { 0 };
    let port = found.port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    let terms = Terms { duration_secs, grace_secs: host.grace_secs, price_extension, bandwidth_initial };
    Product {
        status: found.status,
        port: if is_bridge { port } else { port.or(Some(host.nostr_alias_port)) },
        placed: false,
        comment: found.comment.clone(),
        suspend_after: found.suspend_after,
        is_monitored: found.is_monitored,
        is_killed: !is_harmless,
        modified_at: found.modified_at,
        ..Product::ordered(ProductId(found.id), host.id, subject, terms, found.created_at)
    }
}

/// What it is for in its one spelling, and whether it is harmless: the old shop took nearly anything, and hosts' scripts
/// are given it. An onion address with a wrong checksum leads nowhere, but to nobody's harm.
fn subject(found: &Subject) -> (Subject, bool) {
    match found {
        Subject::Target(text) => {
            let lower = text.trim().to_ascii_lowercase();
            let target = target::parse(&lower).unwrap_or(lower);
            if has_shape_of_target(&target) { (Subject::Target(target), true) } else { (found.clone(), false) }
        }
        Subject::Alias { alias, public_key } => {
            let is_plain = |text: &str, more: &[u8]| {
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
            };
            let is_harmless = is_plain(alias, b"-_") && is_plain(public_key, b"");
            let public_key = alias::parse_public_key(public_key).unwrap_or_else(|_| public_key.clone());
            (Subject::Alias { alias: alias.clone(), public_key }, is_harmless)
        }
    }
}

fn has_shape_of_target(text: &str) -> bool {
    let Some((name, port)) = text.split_once(".onion:") else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Puts a product into a state with the times that belong to it: nobody knows them, and they begin now. What a host may
/// have been told of, it has.
pub fn restate(product: &mut Product, status: ProductStatus, now: Timestamp) {
    product.status = status;
    product.pending_since = (status == P::NeedsActivate).then_some(now);
    product.suspending_since = (status == P::NeedsSuspend).then_some(now);
    product.suspended_at = (status == P::Suspended).then_some(now);
    let is_told = matches!(status, P::NeedsActivate | P::Active | P::NeedsSuspend);
    product.shown_at = is_told.then_some(product.modified_at);
}

/// Payments that the old shop had not applied, among the orders from `first` on: as if their node told of them now.
fn apply_unapplied(product: &mut Product, first: usize, plan: &mut Plan, now: Timestamp) {
    for at in first..plan.orders.len() {
        let new = &plan.orders[at];
        let paid_at = new.purchase.invoice.paid_at;
        let is_open = new.purchase.status == OrderStatus::ToBePaid;
        let Some(paid_at) = paid_at.filter(|_| is_open) else { continue };
        let mut deal = Deal::new(product.clone(), vec![new.purchase.clone()]);
        let received = deal.purchases[0].invoice.received.unwrap_or_default();
        deal.payment_settled(0, received, paid_at, now);
        if let Some(broken) = deal.broken {
            plan.wrong.push(format!("order {}: {broken}", new.purchase.id));
            continue;
        }
        for effect in deal.effects {
            if let Effect::Alert { topic, subject, text } = effect {
                plan.alert(topic, subject, text);
            }
        }
        *product = deal.product;
        plan.orders[at].purchase = deal.purchases.remove(0);
        let what = match plan.orders[at].purchase.delivery {
            Delivery::None => "can't be given any more, and is owed",
            _ => "is given now",
        };
        let order = plan.orders[at].purchase.id;
        plan.ledger.note(format!("order {order} was paid, which the old shop had not noticed: it {what}"));
    }
}

/// What is as it is on the old shop, and looks odd here.
#[derive(Default)]
struct Counts {
    bridges: usize,
    overdue_bridges: usize,
    overdue_aliases: usize,
    suspended_with_time: usize,
}

impl Counts {
    fn look_at(&mut self, found: &OldProduct, now: Timestamp) {
        let has_time = found.suspend_after.is_none_or(|end| end > now);
        self.bridges += usize::from(matches!(found.subject, Subject::Target(_)));
        match (found.status, &found.subject) {
            (P::Active, Subject::Target(_)) if !has_time => self.overdue_bridges += 1,
            (P::Active, Subject::Alias { .. }) if !has_time => self.overdue_aliases += 1,
            (P::Suspended | P::NeedsSuspend, _) if has_time => self.suspended_with_time += 1,
            _ => {}
        }
    }

    fn tell(&self, plan: &mut Plan) {
        let mut tell = |count: usize, what: &str| {
            if count > 0 {
                plan.ledger.note(format!("{what}: {count}"));
            }
        };
        tell(self.bridges, "bridges that have all their bandwidth, since the hosts never counted it");
        let overdue = "are active although their time is over; the shop suspends them when it starts";
        tell(self.overdue_bridges, &format!("bridges that {overdue}"));
        tell(self.overdue_aliases, &format!("aliases that {overdue} (the old shop never suspended one)"));
        tell(self.suspended_with_time, "products that are suspended although time is left; an extension adds to it");
    }
}
