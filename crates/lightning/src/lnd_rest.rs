//! LND over REST: HTTPS and JSON, for nodes whose gRPC port is not reachable.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::Method;
use http_body_util::Full;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::bolt11::Added;
use super::client::HttpClient;
use super::connector::{Connector, NodeAddress};
use super::credentials::Credentials;
use super::description::{self, Describes};
use super::dial::Dial;
use super::link::{Link, MacaroonHeader};
use super::permissions::{details_check, invoice_check};
use super::policy::Policy;
use super::rest_http::{Exchange, HTTP1, invoices_of, read_answer};
use super::rest_json::{Balance, Listed, MaybeInvoice, Nothing, RestAdded, RestInfo, RestInvoice, readable};
use super::rights::Call;
use super::served::{BareCalls, Served};
use super::{InvoiceStream, LightningNode, bolt11, outcome, pages};
use ip2tor_domain::lightning::{
    CancelOutcome, Certificate, InvoicePage, InvoiceRequest, MadeInvoice, NodeError, NodeErrorKind, NodeInfo,
    NodeInvoice, NodeInvoiceState, PaymentHash, Preimage, SettleOutcome,
};
use ip2tor_domain::money::Msat;

/// Most invoices in one page.
const MAX_PAGE: u32 = 500;

/// An LND that is spoken to by REST. Cheap to make: connects at the first call.
pub struct LndRest {
    link: Link<Full<Bytes>>,
    base: String,
    macaroon: MacaroonHeader,
    details: Option<MacaroonHeader>,
    served: Served,
}

impl LndRest {
    /// The node whose REST port is at `address`.
    pub fn new(address: NodeAddress, credentials: Credentials, policy: Policy, dial: Dial) -> Self {
        let base = format!("https://{address}");
        let powerful = policy.allow_powerful_macaroon;
        let connector = Connector::new(address, credentials.certificate, dial, HTTP1, policy.connect_limit);
        Self {
            link: Link::new(connector, policy, false),
            base,
            macaroon: MacaroonHeader::new(credentials.macaroon, invoice_check(powerful)),
            details: credentials.details_macaroon.map(|source| MacaroonHeader::new(source, details_check(powerful))),
            served: Served::default(),
        }
    }

    /// The answer; `None` when the node has no such invoice. A GET only asks.
    async fn find<T: DeserializeOwned>(
        &self,
        limit: Duration,
        macaroon: &MacaroonHeader,
        exchange: Exchange,
    ) -> Result<Option<T>, NodeError> {
        let call = |client: HttpClient<Full<Bytes>>, header| {
            let request = exchange.request(&self.base, header);
            async move { read_answer(client.request(request?).await).await }
        };
        match exchange.method {
            Method::GET => self.link.ask(limit, macaroon, call).await,
            _ => self.link.call(limit, macaroon, call).await,
        }
    }

    /// The answer to a call that is not about a certain invoice.
    async fn ask<T: DeserializeOwned>(
        &self,
        limit: Duration,
        macaroon: &MacaroonHeader,
        exchange: Exchange,
    ) -> Result<T, NodeError> {
        let nothing = || NodeError::new(NodeErrorKind::Rejected, "the node refuses: no such invoice");
        self.find(limit, macaroon, exchange).await?.ok_or_else(nothing)
    }

    async fn list(&self, query: &str) -> Result<Listed, NodeError> {
        let exchange = Exchange::get(format!("/v1/invoices?{query}"));
        let macaroon = self.macaroon.permitting(Call::ListInvoices).await?;
        self.ask(self.link.policy().call_limit, macaroon, exchange).await
    }

    async fn add(&self, call: Call, exchange: Exchange) -> Result<Added, NodeError> {
        let macaroon = self.macaroon.permitting(call).await?;
        let added: RestAdded = self.ask(self.link.policy().create_limit, macaroon, exchange).await?;
        Ok(added.into())
    }

    async fn page(&self, pending_only: bool, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        let ask = async |after: u64, limit: u32| {
            let query = format!("pending_only={pending_only}&index_offset={after}&num_max_invoices={limit}");
            let page = self.list(&query).await?;
            let full = page.invoices.len() >= limit as usize;
            Ok(InvoicePage { invoices: readable(page.invoices), next: full.then_some(page.last_index_offset) })
        };
        pages::page(after, limit.clamp(1, MAX_PAGE), ask).await
    }

    async fn newest_invoice(&self) -> Result<Option<RestInvoice>, NodeError> {
        Ok(self.list("num_max_invoices=1&reversed=true").await?.invoices.pop().and_then(MaybeInvoice::known))
    }

    /// What the channels can receive and send; `None` where the macaroon does not permit it (offchain:read).
    async fn balance(&self, macaroon: &MacaroonHeader) -> Option<(Msat, Msat)> {
        let macaroon = macaroon.permitting(Call::ChannelBalance).await.ok()?;
        let exchange = Exchange::get("/v1/balance/channels".to_owned());
        let balance: Balance = self.ask(self.link.policy().call_limit, macaroon, exchange).await.ok()?;
        Some((Msat(balance.remote_balance.msat), Msat(balance.local_balance.msat)))
    }

    async fn stream(
        &self,
        call: Call,
        path: String,
    ) -> Result<impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static, NodeError> {
        let macaroon = self.macaroon.permitting(call).await?;
        let request = Exchange::get(path).request(&self.base, macaroon.header().await?)?;
        let client = self.link.client();
        Ok(invoices_of(async move { client.request(request).await }))
    }

