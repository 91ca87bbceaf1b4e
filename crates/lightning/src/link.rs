//! The connection to one LND that all calls share, and the macaroons that they carry. Made at the
//! first call, made anew when it breaks or falls silent; one deadline per call, so a dead node costs a
//! caller that and never a busy loop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use hyper::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::{Mutex, MutexGuard};

use super::client::HttpClient;
use super::connector::Connector;
use super::credentials::Source;
use super::macaroon::Macaroon;
use super::pasted;
use super::permissions::Check;
use super::policy::Policy;
use super::rights::{self, Call};
use ip2tor_domain::lightning::{NodeError, NodeErrorKind};

/// The shared connection to a node.
pub struct Link<B> {
    connector: Connector,
    policy: Policy,
    http2: bool,
    client: Mutex<Numbered<B>>,
}

/// A client and the number of its replacement.
struct Numbered<B> {
    number: u64,
    client: Client<Connector, B>,
}

/// What a call does to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It only asks: to ask twice is to ask once.
    None,
    /// It may change something. Whoever makes it must know whether it may have happened.
    Change,
}

impl<B> Link<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A connection of HTTP/2 (gRPC), or of HTTP/1.1 (REST). Nothing is sent before the first call.
    pub fn new(connector: Connector, policy: Policy, http2: bool) -> Self {
        let client = Mutex::new(Numbered { number: 0, client: build_client(&connector, &policy, http2) });
        Self { connector, policy, http2, client }
    }

    /// A handle on the shared connection, for one call.
    pub fn client(&self) -> HttpClient<B> {
        self.numbered().1
    }

    fn numbered(&self) -> (u64, HttpClient<B>) {
        let current = locked(&self.client);
        (current.number, HttpClient::new(current.client.clone()))
    }

    /// Where and how the node is reached.
    pub const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The demands and time limits of this node.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Makes a call with `macaroon` under a deadline. A refused macaroon is read anew and, when it
    /// has changed, tried once more; after a time-out the next call gets a new connection.
    ///
    /// # Errors
    /// What `call` reports, or `TimedOut`.
    pub async fn call<T, F>(
        &self,
        limit: Duration,
        macaroon: &MacaroonHeader,
        call: impl Fn(HttpClient<B>, HeaderValue) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        self.call_in_time(limit, macaroon, Effect::Change, call).await
    }

    /// The same for a call that only asks: when it was sent over an old connection that turned out to be dead, it is made
    /// once more over a new one.
    ///
    /// # Errors
    /// What `call` reports, or `TimedOut`.
    pub async fn ask<T, F>(
        &self,
        limit: Duration,
        macaroon: &MacaroonHeader,
        call: impl Fn(HttpClient<B>, HeaderValue) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        self.call_in_time(limit, macaroon, Effect::None, call).await
    }

    async fn call_in_time<T, F>(
        &self,
        limit: Duration,
        macaroon: &MacaroonHeader,
        effect: Effect,
        call: impl Fn(HttpClient<B>, HeaderValue) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let number = locked(&self.client).number;
        let attempt = async {
            let header = macaroon.header().await?;
            match self.exchange(effect, header.clone(), &call).await {
                Err(error) if error.kind == NodeErrorKind::WrongMacaroon => match macaroon.renewed(&header).await? {
                    Some(renewed) => self.exchange(effect, renewed, &call).await,
                    None => Err(error),
                },
                result => result,
            }
        };
        match tokio::time::timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) => {
                self.replace_client(number);
                Err(timed_out(&self.connector, limit))
            }
        }
    }

    async fn exchange<T, F>(
        &self,
        effect: Effect,
        header: HeaderValue,
        call: &impl Fn(HttpClient<B>, HeaderValue) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = Result<T, NodeError>>,
    {
        let (number, client) = self.numbered();
        let result = call(client.clone(), header.clone()).await;
        if result.is_ok() || !client.has_met_dead_connection() {
            return result;
        }
        // What else lies in the pool is as old.
        self.replace_client(number);
        match effect {
            Effect::None => call(self.client(), header).await,
            Effect::Change => result,
        }
    }

    /// Lets go of a connection that does not answer, unless another call did so meanwhile. Streams
    /// that still run over it keep it alive.
    fn replace_client(&self, number: u64) {
        let mut current = locked(&self.client);
        if current.number == number {
            let client = build_client(&self.connector, &self.policy, self.http2);
            *current = Numbered { number: number + 1, client };
        }
    }
}

