//! Steps of a purchase, done as the workers and the node would do them.

use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::lightning::{MadeInvoice, NodeInvoice, NodeInvoiceState};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::time::Clock;
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::place::{OrderRequest, OrderView, OrderedProduct};
use ip2tor_shop::services::products;
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Error, Principal, invoices, payments};
use ip2tor_shop::store::outbox::{self, IntentKind};

use super::{ONION, PUBLIC_KEY, TestShop};

/// Shown as the payment request of every invoice.
pub const BOLT11: &str =
    "lnbc250n1ppet26sl62nwwgeumdp645nt4lay79lj8q9y4m006skhds5v35w9c0ngdkjxars58s345jplt99eturcnd34x3";

impl TestShop {
    /// Orders a bridge; its invoice is not made yet.
    pub async fn order_bridge(&self, host: &str, comment: Option<&str>) -> OrderId {
        self.order(self.request(host, OrderedProduct::TorBridge, comment)).await
    }

    /// Orders an alias; its invoice is not made yet.
    pub async fn order_alias(&self, host: &str, alias: &str) -> OrderId {
        let request = self.request(host, OrderedProduct::NostrAlias, Some("n"));
        self.order(OrderRequest { alias: Some(alias.to_owned()), ..request }).await
    }

    async fn order(&self, request: OrderRequest) -> OrderId {
        orders::place::place(&self.shop, request).await.expect("the order is accepted")
    }

    fn request(&self, host: &str, product: OrderedProduct, comment: Option<&str>) -> OrderRequest {
        OrderRequest {
            product,
            host_id: self.host(host),
            periods: 1,
            tos_accepted: true,
            comment: comment.map(str::to_owned),
            target: (product == OrderedProduct::TorBridge).then(|| format!("{ONION}:80")),
            alias: None,
            public_key: Some(PUBLIC_KEY.to_owned()),
            client_ip: None,
        }
    }

    /// An order with everything that belongs to it.
    pub fn view(&self, order: OrderId) -> OrderView {
        orders::place::view(&self.shop, order).expect("the order is there")
    }

    /// The product of an order.
    pub fn product(&self, order: OrderId) -> ProductId {
        self.view(order).product.id
    }

    /// The node makes every invoice that is waited for.
    pub async fn make_invoices(&self) {
        let intents = self.shop.db.read(outbox::all).expect("intents");
        let now = self.clock.now();
        for intent in intents.iter().filter(|intent| intent.kind == IntentKind::Make) {
            let made = MadeInvoice {
                payment_request: BOLT11.to_owned(),
                created_at: now,
                expires_at: now.plus_secs(900),
                add_index: None,
            };
            if invoices::create::wanted(&self.shop, intent).expect("readable").is_some() {
                invoices::create::made(&self.shop, intent, made).await.expect("the invoice is made");
            }
        }
    }

    /// The buyer pays; the node reports it.
    pub async fn pay(&self, order: OrderId) {
        let invoice = self.view(order).purchase.invoice;
        let now = self.clock.now();
        let news = NodeInvoice {
            hash: invoice.hash,
            state: NodeInvoiceState::Settled,
            memo: format!("PO: {order}"),
            amount: invoice.amount,
            received: Msat(invoice.amount.0),
            payment_request: BOLT11.to_owned(),
            created_at: now,
            expires_at: now.plus_secs(900),
            settled_at: Some(now),
            add_index: 1,
            settle_index: 1,
            nearest_htlc_expiry: None,
            accept_height: None,
        };
        payments::apply::apply(&self.shop, invoice.node_id, news, None).await.expect("the payment is applied");
    }

    /// The host reports a status.
    pub async fn report(&self, product: ProductId, status: ProductStatus) -> Result<(), Error> {
        let patch = ProductPatch { status: Some(status), ..ProductPatch::default() };
        let found = self.shop.db.read(|db| ip2tor_shop::store::products::get(db, product)).expect("a product");
        let kind = found.expect("the product is there").kind();
        let scope = Principal::Administrator("test".to_owned());
        products::view::patch(&self.shop, &scope, product, kind, patch).await.map(drop)
    }

    /// A bridge that was ordered, paid and activated.
    pub async fn active_bridge(&self, host: &str, comment: Option<&str>) -> (OrderId, ProductId) {
        let order = self.order_bridge(host, comment).await;
        self.make_invoices().await;
        self.pay(order).await;
        let product = self.product(order);
        self.report(product, ProductStatus::Active).await.expect("it is activated");
        (order, product)
    }
}
