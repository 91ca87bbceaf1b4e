//! What each scheduled job does.

use std::sync::Arc;

use super::Runs;
use crate::background::marks::Marks;
use crate::background::nodes::registry::Registry;
use crate::config::{Config, Job};
use crate::services::backup::Keep;
use crate::services::{Error, Principal, Shop, alert_messages, backup, hosts, products};

/// What jobs work with.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
pub struct JobContext {
    pub shop: Shop,
    /// Its nodes.
    pub registry: Arc<Registry>,
    pub config: Config,
    /// What is known of the jobs' runs and not stored yet.
    pub runs: parking_lot::Mutex<Runs>,
    /// The jobs that run now.
    pub running: Marks<&'static str>,
}

impl JobContext {
    /// What the jobs of this shop work with.
    pub fn new(shop: Shop, registry: Arc<Registry>, config: Config) -> Self {
        Self { shop, registry, config, runs: parking_lot::Mutex::default(), running: Marks::default() }
    }
}

/// Runs one job; answers with a line that says what it did.
pub async fn run(context: &JobContext, job: Job) -> Result<String, Error> {
    let shop = &context.shop;
    match job {
        Job::HostAlive => {
            let watched = hosts::watch::look(shop).await?;
            Ok(format!("{} alive, {} not", watched.alive, watched.dead))
        }
        Job::SuspendExpired => Ok(done(products::expire::suspend_expired(shop).await?, "suspended")),
        Job::DeleteSuspended => Ok(done(products::expire::delete_suspended(shop).await?, "given up")),
        Job::CloseUnpaid => close_unpaid(shop).await,
        Job::DeleteUnpaid => Ok(done(products::expire::delete_unpaid(shop).await?, "orders deleted that nobody paid")),
        Job::Backup => backup(context).await,
        Job::DeleteOldBackups => delete_old_backups(context).await,
        Job::Rescan => Ok(rescan(context)),
        Job::MonthlySummary => {
            let random = Arc::clone(&shop.random);
            shop.tx(&Principal::Shop, move |tx| alert_messages::summarize(tx, &*random)).await
        }
    }
}

/// Whether a job is to be done when the shop starts. What fell due while it was off is; where nothing
/// did, most jobs change nothing. A backup is made where its time has passed since the newest one.
pub async fn is_due(context: &JobContext, job: Job) -> bool {
    if job != Job::Backup {
        return true;
    }
    let places = context.config.places();
    let list = move || backup::list(&places).map_err(|error| Error::Internal(error.to_string()));
    // When the folder can't be read, the backup will say so.
    let files = on_a_blocking_thread(list).await.unwrap_or_default();
    let now = context.shop.now();
    // One that a wrong clock dated in the future says nothing of when the next is due.
    let newest = files.into_iter().find(|file| !file.made_at.is_from_the_future(now));
    let next = newest.and_then(|file| context.config.jobs.schedule(Job::Backup).next_after(file.made_at));
    next.is_none_or(|next| next <= now)
}

/// What is told of a job that did nothing.
const SKIPPED: &str = "skipped: the clock is wrong";

/// What a job has done to so many; `None` is that the clock is wrong.
fn done(count: Option<usize>, what: &str) -> String {
    count.map_or_else(|| SKIPPED.to_owned(), |count| format!("{count} {what}"))
}

async fn close_unpaid(shop: &Shop) -> Result<String, Error> {
    let closed = products::expire::close_unpaid(shop).await?;
    let owed = products::expire::give_up_unactivated(shop).await?;
    let (Some(closed), Some(owed)) = (closed, owed) else { return Ok(SKIPPED.to_owned()) };
    Ok(format!("{closed} unpaid invoices closed, {owed} products not activated in time"))
}

async fn backup(context: &JobContext) -> Result<String, Error> {
    let (db, places, now) = (context.shop.db.clone(), context.config.places(), context.shop.now());
    let made = on_a_blocking_thread(move || backup::create_scheduled(&db, &places, now)).await?;
    Ok(format!("{} made, {} bytes", made.path.display(), made.size))
}

async fn delete_old_backups(context: &JobContext) -> Result<String, Error> {
    let (places, retention) = (context.config.places(), &context.config.retention);
    let keep = Keep { days: retention.daily_backups as usize, weeks: retention.weekly_backups as usize };
    let delete = move || backup::delete_old(&places, keep).map_err(|error| Error::Internal(error.to_string()));
    Ok(format!("{} deleted", on_a_blocking_thread(delete).await?))
}

async fn on_a_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Each node compares by itself, one comparison at a time: a slow one never has several waiting.
fn rescan(context: &JobContext) -> String {
    let nodes = context.registry.all();
    for entry in &nodes {
        entry.compare.notify_one();
    }
    format!("{} nodes compared with", nodes.len())
}

#[cfg(test)]
mod tests;
