//! Who asks: those who run the shop, and nobody else. They show a session (a cookie), an API token or, as programs do, a
//! name and a password. What an operation asks for says what it may be done with.

use http::{HeaderMap, Method, header};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use subtle::ConstantTimeEq;

use super::context::Context;
use super::cookie;
use crate::domain::account::{LoginFault, Scope};
use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::http::contract::auth;
use crate::http::problem::Problem;
use crate::services::Principal;
use crate::services::operators::{api_tokens, authenticate, login, sessions};

/// The header that a page shows with each change; its value is in the answer to `me`.
const CSRF_HEADER: &str = "x-csrf-token";

/// What somebody has shown.
pub enum Via {
    /// A session of a browser.
    Session {
        /// Its number.
        id: i64,
        /// The key in the cookie.
        key: String,
    },
    /// An API token.
    Token(Scope),
    /// A name and a password.
    Password,
}

/// Who has signed in: for what looks, and for changes that an API token makes only with the scope `admin`.
pub struct Signed {
    /// Who acts: hand it to the service, which decides what they may see and change.
    pub by: Principal,
    /// The same with number and role.
    pub operator: Operator,
    /// What they have shown.
    pub via: Via,
}

/// The same for changes of what is sold (hosts, products, orders, the deny list), which an API token makes with the
/// scope `sell` as well.
pub struct SignedToSell(pub Signed);

/// The same for changes of accounts, which no API token makes.
pub struct SignedInPerson(pub Signed);

impl Signed {
    /// The number of the session, when it is one.
    pub const fn session(&self) -> Option<i64> {
        match &self.via {
            Via::Session { id, .. } => Some(*id),
            Via::Token(_) | Via::Password => None,
        }
    }

    async fn of(request: &Request, body: &mut RequestBody, tokens: Tokens) -> poem::Result<Self> {
        let context = <&Context as FromRequest>::from_request(request, body).await?;
        let (operator, via) = identify(context, request.headers()).await?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            may_change(&via, tokens, request.headers())?;
        }
        Ok(Self { by: authenticate::principal(&operator), operator, via })
    }
}

/// Which API tokens a change takes.
type Tokens = &'static [Scope];

/// Whether somebody who has shown this may change something.
fn may_change(via: &Via, tokens: Tokens, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |message| Err(Problem::detail(http::StatusCode::FORBIDDEN, message));
    match via {
        Via::Session { key, .. } => {
            let shown = headers.get(CSRF_HEADER).map_or(&b""[..], |value| value.as_bytes());
            let is_right = bool::from(shown.ct_eq(sessions::csrf_token(key).as_bytes()));
            if is_right { Ok(()) } else { refused(Message::CsrfTokenMissing) }
        }
        Via::Token(scope) if tokens.contains(scope) => Ok(()),
        Via::Token(_) => refused(if tokens.is_empty() { Message::NotWithToken } else { Message::TokenMayNot }),
        Via::Password => Ok(()),
    }
}

async fn identify(context: &Context, headers: &HeaderMap) -> Result<(Operator, Via), Problem> {
    let missing = || Problem::unauthorized(Message::NotAuthenticated);
    let shop = context.shop();
    let line = headers.get(header::AUTHORIZATION).map(|line| line.to_str().map_err(|_| missing())).transpose()?;
    match line.and_then(|line| line.split_once(' ')) {
        Some((scheme, word)) if scheme.eq_ignore_ascii_case("bearer") => {
            let found = api_tokens::find(shop, word.trim()).await?;
            let (token, operator) = found.ok_or_else(|| Problem::unauthorized(Message::InvalidToken))?;
            Ok((operator, Via::Token(token.scope)))
        }
        Some((scheme, word)) if scheme.eq_ignore_ascii_case("basic") => {
            Ok((by_password(context, word.trim()).await?, Via::Password))
        }
        Some(_) => Err(missing()),
        None => {
            let key = cookie::key(headers, &context.origin).ok_or_else(missing)?;
            let (session, operator) = sessions::find(shop, &key).await?.ok_or_else(missing)?;
            Ok((operator, Via::Session { id: session.id, key }))
        }
    }
}

async fn by_password(context: &Context, encoded: &str) -> Result<Operator, Problem> {
    let outcome = auth::basic(&context.app.auth, encoded, &context.origin).await;
    if outcome.as_ref().is_err_and(|problem| problem.is(&Message::WrongPassword)) {
        let name = auth::name_in(encoded).unwrap_or_default();
        login::note(context.shop(), &name, &context.origin.client.label(), LoginFault::Password).await?;
    }
    outcome
}

fn register(registry: &mut Registry) {
    let scheme = |ty, description, name, key_in, scheme| MetaSecurityScheme {
        ty,
        description: Some(description),
        name,
        key_in,
        scheme,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    let session = "A session, begun with `admin_login_create`. Its cookie has another name on https and on the onion \
                   service. Changes need the header `X-CSRF-Token` besides.";
    registry.create_security_scheme("session", scheme("apiKey", session, Some("ip2tor-admin"), Some("cookie"), None));
    let token = "An API token of an operator.";
    registry.create_security_scheme("bearer", scheme("http", token, None, None, Some("bearer")));
    let basic = "Name and password of an operator.";
    registry.create_security_scheme("basic", scheme("http", basic, None, None, Some("basic")));
}

/// An extractor that is [`Signed`] in some way, and how the document says it.
macro_rules! signed {
    ($name:ty, $schemes:expr, $tokens:expr, $wrap:expr) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                register(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                $schemes.to_vec()
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Signed::of(request, body, $tokens).await.map($wrap)
            }
        }
    };
}

signed!(Signed, ["session", "bearer", "basic"], &[Scope::Admin], std::convert::identity);
signed!(SignedToSell, ["session", "bearer", "basic"], &[Scope::Sell, Scope::Admin], SignedToSell);
signed!(SignedInPerson, ["session", "basic"], &[], SignedInPerson);
