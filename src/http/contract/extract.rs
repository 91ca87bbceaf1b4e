//! The arguments of operations: they document themselves in the OpenAPI document and take their
//! values from the [`RequestContext`] that the frame has prepared, so that no error text but ours is seen.

use std::marker::PhantomData;

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{
    MetaMediaType, MetaParamIn, MetaRequest, MetaSchema, MetaSchemaRef, MetaSecurityScheme, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::body;
use super::body::Input;
use super::call::RequestContext;
use crate::http::problem::Problem;
use crate::http::server::body_wait::BodyWait;
use crate::services::Principal;

/// The id in the path. Read it with [`RequestContext::id`].
pub struct Id;

impl<'a> ApiExtractor<'a> for Id {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "uuid"))))
    }

    async fn from_request(_: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<String>) -> poem::Result<Self> {
        Ok(Self)
    }
}

/// An optional query parameter.
pub struct Query(pub Option<String>);

impl<'a> ApiExtractor<'a> for Query {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(String::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let call = <&RequestContext as FromRequest>::from_request(request, body).await?;
        Ok(Self(call.query(options.name).map(str::to_owned)))
    }
}

/// The caller of a private operation.
pub struct Caller(pub Principal);

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

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
        let token = "A host's token: `Authorization: Token <40 hexadecimal digits>`.";
        let token = scheme("apiKey", token, Some("Authorization"), Some("header"), None);
        let basic = scheme("http", "Name and password of an operator.", None, None, Some("basic"));
        registry.create_security_scheme("token", token);
        registry.create_security_scheme("basic", basic);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["token", "basic"]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let call = <&RequestContext as FromRequest>::from_request(request, body).await?;
        Ok(Self(call.caller()?.clone()))
    }
}

/// A body: JSON, form or multipart. `T` documents its fields. An operation reads it when it is its
/// turn, since some look for the object first.
pub struct Body<T> {
    input: Result<Input, Problem>,
    documents: PhantomData<fn() -> T>,
}

impl<T> Body<T> {
    /// The fields, or what is wrong with the body as a whole.
    pub fn read(self) -> Result<Input, Problem> {
        self.input
    }
}

impl<'a, T: Type> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = |content_type| MetaMediaType { content_type, schema: T::schema_ref() };
        Some(MetaRequest {
            description: None,
            content: vec![content(body::JSON), content(body::FORM), content(body::MULTIPART)],
            required: false,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let call = <&RequestContext as FromRequest>::from_request(request, body).await?;
        let reading = body::read(request.headers(), body.take()?, &call.app.bodies);
        let input = BodyWait::on(request, reading).await;
        Ok(Self { input, documents: PhantomData })
    }
}
