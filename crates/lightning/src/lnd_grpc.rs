//! LND over gRPC: the generated clients over our own connection.

mod bare;

use async_trait::async_trait;
use fedimint_tonic_lnd::invoicesrpc::invoices_client::InvoicesClient;
use fedimint_tonic_lnd::invoicesrpc::{AddHoldInvoiceRequest, SubscribeSingleInvoiceRequest};
use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::lnrpc::lightning_client::LightningClient;
use futures_util::{Stream, TryStreamExt, future, stream};
use http::{HeaderValue, Uri};
use tonic::body::Body;
use tonic::{Request, Response, Status, Streaming};

use super::bolt11::Added;
use super::client::HttpClient;
use super::connector::{Connector, NodeAddress};
use super::convert::{invoice_from_lnd, readable, readable_one};
use super::credentials::Credentials;
use super::description::{self, Describes};
use super::dial::Dial;
use super::link::{Link, MacaroonHeader};
use super::lnd_errors::{from_status, is_unknown_invoice};
use super::permissions::{details_check, invoice_check};
use super::policy::Policy;
use super::rights::Call;
use super::served::{BareCalls as _, Served};
use super::{InvoiceStream, LightningNode, bolt11, outcome, pages};
use ip2tor_domain::lightning::{
    CancelOutcome, Certificate, InvoicePage, InvoiceRequest, MadeInvoice, Network, NodeError, NodeErrorKind, NodeInfo,
    NodeInvoice, NodeInvoiceState, PaymentHash, Preimage, SettleOutcome,
};
use ip2tor_domain::money::Msat;

/// ALPN of gRPC.
pub(super) const HTTP2: &[u8] = b"h2";
/// Most invoices in one page. An answer that is larger than 4 MiB is not read, but asked for in parts.
const MAX_PAGE: u32 = 500;
/// The largest message of a stream that is read: one invoice, with all parts that were ever paid to it.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// An LND that is spoken to by gRPC. Cheap to make: connects at the first call.
pub struct LndGrpc {
    link: Link<Body>,
    origin: Uri,
    macaroon: MacaroonHeader,
    details: Option<MacaroonHeader>,
    served: Served,
}

impl LndGrpc {
    /// The node at `address`.
    ///
    /// # Errors
    /// [`NodeErrorKind::BadCredentials`] when the address can't be a host and port.
    pub fn new(address: NodeAddress, credentials: Credentials, policy: Policy, dial: Dial) -> Result<Self, NodeError> {
        let origin = origin(&address)?;
        let powerful = policy.allow_powerful_macaroon;
        let connector = Connector::new(address, credentials.certificate, dial, HTTP2, policy.connect_limit);
        Ok(Self {
            link: Link::new(connector, policy, true),
            origin,
            macaroon: MacaroonHeader::new(credentials.macaroon, invoice_check(powerful)),
            details: credentials.details_macaroon.map(|source| MacaroonHeader::new(source, details_check(powerful))),
            served: Served::default(),
        })
    }

    fn lightning(&self, client: HttpClient<Body>) -> LightningClient<HttpClient<Body>> {
        LightningClient::with_origin(client, self.origin.clone())
    }

    fn invoices(&self, client: HttpClient<Body>) -> InvoicesClient<HttpClient<Body>> {
        InvoicesClient::with_origin(client, self.origin.clone())
    }

    async fn add_plain(&self, request: &InvoiceRequest, preimage: Preimage) -> Result<Added, NodeError> {
        let message = lnrpc::Invoice {
            memo: request.memo.clone(),
            description_hash: description_hash(request),
            r_preimage: preimage.0.to_vec(),
            value_msat: msat(request),
            expiry: i64::from(request.expiry_secs),
            cltv_expiry: request.cltv_expiry.map_or(0, u64::from),
            private: request.private,
            ..Default::default()
        };
        let limit = self.link.policy().create_limit;
        let call = |client, header| {
            let mut client = self.lightning(client);
            let request = with_macaroon(message.clone(), header);
            async move { client.add_invoice(request).await.map_err(|status| from_status(&status)) }
        };
        let macaroon = self.macaroon.permitting(Call::AddInvoice).await?;
        let added = self.link.call(limit, macaroon, call).await?.into_inner();
        Ok(Added { payment_request: added.payment_request, add_index: Some(added.add_index) })
    }

    async fn add_hold(&self, request: &InvoiceRequest) -> Result<Added, NodeError> {
        let message = AddHoldInvoiceRequest {
            memo: request.memo.clone(),
            description_hash: description_hash(request),
            hash: request.hash.0.to_vec(),
            value_msat: msat(request),
            expiry: i64::from(request.expiry_secs),
            cltv_expiry: request.cltv_expiry.map_or(0, u64::from),
            private: request.private,
            ..Default::default()
        };
        self.ask_to_hold(message).await
    }

