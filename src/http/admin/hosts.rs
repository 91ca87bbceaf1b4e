//! Hosts: their settings and ports, their tokens, and whether they are there.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::answer::{Answer, Created, Deleted, Reply, Text};
use super::body::Body;
use super::context::{Context, id};
use super::host_views::{
    AdminHost, AdminHostChanged, AdminHostDetail, AdminHostFields, AdminNewHost, AdminNewOwner, AdminNewRange,
    AdminNewToken, AdminTokenWish, spans,
};
use super::page::{Page, Slice};
use super::signed::{Signed, SignedToSell};
use super::tag::Tag;
use crate::domain::host_rules;
use crate::domain::id::HostId;
use crate::services::hosts::manage;
use crate::services::hosts::manage::NewHost;

/// Hosts.
pub struct Hosts;

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Hosts {
    /// All hosts, in the order of their addresses
    ///
    /// An operator gets their own.
    #[oai(path = "/hosts/", method = "get", operation_id = "admin_host_list")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminHost>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let after = slice.after(HostId::parse)?;
        let now = context.shop().now();
        let found = context.shop().read(&signed.by, |tx| manage::page(tx, after, slice.wanted()))?;
        Ok(Reply(slice.page(found, |view| view.host.id.to_string(), |view| AdminHost::new(&view, now))))
    }

    /// One host, with its warnings, its coming and going, and its changes
    #[oai(path = "/hosts/:id/", method = "get", operation_id = "admin_host_read")]
    async fn read(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] host: Path<String>,
    ) -> Answer<Reply<AdminHostDetail>> {
        let host = id(&host.0, HostId::parse)?;
        let detail = context.shop().read(&signed.by, |tx| {
            let view = manage::show(tx, host)?;
            Ok(AdminHostDetail {
                host: AdminHost::new(&view, tx.now),
                warnings: host_rules::warnings(&view.host, &view.ranges),
                block: manage::block(tx, host, None)?,
                presence: manage::presence(tx, host)?.into_iter().map(Into::into).collect(),
                history: manage::history(tx, host)?.into_iter().map(Into::into).collect(),
            })
        })?;
        Ok(Reply(detail))
    }

    /// Add a host
    ///
    /// The answer is the only one that shows its token.
    #[oai(path = "/hosts/", method = "post", operation_id = "admin_host_create")]
    async fn create(
        &self,
        context: &Context,
        signed: SignedToSell,
        body: Body<AdminNewHost>,
    ) -> Answer<Created<AdminNewToken>> {
        let AdminNewHost { settings, ranges, owner } = body.0;
        let new = NewHost { change: settings.change(), ranges: spans(&ranges)?, owner, id: None, token: None };
        let random = std::sync::Arc::clone(&context.shop().random);
        let made = context.shop().tx(&signed.0.by, move |tx| {
            let added = manage::add(tx, &*random, new)?;
            let block = manage::block(tx, added.host.id, Some(&added.token))?;
            Ok((added, block))
        });
        let (added, block) = made.await?;
        let id = added.host.id.to_string();
        let location = context.url(format_args!("hosts/{id}/"));
        Ok(Created { body: AdminNewToken { id, token: added.token, block, warnings: added.warnings }, location })
    }

    /// Change settings of a host
    ///
    /// Only the fields that are given change. `is_draining` lets it take no new orders while what it has sold goes on.
    #[oai(path = "/hosts/:id/", method = "patch", operation_id = "admin_host_update")]
    async fn update(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
        body: Body<AdminHostFields>,
    ) -> Answer<Reply<AdminHostChanged>> {
        let (host, change) = (id(&host.0, HostId::parse)?, body.0.change());
        let changed = context.shop().tx(&signed.0.by, move |tx| {
            let (changed, warnings) = manage::set(tx, host, change, &[], None)?;
            Ok(AdminHostChanged { host: AdminHost::new(&manage::show(tx, host)?, tx.now), changed, warnings })
        });
        Ok(Reply(changed.await?))
    }

    /// Remove a host; refused while it has what is not deleted, or owes money
    ///
    /// Drain it first: it then takes no orders, and what it has sold ends by and by. Its record stays.
    #[oai(path = "/hosts/:id/", method = "delete", operation_id = "admin_host_remove")]
    async fn remove(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
    ) -> Answer<Deleted> {
        let host = id(&host.0, HostId::parse)?;
        context.shop().tx(&signed.0.by, move |tx| manage::remove(tx, host)).await?;
        Ok(Deleted)
    }

    /// Give a host to another operator; for administrators
    ///
    /// Its new orders are paid to that operator's nodes. What is open goes on where it was made.
    #[oai(path = "/hosts/:id/owner/", method = "post", operation_id = "admin_host_give")]
    async fn give(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
        body: Body<AdminNewOwner>,
    ) -> Answer<Reply<AdminHost>> {
        let (host, owner) = (id(&host.0, HostId::parse)?, body.0.owner);
        let given =
            context.shop().tx(&signed.0.by, move |tx| Ok(AdminHost::new(&manage::give(tx, host, &owner)?, tx.now)));
        Ok(Reply(given.await?))
    }

    /// Add a range of ports
    #[oai(path = "/hosts/:id/ranges/", method = "post", operation_id = "admin_host_range_add")]
    async fn add_range(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
        body: Body<AdminNewRange>,
    ) -> Answer<Reply<AdminHost>> {
        let (host, span) = (id(&host.0, HostId::parse)?, body.0.span()?);
        let view =
            context.shop().tx(&signed.0.by, move |tx| Ok(AdminHost::new(&manage::add_range(tx, host, span)?, tx.now)));
        Ok(Reply(view.await?))
    }

    /// Remove a range of ports; those in use stay in use
    #[oai(path = "/hosts/:id/ranges/:range/", method = "delete", operation_id = "admin_host_range_remove")]
    async fn remove_range(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
        range: Path<i64>,
    ) -> Answer<Reply<AdminHost>> {
        let (host, range) = (id(&host.0, HostId::parse)?, range.0);
        let view = context
            .shop()
            .tx(&signed.0.by, move |tx| Ok(AdminHost::new(&manage::remove_range(tx, host, range)?, tx.now)));
        Ok(Reply(view.await?))
    }

    /// Give a host a new token
    ///
    /// The answer is the only one that shows it. The old one works until the new one was used, for a day at most; with
    /// `at_once` it ends now.
    #[oai(path = "/hosts/:id/token/", method = "post", operation_id = "admin_host_token_rotate")]
    async fn rotate(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
        body: Body<AdminTokenWish>,
    ) -> Answer<Reply<AdminNewToken>> {
        let (host, at_once) = (id(&host.0, HostId::parse)?, body.0.at_once.unwrap_or(false));
        let random = std::sync::Arc::clone(&context.shop().random);
        let made = context.shop().tx(&signed.0.by, move |tx| {
            let token = manage::rotate_token(tx, &*random, host, at_once)?;
            let block = manage::block(tx, host, Some(&token))?;
            Ok(AdminNewToken { id: host.to_string(), token, block, warnings: Vec::new() })
        });
        Ok(Reply(made.await?))
    }

    /// What stands in the file of the host's scripts, without the token
    #[oai(path = "/hosts/:id/block/", method = "get", operation_id = "admin_host_block_read")]
    async fn block(&self, context: &Context, signed: Signed, #[oai(name = "id")] host: Path<String>) -> Answer<Text> {
        let host = id(&host.0, HostId::parse)?;
        Ok(Text(context.shop().read(&signed.by, |tx| manage::block(tx, host, None))?))
    }

    /// After a restore: the host has no forward any more that the shop does not know
    #[oai(path = "/hosts/:id/swept/", method = "post", operation_id = "admin_host_swept")]
    async fn swept(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] host: Path<String>,
    ) -> Answer<Reply<AdminHost>> {
        let host = id(&host.0, HostId::parse)?;
        let view = context.shop().tx(&signed.0.by, move |tx| {
            manage::swept(tx, host)?;
            Ok(AdminHost::new(&manage::show(tx, host)?, tx.now))
        });
        Ok(Reply(view.await?))
    }
}
