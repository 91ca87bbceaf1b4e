//! The channels on which alerts leave the shop: how they fare, and whether they work; each operator adds their own.

use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Created, Deleted, Reply};
use super::body::Body;
use super::context::Context;
use super::signed::{Signed, SignedInPerson};
use super::tag::Tag;
use super::values::{date, one_of};
use crate::domain::alert::Severity;
use crate::domain::alert_channel::{ChannelKind, ChannelRules, OwnChannel, QuietRule};
use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::services::backstage::ChannelNow;
use crate::services::own_channels::{self, ChannelState};
use crate::services::{authz, operators};

/// The channels on which alerts leave the shop.
pub struct AlertChannels;

/// A channel: one of the configuration, or an operator's own.
#[derive(Debug, Serialize, Object)]
pub struct AdminAlertChannel {
    /// Its name.
    pub name: String,
    /// `email`, `ntfy`, `webhook` or `nostr`.
    pub kind: String,
    /// Whose it is: it tells of what concerns them. Null for one of the configuration, which tells of everything.
    pub owner: Option<String>,
    /// Where its messages go, as far as that is no secret.
    pub place: String,
    /// What is less urgent is not told: `info`, `warning` or `critical`.
    pub severity: String,
    /// The owner's quiet hours (UTC), or `off`; null where those of the configuration hold.
    pub quiet_hours: Option<String>,
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
    fn configured(channel: ChannelNow, states: &[ChannelState]) -> Self {
        let state = states.iter().find(|state| state.name == channel.name);
        Self::new(channel.name, channel.name, channel.place, channel.severity, state)
    }

    fn own(state: &ChannelState, operators: &[Operator]) -> Option<Self> {
        let own = state.own.as_ref()?;
        let owner = operators.iter().find(|operator| operator.id == own.owner);
        Some(Self {
            owner: owner.map(|owner| owner.name.clone()),
            quiet_hours: own.quiet.map(|quiet| quiet.to_string()),
            ..Self::new(&state.name, own.channel.kind.name(), own.channel.place(), state.severity, Some(state))
        })
    }

    fn new(name: &str, kind: &str, place: String, severity: Severity, state: Option<&ChannelState>) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            owner: None,
            place,
            severity: severity.name().to_owned(),
            quiet_hours: None,
            sent_at: date(state.and_then(|state| state.sent_at)),
            failed_at: date(state.and_then(|state| state.failed_at)),
            failure: state.and_then(|state| state.failure.clone()),
            off_at: date(state.and_then(|state| state.off_at)),
            waiting: state.map_or(0, |state| state.waiting),
        }
    }
}

/// A new channel of one's own.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNewAlertChannel {
    /// `email` (by the shop's mail server), `ntfy`, `webhook` or `nostr` (over its relays), as far as the shop has them.
    kind: String,
    /// The address of e-mail, or the URL of the server. An operator names only servers with public addresses.
    target: String,
    /// The topic of ntfy, the secret of a webhook (base64 of 24 to 64 bytes). It is never shown again.
    secret: Option<String>,
    /// What an ntfy server lets in. It is never shown again.
    token: Option<String>,
    /// What is less urgent is not told: `info`, `warning` (if nothing is said) or `critical`.
    severity: Option<String>,
    /// When only what is critical is told, as in `22:00-07:00` (UTC), or `off`; as in the configuration, if nothing is said.
    quiet_hours: Option<String>,
}

impl AdminNewAlertChannel {
    fn read(self) -> Result<(OwnChannel, ChannelRules), Problem> {
        let none = |text: Option<String>| text.filter(|text| !text.is_empty());
        let kind = one_of("kind", Some(self.kind), ChannelKind::parse)?;
        let kind = kind.ok_or_else(|| Problem::field("kind", Message::Required))?;
        let severity = one_of("severity", self.severity, Severity::parse)?.unwrap_or(Severity::Warning);
        let quiet = one_of("quiet_hours", self.quiet_hours, QuietRule::parse)?;
        let (secret, token) = (none(self.secret), none(self.token));
        Ok((OwnChannel { kind, target: self.target, secret, token }, ChannelRules { severity, quiet }))
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
    /// The channels on which alerts leave the shop, and how they fare
    ///
    /// An administrator sees those of the configuration and everybody's, an operator their own.
    #[oai(path = "/alert-channels/", method = "get", operation_id = "admin_alert_channel_list")]
    async fn list(&self, context: &Context, signed: Signed) -> Answer<Reply<Vec<AdminAlertChannel>>> {
        let (states, operators) =
            context.shop().read(&signed.by, |tx| Ok((own_channels::list(tx)?, operators::manage::list(tx)?)))?;
        let mut all = Vec::new();
        if authz::needs_administrator(&signed.by).is_ok() {
            let configured = context.backstage()?.channels().into_iter();
            all.extend(configured.map(|channel| AdminAlertChannel::configured(channel, &states)));
        }
        all.extend(states.iter().filter_map(|state| AdminAlertChannel::own(state, &operators)));
        Ok(Reply(all))
    }

    /// What a channel of one's own may be here: kinds that the program was not built or configured for are left out
    #[oai(path = "/alert-channels/kinds/", method = "get", operation_id = "admin_alert_channel_kinds")]
    async fn kinds(&self, context: &Context, _signed: Signed) -> Answer<Reply<Vec<String>>> {
        let kinds = context.backstage()?.channel_kinds();
        Ok(Reply(kinds.into_iter().map(|kind| kind.name().to_owned()).collect()))
    }

    /// Add a channel of one's own: it tells of the alerts that concern oneself
    #[oai(path = "/alert-channels/", method = "post", operation_id = "admin_alert_channel_add")]
    async fn add(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<AdminNewAlertChannel>,
    ) -> Answer<Created<AdminAlertChannel>> {
        let Signed { by, operator, .. } = signed.0;
        let (channel, rules) = body.0.read()?;
        context.backstage()?.check_channel(&channel, &by)?;
        let owner = operator.id;
        let state = context.shop().tx(&by, move |tx| own_channels::add(tx, owner, &channel, rules)).await?;
        let location = context.url(format_args!("alert-channels/{}/", state.name));
        let body = AdminAlertChannel::own(&state, &[operator]);
        Ok(Created { body: body.ok_or_else(Problem::not_found)?, location })
    }

    /// Remove an operator's own channel; what waits for it is not sent
    #[oai(path = "/alert-channels/:name/", method = "delete", operation_id = "admin_alert_channel_remove")]
    async fn remove(&self, context: &Context, signed: SignedInPerson, name: Path<String>) -> Answer<Deleted> {
        context.shop().tx(&signed.0.by, move |tx| own_channels::remove(tx, &name.0)).await?;
        Ok(Deleted)
    }

    /// Send a test message on a channel now, and answer how that ended
    #[oai(path = "/alert-channels/:name/test/", method = "post", operation_id = "admin_alert_channel_test")]
    async fn test(&self, context: &Context, signed: Signed, name: Path<String>) -> Answer<Reply<AdminAlertTest>> {
        context.shop().read(&signed.by, |tx| own_channels::to_test(tx, &name.0))?;
        let problem = context.backstage()?.test_channel(&name.0, &signed.by).await?.err();
        Ok(Reply(AdminAlertTest { works: problem.is_none(), problem }))
    }
}
