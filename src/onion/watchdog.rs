//! Decides, from probes of the shop's own onion address, whether it is well and what to do when it
//! is not. Pure: results and times in, decisions out; [`super::self_check`] does the rest.
//!
//! What Tor believes about its own service is not looked at: it has been wrong both ways. The steps
//! grow in cost: a fresh service, then a fresh client, then fresh guards. Each waits since the one
//! before it, so that a clock that jumps can trigger one step early, never all of them.

use crate::domain::time::Timestamp;

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
        /// Why, as far as can be told.
        reason: String,
        /// Whether Tor itself had its network: if not, no guard is to blame.
        tor_ready: bool,
    },
}

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
        Self { patience, health, last_step: None, guards_set_aside, last_unready: None }
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
        }
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
        if self.health.last_success.is_some() {
            self.health.reachability = Reachability::Unreachable;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);
    const MINUTE: i64 = 60;

    fn at(minutes: i64) -> Timestamp {
        START.plus_secs(minutes * MINUTE)
    }

    fn up() -> Outcome {
        Outcome::Reachable { latency_ms: 700 }
    }

    fn down() -> Outcome {
        Outcome::Unreachable { reason: "no answer".to_owned(), tor_ready: true }
    }

    /// Probes each minute in `minutes`, always in vain; the steps taken, with their minute.
    fn outage(dog: &mut Watchdog, minutes: std::ops::Range<i64>) -> Vec<(i64, Action)> {
        minutes.filter_map(|minute| dog.observe(at(minute), down()).action.map(|action| (minute, action))).collect()
    }

    #[test]
    fn a_service_that_answers_is_left_alone() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        assert_eq!(dog.observe(at(1), up()).alert, Some(Alert::Online { latency_ms: 700 }));
        for minute in 2..600 {
            assert_eq!(dog.observe(at(minute), up()), Decision::default());
        }
        assert_eq!(dog.health().reachability, Reachability::Reachable);
        assert_eq!((dog.health().last_success, dog.health().latency_ms), (Some(at(599)), Some(700)));
    }

    #[test]
    fn an_outage_is_met_with_growing_steps() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        dog.observe(at(0), up());
        let steps = outage(&mut dog, 1..200);
        assert_eq!(
            steps,
            [
                (6, Action::RestartService),
                (16, Action::NewClient),
                (31, Action::SetGuardsAside),
                (91, Action::NewClient),
                (151, Action::NewClient)
            ]
        );
    }

    #[test]
    fn every_step_and_the_recovery_are_reported() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        dog.observe(at(0), up());
        assert_eq!(dog.observe(at(1), down()).alert, None, "one failed probe is no outage");
        let alert = dog.observe(at(6), down()).alert.unwrap();
        assert_eq!(
            alert.to_string(),
            "the onion service is unreachable since 2027-01-15T08:01:00Z (no answer): restarting the service"
        );
        assert_eq!(dog.observe(at(8), up()).alert, Some(Alert::Recovered { seconds: 7 * MINUTE }));
    }

    #[test]
    fn a_short_outage_is_neither_treated_nor_reported() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        dog.observe(at(0), up());
        assert_eq!(dog.observe(at(1), down()), Decision::default());
        assert_eq!(dog.health().reachability, Reachability::Unreachable);
        assert_eq!(dog.observe(at(4), up()), Decision::default());
        assert_eq!(dog.observe(at(7), down()), Decision::default(), "a new outage begins anew");
    }

    #[test]
    fn guards_are_set_aside_once_in_a_week() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        let first = outage(&mut dog, 0..60);
        assert!(first.contains(&(30, Action::SetGuardsAside)), "{first:?}");
        dog.observe(at(60), up());
        let second = outage(&mut dog, 61..600);
        assert!(second.iter().all(|(_, action)| *action != Action::SetGuardsAside), "{second:?}");
        let week = 7 * 24 * 60;
        dog.observe(at(week), up());
        let third = outage(&mut dog, week + 1..week + 60);
        assert!(third.iter().any(|(_, action)| *action == Action::SetGuardsAside), "{third:?}");
    }

    #[test]
    fn a_restart_of_the_shop_does_not_forget_when_guards_were_set_aside() {
        let mut dog = Watchdog::new(Patience::default(), START, Some(START.plus_secs(-MINUTE)));
        let steps = outage(&mut dog, 0..600);
        assert!(steps.iter().all(|(_, action)| *action != Action::SetGuardsAside), "{steps:?}");
        let mut dog = Watchdog::new(Patience::default(), START, Some(START.plus_secs(8 * 24 * 3600)));
        assert!(outage(&mut dog, 0..60).contains(&(30, Action::SetGuardsAside)), "a clock was wrong");
    }

    #[test]
    fn guards_are_kept_while_the_network_is_down() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        let without_network = |minute| {
            let outcome = Outcome::Unreachable { reason: "no network".to_owned(), tor_ready: false };
            dog.observe(at(minute), outcome).action
        };
        let steps: Vec<_> = (0..120).filter_map(without_network).collect();
        assert_eq!(steps, [Action::RestartService, Action::NewClient, Action::NewClient]);
        let steps = outage(&mut dog, 120..150);
        assert_eq!(steps, [(134, Action::SetGuardsAside)], "the network is back, the service is not");
    }

    #[test]
    fn a_service_that_never_came_up_is_treated_too() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        assert_eq!(outage(&mut dog, 0..10), [(5, Action::RestartService)]);
        assert_eq!(dog.health().reachability, Reachability::Starting);
    }

    #[test]
    fn a_clock_that_jumps_triggers_one_step_and_not_all() {
        let mut dog = Watchdog::new(Patience::default(), Timestamp::from_secs(0), None);
        let steps: Vec<_> = (0..5).filter_map(|minute| dog.observe(at(minute), down()).action).collect();
        assert_eq!(steps, [Action::RestartService]);
        let mut dog = Watchdog::new(Patience::default(), START, None);
        assert_eq!(dog.observe(Timestamp::from_secs(0), down()), Decision::default(), "nor backwards");
    }

    #[test]
    fn a_clock_that_is_put_back_delays_the_next_step_by_its_own_wait_only() {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        assert_eq!(outage(&mut dog, 0..10), [(5, Action::RestartService)]);
        let years = 10 * 365 * 24 * 60;
        assert_eq!(outage(&mut dog, -years..20 - years), [(10 - years, Action::NewClient)]);
    }
}
