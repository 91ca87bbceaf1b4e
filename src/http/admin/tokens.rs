//! API tokens.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Created, Deleted, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::page::{Page, Slice};
use super::sessions::name_of;
use super::signed::{Signed, SignedInPerson};
use super::tag::Tag;
use crate::domain::account::{ApiToken, Scope};
use crate::domain::texts::Message;
use crate::http::contract::dto::Nullable;
use crate::http::problem::Problem;
use crate::services::operators::{api_tokens, manage};

/// The usual life of a token. Days.
const USUAL_DAYS: u32 = 365;

/// API tokens.
pub struct Tokens;

/// A key for programs.
#[derive(Serialize, Object)]
pub struct TokenView {
    /// Its number.
    pub id: i64,
    /// The number of the operator whose it is.
    pub operator: i64,
    /// The operator's name.
    pub owner: String,
    /// What it is for.
    pub name: String,
    /// `read`, `sell` or `admin`.
    pub scope: String,
    /// When it was made.
    pub made_at: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was last used, a few minutes behind.
    pub used_at: Nullable<String>,
    /// The token: told only when it is made.
    pub token: Nullable<String>,
}

/// A new token.
#[derive(Object)]
pub struct TokenBody {
    /// What it is for.
    name: String,
    /// `read` looks, `sell` changes hosts, products, orders and the deny list as well, `admin` all but accounts.
    scope: String,
    /// Days until it ends: a year, if nothing is said.
    days: Option<u32>,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Tokens {
    /// API tokens
    ///
    /// Newest first: an administrator sees everybody's, an operator their own.
    #[oai(path = "/tokens/", method = "get", operation_id = "admin_tokens_list")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        after: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<TokenView>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let before = slice.after(|text| text.parse::<i64>().ok())?.unwrap_or(i64::MAX);
        let (mut found, known) =
            context.shop().read(&signed.by, |tx| Ok((api_tokens::list(tx)?, manage::list(tx)?)))?;
        found.retain(|token| token.id < before);
        Ok(Reply(slice.page(
            found,
            |token| token.id.to_string(),
            |token| {
                let owner = name_of(&known, token.operator).unwrap_or_default();
                view(token, owner, None)
            },
        )))
    }

    /// Make an API token
    ///
    /// For oneself. The answer is the only time that it can be seen.
    #[oai(path = "/tokens/", method = "post", operation_id = "admin_tokens_create")]
    async fn create(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<TokenBody>,
    ) -> Answer<Created<TokenView>> {
        let TokenBody { name, scope, days } = body.0;
        let scope = Scope::parse(&scope).ok_or_else(|| Problem::field("scope", Message::NoChoice { value: scope }))?;
        let (operator, owner) = (signed.0.operator.id, signed.0.operator.name.clone());
        let random = context.shop().random.clone();
        let days = days.unwrap_or(USUAL_DAYS);
        let made =
            context.shop().tx(&signed.0.by, move |tx| api_tokens::make(tx, &*random, operator, (&name, scope), days));
        let (token, text) = made.await?;
        let location = context.url(format_args!("tokens/{}/", token.id));
        Ok(Created { body: view(token, owner, Some(text)), location })
    }

    /// Revoke an API token
    #[oai(path = "/tokens/:id/", method = "delete", operation_id = "admin_tokens_delete")]
    async fn revoke(
        &self,
        context: &Context,
        signed: SignedInPerson,
        #[oai(name = "id")] path: Path<String>,
    ) -> Answer<Deleted> {
        let id = id(&path.0, |text| text.parse::<i64>().ok())?;
        context.shop().tx(&signed.0.by, move |tx| api_tokens::revoke(tx, id)).await?;
        Ok(Deleted)
    }
}

fn view(token: ApiToken, owner: String, text: Option<String>) -> TokenView {
    TokenView {
        id: token.id,
        operator: token.operator.0,
        owner,
        name: token.name,
        scope: token.scope.name().to_owned(),
        made_at: token.made_at.to_wire(),
        expires_at: token.expires_at.to_wire(),
        used_at: Nullable(token.used_at.map(|used| used.to_wire())),
        token: Nullable(text),
    }
}
