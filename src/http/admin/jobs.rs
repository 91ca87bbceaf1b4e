//! Tasks: the scheduled jobs, the outbox, the streams to the nodes, the last warnings of the log.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::body::Body;
use super::context::Context;
use super::order_views::AdminNote;
use super::page::{Page, Slice};
use super::signed::Signed;
use super::tag::Tag;
use super::values::date;
use crate::services::backstage::StreamNow;
use crate::services::{authz, jobs, log_ring, outbox};

/// Tasks.
pub struct Tasks;

/// A scheduled job.
#[derive(Debug, Serialize, Object)]
pub struct AdminJob {
    /// Its name, as in the configuration.
    pub name: String,
    /// What it does (English).
    pub about: String,
    /// Its schedule: a cron expression with seconds, in UTC.
    pub schedule: String,
    /// Whether it runs now.
    pub is_running: bool,
    /// When it last started.
    pub last_at: Option<String>,
    /// How long that took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whether it failed.
    pub has_failed: bool,
    /// What it did, or what was wrong.
    pub outcome: Option<String>,
    /// When it comes next; null while it waits.
    pub next_at: Option<String>,
    /// Since when it waits at the operator's word.
    pub paused_at: Option<String>,
}

impl From<jobs::Job> for AdminJob {
    fn from(job: jobs::Job) -> Self {
        Self {
            name: job.now.name.to_owned(),
            about: job.now.about.to_owned(),
            schedule: job.now.schedule,
            is_running: job.now.is_running,
            last_at: date(job.last.as_ref().and_then(|run| run.started_at)),
            duration_ms: job.last.as_ref().and_then(|run| run.duration_ms),
            has_failed: job.last.as_ref().is_some_and(|run| run.has_failed),
            outcome: job.last.and_then(|run| run.outcome),
            next_at: date(job.next_at),
            paused_at: date(job.paused_at),
        }
    }
}

/// Runs of a job in a row that ended alike.
#[derive(Debug, Serialize, Object)]
pub struct AdminJobRuns {
    /// Their number.
    pub number: i64,
    /// The job.
    pub name: String,
    /// When the first of them started.
    pub first_at: String,
    /// When the last of them started.
    pub last_at: String,
    /// How many they are.
    pub runs: u32,
    /// What the longest took, in milliseconds.
    pub longest_ms: i64,
    /// Whether they failed.
    pub has_failed: bool,
    /// What the last of them said.
    pub outcome: String,
}

impl From<jobs::Runs> for AdminJobRuns {
    fn from(runs: jobs::Runs) -> Self {
        Self {
            number: runs.id,
            name: runs.name,
            first_at: runs.first_at.to_wire(),
            last_at: runs.last_at.to_wire(),
            runs: runs.runs,
            longest_ms: runs.longest_ms,
            has_failed: runs.has_failed,
            outcome: runs.outcome,
        }
    }
}

/// Whether a job is to wait.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminPause {
    /// Whether it waits from now on.
    pub paused: bool,
}

/// Something that the shop still means to do at a node.
#[derive(Debug, Serialize, Object)]
pub struct AdminIntent {
    /// Its number.
    pub number: i64,
    /// `make_invoice`, `cancel_invoice`, `settle_invoice` or `probe_target`.
    pub kind: String,
    /// The order that it is about.
    pub order_id: String,
    /// The payment hash that it is about.
    pub payment_hash: String,
    /// The node that is asked.
    pub node_id: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether an earlier try may have been carried out although no answer came.
    pub is_uncertain: bool,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it is tried next.
    pub next_try_at: String,
    /// When it was decided.
    pub created_at: String,
}

impl From<outbox::Waiting> for AdminIntent {
    fn from(waiting: outbox::Waiting) -> Self {
        let outbox::Waiting { intent, next_try_at, last_error } = waiting;
        Self {
            number: intent.id,
            kind: intent.kind.name().to_owned(),
            order_id: intent.order.to_string(),
            payment_hash: intent.hash.to_string(),
            node_id: intent.node_id.to_string(),
            attempts: intent.attempts,
            is_uncertain: intent.is_uncertain,
            last_error,
            next_try_at: next_try_at.to_wire(),
            created_at: intent.created_at.to_wire(),
        }
    }
}

/// How the parts that talk to nodes are.
#[derive(Debug, Serialize, Object)]
pub struct AdminFlows {
    /// Intents that were not tried yet.
    pub waiting: u64,
    /// Intents that have failed and are tried again.
    pub retrying: u64,
    /// Since when the oldest waits.
    pub oldest_at: Option<String>,
    /// The nodes in use.
    pub streams: Vec<AdminStream>,
}

/// A node in use.
#[derive(Debug, Serialize, Object)]
pub struct AdminStream {
    /// The node.
    pub node_id: String,
    /// Whether it did not answer when it was last asked.
    pub is_down: bool,
    /// Whether its stream has told a settlement since it was opened.
    pub has_told: bool,
    /// Since when its stream of settlements fails.
    pub stream_fails_since: Option<String>,
    /// Since when comparing its invoices fails.
    pub comparison_fails_since: Option<String>,
}

impl From<StreamNow> for AdminStream {
    fn from(stream: StreamNow) -> Self {
        Self {
            node_id: stream.node.to_string(),
            is_down: stream.is_down,
            has_told: stream.has_told,
            stream_fails_since: date(stream.stream_fails_since),
            comparison_fails_since: date(stream.comparison_fails_since),
        }
    }
}