    async fn ask_to_hold(&self, message: AddHoldInvoiceRequest) -> Result<Added, NodeError> {
        let limit = self.link.policy().create_limit;
        let call = |client, header| {
            let mut client = self.invoices(client);
            let request = with_macaroon(message.clone(), header);
            async move { client.add_hold_invoice(request).await.map_err(|status| from_status(&status)) }
        };
        let macaroon = self.macaroon.permitting(Call::AddHoldInvoice).await?;
        let added = self.link.call(limit, macaroon, call).await?.into_inner();
        Ok(Added { payment_request: added.payment_request, add_index: Some(added.add_index) })
    }

    /// Whether the node knows an invoice, to be asked later.
    fn is_known(
        &self,
        hash: PaymentHash,
        header: HeaderValue,
    ) -> impl Future<Output = Result<bool, NodeError>> + Send + 'static {
        let mut client = self.lightning(self.link.client());
        let message = lnrpc::PaymentHash { r_hash: hash.0.to_vec(), ..Default::default() };
        let request = with_macaroon(message, header);
        async move { Ok(found(client.lookup_invoice(request).await)?.is_some()) }
    }

    async fn list(&self, message: lnrpc::ListInvoiceRequest) -> Result<lnrpc::ListInvoiceResponse, NodeError> {
        let call = |client, header| {
            let mut client = self.lightning(client);
            let request = with_macaroon(message, header);
            async move { client.list_invoices(request).await.map_err(|status| from_status(&status)) }
        };
        let macaroon = self.macaroon.permitting(Call::ListInvoices).await?;
        Ok(self.link.ask(self.link.policy().call_limit, macaroon, call).await?.into_inner())
    }

    async fn page(&self, pending_only: bool, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        let ask = async |after, limit: u32| {
            let message = lnrpc::ListInvoiceRequest {
                pending_only,
                index_offset: after,
                num_max_invoices: u64::from(limit),
                ..Default::default()
            };
            let answer = self.list(message).await?;
            let full = answer.invoices.len() >= limit as usize;
            Ok(InvoicePage { invoices: readable(answer.invoices), next: full.then_some(answer.last_index_offset) })
        };
        pages::page(after, limit.clamp(1, MAX_PAGE), ask).await
    }

    /// The newest invoice of the node: the cheapest call that the stock invoice macaroon permits.
    async fn newest_invoice(&self) -> Result<Option<lnrpc::Invoice>, NodeError> {
        let message = lnrpc::ListInvoiceRequest { num_max_invoices: 1, reversed: true, ..Default::default() };
        Ok(self.list(message).await?.invoices.pop())
    }

    /// What the channels can receive and send; `None` where the macaroon does not permit it (offchain:read).
    async fn balance(&self, macaroon: &MacaroonHeader) -> Option<(Msat, Msat)> {
        let macaroon = macaroon.permitting(Call::ChannelBalance).await.ok()?;
        let call = |client, header| {
            let mut client = self.lightning(client);
            let request = with_macaroon(lnrpc::ChannelBalanceRequest {}, header);
            async move { client.channel_balance(request).await.map_err(|status| from_status(&status)) }
        };
        let answer = self.link.ask(self.link.policy().call_limit, macaroon, call).await.ok()?;
        let answer = answer.into_inner();
        answer.remote_balance.zip(answer.local_balance).map(|(remote, local)| (Msat(remote.msat), Msat(local.msat)))
    }

    async fn get_info(&self, macaroon: &MacaroonHeader) -> Result<NodeInfo, NodeError> {
        let call = |client, header| {
            let mut client = self.lightning(client);
            let request = with_macaroon(lnrpc::GetInfoRequest {}, header);
            async move { client.get_info(request).await.map_err(|status| from_status(&status)) }
        };
        let answer = self.link.ask(self.link.policy().call_limit, macaroon, call).await?.into_inner();
        // The balance also counts what lies with peers who are not there.
        let none = Some((Msat(0), Msat(0)));
        let balance = if answer.num_active_channels == 0 { none } else { self.balance(macaroon).await };
        let (inbound, outbound) = balance.unzip();
        Ok(NodeInfo {
            pubkey: Some(answer.identity_pubkey),
            alias: Some(answer.alias),
            uris: answer.uris,
            network: answer.chains.first().and_then(|chain| Network::parse(&chain.network)),
            active_channels: Some(answer.num_active_channels),
            block_height: Some(answer.block_height),
            inbound,
            outbound,
            synced_to_chain: Some(answer.synced_to_chain),
            version: Some(answer.version),
            ..NodeInfo::default()
        })
    }
}

#[async_trait]
impl Describes for LndGrpc {
    async fn get_info(&self, macaroon: &MacaroonHeader) -> Result<NodeInfo, NodeError> {
        self.get_info(macaroon).await
    }

    async fn newest_request(&self) -> Result<Option<String>, NodeError> {
        Ok(self.newest_invoice().await?.map(|invoice| invoice.payment_request))
    }
}

#[async_trait]
impl LightningNode for LndGrpc {
    fn can_hold(&self) -> bool {
        true
    }

