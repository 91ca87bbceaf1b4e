//! What is known of the jobs' runs, before it is stored. Some jobs run each minute, and each write wears the
//! memory card: a run is stored at once only when its job begins to fail or works again, the others together
//! every [`ROUTINE_SECS`] and at the end. A crash loses what came since; no rule depends on it.

use std::collections::BTreeMap;

use crate::domain::time::{ROUTINE_SECS, Timestamp};
use crate::store::job_history;
use crate::store::job_runs::JobRun;

/// The last run of each job that is not stored yet; as many as there are jobs.
#[derive(Debug, Default)]
pub struct Runs {
    unstored: BTreeMap<String, JobRun>,
    /// Those of each job that ended alike since then, as one.
    history: BTreeMap<(String, bool), job_history::Runs>,
    /// Jobs whose last run failed.
    failing: BTreeMap<String, bool>,
    stored_at: Option<Timestamp>,
}

impl Runs {
    /// Notes a run that ended now; returns those that are to be stored.
    pub fn note(&mut self, run: JobRun, now: Timestamp) -> Vec<JobRun> {
        let has_turned = self.failing.insert(run.name.clone(), run.has_failed).unwrap_or(false) != run.has_failed;
        self.remember(&run);
        self.unstored.insert(run.name.clone(), run);
        let is_fresh = |at: Timestamp| at <= now && at.is_within(ROUTINE_SECS, now);
        if !has_turned && self.stored_at.is_some_and(is_fresh) {
            return Vec::new();
        }
        self.stored_at = Some(now);
        self.take()
    }

    fn remember(&mut self, run: &JobRun) {
        let (Some(at), has_failed) = (run.started_at, run.has_failed) else { return };
        let (took, outcome) = (run.duration_ms.unwrap_or(0), run.outcome.clone().unwrap_or_default());
        let alike = self.history.entry((run.name.clone(), has_failed)).or_insert_with(|| job_history::Runs {
            id: 0,
            name: run.name.clone(),
            first_at: at,
            last_at: at,
            runs: 0,
            longest_ms: 0,
            has_failed,
            outcome: String::new(),
        });
        alike.runs += 1;
        (alike.last_at, alike.longest_ms, alike.outcome) = (at, alike.longest_ms.max(took), outcome);
    }

    /// The history that is not stored yet.
    pub fn take_history(&mut self) -> Vec<job_history::Runs> {
        std::mem::take(&mut self.history).into_values().collect()
    }

    /// The last run of a job, while it is not stored.
    pub fn unstored(&self, name: &str) -> Option<&JobRun> {
        self.unstored.get(name)
    }

    /// What is not stored yet.
    pub fn take(&mut self) -> Vec<JobRun> {
        std::mem::take(&mut self.unstored).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_893_499_200);

    fn run(name: &str, at: Timestamp, has_failed: bool) -> JobRun {
        let name = name.to_owned();
        JobRun { name, started_at: Some(at), duration_ms: Some(1), has_failed, outcome: None, next_at: None }
    }

    fn names(runs: &[JobRun]) -> Vec<&str> {
        runs.iter().map(|run| run.name.as_str()).collect()
    }

    #[test]
    fn a_day_of_runs_is_stored_in_batches_an_hour_apart() {
        let mut runs = Runs::default();
        let mut batches = Vec::new();
        for minute in 0..24 * 60 {
            let now = NOON.plus_secs(minute * 60);
            for name in ["close_unpaid", "host_alive"] {
                batches.extend(Some(runs.note(run(name, now, false), now)).filter(|batch| !batch.is_empty()));
            }
        }
        assert!(batches.len() <= 25, "{}", batches.len());
        assert_eq!(names(&batches[1]), ["close_unpaid", "host_alive"]);
    }

    #[test]
    fn runs_that_end_alike_are_one_row_of_the_history() {
        let mut runs = Runs::default();
        for minute in 0..5 {
            let now = NOON.plus_secs(minute * 60);
            runs.note(run("close_unpaid", now, minute == 3), now);
        }
        let history = runs.take_history();
        let told: Vec<_> = history.iter().map(|runs| (runs.has_failed, runs.runs, runs.first_at)).collect();
        assert_eq!(told, [(false, 4, NOON), (true, 1, NOON.plus_secs(180))]);
        assert!(runs.take_history().is_empty());
    }

    #[test]
    fn a_job_that_begins_to_fail_or_works_again_is_stored_at_once_with_what_waited() {
        let mut runs = Runs::default();
        runs.note(run("backup", NOON, false), NOON);
        let soon = NOON.plus_secs(1);
        assert!(runs.note(run("rescan", soon, false), soon).is_empty());
        assert_eq!(names(&runs.note(run("backup", soon, true), soon)), ["backup", "rescan"]);
        assert!(runs.note(run("backup", soon, true), soon).is_empty(), "it goes on to fail");
        assert_eq!(names(&runs.note(run("backup", soon, false), soon)), ["backup"]);
    }

    #[test]
    fn after_the_clock_was_put_back_a_run_is_stored_although_the_last_time_lies_ahead() {
        let mut runs = Runs::default();
        runs.note(run("backup", NOON, false), NOON);
        let before = NOON.plus_secs(-86_400);
        assert_eq!(names(&runs.note(run("backup", before, false), before)), ["backup"]);
    }
}
