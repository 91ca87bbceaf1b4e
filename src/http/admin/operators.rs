//! The people who run the shop or own hosts and nodes in it.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Created, Deleted, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::page::{Page, Slice};
use super::signed::{Signed, SignedInPerson};
use super::tag::Tag;
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::domain::texts::Message;
use crate::http::contract::dto::Nullable;
use crate::http::problem::Problem;
use crate::services::authz;
use crate::services::operators::{manage, passwords, second_factor};

/// Operators.
pub struct Operators;

/// Somebody who runs the shop, or owns hosts and nodes in it.
#[derive(Serialize, Object)]
pub struct OperatorView {
    /// Their number, the `owner` of hosts.
    pub id: i64,
    /// The name that they sign in with.
    pub name: String,
    /// `administrator` or `operator`.
    pub role: String,
    /// Whether they may sign in.
    pub is_enabled: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// When they were added.
    pub created_at: String,
    /// When they last changed.
    pub modified_at: String,
    /// A password that was made for them: told only now.
    pub password: Nullable<String>,
}

/// A new operator.
#[derive(Object)]
pub struct OperatorBody {
    /// The name to sign in with.
    name: String,
    /// `administrator` or `operator`.
    role: String,
    /// A password of at least ten characters; without one it is made, and told in the answer.
    password: Option<String>,
}

/// What is to change of an operator.
#[derive(Object)]
pub struct OperatorChange {
    /// `administrator` or `operator`.
    role: Option<String>,
    /// Whether they may sign in; without, their sessions end and what is theirs goes on.
    is_enabled: Option<bool>,
}

/// A new password for an operator.
#[derive(Object)]
pub struct NewPasswordBody {
    /// At least ten characters; without one it is made, and told in the answer.
    password: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Operators {
    /// Operators
    ///
    /// In the order in which they were added: an administrator sees everybody, an operator themselves.
    #[oai(path = "/operators/", method = "get", operation_id = "admin_operators_list")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<OperatorView>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let after = slice.after(|text| text.parse::<i64>().ok())?.unwrap_or(i64::MIN);
        let mut found = context.shop().read(&signed.by, manage::list)?;
        found.retain(|operator| operator.id.0 > after);
        Ok(Reply(slice.page(found, |operator| operator.id.0.to_string(), |operator| view(operator, None))))
    }

    /// One operator
    #[oai(path = "/operators/:id/", method = "get", operation_id = "admin_operators_read")]
    async fn read(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] path: Path<String>,
    ) -> Answer<Reply<OperatorView>> {
        let id = operator_id(&path.0)?;
        Ok(Reply(view(context.shop().read(&signed.by, |tx| manage::get(tx, id))?, None)))
    }

    /// Add an operator
    #[oai(path = "/operators/", method = "post", operation_id = "admin_operators_create")]
    async fn create(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<OperatorBody>,
    ) -> Answer<Created<OperatorView>> {
        authz::needs_administrator(&signed.0.by)?;
        let OperatorBody { name, role, password } = body.0;
        let (role, shop) = (parse_role(role)?, context.shop());
        let (password, made) = given_or_made(context, password);
        let hash = passwords::hash_aside(name.clone(), password, shop).await?;
        let added = shop.tx(&signed.0.by, move |tx| {
            let id = manage::add(tx, &name, role, &hash)?;
            manage::get(tx, id)
        });
        let operator = added.await?;
        let location = context.url(format_args!("operators/{}/", operator.id.0));
        Ok(Created { body: view(operator, made), location })
    }

    /// Change an operator
    #[oai(path = "/operators/:id/", method = "patch", operation_id = "admin_operators_update")]
    async fn update(
        &self,
        context: &Context,
        signed: SignedInPerson,
        #[oai(name = "id")] path: Path<String>,
        body: Body<OperatorChange>,
    ) -> Answer<Reply<OperatorView>> {
        authz::needs_administrator(&signed.0.by)?;
        let (id, OperatorChange { role, is_enabled }) = (operator_id(&path.0)?, body.0);
        let role = role.map(parse_role).transpose()?;
        let changed = context.shop().tx(&signed.0.by, move |tx| {
            if let Some(role) = role {
                manage::set_role(tx, id, role)?;
            }
            if let Some(is_enabled) = is_enabled {
                manage::set_enabled(tx, id, is_enabled)?;
            }
            manage::get(tx, id)
        });
        Ok(Reply(view(changed.await?, None)))
    }

    /// Replace the password of an operator
    ///
    /// All their sessions end.
    #[oai(path = "/operators/:id/password/", method = "post", operation_id = "admin_operators_password_create")]
    async fn set_password(
        &self,
        context: &Context,
        signed: SignedInPerson,
        #[oai(name = "id")] path: Path<String>,
        body: Body<NewPasswordBody>,
    ) -> Answer<Reply<OperatorView>> {
        authz::needs_administrator(&signed.0.by)?;
        let (id, shop) = (operator_id(&path.0)?, context.shop());
        let operator = shop.read(&signed.0.by, |tx| manage::get(tx, id))?;
        let (password, made) = given_or_made(context, body.0.password);
        let hash = passwords::hash_aside(operator.name.clone(), password, shop).await?;
        let set = shop.tx(&signed.0.by, move |tx| {
            manage::set_password(tx, &operator.name, &hash, None)?;
            manage::get(tx, id)
        });
        Ok(Reply(view(set.await?, made)))
    }

    /// Remove the second factor of an operator
    ///
    /// For one who has lost it.
    #[oai(
        path = "/operators/:id/second-factor/remove/",
        method = "post",
        operation_id = "admin_operators_second_factor_remove"
    )]
    async fn remove_second_factor(
        &self,
        context: &Context,
        signed: SignedInPerson,
        #[oai(name = "id")] path: Path<String>,
    ) -> Answer<Deleted> {
        authz::needs_administrator(&signed.0.by)?;
        let id = operator_id(&path.0)?;
        context.shop().tx(&signed.0.by, move |tx| second_factor::remove(tx, id)).await?;
        Ok(Deleted)
    }
}

fn operator_id(text: &str) -> Result<OperatorId, Problem> {
    id(text, |text| text.parse().ok().map(OperatorId))
}

fn parse_role(name: String) -> Result<Role, Problem> {
    Role::parse(&name).ok_or_else(|| Problem::field("role", Message::NoChoice { value: name }))
}

/// The password, and the same once more if it was made here and so has to be told.
fn given_or_made(context: &Context, given: Option<String>) -> (String, Option<String>) {
    given.map_or_else(
        || {
            let made = passwords::generate(&*context.shop().random);
            (made.clone(), Some(made))
        },
        |given| (given, None),
    )
}

fn view(operator: Operator, password: Option<String>) -> OperatorView {
    OperatorView {
        id: operator.id.0,
        name: operator.name,
        role: operator.role.name().to_owned(),
        is_enabled: operator.disabled_at.is_none(),
        has_second_factor: operator.has_second_factor,
        created_at: operator.created_at.to_wire(),
        modified_at: operator.modified_at.to_wire(),
        password: Nullable(password),
    }
}
