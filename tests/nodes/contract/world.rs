//! A real node of the shared network, with the interface that the suite drives a simulated one by. Preimages differ
//! from test to test, since the node remembers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use futures_util::StreamExt;
use ip2tor_lnd_simulator::Running;
use ip2tor_shop::domain::lightning::{
    InvoiceRequest, Network, NodeError, NodeInvoice, NodeInvoiceState, PaymentHash, Preimage,
};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::time::{Clock, SystemClock, Timestamp};
use ip2tor_shop::lightning::cln::CoreLightning;
use ip2tor_shop::lightning::connector::NodeAddress;
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::lightning::lnd_grpc::LndGrpc;
use ip2tor_shop::lightning::lnd_rest::LndRest;
use ip2tor_shop::lightning::policy::Policy;
use ip2tor_shop::lightning::{InvoiceStream, LightningNode};

use crate::PATIENCE;
use crate::cln_network::ClnNetwork;
use crate::keeper::Stopped;
use crate::live::payer::Paid;
use crate::live::process::wait_until;
use crate::lnd::Lnd;
use crate::network::Network as LndNetwork;

/// The price of test invoices.
pub const PRICE: Msat = Msat(25_000_000);
/// How long test invoices live.
pub const EXPIRY_SECS: u32 = 3600;

/// The kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    LndGrpc,
    LndRest,
    CoreLightning,
}

