//! Decides, from probes of the shop's own onion address, whether it is well and what to do when it
//! is not. Pure: results and times in, decisions out; [`super::self_check`] does the rest.
//!
//! What Tor believes about its own service is not looked at: it has been wrong both ways. The steps
//! grow in cost: a fresh service, then a fresh client, then fresh guards. Each waits since the one
//! before it, so that a clock that jumps can trigger one step early, never all of them.

use ip2tor_domain::time::Timestamp;

#[cfg(test)]
mod tests;

/// How patient the watchdog is. Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Unreachable for so long: restart the service. Default: 300 (5 minutes).
    pub restart_service: i64,
    /// So long after that: a new Tor client. Default: 600 (15 minutes of outage).
    pub new_client: i64,
    /// So long after that: set the guards aside. Default: 900 (30 minutes of outage).
    pub set_guards_aside: i64,
    /// After the last step: a new client again, each so long. Default: 3600.
    pub again: i64,
    /// Guards are not set aside twice within this: each time an observer of the network gets
    /// another chance to be chosen. Default: 604800 (7 days).
    pub guards_rest: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { restart_service: 300, new_client: 600, set_guards_aside: 900, again: 3600, guards_rest: 604_800 }
    }
}

/// What a probe of the own address found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Reachable {
        /// From the first packet to the answer, in milliseconds.
        latency_ms: u64,
    },
    /// It did not.
    Unreachable {
        /// Why, as far as can be told, in words of ours: everybody may read it.
        reason: String,
        /// Whether Tor itself had its network: if not, no guard is to blame.
        tor_ready: bool,
    },
    /// It did not, because other clients had taken all circuits or all seats: Tor works, then, and a
    /// step would only cut them off.
    Busy,
}

/// Why the address does not answer when the shop is [`Outcome::Busy`].
const BUSY: &str = "other clients have taken all circuits or connections";

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Publish the service afresh.
    RestartService,
    /// Replace the Tor client.
    NewClient,
    /// Replace the Tor client, with new guards.
    SetGuardsAside,
}

/// What the operator should hear about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// The address answered for the first time since the start.
    Online {
        /// See [`Outcome::Reachable`].
        latency_ms: u64,
    },
    /// The address does not answer, and something is being done about it.
    Unreachable {
        /// Since when.
        since: Timestamp,
        /// What the last probe said.
        reason: String,
        /// The step taken.
        action: Action,
    },
    /// The address answers again, after an outage that was reported.
    Recovered {
        /// How long it was unreachable, in seconds.
        seconds: i64,
    },
}

impl std::fmt::Display for Alert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Online { latency_ms } => write!(f, "the onion service is reachable ({latency_ms} ms)"),
            Self::Unreachable { since, reason, action } => {
                let step = match action {
                    Action::RestartService => "restarting the service",
                    Action::NewClient => "restarting Tor",
                    Action::SetGuardsAside => "restarting Tor with new guards",
                };
                write!(f, "the onion service is unreachable since {since} ({reason}): {step}")
            }
            Self::Recovered { seconds } => {
                write!(f, "the onion service is reachable again, after {} minutes", seconds.div_euclid(60))
            }
        }
    }
}

/// Whether the shop can be reached at its onion address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachability {
    /// Not yet, since the start.
    Starting,
    /// At the last probe.
    Reachable,
    /// Not at the last probe.
    Unreachable,
    /// Not at the last probe, since other clients had taken all circuits or connections.
    Busy,
}

/// The state of the onion service as seen from outside, for `readyz` and the admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The result of the last probe.
    pub reachability: Reachability,
    /// The last time that the address answered.
    pub last_success: Option<Timestamp>,
    /// How long it took then, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Since when it does not answer; `None` when it does.
    pub down_since: Option<Timestamp>,
    /// Why it does not answer; `None` when it does.
    pub reason: Option<String>,
}

/// What follows from one probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// To be done now.
    pub action: Option<Action>,
    /// To be told now.
    pub alert: Option<Alert>,
}

/// The watchdog's memory.
#[derive(Debug)]
pub struct Watchdog {
    patience: Patience,
    health: Health,
    /// The last step of this outage, and when it was taken.
    last_step: Option<(Action, Timestamp)>,
    guards_set_aside: Option<Timestamp>,
    /// When Tor last had no network.
    last_unready: Option<Timestamp>,
    /// When other clients last left no room.
    last_busy: Option<Timestamp>,
}

