//! Probes before new orders' invoices are made: ports of hosts that were not swept since a restore, and targets
//! over Tor.

use std::time::Duration;

use tokio::time::Instant;

use crate::onion::Dialer;
use crate::onion::probe;
use crate::onion::probe::port;
use crate::onion::probe::port::PortVerdict;
use crate::onion::probe::{Target, Verdict};
use crate::services::orders;
use crate::services::orders::probe::Finding;
use crate::services::products;
use crate::services::products::ports::Trial;
use crate::services::{Error, Shop};
use crate::store::outbox::Intent;

/// All the ports that one order may have tried. RaspiBlitz waits 120 s for its invoice.
const PORT_BUDGET: Duration = Duration::from_secs(20);

/// Probes an order's target and applies what it found. An intent that waited too long (the shop was
/// down, or many were before it) lets its order go on.
pub async fn perform(shop: &Shop, dialer: Option<&Dialer>, intent: &Intent) -> Result<(), Error> {
    if let Some(trial) = products::ports::to_try(shop, intent)? {
        if !find_free_port(shop, dialer, trial).await? {
            return orders::probe::finish(shop, intent, None).await;
        }
        orders::probe::port_is_free(shop, intent).await?;
    }
    let target = orders::probe::target(shop, intent)?.and_then(|target| parse(shop, &target));
    let late = !intent.created_at.is_within(shop.settings.make_limit_secs, shop.now());
    let finding = match (target, dialer) {
        (Some(target), Some(dialer)) if !late => find(shop, dialer, &target).await,
        _ => None,
    };
    orders::probe::finish(shop, intent, finding).await
}

/// Looks for ports until nothing answers at one, for as long as buyers' software waits without worry. `false` when the
/// order has ended over it.
async fn find_free_port(shop: &Shop, dialer: Option<&Dialer>, trial: Trial) -> Result<bool, Error> {
    let dialer = dialer.unwrap_or(&Dialer::Direct);
    let deadline = Instant::now() + PORT_BUDGET;
    let mut next = Some(trial);
    while let Some(trial) = next {
        let verdict = match Instant::now() < deadline {
            true => port::try_port(dialer, &trial.ip, trial.port).await,
            false => PortVerdict::NotTried { reason: "too many ports before it answered".to_owned() },
        };
        next = match verdict {
            PortVerdict::Silent => return Ok(true),
            PortVerdict::Answers => products::ports::answers(shop, &trial).await?,
            PortVerdict::NotTried { reason } => {
                products::ports::not_tried(shop, &trial, &reason).await?;
                None
            }
        };
    }
    Ok(false)
}

fn parse(shop: &Shop, target: &str) -> Option<Target> {
    let (host, port) = target.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    Some(Target { host: host.to_owned(), port, tls: !shop.settings.plain_ports.contains(&port) })
}

/// `None` when the shop itself could not try: that says nothing of the target.
async fn find(shop: &Shop, dialer: &Dialer, target: &Target) -> Option<Finding> {
    let budget = Duration::from_secs(shop.settings.probe_secs);
    let verdict = probe::probe(dialer, target, budget).await;
    if let Verdict::NotTried { reason } = verdict {
        tracing::warn!(reason, "a target could not be probed");
        return None;
    }
    if !verdict.is_good() {
        tracing::info!(?verdict, "a target failed its probe");
    }
    Some(Finding { text: verdict.to_string(), is_good: verdict.is_good(), blames_target: verdict.blames_target() })
}
