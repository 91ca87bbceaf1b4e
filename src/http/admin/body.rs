//! Bodies of requests: JSON that fits its type, or an answer that says what does not.

use http::StatusCode;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use super::context::Context;
use crate::domain::texts::Message;
use crate::http::contract::body;
use crate::http::problem::Problem;
use crate::http::server::body_wait::BodyWait;

/// A body. Read before the operation runs, and after it is known who asks, if it stands behind
/// [`Signed`](super::signed::Signed) among the arguments.
pub struct Body<T>(pub T);

impl<'a, T: Type + ParseFromJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: body::JSON, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let context = <&Context as FromRequest>::from_request(request, body).await?;
        let reading = body::read(request.headers(), body.take()?, &context.app.bodies);
        let input = BodyWait::on(request, reading).await?;
        if input.is_form && !input.fields.is_empty() {
            let name = "a form".to_owned();
            return Err(
                Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, Message::UnsupportedMediaType { name }).into()
            );
        }
        let value = T::parse_from_json(Some(Value::Object(input.fields)));
        Ok(Self(value.map_err(|error| Problem::detail(StatusCode::BAD_REQUEST, Message::from(error.into_message())))?))
    }
}
