//! Who asks: those who run the shop, and nobody else.

use http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::context::Context;
use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::http::contract::auth;
use crate::http::problem::Problem;
use crate::services::Principal;
use crate::services::operators::authenticate;

/// Who has signed in, for operations that look, and for those that change what API tokens with the scope `admin`, a
/// session or a name with a password may change. Changes that tokens for selling may make as well take [`SignedToSell`].
pub struct Signed {
    /// Who acts: hand it to the service, which decides what they may see and change.
    pub by: Principal,
    /// The same with number and role.
    pub operator: Operator,
}

impl Signed {
    async fn of(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let context = <&Context as FromRequest>::from_request(request, body).await?;
        let operator = operator_of(context, request.headers()).await?;
        Ok(Self { by: authenticate::principal(&operator), operator })
    }
}

/// The same for changes of what is sold: hosts, products, orders, the deny list.
pub struct SignedToSell(pub Signed);

async fn operator_of(context: &Context, headers: &HeaderMap) -> Result<Operator, Problem> {
    let missing = || Problem::unauthorized(Message::NotAuthenticated);
    let line = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let line = line.to_str().map_err(|_| missing())?;
    match line.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
            auth::basic(&context.app.auth, rest.trim(), &context.origin).await
        }
        _ => Err(missing()),
    }
}

fn register(registry: &mut Registry) {
    let basic = MetaSecurityScheme {
        ty: "http",
        description: Some("Name and password of an operator."),
        name: None,
        key_in: None,
        scheme: Some("basic"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme("basic", basic);
}

impl<'a> ApiExtractor<'a> for Signed {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["basic"]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Self::of(request, body).await
    }
}

impl<'a> ApiExtractor<'a> for SignedToSell {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        Signed::security_schemes()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(Signed::of(request, body).await?))
    }
}