    async fn create(&self, request: &InvoiceRequest) -> Result<MadeInvoice, NodeError> {
        self.served.require(self, &self.macaroon, request.preimage.is_none()).await?;
        let added = match request.preimage {
            Some(preimage) => self.add_plain(request, preimage).await,
            None => self.served.learn(self.add_hold(request).await),
        };
        let added = outcome::existing_if_rejected(self, request.hash, added).await?;
        outcome::on_expected_network(self, self.link.policy(), request.hash, &added.payment_request).await?;
        bolt11::made(added, request)
    }

    async fn look_up(&self, hash: PaymentHash) -> Result<Option<NodeInvoice>, NodeError> {
        let call = |client, header| {
            let mut client = self.lightning(client);
            let message = lnrpc::PaymentHash { r_hash: hash.0.to_vec(), ..Default::default() };
            let request = with_macaroon(message, header);
            async move { found(client.lookup_invoice(request).await) }
        };
        let macaroon = self.macaroon.permitting(Call::LookupInvoice).await?;
        self.link.ask(self.link.policy().call_limit, macaroon, call).await?.map(invoice_from_lnd).transpose()
    }

    async fn cancel(&self, hash: PaymentHash) -> Result<CancelOutcome, NodeError> {
        outcome::of_cancel(self, hash, self.served.learn(self.cancel_bare(hash).await)).await
    }

    async fn settle(&self, preimage: Preimage) -> Result<SettleOutcome, NodeError> {
        outcome::of_settle(self, preimage.hash(), self.served.learn(self.settle_bare(preimage).await)).await
    }

    async fn settlements(&self, cursor: u64) -> Result<InvoiceStream, NodeError> {
        // LND sends nothing, not even headers, before the first settlement. A cheap call tells
        // whether the node is there and the macaroon good.
        self.newest_invoice().await?;
        let mut client = self.lightning(self.link.client()).max_decoding_message_size(MAX_MESSAGE);
        let message = lnrpc::InvoiceSubscription { settle_index: cursor, add_index: 0 };
        let macaroon = self.macaroon.permitting(Call::SubscribeInvoices).await?;
        let request = with_macaroon(message, macaroon.header().await?);
        let invoices = flat(async move { client.subscribe_invoices(request).await });
        let settled = invoices.try_filter(|invoice| future::ready(invoice.state == NodeInvoiceState::Settled));
        Ok(super::stream::run(settled))
    }

    async fn watch(&self, hash: PaymentHash) -> Result<InvoiceStream, NodeError> {
        let mut client = self.invoices(self.link.client());
        let message = SubscribeSingleInvoiceRequest { r_hash: hash.0.to_vec() };
        let header = self.macaroon.permitting(Call::SubscribeSingleInvoice).await?.header().await?;
        let is_known = self.is_known(hash, header.clone());
        let request = with_macaroon(message, header);
        let states = flat(async move { client.subscribe_single_invoice(request).await });
        Ok(super::stream::run(super::stream::of_known(states, is_known)))
    }

    async fn open_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        self.page(true, after, limit).await
    }

    async fn all_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        self.page(false, after, limit).await
    }

    async fn certificate(&self) -> Option<Certificate> {
        self.link.connector().certificate().await
    }

    async fn info(&self) -> Result<NodeInfo, NodeError> {
        let info = description::of(self, &self.macaroon, self.details.as_ref()).await?;
        Ok(self.served.findings(self, &self.macaroon).await?.noted_in(info))
    }
}

pub(super) fn origin(address: &NodeAddress) -> Result<Uri, NodeError> {
    format!("https://{address}").parse().map_err(|_| {
        let detail = format!("bad credentials: {address} is not a host name or IP address with a port");
        NodeError::new(NodeErrorKind::BadCredentials, detail)
    })
}

/// LND puts it in the place of the memo, which it keeps beside it.
fn description_hash(request: &InvoiceRequest) -> Vec<u8> {
    request.description_hash().map(|hash| hash.to_vec()).unwrap_or_default()
}

/// Amounts beyond 2^63 msat do not exist.
fn msat(request: &InvoiceRequest) -> i64 {
    request.amount.to_db()
}

pub(super) fn with_macaroon<T>(message: T, header: HeaderValue) -> Request<T> {
    let mut request = Request::new(message);
    let mut headers = http::HeaderMap::new();
    headers.insert("macaroon", header);
    *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers);
    request
}

/// The answer, or `None` when the node has no such invoice.
fn found<T>(answer: Result<Response<T>, Status>) -> Result<Option<T>, NodeError> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if is_answer_of_absence(&status) => Ok(None),
        Err(status) => Err(from_status(&status)),
    }
}

fn is_answer_of_absence(status: &Status) -> bool {
    let from_node = std::error::Error::source(status).is_none();
    from_node && is_unknown_invoice(status.message())
}

/// The invoices of a server stream, the call itself included: its failure is the first item.
fn flat(
    call: impl Future<Output = Result<Response<Streaming<lnrpc::Invoice>>, Status>> + Send + 'static,
) -> impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static {
    stream::once(call)
        .map_ok(Response::into_inner)
        .try_flatten()
        .map_err(|status| from_status(&status))
        .try_filter_map(|invoice| future::ready(Ok(readable_one(invoice))))
}
