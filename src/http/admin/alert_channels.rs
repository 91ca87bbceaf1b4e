//! The channels on which alerts leave the shop: how they fare, and whether they work.

use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::context::Context;
use super::signed::Signed;
use super::tag::Tag;
use super::values::date;
use crate::services::alert_messages::{self, ChannelState};
use crate::services::authz;
use crate::services::backstage::ChannelNow;

/// The channels on which alerts leave the shop.
pub struct AlertChannels;

/// A channel of the configuration.
#[derive(Debug, Serialize, Object)]
pub struct AdminAlertChannel {
    /// `email`, `ntfy` or `webhook`.
    pub name: String,
    /// Where its messages go, as far as that is no secret.
    pub place: String,
    /// What is less urgent is not told: `info`, `warning` or `critical`.
    pub severity: String,
    /// When it last took a message.
    pub sent_at: Option<String>,
    /// When it last failed.
    pub failed_at: Option<String>,
    /// Why.
    pub failure: Option<String>,
    /// Since when its receiver wants no more; a test that it takes switches it on again.
    pub off_at: Option<String>,
    /// Messages that wait or are tried again, and changes that are in none yet.
    pub waiting: u32,
}

impl AdminAlertChannel {
    fn new(channel: ChannelNow, states: &[ChannelState]) -> Self {
        let state = states.iter().find(|state| state.name == channel.name).cloned().unwrap_or_default();
        Self {
            name: channel.name.to_owned(),
            place: channel.place,
            severity: channel.severity.name().to_owned(),
            sent_at: date(state.sent_at),
            failed_at: date(state.failed_at),
            failure: state.failure,
            off_at: date(state.off_at),
            waiting: state.waiting,
        }
    }
}

/// How a test of a channel ended.
#[derive(Debug, Serialize, Object)]
pub struct AdminAlertTest {
    /// Whether its receiver has taken the message.
    pub works: bool,
    /// Why not (English).
    pub problem: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl AlertChannels {
    /// The channels on which alerts leave the shop, and how they fare; for administrators
    #[oai(path = "/alert-channels/", method = "get", operation_id = "admin_alert_channel_list")]
    async fn list(&self, context: &Context, signed: Signed) -> Answer<Reply<Vec<AdminAlertChannel>>> {
        authz::needs_administrator(&signed.by)?;
        let states = context.shop().read(&signed.by, alert_messages::channels)?;
        let channels = context.backstage()?.channels().into_iter();
        Ok(Reply(channels.map(|channel| AdminAlertChannel::new(channel, &states)).collect()))
    }

    /// Send a test message on a channel now, and answer how that ended; for administrators
    #[oai(path = "/alert-channels/:name/test/", method = "post", operation_id = "admin_alert_channel_test")]
    async fn test(&self, context: &Context, signed: Signed, name: Path<String>) -> Answer<Reply<AdminAlertTest>> {
        authz::needs_administrator(&signed.by)?;
        let problem = context.backstage()?.test_channel(&name.0, &signed.by).await?.err();
        Ok(Reply(AdminAlertTest { works: problem.is_none(), problem }))
    }
}
