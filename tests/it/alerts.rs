//! Alerts that leave the shop: over real connections to servers on loopback that take them, fail, redirect, are slow, or
//! want no more.

mod channels;
mod email;
mod mail_server;
mod own;
mod receiver;
mod story;

use std::path::Path;

use ip2tor_shop::config::Config;
use ip2tor_shop::domain::alert::Severity;
use ip2tor_shop::domain::alert_message::{Message, MessageKind};
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::notify::{Channels, Ways};
use ip2tor_shop::web;

use crate::support::START;

/// The secret of the webhook, as its file has it.
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = START;

/// Direct connections, to public addresses alone where that is asked for.
fn ways() -> Ways {
    let public = web::public_only(Dial::direct(), Some(web::system_resolver()));
    Ways { plain: Dial::direct(), tor: Dial::direct(), public }
}

/// The channels of a configuration, over direct connections.
fn channels(config: &str) -> Channels {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::parse(config).expect("a good configuration");
    Channels::new(&config.alerts, &ways())
}

/// Stores a secret; the place of it, as the configuration has it.
fn secret(dir: &Path, name: &str, text: &str) -> String {
    std::fs::write(dir.join(name), text).expect("a file");
    format!("file:{}", dir.join(name).display())
}

fn message() -> Message {
    Message {
        key: "msg_1".to_owned(),
        kind: MessageKind::Alert,
        severity: Severity::Critical,
        title: "Shop: node_dead (critical)".to_owned(),
        text: "CRITICAL node_dead, since now: it does not answer – für immer?".to_owned(),
        made_at: NOW,
    }
}