enum Nodes {
    Lnd(MutexGuard<'static, LndNetwork>),
    Cln(MutexGuard<'static, ClnNetwork>),
}

/// A node to test with.
pub struct World {
    pub kind: Kind,
    nodes: Nodes,
    beginning: u64,
}

/// Files of another node.
pub struct Other {
    files: Box<dyn Fn(&str) -> PathBuf>,
}

impl Other {
    pub fn file(&self, name: &str) -> PathBuf {
        (self.files)(name)
    }
}

impl World {
    pub async fn new(kind: Kind) -> Self {
        ip2tor_shop::onion::tls::install_provider();
        TEST.fetch_add(1, Ordering::SeqCst);
        let nodes = match kind {
            Kind::CoreLightning => Nodes::Cln(ClnNetwork::lock()),
            Kind::LndGrpc | Kind::LndRest => Nodes::Lnd(LndNetwork::lock()),
        };
        let mut world = Self { kind, nodes, beginning: 0 };
        world.clear().await;
        world
    }

    /// Cancels what other tests have left open, and finds out where this one begins.
    async fn clear(&mut self) {
        let node = self.node();
        let mut after = 0;
        loop {
            let page = node.all_invoices(after, 500).await.unwrap();
            for invoice in page
                .invoices
                .iter()
                .filter(|invoice| matches!(invoice.state, NodeInvoiceState::Open | NodeInvoiceState::Accepted))
            {
                node.cancel(invoice.hash).await.unwrap();
            }
            let Some(next) = page.next else { break };
            after = next;
        }
        // One of this test's own shows the index from which its pages begin.
        node.create(&plain(0)).await.unwrap();
        node.cancel(plain(0).hash).await.unwrap();
        self.beginning = match &self.nodes {
            Nodes::Lnd(network) => {
                let invoice = network.lnd.invoice(&plain(0).hash.to_string()).expect("the invoice");
                invoice["add_index"].as_str().and_then(|index| index.parse().ok()).expect("an index")
            }
            // The deleted one has left a gap there.
            Nodes::Cln(network) => {
                let list = network.cln.ask(&["listinvoices"]);
                let last =
                    list["invoices"].as_array().expect("a list").iter().filter_map(|one| one["created_index"].as_u64());
                last.max().unwrap_or(0) + 1
            }
        };
    }

    /// For rules that the compiler sees and nobody runs here.
    pub fn simulator(&self) -> &Running {
        unreachable!("rules about faults are run with a simulated node")
    }

    pub async fn stop(&mut self) {
        match &mut self.nodes {
            Nodes::Lnd(network) => network.lnd.daemon.kill(),
            Nodes::Cln(network) => network.cln.daemon.kill(),
        }
    }

    pub async fn start(&mut self) {
        match &mut self.nodes {
            Nodes::Lnd(network) => network.start_lnd(),
            Nodes::Cln(network) => network.start_cln(),
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        match &self.nodes {
            Nodes::Lnd(network) => file(&network.lnd, name),
            Nodes::Cln(network) => network.cln.dir.join(name),
        }
    }

    pub async fn other(&self) -> Other {
        let Nodes::Lnd(network) = &self.nodes else { unreachable!("it has no credentials") };
        let (dir, stock) = (network.buyer.dir.clone(), network.buyer.stock(""));
        Other { files: Box::new(move |name| if is_stock(name) { stock.join(name) } else { dir.join(name) }) }
    }

    pub fn credentials(&self, macaroon: &str) -> Credentials {
        Credentials {
            certificate: Some(Source::File(self.file("tls.cert"))),
            macaroon: Source::File(self.file(macaroon)),
            details_macaroon: None,
        }
    }

    /// A new connector with the macaroon that the help recommends.
    pub fn node(&self) -> Arc<dyn LightningNode> {
        self.node_with(self.credentials("shop.macaroon"), Policy::default())
    }

    pub fn node_with(&self, credentials: Credentials, policy: Policy) -> Arc<dyn LightningNode> {
        let address = |port| NodeAddress { host: "127.0.0.1".to_owned(), port };
        match (&self.nodes, self.kind) {
            (Nodes::Cln(network), _) => Arc::new(CoreLightning::new(network.cln.socket(), policy)),
            (Nodes::Lnd(network), Kind::LndRest) => {
                Arc::new(LndRest::new(address(network.lnd.rest), credentials, policy, Dial::direct()))
            }
            (Nodes::Lnd(network), _) => {
                Arc::new(LndGrpc::new(address(network.lnd.grpc), credentials, policy, Dial::direct()).unwrap())
            }
        }
    }

    /// The name of the call that makes an invoice, for faults.
    pub fn makes(&self) -> &'static str {
        unreachable!("rules about faults are run with a simulated node")
    }

    /// The name of the call that looks an invoice up.
    pub fn looks_up(&self) -> &'static str {
        self.makes()
    }

    pub async fn end_stream(&self, _stream: &mut InvoiceStream) -> NodeError {
        unreachable!("rules about faults are run with a simulated node")
    }

    /// Somebody pays exactly the price; returns when the node has the payment.
    pub fn pay(&self, hash: PaymentHash) {
        let hash = hash.to_string();
        let request = self.request(&hash).expect("the invoice");
        let mut payment = match &self.nodes {
            Nodes::Lnd(network) => network.buyer.pay(&request),
            Nodes::Cln(network) => network.buyer.pay(&request),
        };
        let arrived = || {
            let outcome = payment.outcome(Duration::ZERO);
            assert!(!matches!(outcome, Paid::Failed(_)), "{outcome:?}");
            (!self.is_open(&hash)).then_some(())
        };
        wait_until(PATIENCE, arrived).expect("the payment arrives");
    }

    /// Somebody pays another amount, in whole satoshi.
    pub fn pay_amount(&self, hash: PaymentHash, msat: u64) {
        let Nodes::Lnd(network) = &self.nodes else { unreachable!("only LND's payers can do this") };
        network.buyer.pay_amount(&self.request(&hash.to_string()).expect("the invoice"), msat / 1000);
    }

    /// Whether a payment of the price would be refused.
    pub fn refuses_payment(&self, hash: PaymentHash) -> bool {
        let Some(request) = self.request(&hash.to_string()) else { return true };
        let mut payment = match &self.nodes {
            Nodes::Lnd(network) => network.buyer.pay(&request),
            Nodes::Cln(network) => network.buyer.pay(&request),
        };
        matches!(payment.outcome(PATIENCE), Paid::Failed(_))
    }

    fn request(&self, hash: &str) -> Option<String> {
        let field = |invoice: serde_json::Value, name: &str| Some(invoice[name].as_str()?.to_owned());
        match &self.nodes {
            Nodes::Lnd(network) => field(network.lnd.invoice(hash)?, "payment_request"),
            Nodes::Cln(network) => field(network.cln.invoice(hash)?, "bolt11"),
        }
    }

    fn is_open(&self, hash: &str) -> bool {
        match &self.nodes {
            Nodes::Lnd(network) => network.lnd.invoice(hash).is_some_and(|invoice| invoice["state"] == "OPEN"),
            Nodes::Cln(network) => network.cln.invoice(hash).is_some_and(|invoice| invoice["status"] == "unpaid"),
        }
    }

    /// Lets time go by.
    pub async fn let_pass(&self, secs: u32) {
        tokio::time::sleep(Duration::from_secs(secs.into())).await;
    }

    /// Whether this is the present, or was when the test asked.
    pub fn is_now(&self, time: Timestamp) -> bool {
        (SystemClock.now().secs() - time.secs()).abs() <= 5
    }

    pub fn pubkey(&self) -> String {
        match &self.nodes {
            Nodes::Lnd(network) => network.lnd.pubkey.clone(),
            Nodes::Cln(network) => network.cln.pubkey.clone(),
        }
    }

    pub fn alias(&self) -> &'static str {
        "tests"
    }

