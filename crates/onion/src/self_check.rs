//! Fetches `healthz` from the shop's own onion address, over circuits that nothing else uses, and
//! does what the [`watchdog`](super::watchdog) says.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::client::Tor;
use super::dial_error::DialError;
use super::dialer::Dialer;
use super::handle::ServiceHandle;
use super::isolation::Isolation;
use super::service::OnionService;
use super::watchdog::{Action, Alert, Health, Outcome, Patience, Reachability, Watchdog};
use ip2tor_domain::time::Clock;

/// How often and how long to ask.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// Between probes while the address answers. Default: 3 minutes.
    pub interval: Duration,
    /// Between probes while it does not. Default: 1 minute (and 5 s until the first success).
    pub retry: Duration,
    /// For one probe, circuits and all. Default: 60 seconds.
    pub limit: Duration,
    /// When to do something about it.
    pub patience: Patience,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(180),
            retry: Duration::from_secs(60),
            limit: Duration::from_secs(60),
            patience: Patience::default(),
        }
    }
}

/// The longest wait between probes until the first success, so that `readyz` is not late.
const START_RETRY: Duration = Duration::from_secs(5);

/// A running check of one onion service; ends when dropped.
pub struct SelfCheck {
    health: watch::Receiver<Health>,
    _task: AbortOnDropHandle<()>,
}

impl SelfCheck {
    /// Starts to watch `service`. `on_alert` hears what an operator should hear (it is logged here
    /// already).
    pub fn start(
        tor: Tor,
        service: &OnionService,
        rhythm: Rhythm,
        clock: Arc<dyn Clock>,
        on_alert: impl Fn(Alert) + Send + 'static,
    ) -> Self {
        let dog = Watchdog::new(rhythm.patience, clock.now(), tor.guards_set_aside_at());
        let (sender, health) = watch::channel(dog.health().clone());
        let checker = Checker {
            address: service.address().to_owned(),
            port: service.port(),
            handle: service.handle(),
            tor,
            rhythm,
            clock,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(checker.run(dog, sender, on_alert)));
        Self { health, _task: task }
    }

    /// What the last probe found; changes with each probe.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

struct Checker {
    tor: Tor,
    handle: ServiceHandle,
    address: String,
    port: u16,
    rhythm: Rhythm,
    clock: Arc<dyn Clock>,
}

impl Checker {
    async fn run(self, mut dog: Watchdog, health: watch::Sender<Health>, on_alert: impl Fn(Alert) + Send + 'static) {
        loop {
            let (outcome, detail) = self.probe().await;
            let decision = dog.observe(self.clock.now(), outcome);
            health.send_replace(dog.health().clone());
            tracing::debug!(detail, health = ?dog.health(), "the shop asked its own address");
            if let Some(alert) = decision.alert {
                log(&alert, detail.as_deref());
                on_alert(alert);
            }
            if let Some(action) = decision.action {
                self.act(action).await;
            }
            tokio::time::sleep(self.pause(dog.health().reachability)).await;
        }
    }

    fn pause(&self, reachability: Reachability) -> Duration {
        match reachability {
            Reachability::Starting => self.rhythm.retry.min(START_RETRY),
            Reachability::Reachable => self.rhythm.interval,
            Reachability::Unreachable | Reachability::Busy => self.rhythm.retry,
        }
    }

    async fn act(&self, action: Action) {
        let forget_guards = match action {
            Action::RestartService => return self.handle.restart(),
            Action::NewClient => false,
            Action::SetGuardsAside => true,
        };
        // Without a client there is nothing to probe and nothing else to do.
        while let Err(error) = self.tor.replace_client(forget_guards).await {
            tracing::error!("Tor cannot be restarted, trying again in {} s: {error}", self.rhythm.retry.as_secs());
            tokio::time::sleep(self.rhythm.retry).await;
        }
    }

    /// What came of asking; and what Tor says about it, for the log alone.
    async fn probe(&self) -> (Outcome, Option<String>) {
        let (begun, since) = (self.clock.now(), Instant::now());
        let fetched = tokio::time::timeout(self.rhythm.limit, self.fetch()).await;
        let latency_ms = u64::try_from(self.clock.now().millis_since(begun)).unwrap_or(0);
        let Failed { reason, detail } = match fetched {
            Ok(Ok(())) => return (Outcome::Reachable { latency_ms }, None),
            Ok(Err(failed)) => failed,
            Err(_) => Failed::to_connect(&DialError::Timeout(self.rhythm.limit)),
        };
        if self.handle.was_full(since) {
            return (Outcome::Busy, Some(detail));
        }
        (Outcome::Unreachable { reason, tor_ready: self.tor.is_ready().is_ok() }, Some(detail))
    }

    /// Any HTTP answer will do: what the shop has to say about itself is not Tor's fault.
    async fn fetch(&self) -> Result<(), Failed> {
        let dialer = Dialer::Arti(self.tor.clone());
        let dialled = dialer.connect(&self.address, self.port, Isolation::fresh(), self.rhythm.limit).await;
        let mut stream = dialled.map_err(|error| Failed::to_connect(&error))?;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        let mut start = [0; 7];
        let exchange = async {
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await?;
            stream.read_exact(&mut start).await
        };
        exchange.await.map_err(|error| Failed::after_connecting("the connection broke off", error))?;
        if start.starts_with(b"HTTP/1.") {
            return Ok(());
        }
        Err(Failed::after_connecting("the answer is not HTTP", String::from_utf8_lossy(&start)))
    }
}

/// Why the shop could not fetch from itself.
struct Failed {
    /// In words of ours, which tell nobody the address.
    reason: String,
    /// In Tor's.
    detail: String,
}

impl Failed {
    fn to_connect(error: &DialError) -> Self {
        Self { reason: error.in_own_words(), detail: error.to_string() }
    }

    fn after_connecting(problem: &str, detail: impl ToString) -> Self {
        Self { reason: format!("connected, but {problem}"), detail: detail.to_string() }
    }
}

fn log(alert: &Alert, detail: Option<&str>) {
    match alert {
        Alert::Unreachable { .. } => tracing::warn!(detail, "{alert}"),
        Alert::Online { .. } | Alert::Recovered { .. } => tracing::info!("{alert}"),
    }
}