impl Watchdog {
    /// A watchdog for a service that is started at `now`. `guards_set_aside` is the last time that
    /// they were, in this run of the shop or another.
    pub const fn new(patience: Patience, now: Timestamp, guards_set_aside: Option<Timestamp>) -> Self {
        let health = Health {
            reachability: Reachability::Starting,
            last_success: None,
            latency_ms: None,
            down_since: Some(now),
            reason: None,
        };
        Self { patience, health, last_step: None, guards_set_aside, last_unready: None, last_busy: None }
    }

    /// The state after the last probe.
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// Takes in the result of a probe that ended at `now`.
    pub fn observe(&mut self, now: Timestamp, outcome: Outcome) -> Decision {
        match outcome {
            Outcome::Reachable { latency_ms } => self.up(now, latency_ms),
            Outcome::Unreachable { reason, tor_ready } => self.down(now, reason, tor_ready),
            Outcome::Busy => self.busy(now),
        }
    }

    /// The next step waits from here on: an outage has not been seen to go on.
    fn busy(&mut self, now: Timestamp) -> Decision {
        self.last_busy = Some(now);
        self.health.reachability = Reachability::Busy;
        self.health.reason = Some(BUSY.to_owned());
        Decision::default()
    }

    fn up(&mut self, now: Timestamp, latency_ms: u64) -> Decision {
        let first = self.health.last_success.is_none();
        let outage = self.health.down_since.filter(|_| self.last_step.is_some());
        self.last_step = None;
        self.health = Health {
            reachability: Reachability::Reachable,
            last_success: Some(now),
            latency_ms: Some(latency_ms),
            down_since: None,
            reason: None,
        };
        let alert = match outage {
            _ if first => Some(Alert::Online { latency_ms }),
            Some(since) => Some(Alert::Recovered { seconds: now.millis_since(since) / 1000 }),
            None => None,
        };
        Decision { action: None, alert }
    }

    fn down(&mut self, now: Timestamp, reason: String, tor_ready: bool) -> Decision {
        self.begin_again_if_put_back(now);
        let since = *self.health.down_since.get_or_insert(now);
        let has_answered = self.health.last_success.is_some();
        self.health.reachability = if has_answered { Reachability::Unreachable } else { Reachability::Starting };
        self.health.reason = Some(reason.clone());
        if !tor_ready {
            self.last_unready = Some(now);
        }
        let Some(action) = self.step_due(now, since) else { return Decision::default() };
        self.last_step = Some((action, now));
        if action == Action::SetGuardsAside {
            self.guards_set_aside = Some(now);
        }
        Decision { action: Some(action), alert: Some(Alert::Unreachable { since, reason, action }) }
    }

    /// Counts from `now` what a clock that was put back since would have wait for ever.
    fn begin_again_if_put_back(&mut self, now: Timestamp) {
        self.health.down_since = self.health.down_since.map(|at| at.min(now));
        self.last_step = self.last_step.map(|(action, at)| (action, at.min(now)));
        self.last_unready = self.last_unready.map(|at| at.min(now));
        self.last_busy = self.last_busy.map(|at| at.min(now));
    }

    /// The next step, when its time has come.
    fn step_due(&self, now: Timestamp, down_since: Timestamp) -> Option<Action> {
        let (action, from, wait) = match self.last_step {
            None => (Action::RestartService, down_since, self.patience.restart_service),
            Some((Action::RestartService, at)) => (Action::NewClient, at, self.patience.new_client),
            Some((Action::NewClient, at)) if self.last_unready < Some(now) && self.may_set_guards_aside(now) => {
                // They are to blame for what fails while there is a network.
                (
                    Action::SetGuardsAside,
                    self.last_unready.map_or(at, |unready| unready.max(at)),
                    self.patience.set_guards_aside,
                )
            }
            Some((_, at)) => (Action::NewClient, at, self.patience.again),
        };
        let from = self.last_busy.map_or(from, |busy| busy.max(from));
        (now.millis_since(from) >= wait.saturating_mul(1000)).then_some(action)
    }

    fn may_set_guards_aside(&self, now: Timestamp) -> bool {
        // A time in the future was written by a wrong clock and says nothing.
        self.guards_set_aside.is_none_or(|at| {
            let since = now.millis_since(at);
            since < 0 || since >= self.patience.guards_rest.saturating_mul(1000)
        })
    }
}
