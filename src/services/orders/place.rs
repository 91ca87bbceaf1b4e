//! Placing orders and looking at them.

use crate::store::Connection;

use crate::domain::fiat::InvoiceRates;
use crate::domain::host::Host;
use crate::domain::id::{HostId, OrderId, ProductId};
use crate::domain::money::Msat;
use crate::domain::product::{Product, ProductKind, Subject, Terms};
use crate::domain::purchase::{Delivery, Invoice, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::services::invoices::choose_node;
use crate::services::invoices::choose_node::InvoicePlan;
use crate::services::rates;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx};
use crate::store::deals;
use crate::store::node_state::Candidate;
use crate::store::{hosts, outbox, products, reservations};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderedProduct {
    /// `tor_bridge`
    TorBridge,
    /// `nostr_alias`
    NostrAlias,
    /// `rssh_tunnel`: part of the contract, never offered.
    RsshTunnel,
}

impl OrderedProduct {
    /// The contract's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TorBridge => "tor_bridge",
            Self::NostrAlias => "nostr_alias",
            Self::RsshTunnel => "rssh_tunnel",
        }
    }

    /// Reads [`OrderedProduct::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::TorBridge, Self::NostrAlias, Self::RsshTunnel].into_iter().find(|product| product.name() == name)
    }
}

/// An order whose fields are each valid by themselves (types, lengths, target, alias, key).
#[derive(Clone, Debug)]
pub struct OrderRequest {
    /// What is ordered.
    pub product: OrderedProduct,
    /// From which host.
    pub host_id: HostId,
    /// For how many periods at once.
    pub periods: u32,
    /// Whether the buyer accepts the host's terms.
    pub tos_accepted: bool,
    /// The buyer's note.
    pub comment: Option<String>,
    /// For a bridge: the normal form of the target ([`crate::domain::target::parse`]).
    pub target: Option<String>,
    /// For an alias: the name.
    pub alias: Option<String>,
    /// For an alias: the key.
    pub public_key: Option<String>,
    /// The buyer's IP address, where one is known, for the deny list.
    pub client_ip: Option<String>,
}

/// An order with everything that is shown of it.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct OrderView {
    /// Order, item and invoice.
    pub purchase: Purchase,
    pub product: Product,
    /// The product's host.
    pub host: Host,
}

/// Why a host can't be ordered from, as a message for the field `host_id`; `None` when it can.
/// For the HTTP layer, so that it can report all fields at once.
pub fn host_problem(shop: &Shop, id: HostId) -> Result<Option<Message>, Error> {
    shop.db.read(|db| match find_host(shop, db, id, None) {
        Ok(_) => Ok(None),
        Err(Error::Invalid(fields)) => Ok(fields.into_iter().find_map(|(_, mut messages)| messages.pop())),
        Err(error) => Err(error),
    })
}

/// Places an order: everything is validated first, then order, product, port and the intent to make
/// the invoice are stored at once. All in one transaction: what was looked at still holds when it is
/// stored, and nothing is looked at twice.
pub async fn place(shop: &Shop, request: OrderRequest) -> Result<OrderId, Error> {
    let shop_in_change = shop.clone();
    let id = OrderId(shop.new_id());
    shop.tx(&Principal::Buyer, move |tx| store_order(&shop_in_change, tx, id, request)).await
}

/// New orders are refused while invoices can't be made fast enough: better no order than one whose
/// invoice comes too late.
pub(in crate::services) fn refuse_when_overloaded(shop: &Shop, db: &Connection) -> Result<(), Error> {
    let limit = shop.settings.backlog_limit_secs;
    if outbox::oldest_make(db)?.is_some_and(|since| since.plus_secs(limit) < shop.now()) {
        let detail = Message::ShopBusy;
        return Err(Error::Unavailable { detail, retry_after_secs: 10 });
    }
    Ok(())
}

/// The host, if it can sell what is wanted (or anything) now, and the node that would make the invoice.
fn find_host(
    shop: &Shop,
    db: &Connection,
    id: HostId,
    wanted: Option<(OrderedProduct, u32)>,
) -> Result<(Host, Candidate), Error> {
    let problem = |text: Message| Err(Error::field("host_id", text));
    let Some(host) = hosts::get(db, id)? else {
        return problem(Message::HostUnknown { id: id.to_string() });
    };
    if !host.is_enabled {
        return problem(Message::HostDisabled);
    }
    if host.is_draining {
        return problem(Message::HostDraining);
    }
    if !host.is_alive(shop.now()) {
        return problem(Message::HostSilent);
    }
    let price = wanted.map_or(Msat(0), |(product, periods)| price(&host, product, periods));
    match choose_node::choose_node(shop, db, &host, &[], price)? {
        Some(node) => Ok((host, node)),
        None => problem(Message::NoPayments),
    }
}

