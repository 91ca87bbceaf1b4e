//! Triggers the jobs by their cron expressions and records each run.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_cron_scheduler::{
    Job, JobScheduler, JobSchedulerError, SimpleJobCode, SimpleNotificationCode, SimpleNotificationStore,
};

use super::jobs;
use super::jobs::JobContext;
use super::memory::Memory;
use super::plan::Plan;
use crate::config::CronExpression;
use crate::domain::time::Timestamp;
use crate::services::{Error, Principal, Tx};
use crate::store::job_runs;
use crate::store::job_runs::JobRun;

/// The running schedules.
pub struct Scheduler {
    scheduler: JobScheduler,
    context: Arc<JobContext>,
}

impl Scheduler {
    /// Starts a trigger for each job, and stores when each comes. Expressions have been checked with
    /// the configuration.
    ///
    /// # Errors
    /// [`Error::Internal`] when the scheduler refuses an expression.
    pub async fn start(context: Arc<JobContext>) -> Result<Self, Error> {
        plan(&context).await?;
        let due = Arc::new(Mutex::new(Plan::new(context.shop.now())));
        let memory = Memory::new(Arc::clone(&context), Arc::clone(&due));
        let scheduler = with_memory(memory).await.map_err(|error| broken(&error))?;
        for (name, cron) in context.config.jobs.all() {
            let (context, trigger) = (Arc::clone(&context), cron.as_str());
            let job = Job::new_async(trigger, move |_, _| {
                let context = Arc::clone(&context);
                Box::pin(async move { run_and_record(&context, name).await })
            });
            let job = job.map_err(|error| broken(&error))?;
            due.lock().unwrap_or_else(PoisonError::into_inner).add(job.guid(), cron.clone());
            scheduler.add(job).await.map_err(|error| broken(&error))?;
        }
        scheduler.start().await.map_err(|error| broken(&error))?;
        Ok(Self { scheduler, context })
    }

    /// Stops triggering, and stores what is known of the last runs.
    pub async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
        store_last_runs(&self.context).await;
    }
}

/// Jobs waiting to be started; far more than there are.
const CHANNEL: usize = 200;

async fn with_memory(memory: Memory) -> Result<JobScheduler, JobSchedulerError> {
    let (notifications, code) = (SimpleNotificationStore::default(), SimpleJobCode::default());
    let notify = SimpleNotificationCode::default();
    let memory = Box::new(memory);
    JobScheduler::new_with_storage_and_code(memory, Box::new(notifications), Box::new(code), Box::new(notify), CHANNEL)
        .await
}

/// The jobs go on from the new time; what is stored of when they come is put right, too.
pub(super) async fn clock_was_put_back(context: &JobContext, was: Timestamp, now: Timestamp) {
    tracing::warn!(%was, %now, "the clock was put back: the jobs are planned anew");
    // What they were to do by the wrong clock must not be stored after that.
    store_last_runs(context).await;
    if let Err(error) = plan(context).await {
        tracing::error!(%error, "when the jobs run next can't be stored");
    }
}

fn broken(error: &JobSchedulerError) -> Error {
    Error::Internal(format!("the scheduler can't start: {error}"))
}

/// Stores when each job comes, so that all are known before they ran for the first time.
async fn plan(context: &JobContext) -> Result<(), Error> {
    let now = context.shop.now();
    let next = |(name, cron): (&'static str, &CronExpression)| (name, cron.next_after(now));
    let times: Vec<_> = context.config.jobs.all().into_iter().map(next).collect();
    let store = move |tx: &mut Tx<'_>| Ok(times.iter().try_for_each(|(name, at)| job_runs::plan(tx.db, name, *at))?);
    context.shop.tx(&Principal::Shop, store).await
}

/// Does what fell due while the shop was off.
pub async fn catch_up(context: &JobContext) {
    for (name, _) in context.config.jobs.all() {
        if jobs::is_due(context, name).await {
            run_and_record(context, name).await;
        }
    }
    store_last_runs(context).await;
}

/// Runs a job now and notes when, how long, how it ended, and when it comes again.
pub async fn run_and_record(context: &JobContext, name: &'static str) {
    let started_at = context.shop.now();
    let result = jobs::run(context, name).await;
    let ended_at = context.shop.now();
    let outcome = match &result {
        Ok(text) => format!("ok: {text}"),
        Err(error) => {
            tracing::error!(job = name, %error, "a job failed");
            format!("failed: {error}")
        }
    };
    let cron = context.config.jobs.all().into_iter().find(|(of, _)| *of == name);
    note(
        context,
        result.is_err(),
        JobRun {
            name: name.to_owned(),
            started_at: Some(started_at),
            duration_ms: Some(ended_at.millis_since(started_at).max(0)),
            outcome: Some(outcome),
            next_at: cron.and_then(|(_, cron)| cron.next_after(ended_at)),
        },
    )
    .await;
}

async fn note(context: &JobContext, has_failed: bool, run: JobRun) {
    let now = context.shop.now();
    let due = context.runs.lock().unwrap_or_else(PoisonError::into_inner).note(run, has_failed, now);
    store(context, due).await;
}

/// Stores the runs that are still in memory.
pub(super) async fn store_last_runs(context: &JobContext) {
    let due = context.runs.lock().unwrap_or_else(PoisonError::into_inner).take();
    store(context, due).await;
}

async fn store(context: &JobContext, runs: Vec<JobRun>) {
    if runs.is_empty() {
        return;
    }
    let record = move |tx: &mut Tx<'_>| Ok(runs.iter().try_for_each(|run| job_runs::record(tx.db, run))?);
    if let Err(error) = context.shop.tx(&Principal::Shop, record).await {
        tracing::error!(%error, "runs of jobs can't be recorded");
    }
}