/// A warning of the log.
#[derive(Debug, Serialize, Object)]
pub struct AdminLine {
    /// Its number, counted from the start of the shop.
    pub number: u64,
    /// When.
    pub at: String,
    /// Whether it is an error, not only a warning.
    pub is_error: bool,
    /// Where in the program.
    pub target: String,
    /// What it says.
    pub text: String,
}

impl From<log_ring::Line> for AdminLine {
    fn from(line: log_ring::Line) -> Self {
        let log_ring::Line { number, at, is_error, target, text } = line;
        Self { number, at: at.to_wire(), is_error, target, text }
    }
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Tasks {
    /// The scheduled jobs; for administrators
    #[oai(path = "/jobs/", method = "get", operation_id = "admin_job_list")]
    async fn list(&self, context: &Context, signed: Signed) -> Answer<Reply<Vec<AdminJob>>> {
        authz::needs_administrator(&signed.by)?;
        let running = context.backstage()?.jobs();
        let all = context.shop().read(&signed.by, |tx| jobs::list(tx, running))?;
        Ok(Reply(all.into_iter().map(Into::into).collect()))
    }

    /// How jobs ran in the last thirty days, newest first, in pages; for administrators
    #[oai(path = "/jobs/history/", method = "get", operation_id = "admin_job_history_list")]
    async fn history(
        &self,
        context: &Context,
        signed: Signed,
        /// Only those of the job with this name.
        name: Query<Option<String>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// So many in a page, at most 250.
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminJobRuns>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let (before, name) = (slice.after(|text| text.parse().ok())?, name.0.filter(|name| !name.is_empty()));
        let found = context.shop().read(&signed.by, |tx| jobs::history(tx, name.as_deref(), before, slice.wanted()))?;
        Ok(Reply(slice.page(found, |runs| runs.id.to_string(), AdminJobRuns::from)))
    }

    /// Run a job now; it goes on by itself, and the history tells how it ended
    #[oai(path = "/jobs/:name/run/", method = "post", operation_id = "admin_job_run")]
    async fn run(&self, context: &Context, signed: Signed, name: Path<String>) -> Answer<Deleted> {
        authz::needs_administrator(&signed.by)?;
        context.backstage()?.begin_job(&name.0, &signed.by).await?;
        Ok(Deleted)
    }

    /// Let a job wait, or come again as scheduled
    #[oai(path = "/jobs/:name/pause/", method = "post", operation_id = "admin_job_pause")]
    async fn pause(
        &self,
        context: &Context,
        signed: Signed,
        name: Path<String>,
        body: Body<AdminPause>,
    ) -> Answer<Deleted> {
        context.shop().tx(&signed.by, move |tx| jobs::pause(tx, &name.0, body.0.paused)).await?;
        Ok(Deleted)
    }

    /// What the shop still means to do at its nodes, oldest first, in pages; for administrators
    #[oai(path = "/outbox/", method = "get", operation_id = "admin_outbox_list")]
    async fn outbox(
        &self,
        context: &Context,
        signed: Signed,
        /// Only what has failed and is tried again.
        failed: Query<Option<bool>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// So many in a page, at most 250.
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminIntent>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let (behind, failed) = (slice.after(|text| text.parse().ok())?.unwrap_or(0), failed.0.unwrap_or(false));
        let found = context.shop().read(&signed.by, |tx| outbox::list(tx, failed, behind, slice.wanted()))?;
        Ok(Reply(slice.page(found, |waiting| waiting.intent.id.to_string(), AdminIntent::from)))
    }

    /// Try one of them now
    #[oai(path = "/outbox/:number/retry/", method = "post", operation_id = "admin_outbox_retry")]
    async fn retry(&self, context: &Context, signed: Signed, number: Path<i64>) -> Answer<Deleted> {
        outbox::retry(context.shop(), &signed.by, number.0).await?;
        Ok(Deleted)
    }

    /// Give up making an invoice: its order ends, and nothing of it can be paid
    #[oai(path = "/outbox/:number/give-up/", method = "post", operation_id = "admin_outbox_give_up")]
    async fn give_up(
        &self,
        context: &Context,
        signed: Signed,
        number: Path<i64>,
        body: Body<AdminNote>,
    ) -> Answer<Deleted> {
        outbox::give_up(context.shop(), &signed.by, number.0, &body.0.note).await?;
        Ok(Deleted)
    }

    /// Queue lengths, and the streams to the nodes; for administrators
    #[oai(path = "/flows/", method = "get", operation_id = "admin_flow_read")]
    async fn flows(&self, context: &Context, signed: Signed) -> Answer<Reply<AdminFlows>> {
        let queue = context.shop().read(&signed.by, outbox::queue)?;
        let streams = context.backstage()?.streams();
        Ok(Reply(AdminFlows {
            waiting: queue.waiting,
            retrying: queue.retrying,
            oldest_at: date(queue.oldest_at),
            streams: streams.into_iter().map(Into::into).collect(),
        }))
    }

    /// The last warnings of the log, oldest first; for administrators
    #[oai(path = "/log/", method = "get", operation_id = "admin_log_list")]
    async fn log(
        &self,
        _context: &Context,
        signed: Signed,
        /// Only those behind this number.
        after: Query<Option<u64>>,
    ) -> Answer<Reply<Vec<AdminLine>>> {
        let lines = log_ring::lines(&signed.by, after.0.unwrap_or(0))?;
        Ok(Reply(lines.into_iter().map(Into::into).collect()))
    }
}