/// The price of a first purchase: the periods after the first cost what extending by them would.
pub fn price(host: &Host, product: OrderedProduct, periods: u32) -> Msat {
    let (first, more) = match product {
        OrderedProduct::TorBridge => (host.tor_bridge_price_initial, host.tor_bridge_price_extension),
        OrderedProduct::NostrAlias => (host.nostr_alias_price_initial, host.nostr_alias_price_extension),
        OrderedProduct::RsshTunnel => (host.rssh_tunnel_price, host.rssh_tunnel_price),
    };
    Msat(first.0.saturating_add(more.0.saturating_mul(u64::from(periods.saturating_sub(1)))))
}

/// Refuses more periods at once than a host sells, and more than one of what never ends.
pub(super) fn check_periods(host: &Host, periods: u32, duration_secs: i64) -> Result<(), Error> {
    let most = if duration_secs == 0 { 1 } else { host.max_periods };
    if (1..=u32::from(most)).contains(&periods) {
        Ok(())
    } else {
        Err(Error::Refused(Message::TooManyPeriods { most }))
    }
}

/// The product rules of the contract, in its order. The last of them, a free port, is checked by
/// taking one.
fn check(shop: &Shop, db: &Connection, request: &OrderRequest) -> Result<(Host, Candidate, Subject), Error> {
    let (host, node) = find_host(shop, db, request.host_id, Some((request.product, request.periods)))?;
    let offered = match request.product {
        OrderedProduct::TorBridge => host.offers_tor_bridges,
        OrderedProduct::NostrAlias => host.offers_nostr_aliases,
        // Modelled, but this shop does not sell them.
        OrderedProduct::RsshTunnel => false,
    };
    if !offered {
        return Err(Error::non_field(Message::NotOffered { product: request.product.name() }));
    }
    let duration_secs = match request.product {
        OrderedProduct::NostrAlias => host.nostr_alias_duration,
        _ => host.tor_bridge_duration,
    };
    check_periods(&host, request.periods, duration_secs)?;
    // What was sold after a restored backup was made may stand there still, and names can't be tried.
    if request.product == OrderedProduct::NostrAlias && host.unswept_since.is_some() {
        return Err(Error::non_field(Message::AliasesPaused));
    }
    let subject = subject(request)?;
    if let Subject::Alias { alias, .. } = &subject
        && reservations::alias_is_taken(db, &host.ip, alias)?
    {
        return Err(alias_taken(alias));
    }
    if !request.tos_accepted {
        return Err(Error::non_field(Message::MustAcceptTerms { terms: terms_text(&host) }));
    }
    Ok((host, node, subject))
}

fn subject(request: &OrderRequest) -> Result<Subject, Error> {
    match (request.product, &request.target, &request.alias, &request.public_key) {
        (OrderedProduct::NostrAlias, _, Some(alias), Some(public_key)) => {
            Ok(Subject::Alias { alias: alias.clone(), public_key: public_key.clone() })
        }
        (OrderedProduct::NostrAlias, ..) => Err(Error::non_field(Message::NeedsAliasAndKey)),
        (_, Some(target), ..) => Ok(Subject::Target(target.clone())),
        (_, None, ..) => Err(Error::non_field(Message::NeedsTarget)),
    }
}

fn terms_text(host: &Host) -> String {
    let mut text = host.terms_of_service.clone();
    if !host.terms_of_service_url.is_empty() {
        text.push_str(&format!(" ({})", host.terms_of_service_url));
    }
    text
}

fn alias_taken(alias: &str) -> Error {
    Error::non_field(Message::AliasTaken { alias: alias.to_owned() })
}

