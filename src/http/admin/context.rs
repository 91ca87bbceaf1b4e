//! One request as operations see it: the shop, from where it comes, and in which language it is answered.

use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody};

use crate::domain::texts::Language;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;
use crate::services::Shop;
use crate::services::backstage::Backstage;

/// A request to the admin API.
pub struct Context {
    /// Everything that requests share.
    pub app: Arc<App>,
    /// Who sends it, and the URL of the shop as they see it.
    pub origin: Origin,
    /// The language of messages.
    pub language: Language,
}

impl Context {
    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.app.shop
    }

    /// What runs beside the answers.
    ///
    /// # Errors
    /// 503 where nothing does: an interface without a running shop behind it.
    pub fn backstage(&self) -> Result<Arc<dyn Backstage>, Problem> {
        let nothing =
            || Problem::detail(http::StatusCode::SERVICE_UNAVAILABLE, "Nothing runs beside this interface.".into());
        self.app.backstage.clone().ok_or_else(nothing)
    }

    /// An absolute URL of the admin API; `path` starts after `/api/v1/admin/`.
    pub fn url(&self, path: std::fmt::Arguments<'_>) -> String {
        format!("{}/api/v1/admin/{path}", self.origin.base)
    }
}

/// The id in a path (`Path<String>`), in any form that names one; anything else is not found.
///
/// # Errors
/// 404 then.
pub fn id<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
    parse(text).ok_or_else(Problem::not_found)
}

impl<'a> FromRequest<'a> for &'a Context {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let context = request.extensions().get::<Arc<Context>>();
        Ok(context.map(Arc::as_ref).ok_or_else(|| Problem::internal("an admin operation ran outside of its frame"))?)
    }
}
