//! When each job is due. Pure: schedules and times in, decisions out.

use crate::config::CronExpression;
use crate::domain::time::Timestamp;

/// What is planned for the jobs `K`.
#[derive(Clone, Debug)]
pub struct Plan<K> {
    slots: Vec<Slot<K>>,
    /// The last look.
    seen: Timestamp,
}

#[derive(Clone, Debug)]
struct Slot<K> {
    job: K,
    cron: CronExpression,
    next: Option<Timestamp>,
}

/// What a look at the plan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look<K> {
    /// The jobs that are to run now.
    pub due: Vec<K>,
    /// The last look, when it was at a later time than this one: the clock was put back.
    pub put_back_from: Option<Timestamp>,
}

impl<K: Copy> Plan<K> {
    /// An empty plan.
    pub const fn new(now: Timestamp) -> Self {
        Self { slots: Vec::new(), seen: now }
    }

    /// Plans a job, first for the next time after the last look that its schedule names.
    pub fn add(&mut self, job: K, cron: CronExpression) {
        let next = cron.next_after(self.seen);
        self.slots.push(Slot { job, cron, next });
    }

    /// Which jobs have become due since the last look; each of them once, however many of its times have
    /// passed. A clock that was put back makes none due: the next times are then those after `now`,
    /// not those that were planned from a wrong time and may be years away.
    pub fn look(&mut self, now: Timestamp) -> Look<K> {
        let put_back_from = Some(self.seen).filter(|seen| *seen > now);
        self.seen = now;
        let mut due = Vec::new();
        for slot in &mut self.slots {
            let is_due = slot.next.is_some_and(|next| next <= now);
            if is_due {
                due.push(slot.job);
            }
            if is_due || put_back_from.is_some() {
                slot.next = slot.cron.next_after(now);
            }
        }
        Look { due, put_back_from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_893_499_200);
    const YEARS: i64 = 10 * 365 * 86_400;

    fn plan() -> Plan<&'static str> {
        let mut plan = Plan::new(NOON);
        for (name, cron) in [("minutely", "10 * * * * *"), ("nightly", "0 42 3 * * *")] {
            plan.add(name, CronExpression::parse(cron).unwrap());
        }
        plan
    }

    fn due(plan: &mut Plan<&'static str>, secs: i64) -> Vec<&'static str> {
        plan.look(NOON.plus_secs(secs)).due
    }

    #[test]
    fn a_job_is_due_once_at_each_of_its_times() {
        let mut plan = plan();
        let times: Vec<_> = (0..130).filter(|second| !due(&mut plan, *second).is_empty()).collect();
        assert_eq!(times, [10, 70]);
    }

    #[test]
    fn times_that_were_missed_make_a_job_due_once() {
        let mut plan = plan();
        assert_eq!(due(&mut plan, YEARS), ["minutely", "nightly"]);
        assert_eq!(due(&mut plan, YEARS + 1), [] as [&str; 0]);
        assert_eq!(due(&mut plan, YEARS + 60), ["minutely"]);
    }

    #[test]
    fn after_a_clock_is_put_back_jobs_are_due_at_their_next_times_from_then() {
        let mut plan = plan();
        due(&mut plan, YEARS);
        let look = plan.look(NOON);
        assert_eq!(look, Look { due: vec![], put_back_from: Some(NOON.plus_secs(YEARS)) });
        assert_eq!(due(&mut plan, 10), ["minutely"]);
        assert_eq!(due(&mut plan, 15 * 3600 + 42 * 60), ["minutely", "nightly"]);
    }
}
