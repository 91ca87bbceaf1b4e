//! The first administrator, made in a browser behind the link that `serve` prints.

use http::StatusCode;
use poem::Request;
use poem_openapi::param::Header;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::body::Body;
use super::context::Context;
use super::login::{LoginView, WithCookie, place};
use super::tag::Tag;
use crate::domain::texts::Message;
use crate::http::middleware::same_site;
use crate::http::problem::Problem;
use crate::services::Principal;
use crate::services::operators::{first_run, passwords};

/// The first run.
pub struct Setup;

/// Whether the first administrator is still to be made.
#[derive(Debug, Serialize, Object)]
pub struct SetupView {
    /// Whether there is no administrator who may sign in.
    pub is_needed: bool,
    /// Whether the link can be used, from this address.
    pub is_link_good: bool,
}

/// The first administrator.
#[derive(Object)]
pub struct SetupBody {
    /// The key at the end of the link.
    token: String,
    /// The name to sign in with.
    name: String,
    /// The password.
    password: String,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Setup {
    /// Whether the first administrator is to be made
    ///
    /// Anybody who reaches this face may ask.
    #[oai(path = "/setup/", method = "get", operation_id = "admin_setup_read")]
    async fn read(
        &self,
        context: &Context,
        /// The key at the end of the link.
        #[oai(name = "X-Setup-Token")]
        token: Header<Option<String>>,
    ) -> Answer<Reply<SetupView>> {
        let key = token.0.unwrap_or_default();
        let is_nearby = context.origin.client.is_nearby();
        let view = context.shop().read(&Principal::Shop, |tx| {
            let is_link_good = is_nearby && first_run::check(tx, &key).is_ok();
            Ok(SetupView { is_needed: first_run::is_needed(tx)?, is_link_good })
        })?;
        Ok(Reply(view))
    }

    /// Make the first administrator
    ///
    /// Works once, with the key of the link, from this machine or its local network, while there is no administrator.
    /// A session begins.
    #[oai(path = "/setup/", method = "post", operation_id = "admin_setup_create")]
    async fn create(
        &self,
        request: &Request,
        context: &Context,
        body: Body<SetupBody>,
    ) -> Answer<WithCookie<LoginView>> {
        same_site::check_form(request.headers(), &context.origin)?;
        if !context.origin.client.is_nearby() {
            return Err(Problem::detail(StatusCode::FORBIDDEN, Message::NotFromAfar).into());
        }
        let SetupBody { token, name, password } = body.0;
        let shop = context.shop();
        // Hashing is work that only somebody with the link may ask for.
        shop.read(&Principal::Shop, |tx| first_run::check(tx, &token))?;
        let hash = passwords::hash_aside(name.clone(), password, shop).await?;
        let (place, random) = (place(request, &context.origin), shop.random.clone());
        let made = shop.tx(&Principal::Shop, move |tx| {
            first_run::make_administrator(tx, &*random, &token, (&name, &hash), &place)
        });
        let (_, session) = made.await?;
        Ok(WithCookie::begun(&session, &context.origin))
    }
}
