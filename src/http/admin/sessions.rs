//! Sessions, and the logins that were refused.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::context::{Context, id};
use super::page::{Page, Slice};
use super::signed::{Signed, SignedInPerson};
use super::tag::Tag;
use crate::domain::account::{FailedLogin, Session};
use crate::domain::id::OperatorId;
use crate::domain::operator::Operator;
use crate::http::contract::dto::Nullable;
use crate::services::operators::{login, manage, sessions};

/// Sessions and failed logins.
pub struct Sessions;

/// Somebody who has signed in with a browser.
#[derive(Debug, Serialize, Object)]
pub struct SessionView {
    /// Its number.
    pub id: i64,
    /// The number of the operator.
    pub operator: i64,
    /// The operator's name.
    pub owner: String,
    /// The address or circuit of the login.
    pub client: String,
    /// What the browser calls itself.
    pub agent: String,
    /// When it began.
    pub made_at: String,
    /// When it was last used, a few minutes behind.
    pub used_at: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A login that was refused.
#[derive(Debug, Serialize, Object)]
pub struct FailedLoginView {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: String,
    /// The number of the operator whose name it was; null for a name that nobody has.
    pub operator: Nullable<i64>,
    /// The operator's name.
    pub name: Nullable<String>,
    /// The address or circuit.
    pub client: String,
    /// `password` or `code`: what was wrong.
    pub reason: String,
}

/// How many sessions have ended.
#[derive(Debug, Serialize, Object)]
pub struct EndedView {
    /// So many.
    pub ended: u32,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Sessions {
    /// Open sessions
    ///
    /// Newest first: an administrator sees everybody's, an operator their own.
    #[oai(path = "/sessions/", method = "get", operation_id = "admin_sessions_list")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<SessionView>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let before = slice.after(|text| text.parse::<i64>().ok())?.unwrap_or(i64::MAX);
        let this = signed.session();
        let (mut found, known) = context.shop().read(&signed.by, |tx| Ok((sessions::list(tx)?, manage::list(tx)?)))?;
        found.retain(|session| session.id < before);
        Ok(Reply(slice.page(found, |session| session.id.to_string(), |session| session_view(session, &known, this))))
    }

    /// End a session
    #[oai(path = "/sessions/:id/", method = "delete", operation_id = "admin_sessions_delete")]
    async fn end(
        &self,
        context: &Context,
        signed: SignedInPerson,
        #[oai(name = "id")] path: Path<String>,
    ) -> Answer<Deleted> {
        let id = id(&path.0, |text| text.parse::<i64>().ok())?;
        context.shop().tx(&signed.0.by, move |tx| sessions::end(tx, id)).await?;
        Ok(Deleted)
    }

    /// Sign out everywhere
    ///
    /// Ends all own sessions but the one that asks.
    #[oai(path = "/sessions/end-others/", method = "post", operation_id = "admin_sessions_end_others")]
    async fn end_others(&self, context: &Context, signed: SignedInPerson) -> Answer<Reply<EndedView>> {
        let (operator, this) = (signed.0.operator.id, signed.0.session());
        let ended = context.shop().tx(&signed.0.by, move |tx| sessions::end_all(tx, operator, this)).await?;
        Ok(Reply(EndedView { ended: u32::try_from(ended).unwrap_or(u32::MAX) }))
    }

    /// Failed logins
    ///
    /// The last thousand, newest first: an administrator sees all, an operator those of their own name.
    #[oai(path = "/failed-logins/", method = "get", operation_id = "admin_failed_logins_list")]
    async fn failed(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<FailedLoginView>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let before = slice.after(|text| text.parse::<i64>().ok())?;
        let (found, known) = context
            .shop()
            .read(&signed.by, |tx| Ok((login::failed(tx, before, slice.wanted())?, manage::list(tx)?)))?;
        Ok(Reply(slice.page(found, |failed| failed.id.to_string(), |failed| failed_view(failed, &known))))
    }
}

fn session_view(session: Session, known: &[Operator], this: Option<i64>) -> SessionView {
    SessionView {
        id: session.id,
        operator: session.operator.0,
        owner: name_of(known, session.operator).unwrap_or_default(),
        client: session.client,
        agent: session.agent,
        made_at: session.made_at.to_wire(),
        used_at: session.used_at.to_wire(),
        is_this: this == Some(session.id),
    }
}

/// The name of an operator; numbers are never used again.
pub(super) fn name_of(known: &[Operator], id: OperatorId) -> Option<String> {
    known.iter().find(|operator| operator.id == id).map(|operator| operator.name.clone())
}

fn failed_view(failed: FailedLogin, known: &[Operator]) -> FailedLoginView {
    FailedLoginView {
        id: failed.id,
        at: failed.at.to_wire(),
        operator: Nullable(failed.operator.map(|operator| operator.0)),
        name: Nullable(failed.operator.and_then(|id| name_of(known, id))),
        client: failed.client,
        reason: failed.fault.name().to_owned(),
    }
}
