//! The scheduled jobs as administrators look after them: how they ran, when they come, and whether they wait.

use super::backstage::JobNow;
use super::{Error, ReadTx, Tx, authz};
use crate::domain::time::Timestamp;
use crate::store::{job_history, job_runs};

pub use crate::store::job_history::Runs;
pub use crate::store::job_runs::JobRun;

/// A job, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// As it is at this moment.
    pub now: JobNow,
    /// Its last run.
    pub last: Option<JobRun>,
    /// When it comes next, unless it waits.
    pub next_at: Option<Timestamp>,
    /// Since when it waits, at the operator's word.
    pub paused_at: Option<Timestamp>,
}

/// All jobs. What ran within the last hour may be known to the running shop alone.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn list(tx: &ReadTx<'_>, running: Vec<JobNow>) -> Result<Vec<Job>, Error> {
    authz::needs_administrator(tx.actor)?;
    let stored = job_runs::list(tx.db)?;
    let paused = job_runs::paused(tx.db)?;
    let job = |now: JobNow| {
        let known = stored.iter().find(|run| run.name == now.name);
        let paused_at = paused.iter().find(|(name, _)| name == now.name).map(|(_, at)| *at);
        let last = now.last.clone().or_else(|| known.cloned());
        let next_at = last.as_ref().and_then(|run| run.next_at).filter(|_| paused_at.is_none());
        Job { last: last.filter(|run| run.started_at.is_some()), next_at, paused_at, now }
    };
    Ok(running.into_iter().map(job).collect())
}

/// The runs of one job or of all, newest first; `before` is the number of the last of the page before.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn history(tx: &ReadTx<'_>, name: Option<&str>, before: Option<i64>, limit: u32) -> Result<Vec<Runs>, Error> {
    authz::needs_administrator(tx.actor)?;
    let mut found = job_history::list(tx.db, name, before.unwrap_or(i64::MAX), limit)?;
    found.truncate(limit as usize);
    Ok(found)
}

/// Lets a job wait, or come again. It can be run by hand all the same.
///
/// # Errors
/// [`Error::NotFound`] for a job that there is not, or anybody but an administrator.
pub fn pause(tx: &Tx<'_>, name: &str, waits: bool) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    if !job_runs::pause(tx.db, name, waits.then_some(tx.now))? {
        return Err(Error::NotFound);
    }
    tx.record("job", name, if waits { "paused" } else { "goes on" })
}

/// Whether a job waits at the operator's word.
///
/// # Errors
/// Those of the database.
pub fn is_paused(db: &crate::store::Connection, name: &str) -> Result<bool, Error> {
    Ok(job_runs::paused(db)?.iter().any(|(paused, _)| paused == name))
}

/// Notes in the change log that a job is run at somebody's word.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn note_run(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    tx.record("job", name, "run by hand")
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{administrator, database};
    use super::*;

    #[test]
    fn a_job_that_waits_has_no_next_time_and_goes_on_when_it_is_told() {
        let (_dir, db) = database();
        let session = administrator();
        let next_at = Some(session.now.plus_secs(60));
        let plan = move |tx: &mut Tx<'_>| Ok(job_runs::plan(tx.db, "backup", next_at)?);
        session.write(&db, plan).unwrap();
        let now = || JobNow { name: "backup", about: "", schedule: String::new(), is_running: false, last: None };
        let look = || session.read(&db, |tx| list(tx, vec![now()])).unwrap().remove(0);
        assert_eq!((look().next_at, look().paused_at), (next_at, None));
        session.write(&db, |tx| pause(tx, "backup", true)).unwrap();
        assert_eq!((look().next_at, look().paused_at), (None, Some(session.now)));
        session.write(&db, |tx| pause(tx, "backup", false)).unwrap();
        assert_eq!(look().next_at, next_at);
        assert_eq!(session.write(&db, |tx| pause(tx, "nothing", true)), Err(Error::NotFound));
    }
}
