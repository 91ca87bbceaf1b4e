//! Lightning nodes. What they are reached with is taken, and never shown again.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::answer::{Answer, Created, Deleted, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::node_views::{AdminNewNode, AdminNode, AdminNodeAdded, AdminNodeChange, AdminNodeChanged, AdminNodeReport};
use super::page::{Page, Slice};
use super::signed::Signed;
use super::tag::Tag;
use super::values::one_of;
use crate::domain::id::NodeId;
use crate::domain::node::{Node, NodeKind};
use crate::http::problem::Problem;
use crate::services::backstage::NodeReport;
use crate::services::nodes::manage;
use crate::services::{Error, authz};

/// Nodes.
pub struct Nodes;

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Nodes {
    /// The nodes, each operator's in the order in which they are tried
    ///
    /// An operator gets their own.
    #[oai(path = "/nodes/", method = "get", operation_id = "admin_node_list")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminNode>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let after = slice.after(NodeId::parse)?;
        let found = context.shop().read(&signed.by, |tx| manage::page(tx, after, slice.wanted()))?;
        Ok(Reply(slice.page(found, |node| node.id.to_string(), |node| AdminNode::from(&node))))
    }

    /// One node
    #[oai(path = "/nodes/:id/", method = "get", operation_id = "admin_node_read")]
    async fn read(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] node: Path<String>,
    ) -> Answer<Reply<AdminNode>> {
        let node = id(&node.0, NodeId::parse)?;
        Ok(Reply(AdminNode::from(&context.shop().read(&signed.by, |tx| manage::show(tx, node))?)))
    }

    /// Try a node, and add it
    ///
    /// The node is asked what it is, makes an invoice and cancels it; what is wrong is said, and nothing stored, unless
    /// `untested` says so. Only administrators name files on the shop's machine, sockets among them. A node of an operator
    /// who is no administrator is stored untried and not enabled: nothing connects to it before an administrator enables it.
    #[oai(path = "/nodes/", method = "post", operation_id = "admin_node_create")]
    async fn create(
        &self,
        context: &Context,
        signed: Signed,
        body: Body<AdminNewNode>,
    ) -> Answer<Created<AdminNodeAdded>> {
        let backstage = context.backstage()?;
        let AdminNewNode { kind, owner, untested, settings } = body.0;
        let kind = one_of("kind", Some(kind), NodeKind::parse)?.unwrap_or(NodeKind::LndGrpc);
        let change = settings.change(&*backstage)?;
        let new = context
            .shop()
            .read(&signed.by, |tx| manage::new_node(tx, &*context.shop().random, kind, change, owner.as_deref()))?;
        let is_tried = !untested.unwrap_or(false) && authz::may_choose_addresses(&signed.by);
        let report = if is_tried { Some(tried(&*backstage, &new).await?) } else { None };
        let stored = new.clone();
        context.shop().tx(&signed.by, move |tx| manage::insert(tx, &stored)).await?;
        let location = context.url(format_args!("nodes/{}/", new.id));
        let body = AdminNodeAdded { node: AdminNode::from(&new), report: report.map(Into::into) };
        Ok(Created { body, location })
    }

    /// Change a node
    ///
    /// What is about access to it is tried first, unless `untested` says otherwise. Only the fields that are given change.
    /// Only an administrator enables a node, and says where one is that is enabled.
    #[oai(path = "/nodes/:id/", method = "patch", operation_id = "admin_node_update")]
    async fn update(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] node: Path<String>,
        body: Body<AdminNodeChange>,
    ) -> Answer<Reply<AdminNodeChanged>> {
        let node = id(&node.0, NodeId::parse)?;
        context.shop().read(&signed.by, |tx| manage::show(tx, node))?;
        let backstage = context.backstage()?;
        let AdminNodeChange { untested, settings } = body.0;
        let change = settings.change(&*backstage)?;
        let (would_be, _) = context.shop().read(&signed.by, |tx| manage::changed(tx, node, change.clone(), None))?;
        // One that is not used may well be switched off.
        if would_be.is_enabled && change.is_about_access() && !untested.unwrap_or(false) {
            tried(&*backstage, &would_be).await?;
        }
        let changed = context.shop().tx(&signed.by, move |tx| {
            let changed = manage::set(tx, node, change, None)?;
            Ok(AdminNodeChanged { node: AdminNode::from(&manage::show(tx, node)?), changed })
        });
        Ok(Reply(changed.await?))
    }

    /// Ask a node now: what it says of itself, its certificate, or exactly what is wrong
    ///
    /// It makes an invoice and cancels it. One that waits for an administrator is not asked for its operator.
    #[oai(path = "/nodes/:id/check/", method = "post", operation_id = "admin_node_check")]
    async fn check(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] node: Path<String>,
    ) -> Answer<Reply<AdminNodeReport>> {
        let node = id(&node.0, NodeId::parse)?;
        let node = context.shop().read(&signed.by, |tx| manage::to_ask(tx, node))?;
        Ok(Reply(context.backstage()?.ask(&node, true).await?.into()))
    }

    /// Remove a node with its credentials; refused while invoices of it could still be paid
    #[oai(path = "/nodes/:id/", method = "delete", operation_id = "admin_node_remove")]
    async fn remove(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] node: Path<String>,
    ) -> Answer<Deleted> {
        let node = id(&node.0, NodeId::parse)?;
        context.shop().tx(&signed.by, move |tx| manage::remove(tx, node)).await?;
        Ok(Deleted)
    }
}

/// What a node says that can be used; what is wrong with it otherwise.
async fn tried(backstage: &dyn crate::services::backstage::Backstage, node: &Node) -> Result<NodeReport, Problem> {
    let report = backstage.ask(node, false).await?;
    if report.is_fine {
        return Ok(report);
    }
    let text = format!("{}\nNothing was stored; with `untested` it is stored all the same.", report.line);
    Err(Error::Refused(text.into()).into())
}
