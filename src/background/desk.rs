//! What runs beside the answers, for those who run the shop: the other side of [`Backstage`].

use std::sync::Arc;

use async_trait::async_trait;

use super::Tasks;
use super::alerts;
use super::nodes::asking::{self, Look};
use super::refunds::{self, RefundOrder};
use super::schedule::{JobContext, run};
use crate::config::Job;
use crate::domain::alert_channel::{ChannelKind, OwnChannel};
use crate::domain::id::OrderId;
use crate::domain::node::Node;
use crate::domain::texts::Reason;
use crate::lightning::dial::Dial;
use crate::lightning::pasted;
use crate::notify::Channels;
use crate::services::backstage::{
    Backstage, ChannelNow, Credentials, JobNow, NodeReport, PaidBack, Pasted, RefundWish, SettingNow, StreamNow,
};
use crate::services::payments::refunds::Stated;
use crate::services::{Error, Principal, authz};

/// The jobs, the nodes, the channels of alerts, and the way to nodes that are not stored yet.
pub struct Desk {
    context: Arc<JobContext>,
    dial: Dial,
    channels: Arc<Channels>,
    tasks: Tasks,
}

impl Desk {
    /// One for a running shop.
    pub const fn new(context: Arc<JobContext>, dial: Dial, channels: Arc<Channels>, tasks: Tasks) -> Self {
        Self { context, dial, channels, tasks }
    }
}

#[async_trait]
impl Backstage for Desk {
    fn jobs(&self) -> Vec<JobNow> {
        let job = |job: Job| JobNow {
            name: job.name(),
            about: job.sentence(),
            schedule: self.context.config.jobs.schedule(job).as_str().to_owned(),
            is_running: self.context.running.is_marked(job.name()),
            last: self.context.runs.lock().unstored(job.name()).cloned(),
        };
        Job::ALL.into_iter().map(job).collect()
    }

    fn begin_job(&self, name: &str) -> Result<(), Error> {
        let job = Job::ALL.into_iter().find(|job| job.name() == name).ok_or(Error::NotFound)?;
        let Some(mark) = self.context.running.begin(job.name()) else {
            return Err(Error::Conflict(Reason::RunsAlready.into()));
        };
        let context = Arc::clone(&self.context);
        self.tasks.spawn(async move { run::run_marked(&context, job, mark).await });
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.tasks.stopped().is_cancelled()
    }

    fn streams(&self) -> Vec<StreamNow> {
        let entries = self.context.registry.all().into_iter();
        let stream = entries.map(|entry| {
            let [stream_fails_since, comparison_fails_since] = entry.troubles.all();
            StreamNow {
                node: entry.spec.id,
                is_down: entry.is_down(),
                has_told: entry.is_counting_on.load(std::sync::atomic::Ordering::Relaxed),
                stream_fails_since,
                comparison_fails_since,
            }
        });
        stream.collect()
    }

    fn settings(&self) -> Vec<SettingNow> {
        self.context.config.shown().into_iter().map(|(key, value)| SettingNow { key, value }).collect()
    }

    fn channels(&self) -> Vec<ChannelNow> {
        let named = |(name, severity)| {
            let place = self.channels.place(name).unwrap_or_default();
            ChannelNow { name, place, severity }
        };
        self.channels.names().into_iter().map(named).collect()
    }

    fn channel_kinds(&self) -> Vec<ChannelKind> {
        self.channels.own_kinds()
    }

    fn check_channel(&self, channel: &OwnChannel, by: &Principal) -> Result<(), Error> {
        let is_administrators = authz::needs_administrator(by).is_ok();
        let checked = self.channels.check_own(channel, is_administrators);
        checked.map_err(|(field, problem)| Error::field(field, problem))
    }

    async fn test_channel(&self, name: &str, by: &Principal) -> Result<Result<(), String>, Error> {
        alerts::test(&self.context.shop, &self.channels, name, by).await
    }

    fn read_pasted(&self, pasted: &Pasted) -> Result<Credentials, Error> {
        let certificate = pasted.certificate.as_deref().map(|text| {
            pasted::check_certificate(text.as_bytes()).map_err(|problem| Error::field("certificate", problem))
        });
        let macaroon = pasted.macaroon.as_deref().map(|text| {
            pasted::macaroon(text.as_bytes()).map_err(|problem| Error::field("macaroon", problem.to_string()))
        });
        Ok(Credentials { certificate: certificate.transpose()?, macaroon: macaroon.transpose()? })
    }

    async fn ask(&self, node: &Node, is_stored: bool) -> Result<NodeReport, Error> {
        let shop = &self.context.shop;
        let look = if is_stored {
            let looked = asking::ask(shop, &self.dial, node, true).await?;
            if let Ok(entry) = self.context.registry.get(node.id) {
                entry.check.notify_one();
            }
            looked
        } else {
            asking::look(&self.dial, node, &*shop.clock, &*shop.random).await
        };
        Ok(report(look))
    }

    async fn pay_back(&self, wish: RefundWish, by: &Principal) -> Result<PaidBack, Error> {
        let RefundWish { order, bolt11, amount, fee_limit, not_paid_since_backup } = wish;
        let order = RefundOrder { order, bolt11, amount, fee_limit, not_paid_since_backup };
        let paid = refunds::refund(&self.context.shop, &self.dial, order, by).await?;
        let refunds::Refunded { hash, is_this_request, amount, fee, status, owed } = paid;
        Ok(PaidBack { hash, is_this_request, amount, fee, status, owed })
    }

    async fn state_refund(&self, order: OrderId, stated: Stated, by: &Principal, note: &str) -> Result<(), Error> {
        refunds::state_outcome(&self.context.shop, &self.dial, order, stated, by, note).await.map(drop)
    }
}

fn report(look: Look) -> NodeReport {
    let Look { check, ahead_secs } = look;
    let line = check.line();
    let is_fine = check.problem.as_ref().is_none_or(asking::may_pass);
    let info = check.info;
    NodeReport {
        is_fine,
        line,
        alias: info.alias,
        pubkey: info.pubkey,
        network: info.network.map(|network| network.name().to_owned()),
        version: info.version,
        block_height: info.block_height,
        is_synced: info.synced_to_chain,
        active_channels: info.active_channels,
        inbound: info.inbound,
        outbound: info.outbound,
        ahead_secs,
        certificate: info.certificate,
    }
}