fn timed_out(connector: &Connector, limit: Duration) -> NodeError {
    let detail = format!(
        "time-out: {} did not answer within {} s; it may be overloaded or still starting",
        connector.address(),
        limit.as_secs_f32()
    );
    NodeError::new(NodeErrorKind::TimedOut, detail)
}

fn build_client<B>(connector: &Connector, policy: &Policy, http2: bool) -> Client<Connector, B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_only(http2)
        .http2_keep_alive_interval(policy.probe_interval)
        .http2_keep_alive_timeout(policy.probe_limit)
        .build(connector.clone())
}

/// A macaroon as the header value that calls carry, read from its source when first needed.
pub struct MacaroonHeader {
    source: Source,
    check: Check,
    loaded: Mutex<Option<Arc<Loaded>>>,
}

struct Loaded {
    header: HeaderValue,
    /// What it permits; `None` when that can't be read.
    macaroon: Option<Macaroon>,
}

impl MacaroonHeader {
    /// A macaroon whose bytes must pass `check` before they are used.
    pub const fn new(source: Source, check: Check) -> Self {
        Self { source, check, loaded: Mutex::new(None) }
    }

    /// The header value: hex, marked as sensitive so that no log shows it.
    ///
    /// # Errors
    /// `BadCredentials`, or what the check says.
    pub async fn header(&self) -> Result<HeaderValue, NodeError> {
        Ok(self.loaded().await?.header.clone())
    }

    /// The header value of what the source has now.
    ///
    /// # Errors
    /// As [`MacaroonHeader::header`].
    pub async fn reread(&self) -> Result<HeaderValue, NodeError> {
        Ok(self.load().await?.header.clone())
    }

    /// The macaroon as far as it can be read.
    ///
    /// # Errors
    /// As [`MacaroonHeader::header`].
    pub async fn macaroon(&self) -> Result<Option<Macaroon>, NodeError> {
        Ok(self.loaded().await?.macaroon.clone())
    }

    /// Whether LND will let it make this call. One that can't be read is left to the node.
    ///
    /// # Errors
    /// As [`MacaroonHeader::header`].
    pub async fn permits(&self, call: Call) -> Result<bool, NodeError> {
        let permits = |loaded: &Loaded| loaded.macaroon.as_ref().is_none_or(|macaroon| rights::permits(macaroon, call));
        if permits(&*self.loaded().await?) {
            return Ok(true);
        }
        // It may have been replaced by a better one.
        Ok(permits(&*self.load().await?))
    }

    /// Itself, provided that it may make this call: what it may not is not asked.
    ///
    /// # Errors
    /// `WrongMacaroon`, or as [`MacaroonHeader::header`].
    pub async fn permitting(&self, call: Call) -> Result<&Self, NodeError> {
        if self.permits(call).await? {
            return Ok(self);
        }
        let names = self.macaroon().await?.map(|macaroon| rights::lacking(&macaroon, &[call])).unwrap_or_default();
        Err(rights::lack(&names))
    }

    async fn loaded(&self) -> Result<Arc<Loaded>, NodeError> {
        if let Some(loaded) = locked(&self.loaded).clone() {
            return Ok(loaded);
        }
        self.load().await
    }

    /// Reads the macaroon again; `None` when it is still the one that was `used`.
    async fn renewed(&self, used: &HeaderValue) -> Result<Option<HeaderValue>, NodeError> {
        let header = self.load().await?.header.clone();
        Ok((header != used).then_some(header))
    }

    async fn load(&self) -> Result<Arc<Loaded>, NodeError> {
        let bytes = self.source.read("macaroon").await?;
        // What is none the check says, in its words.
        let bytes = pasted::macaroon(&bytes).unwrap_or(bytes);
        (self.check)(&bytes)?;
        let mut header = HeaderValue::from_str(&hex::encode(&bytes)).expect("hex digits are a valid header");
        header.set_sensitive(true);
        let loaded = Arc::new(Loaded { header, macaroon: Macaroon::parse(&bytes).ok() });
        *locked(&self.loaded) = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
