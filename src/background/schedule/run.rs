//! Runs jobs, and records each run and when the next comes.

use std::sync::Arc;

use super::jobs;
use super::jobs::JobContext;
use crate::background::Tasks;
use crate::background::kept;
use crate::background::marks::Mark;
use crate::config::{CronExpression, Job};
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::services::{self, Error, Principal, Tx};
use crate::store::job_runs::JobRun;
use crate::store::{job_history, job_runs};

/// The jobs go on from the new time; what is stored of when they come is put right, too.
pub(super) async fn clock_was_put_back(context: &JobContext, was: Timestamp, now: Timestamp) {
    tracing::warn!(%was, %now, "the clock was put back: the jobs are planned anew");
    // What they were to do by the wrong clock must not be stored after that.
    store_last_runs(context).await;
    if let Err(error) = plan(context).await {
        tracing::error!(%error, "when the jobs run next can't be stored");
    }
}

/// Stores when each job comes, so that all are known before they ran for the first time.
pub(super) async fn plan(context: &JobContext) -> Result<(), Error> {
    let now = context.shop.now();
    let next = |(job, cron): (Job, &CronExpression)| (job.name(), cron.next_after(now));
    let times: Vec<_> = context.config.jobs.all().into_iter().map(next).collect();
    let store = move |tx: &mut Tx<'_>| Ok(times.iter().try_for_each(|(name, at)| job_runs::plan(tx.db, name, *at))?);
    context.shop.tx(&Principal::Shop, store).await
}

/// Does what fell due while the shop was off.
pub async fn catch_up(context: &JobContext) {
    for job in Job::ALL {
        if jobs::is_due(context, job).await {
            run_and_record(context, job).await;
        }
    }
    store_last_runs(context).await;
}

/// Runs a job whose time has come, unless it runs already or waits at the operator's word.
pub async fn run_and_record(context: &JobContext, job: Job) {
    let Some(mark) = context.running.begin(job.name()) else { return };
    match context.shop.db.read(|db| services::jobs::is_paused(db, job.name())) {
        Ok(true) => {}
        // Without an answer of the database the job itself will fail, and say why.
        Ok(false) | Err(_) => run_marked(context, job, mark).await,
    }
}

/// Begins a job at somebody's word, which is in the change log before anything is done; it goes on by itself.
///
/// # Errors
/// [`Error::NotFound`] for a job that there is not, or anybody but an administrator; [`Error::Conflict`] while it runs.
pub async fn begin_by_hand(context: &Arc<JobContext>, tasks: &Tasks, name: &str, by: &Principal) -> Result<(), Error> {
    services::authz::needs_administrator(by)?;
    let job = Job::ALL.into_iter().find(|job| job.name() == name).ok_or(Error::NotFound)?;
    let Some(mark) = context.running.begin(job.name()) else {
        return Err(Error::Conflict(Reason::RunsAlready.into()));
    };
    context.shop.tx(by, move |tx| services::jobs::note_run(tx, job.name())).await?;
    let context = Arc::clone(context);
    tasks.spawn(async move { run_marked(&context, job, mark).await });
    Ok(())
}

/// Runs a job now and notes when, how long, how it ended, and when it comes again.
async fn run_marked(context: &JobContext, job: Job, _mark: Mark<&'static str>) {
    let started_at = context.shop.now();
    let result = kept::caught("the job", jobs::run(context, job)).await;
    let ended_at = context.shop.now();
    let outcome = match &result {
        Ok(text) => format!("ok: {text}"),
        Err(error) => {
            tracing::error!(job = job.name(), %error, "a job failed");
            format!("failed: {error}")
        }
    };
    let run = JobRun {
        name: job.name().to_owned(),
        started_at: Some(started_at),
        duration_ms: Some(ended_at.millis_since(started_at).max(0)),
        has_failed: result.is_err(),
        outcome: Some(outcome),
        next_at: context.config.jobs.schedule(job).next_after(ended_at),
    };
    let due = context.runs.lock().note(run, ended_at);
    store(context, due).await;
}

/// Stores the runs that are still in memory.
pub(super) async fn store_last_runs(context: &JobContext) {
    let due = context.runs.lock().take();
    store(context, due).await;
}

async fn store(context: &JobContext, runs: Vec<JobRun>) {
    if runs.is_empty() {
        return;
    }
    let history = context.runs.lock().take_history();
    let record = move |tx: &mut Tx<'_>| {
        runs.iter().try_for_each(|run| job_runs::record(tx.db, run))?;
        Ok(history.iter().try_for_each(|runs| job_history::add(tx.db, runs, tx.now))?)
    };
    if let Err(error) = context.shop.tx(&Principal::Shop, record).await {
        tracing::error!(%error, "runs of jobs can't be recorded");
    }
}
