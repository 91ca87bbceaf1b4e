//! The heartbeat: an address that is asked while all is well. Whoever misses it raises the alarm.

use std::time::Duration;

use bytes::Bytes;

use super::ways::Ways;
use crate::config::{Alerts, alerts};
use crate::lightning::dial::Dial;
use crate::web::Server;

/// An address that is asked again and again.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    dial: Dial,
    config: alerts::Heartbeat,
}

impl Heartbeat {
    /// The one that `config` names, if it does.
    pub fn new(config: &Alerts, ways: &Ways) -> Option<Self> {
        let config = config.heartbeat.clone()?;
        Some(Self { dial: ways.choose(config.through_tor), config })
    }

    /// Between two beats.
    pub const fn interval(&self) -> Duration {
        self.config.interval
    }

    /// Says that all is well.
    ///
    /// # Errors
    /// One line that says why it was not heard.
    pub async fn beat(&self) -> Result<(), String> {
        let request = http::Request::get(self.config.url.read()?).body(Bytes::new());
        let answer = Server::new(self.dial.clone()).ask(request.map_err(|error| error.to_string())?).await?;
        if answer.is_success() { Ok(()) } else { Err(answer.problem()) }
    }
}
