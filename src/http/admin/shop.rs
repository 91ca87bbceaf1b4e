//! The shop itself: its name, its deny lists, its rates, the settings in force.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::body::Body;
use super::context::Context;
use super::order_views::AdminRate;
use super::page::{Page, Slice};
use super::signed::{Signed, SignedToSell};
use super::tag::Tag;
use super::values::one_of;
use crate::domain::deny_list::{DenyEntry, DenyKind, DenyStatus};
use crate::services::hosts::catalog::{self, Site};
use crate::services::{authz, deny_list, rates, site};

/// The shop itself.
pub struct Whole;

/// The shop as a web site.
#[derive(Debug, Serialize, Object)]
pub struct AdminSite {
    /// Its domain, shown with every host.
    pub domain: String,
    /// Its name.
    pub name: String,
}

impl From<Site> for AdminSite {
    fn from(site: Site) -> Self {
        Self { domain: site.domain, name: site.name }
    }
}

/// What is to change of it.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminSiteFields {
    /// Its domain.
    pub domain: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// An entry of a deny list.
#[derive(Debug, Serialize, Object)]
pub struct AdminDenied {
    /// `target` or `ip`.
    pub kind: String,
    /// An onion address (all its ports) or one with a port; an IP address or network.
    pub value: String,
    /// How far its review is: initial, proposed, in_review, neutral, recommended, denied.
    pub status: String,
    /// Whether that refuses orders.
    pub denies: bool,
    /// A note.
    pub comment: String,
    /// When it was added.
    pub created_at: String,
    /// When it last changed.
    pub modified_at: String,
}

impl From<DenyEntry> for AdminDenied {
    fn from(entry: DenyEntry) -> Self {
        Self {
            kind: entry.kind.name().to_owned(),
            value: entry.value,
            status: entry.status.name().to_owned(),
            denies: entry.status.denies(),
            comment: entry.comment,
            created_at: entry.created_at.to_wire(),
            modified_at: entry.modified_at.to_wire(),
        }
    }
}

/// An entry that is to be put on a list, or changed there.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminDenial {
    /// `target` or `ip`.
    pub kind: String,
    /// What it is about.
    pub value: String,
    /// How far its review is; `denied` unless given.
    pub status: Option<String>,
    /// A note, at most 140 characters.
    pub comment: Option<String>,
}

/// The value that is taken off a list.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminDenialEnd {
    /// As the list has it.
    pub value: String,
}

/// A setting in force.
#[derive(Debug, Serialize, Object)]
pub struct AdminSetting {
    /// Its path in the configuration.
    pub key: String,
    /// Its value, as it would stand there.
    pub value: String,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Whole {
    /// The shop as a web site
    #[oai(path = "/site/", method = "get", operation_id = "admin_site_read")]
    async fn site(&self, context: &Context, signed: Signed) -> Answer<Reply<AdminSite>> {
        authz::visible_owner(&signed.by)?;
        Ok(Reply(context.shop().read(&signed.by, |tx| catalog::site(tx.db))?.into()))
    }

    /// Change its domain or its name; for administrators
    #[oai(path = "/site/", method = "patch", operation_id = "admin_site_update")]
    async fn set_site(
        &self,
        context: &Context,
        signed: Signed,
        body: Body<AdminSiteFields>,
    ) -> Answer<Reply<AdminSite>> {
        let AdminSiteFields { domain, name } = body.0;
        let set = context.shop().tx(&signed.by, move |tx| site::set(tx, domain.as_deref(), name.as_deref()));
        Ok(Reply(set.await?.into()))
    }

    /// The deny lists, newest first; for administrators
    #[oai(path = "/deny/", method = "get", operation_id = "admin_deny_list")]
    async fn denied(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminDenied>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let before = slice.after(|text| text.parse::<i64>().ok())?.unwrap_or(i64::MAX);
        let found = context.shop().read(&signed.by, |tx| deny_list::page(tx, before, slice.wanted()))?;
        Ok(Reply(slice.page(found, |entry| entry.id.to_string(), Into::into)))
    }

    /// Put a value on a deny list, or change its review; for administrators
    #[oai(path = "/deny/", method = "post", operation_id = "admin_deny_set")]
    async fn deny(
        &self,
        context: &Context,
        signed: SignedToSell,
        body: Body<AdminDenial>,
    ) -> Answer<Reply<AdminDenied>> {
        let AdminDenial { kind, value, status, comment } = body.0;
        let kind = one_of("kind", Some(kind), DenyKind::parse)?.unwrap_or(DenyKind::Target);
        let status = one_of("status", status, DenyStatus::parse)?.unwrap_or(DenyStatus::Denied);
        let comment = comment.unwrap_or_default();
        let entry = context.shop().tx(&signed.0.by, move |tx| deny_list::add(tx, kind, &value, status, &comment));
        Ok(Reply(entry.await?.into()))
    }

    /// Take a value off its list; for administrators
    #[oai(path = "/deny/:kind/remove/", method = "post", operation_id = "admin_deny_remove")]
    async fn allow(
        &self,
        context: &Context,
        signed: SignedToSell,
        /// `target` or `ip`.
        kind: Path<String>,
        body: Body<AdminDenialEnd>,
    ) -> Answer<Deleted> {
        let kind = super::context::id(&kind.0, DenyKind::parse)?;
        context.shop().tx(&signed.0.by, move |tx| deny_list::remove(tx, kind, &body.0.value)).await?;
        Ok(Deleted)
    }

    /// The rate that prices are shown with, while it is fresh
    #[oai(path = "/rates/", method = "get", operation_id = "admin_rate_list")]
    async fn rates(&self, context: &Context, signed: Signed) -> Answer<Reply<Vec<AdminRate>>> {
        authz::visible_owner(&signed.by)?;
        let rate = rates::for_information(context.shop())?;
        Ok(Reply(rate.into_iter().map(Into::into).collect()))
    }

    /// The settings in force, for administrators; secrets are never among them
    #[oai(path = "/settings/", method = "get", operation_id = "admin_setting_list")]
    async fn settings(&self, context: &Context, signed: Signed) -> Answer<Reply<Vec<AdminSetting>>> {
        authz::needs_administrator(&signed.by)?;
        let all = context.backstage()?.settings().into_iter();
        Ok(Reply(all.map(|setting| AdminSetting { key: setting.key, value: setting.value }).collect()))
    }
}