    async fn get_info(&self, macaroon: &MacaroonHeader) -> Result<NodeInfo, NodeError> {
        let exchange = Exchange::get("/v1/getinfo".to_owned());
        let info: RestInfo = self.ask(self.link.policy().call_limit, macaroon, exchange).await?;
        let info = NodeInfo::from(info);
        // The balance also counts what lies with peers who are not there.
        let none = Some((Msat(0), Msat(0)));
        let balance = if info.active_channels == Some(0) { none } else { self.balance(macaroon).await };
        let (inbound, outbound) = balance.unzip();
        Ok(NodeInfo { inbound, outbound, ..info })
    }
}

#[async_trait]
impl Describes for LndRest {
    async fn get_info(&self, macaroon: &MacaroonHeader) -> Result<NodeInfo, NodeError> {
        self.get_info(macaroon).await
    }

    async fn newest_request(&self) -> Result<Option<String>, NodeError> {
        Ok(self.newest_invoice().await?.map(|invoice| invoice.payment_request))
    }
}

#[async_trait]
impl BareCalls for LndRest {
    async fn cancel_bare(&self, hash: PaymentHash) -> Result<bool, NodeError> {
        let exchange = Exchange::post("/v2/invoices/cancel", json!({"payment_hash": STANDARD.encode(hash.0)}));
        let macaroon = self.macaroon.permitting(Call::CancelInvoice).await?;
        Ok(self.find::<Nothing>(self.link.policy().call_limit, macaroon, exchange).await?.is_some())
    }

    async fn settle_bare(&self, preimage: Preimage) -> Result<bool, NodeError> {
        let exchange = Exchange::post("/v2/invoices/settle", json!({"preimage": STANDARD.encode(preimage.0)}));
        let macaroon = self.macaroon.permitting(Call::SettleInvoice).await?;
        Ok(self.find::<Nothing>(self.link.policy().call_limit, macaroon, exchange).await?.is_some())
    }

    async fn hold_nothing(&self) -> Result<(), NodeError> {
        self.add(Call::AddHoldInvoice, Exchange::post("/v2/invoices/hodl", json!({}))).await.map(drop)
    }
}

#[async_trait]
impl LightningNode for LndRest {
    fn can_hold(&self) -> bool {
        true
    }

    async fn create(&self, request: &InvoiceRequest) -> Result<MadeInvoice, NodeError> {
        self.served.require(self, &self.macaroon, request.preimage.is_none()).await?;
        let added = match &request.preimage {
            Some(preimage) => {
                self.add(Call::AddInvoice, Exchange::post("/v1/invoices", plain_body(request, preimage))).await
            }
            None => {
                let exchange = Exchange::post("/v2/invoices/hodl", hold_body(request));
                self.served.learn(self.add(Call::AddHoldInvoice, exchange).await)
            }
        };
        let added = outcome::existing_if_rejected(self, request.hash, added).await?;
        outcome::on_expected_network(self, self.link.policy(), request.hash, &added.payment_request).await?;
        bolt11::made(added, request)
    }

    async fn look_up(&self, hash: PaymentHash) -> Result<Option<NodeInvoice>, NodeError> {
        let exchange = Exchange::get(format!("/v1/invoice/{hash}"));
        let macaroon = self.macaroon.permitting(Call::LookupInvoice).await?;
        let found = self.find::<RestInvoice>(self.link.policy().call_limit, macaroon, exchange).await?;
        found.map(RestInvoice::into_node_invoice).transpose()
    }

    async fn cancel(&self, hash: PaymentHash) -> Result<CancelOutcome, NodeError> {
        outcome::of_cancel(self, hash, self.served.learn(self.cancel_bare(hash).await)).await
    }

    async fn settle(&self, preimage: Preimage) -> Result<SettleOutcome, NodeError> {
        outcome::of_settle(self, preimage.hash(), self.served.learn(self.settle_bare(preimage).await)).await
    }

    async fn settlements(&self, cursor: u64) -> Result<InvoiceStream, NodeError> {
        // As with gRPC: the node says nothing before the first settlement, a cheap call tells more.
        self.newest_invoice().await?;
        let path = format!("/v1/invoices/subscribe?settle_index={cursor}");
        let all = self.stream(Call::SubscribeInvoices, path).await?;
        let settled = |invoice: &NodeInvoice| std::future::ready(invoice.state == NodeInvoiceState::Settled);
        Ok(super::stream::run(all.try_filter(settled)))
    }

    async fn watch(&self, hash: PaymentHash) -> Result<InvoiceStream, NodeError> {
        let path = format!("/v2/invoices/subscribe/{}", URL_SAFE.encode(hash.0));
        let states = self.stream(Call::SubscribeSingleInvoice, path).await?;
        let request =
            Exchange::get(format!("/v1/invoice/{hash}")).request(&self.base, self.macaroon.header().await?)?;
        let client = self.link.client();
        let is_known = async move { Ok(read_answer::<IgnoredAny>(client.request(request).await).await?.is_some()) };
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

fn plain_body(request: &InvoiceRequest, preimage: &Preimage) -> Value {
    let mut body = common_body(request);
    body["r_preimage"] = STANDARD.encode(preimage.0).into();
    body
}

fn hold_body(request: &InvoiceRequest) -> Value {
    let mut body = common_body(request);
    body["hash"] = STANDARD.encode(request.hash.0).into();
    body
}

fn common_body(request: &InvoiceRequest) -> Value {
    let mut body = json!({
        "memo": request.memo,
        "value_msat": request.amount.0.to_string(),
        "expiry": request.expiry_secs.to_string(),
        "cltv_expiry": request.cltv_expiry.unwrap_or(0).to_string(),
        "private": request.private,
    });
    if let Some(hash) = request.description_hash() {
        body["description_hash"] = STANDARD.encode(hash).into();
    }
    body
}
