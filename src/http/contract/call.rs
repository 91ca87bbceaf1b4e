//! One request as operations see it: the shop, who calls, from where, in which language, and what
//! the path and the query say.

use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody};

use crate::domain::texts::{Language, Message};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;
use crate::services::hosts;
use crate::services::hosts::catalog::Site;
use crate::services::{Principal, Shop};

/// A request to the API, after negotiation and authentication.
pub struct RequestContext {
    /// Everything that requests share.
    pub app: Arc<App>,
    /// Who sends it, and the URL of the shop as they see it.
    pub origin: Origin,
    /// The language of messages.
    pub language: Language,
    /// The caller; `None` is anonymous.
    pub caller: Option<Principal>,
    /// The id in the path.
    pub id: Option<String>,
    /// The query, in its order.
    pub query: Vec<(String, String)>,
}

impl RequestContext {
    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.app.shop
    }

    /// An absolute URL of the API; `path` starts after `/api/v1/`.
    pub fn url(&self, path: std::fmt::Arguments<'_>) -> String {
        format!("{}/api/v1/{path}", self.origin.base)
    }

    /// The shop as a web site. Read each time: the catalog would be read whole after every change.
    pub fn site(&self) -> Result<Site, Problem> {
        Ok(self.shop().db.read(hosts::catalog::site)?)
    }

    /// A query parameter; repeated, the last wins.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The caller of a private operation.
    pub fn caller(&self) -> Result<&Principal, Problem> {
        self.caller.as_ref().ok_or_else(|| Problem::unauthorized(Message::NotAuthenticated))
    }

    /// The id in the path, in any form that names a UUID; anything else is not found.
    pub fn id<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.id.as_deref().and_then(parse).ok_or_else(Problem::not_found)
    }
}

impl<'a> FromRequest<'a> for &'a RequestContext {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let call = request.extensions().get::<Arc<RequestContext>>();
        Ok(call.map(Arc::as_ref).ok_or_else(|| Problem::internal("an operation ran outside of the frame"))?)
    }
}
