//! Signing in with a browser, and out again.

use http::header;
use poem::{IntoResponse, Request, Response};
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::body::Body;
use super::context::Context;
use super::cookie;
use super::signed::{Signed, Via};
use super::tag::Tag;
use crate::domain::account::LoginFault;
use crate::domain::texts::Message;
use crate::http::contract::dto::Nullable;
use crate::http::middleware::same_site;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;
use crate::services::operators::login::{Attempt, Outcome};
use crate::services::operators::sessions::{self, NewSession, Place};

/// Sessions as they begin and end.
pub struct Login;

/// Who wants to sign in.
#[derive(Object)]
pub struct LoginBody {
    /// The name.
    name: String,
    /// The password.
    password: String,
    /// A code of the authenticator app, or a recovery code, where `code_needed` was answered.
    code: Option<String>,
}

/// Whether somebody has signed in.
#[derive(Serialize, Object)]
pub struct LoginView {
    /// Whether a session has begun; its cookie comes with the answer.
    pub signed_in: bool,
    /// Whether the same is to be sent again with a code.
    pub code_needed: bool,
    /// False while the shop's clock is wrong: then only recovery codes are taken.
    pub takes_app_codes: bool,
    /// What changes have to show in the header `X-CSRF-Token`.
    pub csrf_token: Nullable<String>,
}

/// An answer with the cookie of a session.
pub struct WithCookie<T> {
    body: T,
    cookie: Option<header::HeaderValue>,
}

impl WithCookie<LoginView> {
    /// A session has begun.
    pub fn begun(session: &NewSession, origin: &Origin) -> Self {
        let body = LoginView {
            signed_in: true,
            code_needed: false,
            takes_app_codes: true,
            csrf_token: Nullable(Some(sessions::csrf_token(&session.key))),
        };
        Self { body, cookie: cookie::kept(&session.key, origin) }
    }
}

impl<T: IntoResponse> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl IntoResponse for LoginView {
    fn into_response(self) -> Response {
        Reply(self).into_response()
    }
}

impl ApiResponse for LoginView {
    fn meta() -> MetaResponses {
        Reply::<Self>::meta()
    }

    fn register(registry: &mut Registry) {
        Reply::<Self>::register(registry);
    }
}

impl<T: ApiResponse> ApiResponse for WithCookie<T> {
    fn meta() -> MetaResponses {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// From where a request comes, for the list of sessions.
pub fn place(request: &Request, origin: &Origin) -> Place {
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()).unwrap_or_default();
    Place { client: origin.client.label(), agent }
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Login {
    /// Sign in
    ///
    /// Begins a session; one that the browser had ends. After failures the next attempts have to wait, longer each time
    /// (429 with `Retry-After`).
    #[oai(path = "/login/", method = "post", operation_id = "admin_login_create")]
    async fn login(
        &self,
        request: &Request,
        context: &Context,
        body: Body<LoginBody>,
    ) -> Answer<WithCookie<LoginView>> {
        let origin = &context.origin;
        same_site::check_form(request.headers(), origin)?;
        let LoginBody { name, password, code } = body.0;
        let attempt = Attempt {
            name: &name,
            password: &password,
            code: code.as_deref().filter(|code| !code.trim().is_empty()),
            place: place(request, origin),
            former: cookie::key(request.headers(), origin),
        };
        match context.app.logins.sign_in(context.shop(), &context.app.auth, attempt).await? {
            Outcome::SignedIn(_, session) => Ok(WithCookie::begun(&session, origin)),
            Outcome::CodeNeeded { takes_app_codes } => {
                let body =
                    LoginView { signed_in: false, code_needed: true, takes_app_codes, csrf_token: Nullable(None) };
                Ok(WithCookie { body, cookie: None })
            }
            Outcome::Refused(LoginFault::Password) => Err(Problem::unauthorized(Message::WrongPassword).into()),
            Outcome::Refused(LoginFault::Code) => Err(Problem::unauthorized(Message::WrongCode).into()),
        }
    }

    /// Sign out
    ///
    /// Ends this session.
    #[oai(path = "/logout/", method = "post", operation_id = "admin_logout_create")]
    async fn logout(&self, context: &Context, signed: Signed) -> Answer<WithCookie<Deleted>> {
        if let Via::Session { id, .. } = signed.via {
            context.shop().tx(&signed.by, move |tx| sessions::end(tx, id)).await?;
        }
        Ok(WithCookie { body: Deleted, cookie: cookie::forgotten(&context.origin) })
    }
}