    /// From where pages show nothing that was before this test.
    pub fn beginning(&self) -> u64 {
        self.beginning
    }

    /// Lets the node count a settlement that is nobody's: LND tells of no spontaneous AMP payment.
    pub fn make_gap(&self) {
        let Nodes::Lnd(network) = &self.nodes else { unreachable!("Core Lightning tells of each") };
        network.buyer.pay_unasked(&network.lnd, "--amp", 1);
    }

    /// The node answers nothing until the result is dropped.
    pub fn silence(&self) -> Stopped<'_> {
        match &self.nodes {
            Nodes::Lnd(network) => network.lnd.daemon.stop(),
            Nodes::Cln(network) => network.cln.daemon.stop(),
        }
    }

    /// Makes an invoice through `node` and pays it; its hash.
    pub async fn sell(&self, node: &dyn LightningNode, number: u8) -> PaymentHash {
        let request = plain(number);
        node.create(&request).await.unwrap();
        self.pay(request.hash);
        request.hash
    }
}

fn is_stock(name: &str) -> bool {
    matches!(name, "invoice.macaroon" | "readonly.macaroon" | "admin.macaroon")
}

fn file(node: &Lnd, name: &str) -> PathBuf {
    if is_stock(name) { node.stock(name) } else { node.file(name) }
}

/// Counts the tests of this process.
static TEST: AtomicU64 = AtomicU64::new(0);

/// A preimage like no other of this test, nor of another.
pub fn preimage(number: u8) -> Preimage {
    let mut bytes = [number; 32];
    bytes[..8].copy_from_slice(&TEST.load(Ordering::SeqCst).to_be_bytes());
    bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    Preimage(bytes)
}

/// A request for a plain invoice.
pub fn plain(number: u8) -> InvoiceRequest {
    let preimage = preimage(number);
    InvoiceRequest {
        hash: preimage.hash(),
        preimage: Some(preimage),
        amount: PRICE,
        memo: format!("PO: {number}"),
        described_by: None,
        expiry_secs: EXPIRY_SECS,
        cltv_expiry: None,
        private: false,
    }
}

/// A request for a hold invoice.
pub fn hold(number: u8) -> InvoiceRequest {
    InvoiceRequest { preimage: None, cltv_expiry: Some(144), ..plain(number) }
}

/// The next item of a stream, which must come soon.
pub async fn next(stream: &mut InvoiceStream) -> Option<Result<NodeInvoice, NodeError>> {
    soon(stream.next()).await
}

/// What must happen soon.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens in time")
}

/// A policy with a deadline that a test can wait for, and that a busy machine does not miss.
pub fn hasty() -> Policy {
    let limit = Duration::from_secs(3);
    Policy { call_limit: limit, create_limit: limit, ..Policy::default() }
}

/// A policy for a shop on `network`.
pub fn only(network: Network) -> Policy {
    Policy { expected_network: Some(network), ..Policy::default() }
}
