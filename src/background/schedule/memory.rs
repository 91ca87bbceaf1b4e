//! What the scheduler remembers of the jobs. Left to itself it notes when each comes next and waits for
//! that time of the machine's clock: after a clock that was far ahead is put right, for years. So it is
//! given this memory, which answers "which are due?" from our own plan and our own clock.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio_cron_scheduler::job::job_data::{JobAndNextTick, JobStoredData, JobType};
use tokio_cron_scheduler::store::{DataStore, InitStore, MetaDataStorage};
use tokio_cron_scheduler::{JobSchedulerError, SimpleMetadataStore};
use uuid::Uuid;

use super::jobs::JobContext;
use super::plan::Plan;
use super::run;

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

/// A time that has passed on any clock: the scheduler runs what was to come then. Seconds.
const LONG_AGO: u64 = 1;

/// The plan, shared with whoever adds jobs to it.
pub type SharedPlan = Arc<Mutex<Plan<Uuid>>>;

/// The scheduler's memory.
pub struct Memory {
    context: Arc<JobContext>,
    plan: SharedPlan,
    jobs: SimpleMetadataStore,
}

impl Memory {
    /// A memory of no jobs; those that are due are looked up in `plan`.
    pub fn new(context: Arc<JobContext>, plan: SharedPlan) -> Self {
        Self { context, plan, jobs: SimpleMetadataStore::default() }
    }
}

impl MetaDataStorage for Memory {
    /// Asked twice a second, whatever the clock says: the jobs that are to run now.
    fn list_next_ticks(&mut self) -> Answer<Vec<JobAndNextTick>> {
        let context = Arc::clone(&self.context);
        let now = context.shop.now();
        let look = self.plan.lock().look(now);
        let tick = |id: Uuid| JobAndNextTick {
            id: Some(id.into()),
            job_type: JobType::Cron as i32,
            next_tick: LONG_AGO,
            last_tick: None,
        };
        let ticks = look.due.into_iter().map(tick).collect();
        Box::pin(async move {
            if let Some(was) = look.put_back_from {
                run::clock_was_put_back(&context, was, now).await;
            }
            Ok(ticks)
        })
    }

    /// The plan knows better.
    fn set_next_and_last_tick(&mut self, _: Uuid, _: Option<DateTime<Utc>>, _: Option<DateTime<Utc>>) -> Answer<()> {
        Box::pin(ready(Ok(())))
    }

    fn time_till_next_job(&mut self) -> Answer<Option<Duration>> {
        self.jobs.time_till_next_job()
    }
}

impl DataStore<JobStoredData> for Memory {
    fn get(&mut self, id: Uuid) -> Answer<Option<JobStoredData>> {
        self.jobs.get(id)
    }

    fn add_or_update(&mut self, data: JobStoredData) -> Answer<()> {
        self.jobs.add_or_update(data)
    }

    fn delete(&mut self, id: Uuid) -> Answer<()> {
        self.jobs.delete(id)
    }
}

impl InitStore for Memory {
    fn init(&mut self) -> Answer<()> {
        self.jobs.init()
    }

    fn inited(&mut self) -> Answer<bool> {
        self.jobs.inited()
    }
}
