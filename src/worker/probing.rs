//! Probes the targets of new orders over Tor.

use std::time::Duration;

use crate::onion::Dialer;
use crate::probe::{self, Target, Verdict};
use crate::services::probes::{self, Finding};
use crate::services::{Error, Shop};
use crate::store::outbox::Intent;

/// Probes an order's target and applies what it found. An intent that waited too long (the shop was
/// down, or many were before it) lets its order go on.
pub async fn perform(shop: &Shop, dialer: Option<&Dialer>, intent: &Intent) -> Result<(), Error> {
    let target = probes::target(shop, intent)?.and_then(|target| parse(shop, &target));
    let late = !intent.created_at.is_within(shop.settings.make_limit_secs, shop.now());
    let finding = match (target, dialer) {
        (Some(target), Some(dialer)) if !late => find(shop, dialer, &target).await,
        _ => None,
    };
    probes::finish(shop, intent, finding).await
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
