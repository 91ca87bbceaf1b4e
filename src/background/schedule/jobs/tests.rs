//! What is caught up at the start, and what is known of jobs that never ran.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::background::Tasks;
use crate::background::schedule::{Scheduler, run};
use crate::domain::id::SystemRandom;
use crate::domain::time::{ManualClock, Timestamp};
use crate::services::Settings;
use crate::services::test_support::{administrator, database};
use crate::store::job_runs;
use crate::store::job_runs::JobRun;

/// 2030-01-01, 12:00 UTC: the backup of that night is over.
const NOON: i64 = 1_893_499_200;

fn world() -> (tempfile::TempDir, Arc<ManualClock>, Arc<JobContext>) {
    let (dir, db) = database();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOON)));
    let shop = Shop::new(db, clock.clone(), Arc::new(SystemRandom), Settings::default()).unwrap();
    let registry = Arc::new(Registry::direct(shop.clone()));
    let config = Config::in_dir(dir.path());
    let context = JobContext::new(shop, registry, config);
    (dir, clock, Arc::new(context))
}

fn backups(context: &JobContext) -> usize {
    backup::list(&context.config.places()).unwrap().len()
}

#[tokio::test]
async fn a_backup_that_was_missed_is_made_at_the_start_and_only_then() {
    let (_dir, clock, context) = world();
    run::catch_up(&context).await;
    assert_eq!(backups(&context), 1, "a new shop has none yet");
    clock.advance_secs(12 * 3600);
    run::catch_up(&context).await;
    assert_eq!(backups(&context), 1, "the next is not due before 03:42");
    clock.advance_secs(8 * 3600);
    run::catch_up(&context).await;
    assert_eq!(backups(&context), 2, "the shop was off at 03:42");
}

#[tokio::test]
async fn when_each_job_runs_next_is_known_from_the_start() {
    let (_dir, _clock, context) = world();
    let mut scheduler = Scheduler::start(Arc::clone(&context)).await.unwrap();
    scheduler.stop().await;
    let jobs = context.shop.db.read(job_runs::list).unwrap();
    assert_eq!(jobs.len(), context.config.jobs.all().len());
    assert!(jobs.iter().all(|job| job.next_at.is_some()), "{jobs:?}");
    let backup = jobs.iter().find(|job| job.name == "backup").unwrap();
    assert_eq!(backup.next_at, Some(Timestamp::from_secs(NOON + 15 * 3600 + 42 * 60)));
}

/// Ten years.
const YEARS: i64 = 10 * 365 * 86_400;

/// What is known of a job: in memory, else stored.
fn run_of(context: &JobContext, name: &str) -> JobRun {
    let stored = || context.shop.db.read(job_runs::list).unwrap().into_iter().find(|job| job.name == name).unwrap();
    context.runs.lock().unstored(name).cloned().unwrap_or_else(stored)
}

/// Waits until the job has run at this very time.
async fn ran_at(context: &JobContext, name: &str, at: Timestamp) {
    let look = async {
        while run_of(context, name).started_at != Some(at) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), look).await;
    assert!(seen.is_ok(), "{name} has not run at {at}: {:?}", run_of(context, name));
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_for_a_moment_stops_no_job() {
    let (_dir, clock, context) = world();
    let start = Timestamp::from_secs(NOON);
    let mut scheduler = Scheduler::start(Arc::clone(&context)).await.unwrap();
    clock.advance_secs(YEARS);
    ran_at(&context, "suspend_expired", start.plus_secs(YEARS)).await;
    ran_at(&context, "backup", start.plus_secs(YEARS)).await;
    run::store_last_runs(&context).await;
    clock.advance_secs(-YEARS);
    let stored_plan = || context.shop.db.read(job_runs::list).unwrap().into_iter().find(|job| job.name == "backup");
    let put_right = async {
        while stored_plan().unwrap().next_at != Some(start.plus_secs(15 * 3600 + 42 * 60)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), put_right).await.expect("the stored plan is put right");
    clock.advance_secs(60);
    ran_at(&context, "suspend_expired", start.plus_secs(60)).await;
    scheduler.stop().await;
    assert_eq!(run_of(&context, "suspend_expired").outcome.as_deref(), Some("ok: skipped: the clock is wrong"));
    let alerts = context.shop.db.read(|db| crate::store::alerts::list(db, false)).unwrap();
    assert!(alerts.iter().any(|alert| alert.topic.name() == "clock_back"), "{alerts:?}");
}

#[tokio::test]
async fn a_backup_dated_in_the_future_by_a_wrong_clock_keeps_no_other_from_being_made() {
    let (_dir, clock, context) = world();
    clock.advance_secs(YEARS);
    run::catch_up(&context).await;
    clock.advance_secs(-YEARS);
    run::catch_up(&context).await;
    assert_eq!(backups(&context), 2);
}

#[tokio::test]
async fn orders_that_nobody_paid_are_deleted_by_a_job_unless_the_clock_is_wrong() {
    let (_dir, clock, context) = world();
    assert!(context.config.jobs.all().iter().any(|(job, _)| *job == Job::DeleteUnpaid));
    clock.advance_secs(YEARS);
    assert_eq!(run(&context, Job::DeleteUnpaid).await.as_deref(), Ok("0 orders deleted that nobody paid"));
    clock.advance_secs(-YEARS);
    assert_eq!(run(&context, Job::DeleteUnpaid).await.as_deref(), Ok("skipped: the clock is wrong"));
}

#[tokio::test]
async fn a_job_that_is_run_by_hand_is_in_the_change_log_once_and_only_when_it_is_begun() {
    let (_dir, _clock, context) = world();
    run::plan(&context).await.unwrap();
    let (tasks, by) = (Tasks::default(), administrator().by);
    let running = context.running.begin("rescan");
    let twice = run::begin_by_hand(&context, &tasks, "rescan", &by).await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
    drop(running);
    assert_eq!(run::begin_by_hand(&context, &tasks, "nothing", &by).await, Err(Error::NotFound));
    assert_eq!(run::begin_by_hand(&context, &tasks, "rescan", &Principal::Buyer).await, Err(Error::NotFound));
    let noted = || {
        let count = "SELECT count(*) FROM audit_log WHERE noun = 'job' AND noun_id = 'rescan' AND actor = 'cli'";
        context.shop.db.read(|db| Ok::<i64, Error>(db.query_row(count, [], |row| row.get(0)).unwrap())).unwrap()
    };
    assert_eq!(noted(), 0);
    run::begin_by_hand(&context, &tasks, "rescan", &by).await.unwrap();
    assert_eq!(noted(), 1);
    ran_at(&context, "rescan", context.shop.now()).await;
    assert!(!run_of(&context, "rescan").has_failed);
}

#[tokio::test]
async fn a_run_that_failed_is_known_as_failed_once_it_is_stored_too() {
    let (dir, _clock, context) = world();
    // A file where the folder of backups is to be.
    std::fs::write(dir.path().join("backups"), "").unwrap();
    run::run_and_record(&context, Job::Backup).await;
    let stored = context.shop.db.read(job_runs::list).unwrap();
    let backup = stored.iter().find(|run| run.name == "backup").unwrap();
    assert!(backup.has_failed, "{backup:?}");
}
