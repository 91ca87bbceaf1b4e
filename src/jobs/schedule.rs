//! Triggers the jobs by their cron expressions and records each run.

use std::sync::Arc;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::table::{self, JobContext};
use crate::config::CronExpression;
use crate::services::Error;
use crate::store::job_runs::{self, JobRun};

/// The running schedules.
pub struct Scheduler {
    scheduler: JobScheduler,
}

impl Scheduler {
    /// Starts a trigger for each job, and stores when each comes. Expressions have been checked with
    /// the configuration.
    ///
    /// # Errors
    /// [`Error::Internal`] when the scheduler refuses an expression.
    pub async fn start(context: Arc<JobContext>) -> Result<Self, Error> {
        plan(&context).await?;
        let scheduler = JobScheduler::new().await.map_err(|error| broken(&error))?;
        for (name, cron) in context.config.jobs.all() {
            let (context, trigger) = (Arc::clone(&context), cron.as_str());
            let job = Job::new_async(trigger, move |_, _| {
                let context = Arc::clone(&context);
                Box::pin(async move { run_and_record(&context, name).await })
            });
            scheduler.add(job.map_err(|error| broken(&error))?).await.map_err(|error| broken(&error))?;
        }
        scheduler.start().await.map_err(|error| broken(&error))?;
        Ok(Self { scheduler })
    }

    /// Stops triggering.
    pub async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
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
    let store = move |db: &_, _: &mut _| Ok(times.iter().try_for_each(|(name, at)| job_runs::plan(db, name, *at))?);
    context.shop.change(store).await
}

/// Does what fell due while the shop was off.
pub async fn catch_up(context: &JobContext) {
    for (name, _) in context.config.jobs.all() {
        if table::is_due(context, name).await {
            run_and_record(context, name).await;
        }
    }
}

/// Runs a job now and stores when, how long, how it ended, and when it comes again.
pub async fn run_and_record(context: &JobContext, name: &'static str) {
    let started_at = context.shop.now();
    let result = table::run(context, name).await;
    let ended_at = context.shop.now();
    let outcome = match &result {
        Ok(text) => format!("ok: {text}"),
        Err(error) => {
            tracing::error!(job = name, %error, "a job failed");
            format!("failed: {error}")
        }
    };
    let cron = context.config.jobs.all().into_iter().find(|(of, _)| *of == name);
    let run = JobRun {
        name: name.to_owned(),
        started_at: Some(started_at),
        duration_ms: Some(ended_at.millis_since(started_at)),
        outcome: Some(outcome),
        next_at: cron.and_then(|(_, cron)| cron.next_after(ended_at)),
    };
    let stored = context.shop.change(move |db, _| Ok(job_runs::record(db, &run)?)).await;
    if let Err(error) = stored {
        tracing::error!(job = name, %error, "the run of a job can't be recorded");
    }
}