/// Checks an order and stores it under this id.
pub(super) fn store_order(shop: &Shop, tx: &mut Tx<'_>, id: OrderId, request: OrderRequest) -> Result<OrderId, Error> {
    let db = tx.db;
    refuse_when_overloaded(shop, db)?;
    let (host, node, subject) = check(shop, db, &request)?;
    let mut product = new_product(shop, &host, subject, &request, tx.now);
    match &product.subject {
        Subject::Target(_) => {
            product.port = Some(crate::services::products::ports::draw(shop, db, &host, product.id)?);
        }
        Subject::Alias { alias, .. } => {
            if !reservations::reserve_alias(db, &host.ip, alias, product.id)? {
                return Err(alias_taken(alias));
            }
        }
    }
    products::insert(db, &product)?;
    let plan = InvoicePlan {
        product: product.id,
        host: &host,
        node,
        kind: PurchaseKind::First,
        price: price(&host, request.product, request.periods),
        periods: request.periods,
        described_by: None,
        may_hold: true,
    };
    let purchase = store_purchase(shop, tx, id, &plan)?;
    let denied = super::deny::refuse_if_denied(shop, tx, purchase.id, &product, request.client_ip.as_deref())?;
    if product.kind() == ProductKind::TorBridge && !denied {
        super::probe::begin(shop, tx, &purchase, &host)?;
    }
    Ok(purchase.id)
}

fn new_product(shop: &Shop, host: &Host, subject: Subject, request: &OrderRequest, now: Timestamp) -> Product {
    let (duration_secs, price_extension, bandwidth, port) = match subject {
        Subject::Target(_) => {
            (host.tor_bridge_duration, host.tor_bridge_price_extension, host.bridge_bandwidth_initial, None)
        }
        Subject::Alias { .. } => {
            (host.nostr_alias_duration, host.nostr_alias_price_extension, 0, Some(host.nostr_alias_port))
        }
    };
    // Until the activation the field holds this estimate, not moving.
    let one = duration_secs.saturating_add(host.grace_secs);
    let estimate = now.plus_secs(one.saturating_mul(i64::from(request.periods)));
    let terms = Terms { duration_secs, grace_secs: host.grace_secs, price_extension, bandwidth_initial: bandwidth };
    Product {
        port,
        comment: request.comment.clone(),
        suspend_after: (duration_secs != 0).then_some(estimate),
        bandwidth_remaining: terms.bandwidth_of(request.periods),
        ..Product::ordered(ProductId(shop.new_id()), host.id, subject, terms, now)
    }
}

/// Stores a purchase with the intent to make its invoice.
pub(in crate::services) fn store_purchase(
    shop: &Shop,
    tx: &mut Tx<'_>,
    id: OrderId,
    plan: &InvoicePlan<'_>,
) -> Result<Purchase, Error> {
    let db = tx.db;
    let now = tx.now;
    let mut purchase = new_purchase(shop, id, plan, now);
    let attempt = choose_node::first_attempt(shop, db, plan, &purchase)?;
    purchase.invoice.node_id = attempt.node_id;
    purchase.invoice.hash = attempt.hash;
    purchase.invoice.is_hold = attempt.is_hold;
    purchase.invoice.rates = rates::for_new_invoice(shop, db)?;
    deals::insert_purchase(db, &purchase, plan.product, plan.host.id, tx.author())?;
    choose_node::intend_to_make(tx, &attempt)?;
    Ok(purchase)
}

fn new_purchase(shop: &Shop, id: OrderId, plan: &InvoicePlan<'_>, now: Timestamp) -> Purchase {
    let price = plan.price;
    let invoice = Invoice {
        state: InvoiceState::Initial,
        node_id: crate::domain::id::NodeId(uuid::Uuid::nil()),
        hash: crate::domain::lightning::PaymentHash([0; 32]),
        is_hold: false,
        payment_request: None,
        amount: price,
        described_by: plan.described_by.clone(),
        rates: InvoiceRates::default(),
        received: None,
        expiry_secs: shop.settings.invoice_expiry_secs,
        made_at: None,
        expires_at: None,
        held_at: None,
        paid_at: None,
        created_at: now,
        modified_at: now,
    };
    Purchase {
        id,
        kind: plan.kind,
        status: OrderStatus::Initial,
        message: None,
        price,
        periods: plan.periods,
        delivery: Delivery::None,
        granted_secs: 0,
        granted_bytes: 0,
        owed: Msat(0),
        refunded: Msat(0),
        late_secs: None,
        invoice,
        created_at: now,
        modified_at: now,
    }
}

/// An order with its product and host.
pub fn view(shop: &Shop, id: OrderId) -> Result<OrderView, Error> {
    shop.db.read(|db| {
        let (purchase, product) = deals::purchase(db, id)?.ok_or(Error::NotFound)?;
        let product = products::get(db, product)?.ok_or(Error::NotFound)?;
        let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
        Ok(OrderView { purchase, product, host })
    })
}
