//! Triggers the jobs by their cron expressions.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio_cron_scheduler::{
    Job as ScheduledJob, JobScheduler, JobSchedulerError, SimpleJobCode, SimpleNotificationCode,
    SimpleNotificationStore,
};

use super::jobs::JobContext;
use super::memory::Memory;
use super::plan::Plan;
use super::run;
use crate::services::Error;

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
        run::plan(&context).await?;
        let due = Arc::new(Mutex::new(Plan::new(context.shop.now())));
        let memory = Memory::new(Arc::clone(&context), Arc::clone(&due));
        let scheduler = with_memory(memory).await.map_err(|error| broken(&error))?;
        for (job, cron) in context.config.jobs.all() {
            let (context, trigger) = (Arc::clone(&context), cron.as_str());
            let entry = ScheduledJob::new_async(trigger, move |_, _| {
                let context = Arc::clone(&context);
                Box::pin(async move { run::run_and_record(&context, job).await })
            });
            let entry = entry.map_err(|error| broken(&error))?;
            due.lock().add(entry.guid(), cron.clone());
            scheduler.add(entry).await.map_err(|error| broken(&error))?;
        }
        scheduler.start().await.map_err(|error| broken(&error))?;
        Ok(Self { scheduler, context })
    }

    /// Stops triggering, and stores what is known of the last runs.
    pub async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
        run::store_last_runs(&self.context).await;
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

fn broken(error: &JobSchedulerError) -> Error {
    Error::Internal(format!("the scheduler can't start: {error}"))
}
