//! A simulated node with a clock that the test moves, and connectors of one kind to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use ip2tor_lnd_simulator::{Fault, Options, Running, Simulator};
use ip2tor_shop::domain::lightning::{InvoiceRequest, Network, NodeError, NodeInvoice, PaymentHash, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::time::{Clock, ManualClock, SystemClock, Timestamp};
use ip2tor_shop::lightning::cln::CoreLightning;
use ip2tor_shop::lightning::connector::NodeAddress;
use ip2tor_shop::lightning::credentials::{Credentials, Source};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::lightning::lnd_grpc::LndGrpc;
use ip2tor_shop::lightning::lnd_rest::LndRest;
use ip2tor_shop::lightning::paying::{ClnPayer, LndGrpcPayer, LndRestPayer, PayingNode, PaymentCredentials};
use ip2tor_shop::lightning::policy::Policy;
use ip2tor_shop::lightning::{InvoiceStream, LightningNode};

use crate::port::free_port;

/// The price of test invoices.
pub const PRICE: Msat = Msat(25_000_000);
/// How long test invoices live.
pub const EXPIRY_SECS: u32 = 3600;
/// Everything that is expected happens within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    LndGrpc,
    LndRest,
    CoreLightning,
}

/// A node to test with.
pub struct World {
    pub kind: Kind,
    pub clock: Arc<ManualClock>,
    simulator: Option<Running>,
    grpc: SocketAddr,
    rest: SocketAddr,
    dir: tempfile::TempDir,
}

/// Nothing is answered while a test has this; a simulated node ends with its test anyway.
pub struct Silence;

impl World {
    pub async fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let free_address = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let (grpc, rest) = (free_address(), free_address());
        let mut world = Self { kind, clock, simulator: None, grpc, rest, dir };
        world.start().await;
        world
    }

    /// The simulated node behind the protocol.
    pub fn simulator(&self) -> &Running {
        self.simulator.as_ref().expect("the node runs")
    }

    pub async fn stop(&mut self) {
        self.simulator.take().unwrap().shutdown().await;
    }

    /// Starts the node again, at its old address and with what it remembers.
    pub async fn start(&mut self) {
        let mut options = Options::new(self.grpc, self.dir.path());
        options.rest_listen = Some(self.rest);
        options.lightning_rpc = true;
        options.clock = self.clock.clone();
        self.simulator = Some(Simulator::start(options).await.unwrap());
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
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
        self.node_over(Dial::direct(), credentials, policy)
    }

    pub fn node_over(&self, dial: Dial, credentials: Credentials, policy: Policy) -> Arc<dyn LightningNode> {
        match self.kind {
            Kind::LndGrpc => Arc::new(LndGrpc::new(address(self.grpc), credentials, policy, dial).unwrap()),
            Kind::LndRest => Arc::new(LndRest::new(address(self.rest), credentials, policy, dial)),
            // A local socket: whoever may open it may use it.
            Kind::CoreLightning => Arc::new(CoreLightning::new(self.file("lightning-rpc"), policy)),
        }
    }

    /// A payer of this node.
    pub fn payer(&self, credentials: PaymentCredentials, policy: Policy) -> Box<dyn PayingNode> {
        let dial = Dial::direct();
        match self.kind {
            Kind::LndGrpc => Box::new(LndGrpcPayer::new(address(self.grpc), credentials, policy, dial).unwrap()),
            Kind::LndRest => Box::new(LndRestPayer::new(address(self.rest), credentials, policy, dial)),
            Kind::CoreLightning => Box::new(ClnPayer::new(self.file("lightning-rpc"), policy)),
        }
    }

    /// The name of the call that pays.
    pub fn pays(&self) -> &'static str {
        if self.kind == Kind::CoreLightning { "xpay" } else { "SendPaymentV2" }
    }

    /// The name of the call that makes an invoice, for faults.
    pub fn makes(&self) -> &'static str {
        if self.kind == Kind::CoreLightning { "invoice" } else { "AddInvoice" }
    }

    /// The name of the call that looks an invoice up.
    pub fn looks_up(&self) -> &'static str {
        if self.kind == Kind::CoreLightning { "listinvoices" } else { "LookupInvoice" }
    }

    /// Ends streams, and connections where a stream is one, until `stream` has noticed; its error.
    /// A stream that is made of polls does not notice what happens between two of them.
    pub async fn end_stream(&self, stream: &mut InvoiceStream) -> NodeError {
        soon(async {
            loop {
                match self.kind {
                    Kind::CoreLightning => self.simulator().faults().drop_connections(),
                    Kind::LndGrpc | Kind::LndRest => self.simulator().faults().drop_streams(),
                }
                let moment = Duration::from_millis(100);
                if let Ok(Some(Err(error))) = tokio::time::timeout(moment, stream.next()).await {
                    return error;
                }
            }
        })
        .await
    }

    /// Somebody pays exactly the price.
    pub fn pay(&self, hash: PaymentHash) {
        self.pay_amount(hash, PRICE.0);
    }

    pub fn pay_amount(&self, hash: PaymentHash, msat: u64) {
        self.simulator().node().arrive(hash, &[msat], msat).unwrap();
    }

    /// Whether a payment of the price would be refused.
    pub fn refuses_payment(&self, hash: PaymentHash) -> bool {
        self.simulator().node().arrive(hash, &[PRICE.0], PRICE.0).is_err()
    }

    /// Lets time go by, for the node too.
    pub async fn let_pass(&self, secs: u32) {
        self.clock.advance_secs(i64::from(secs));
    }

    /// Whether this is the present.
    pub fn is_now(&self, time: Timestamp) -> bool {
        time.secs() == self.clock.now().secs()
    }

    /// The node's public key.
    pub fn pubkey(&self) -> String {
        self.simulator().node().identity.public_key.to_string()
    }

    /// What the node calls itself.
    pub fn alias(&self) -> &'static str {
        "lnd-simulator"
    }

    /// Another node, with credentials of its own.
    pub async fn other(&self) -> Self {
        Self::new(self.kind).await
    }

    /// From where pages show nothing that was before this test.
    pub fn beginning(&self) -> u64 {
        0
    }

    /// Lets the node count a settlement that is nobody's.
    pub fn make_gap(&self) {
        self.simulator().node().skip_settle_indexes(1000).unwrap();
    }

    /// The node answers nothing any more.
    pub fn silence(&self) -> Silence {
        self.simulator().faults().always("all", Fault::Slow(Duration::from_secs(60)));
        Silence
    }

    /// Makes an invoice through `node` and pays it; its hash.
    pub async fn sell(&self, node: &dyn LightningNode, number: u8) -> PaymentHash {
        let request = plain(number);
        node.create(&request).await.unwrap();
        self.pay(request.hash);
        request.hash
    }
}

fn address(address: SocketAddr) -> NodeAddress {
    NodeAddress { host: address.ip().to_string(), port: address.port() }
}

/// A preimage like no other in the test.
pub fn preimage(number: u8) -> Preimage {
    Preimage([number; 32])
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
