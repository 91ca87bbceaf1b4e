//! The rules of the simulated node, asked through the clients that LND's own definitions generate.

mod access;
mod cln;
mod commands;
mod faults;
mod holds;
mod invoices;
mod payments;
mod rest;
mod restarts;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use fedimint_tonic_lnd::invoicesrpc::invoices_client::InvoicesClient;
use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::lnrpc::lightning_client::LightningClient;
use fedimint_tonic_lnd::routerrpc::router_client::RouterClient;
use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

use super::{Options, Running, Simulator};
use ip2tor_domain::time::{ManualClock, Timestamp};

/// Whatever is expected comes within this, also on a machine that is slow and busy.
const PATIENCE: Duration = Duration::from_secs(60);
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A simulator with a clock that the test moves.
pub struct Sim {
    pub dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub running: Running,
}

pub type Authorized = InterceptedService<Channel, Macaroon>;
pub type Lightning = LightningClient<Authorized>;
pub type Invoices = InvoicesClient<Authorized>;
pub type Router = RouterClient<Authorized>;

pub async fn start() -> Sim {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let running = start_in(&dir, &clock).await;
    Sim { dir, clock, running }
}

async fn start_in(dir: &TempDir, clock: &Arc<ManualClock>) -> Running {
    let clock = Arc::clone(clock) as _;
    let any = "127.0.0.1:0".parse().unwrap();
    let options = Options { clock, rest_listen: Some(any), lightning_rpc: true, ..Options::new(any, dir.path()) };
    Simulator::start(options).await.unwrap()
}

impl Sim {
    /// The same node after a stop and a start.
    pub async fn restart(self) -> Self {
        let Self { dir, clock, running } = self;
        running.shutdown().await;
        let running = start_in(&dir, &clock).await;
        Self { dir, clock, running }
    }

    pub fn macaroon(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dir.path().join(name)).unwrap()
    }

    pub async fn channel(&self) -> Channel {
        self.try_channel().await.unwrap()
    }

    pub async fn try_channel(&self) -> Result<Channel, tonic::transport::Error> {
        let addr = self.running.local_addr();
        let tls = self.tls(b"h2");
        let connect = tower::service_fn(move |_: http::Uri| {
            let tls = tls.clone();
            async move {
                let stream = TcpStream::connect(addr).await?;
                stream.set_nodelay(true)?;
                let name = ServerName::try_from("localhost").unwrap();
                tls.connect(name, stream).await.map(TokioIo::new)
            }
        });
        // The connector itself speaks TLS; tonic would refuse to do so without a configuration of its own.
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await
    }

    /// A TLS client that accepts the node's certificate and nothing else.
    pub fn tls(&self, protocol: &[u8]) -> tokio_rustls::TlsConnector {
        let pinned = CertificateDer::from_pem_file(self.dir.path().join("tls.cert")).unwrap();
        let mut config = client_config(pinned);
        config.alpn_protocols = vec![protocol.to_vec()];
        tokio_rustls::TlsConnector::from(Arc::new(config))
    }

    pub async fn lightning(&self, macaroon: &str) -> Lightning {
        LightningClient::with_interceptor(self.channel().await, Macaroon::new(&self.macaroon(macaroon)))
    }

    pub async fn invoices(&self) -> Invoices {
        InvoicesClient::with_interceptor(self.channel().await, Macaroon::new(&self.macaroon("invoice.macaroon")))
    }

    pub async fn router(&self) -> Router {
        RouterClient::with_interceptor(self.channel().await, Macaroon::new(&self.macaroon("admin.macaroon")))
    }

    /// Makes an invoice with a random preimage.
    pub async fn invoice(&self, value: i64) -> lnrpc::AddInvoiceResponse {
        let request = lnrpc::Invoice { value, ..Default::default() };
        self.lightning("invoice.macaroon").await.add_invoice(request).await.unwrap().into_inner()
    }

    pub async fn look_up(&self, hash: &[u8]) -> lnrpc::Invoice {
        let request = lnrpc::PaymentHash { r_hash: hash.to_vec(), ..Default::default() };
        self.lightning("invoice.macaroon").await.lookup_invoice(request).await.unwrap().into_inner()
    }

    /// Pays and waits for the outcome: `payment_error`, empty when it is paid.
    pub async fn pay(&self, payment_request: &str) -> String {
        self.send(lnrpc::SendRequest { payment_request: payment_request.to_owned(), ..Default::default() }).await
    }

    #[expect(deprecated, reason = "RaspiBlitz still pays by this call")]
    pub async fn send(&self, request: lnrpc::SendRequest) -> String {
        let answer = self.lightning("admin.macaroon").await.send_payment_sync(request).await;
        answer.unwrap().into_inner().payment_error
    }
}

/// What a stream tells. Opened in the background: a client gets no answer before the first message.
pub struct Told<T>(mpsc::UnboundedReceiver<Result<T, Status>>);

impl Sim {
    /// The stream of `call` (or the error it ends with), once the node has heard of it.
    pub async fn open<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<Response<Streaming<T>>, Status>> + Send + 'static,
    ) -> Told<T> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let before = self.running.node().subscriptions();
        tokio::spawn(async move {
            let told = match call.await {
                Ok(stream) => stream.into_inner().boxed(),
                Err(status) => futures_util::stream::iter([Err(status)]).boxed(),
            };
            // A test that has seen enough is gone.
            let send = |message| async { sender.send(message).unwrap_or_default() };
            told.for_each(send).await;
        });
        self.running.node().subscriptions_reach(before + 1).await;
        Told(receiver)
    }
}

impl<T> Told<T> {
    async fn item(&mut self) -> Option<Result<T, Status>> {
        let item = tokio::time::timeout(PATIENCE, self.0.recv());
        item.await.expect("something is told in time")
    }

    /// The next message.
    pub async fn next(&mut self) -> T {
        self.item().await.expect("the stream goes on").unwrap()
    }

    /// The error that the stream ends with.
    pub async fn error(&mut self) -> Status {
        self.item().await.expect("the stream goes on").err().expect("an error")
    }

    /// Whether the stream ends without an error.
    pub async fn ends(&mut self) -> bool {
        self.item().await.is_none()
    }
}

/// Adds the macaroon to each call.
#[derive(Clone)]
pub struct Macaroon(MetadataValue<Ascii>);

impl Macaroon {
    pub fn new(bytes: &[u8]) -> Self {
        Self(hex::encode(bytes).parse().unwrap())
    }
}

impl tonic::service::Interceptor for Macaroon {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("macaroon", self.0.clone());
        Ok(request)
    }
}

/// The next message of a stream that is expected to have one.
pub async fn next<T>(stream: &mut tonic::Streaming<T>) -> T {
    let message = tokio::time::timeout(PATIENCE, stream.message());
    message.await.expect("a message in time").unwrap().expect("the stream goes on")
}

pub fn hash_of(preimage: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(preimage).to_vec()
}

fn client_config(pinned: CertificateDer<'static>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Pinned(pinned, Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// Accepts exactly one certificate.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>, Arc<CryptoProvider>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

pub fn payment_hash(bytes: &[u8]) -> ip2tor_domain::lightning::PaymentHash {
    ip2tor_domain::lightning::PaymentHash(bytes.try_into().unwrap())
}
