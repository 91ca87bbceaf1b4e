//! The frame around the operations of the API. It does for all of them, in the contract's order:
//! find the resource, negotiate the form, authenticate, authorise, check the method, answer OPTIONS,
//! run the operation, and put the headers on whatever comes out.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use poem::endpoint::BoxEndpoint;
use poem::{Body, Endpoint, Request, Response};
use poem_openapi::OpenApi;

use super::auth::authenticate;
use super::call::RequestContext;
use super::negotiate::{Form, negotiate};
use super::options;
use super::paths::{Found, find};
use super::resources::{Access, RESOURCES, Resource};
use crate::domain::texts::{Language, Message};
use crate::http::middleware::same_site;
use crate::http::problem::Problem;
use crate::http::response::json_response;
use crate::http::server::client::Origin;
use crate::http::{App, pages};
use crate::services::{Principal, authz};

/// Methods in the order in which `Allow` names them.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// A resource with its operations.
struct Served {
    resource: &'static Resource,
    operations: Vec<(Method, BoxEndpoint<'static>)>,
    allow: HeaderValue,
}

/// The API under `/api/v1`.
pub struct ContractDispatcher {
    app: Arc<App>,
    served: Vec<Served>,
}

impl ContractDispatcher {
    /// The frame around these operations.
    pub fn new(app: Arc<App>, operations: impl OpenApi) -> Self {
        let mut routes = HashMap::new();
        operations.add_routes(&mut routes);
        let mut served = Vec::with_capacity(RESOURCES.len());
        for resource in &RESOURCES {
            let route = format!("/api/v1{}", resource.path.replace(":id", ":param0"));
            let mut by_method = routes.remove(&route).unwrap_or_default();
            let operations: Vec<_> =
                METHODS.into_iter().filter_map(|method| Some((method.clone(), by_method.remove(&method)?))).collect();
            served.push(Served { resource, allow: allow(&operations), operations });
        }
        debug_assert!(routes.is_empty(), "operations without a resource: {:?}", routes.keys());
        Self { app, served }
    }

    async fn serve(&self, served: &Served, id: Option<String>, format: Option<&str>, request: Request) -> Response {
        let header = |name: &header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let language = Language::accepted(header(&header::ACCEPT_LANGUAGE));
        let is_head = request.method() == Method::HEAD;
        let outcome = self.answer(served, id, format, language, request).await;
        let mut response = outcome.unwrap_or_else(|problem| problem.answer(language));
        if is_head {
            response = without_body(response).await;
        }
        add_headers(&mut response, &served.allow);
        response
    }

    async fn answer(
        &self,
        served: &Served,
        id: Option<String>,
        format: Option<&str>,
        language: Language,
        mut request: Request,
    ) -> Result<Response, Problem> {
        let query = request.uri().query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let named = query.iter().rev().find(|(name, value)| name == "format" && !value.is_empty());
        let format = format.or(named.map(|(_, value)| value.as_str()));
        let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
        match negotiate(served.resource.renders, format, accept) {
            Form::Usual => {}
            // A browser's form that is posted must be answered, not sent away.
            Form::Docs if !is_read(request.method()) => {}
            Form::Docs => return Ok(pages::to_docs()),
            Form::Unknown => return Err(Problem::not_found()),
            Form::NotAcceptable => return Err(Problem::detail(StatusCode::NOT_ACCEPTABLE, Message::NotAcceptable)),
        }
        let origin = Origin::of(&request, &*self.app.is_trusted_proxy);
        same_site::check(request.method(), served.resource.is_change, request.headers(), &origin)?;
        let caller = authenticate(&self.app.auth, request.headers(), &origin).await?;
        authorise(served.resource.access, caller.as_ref())?;
        let is_head = request.method() == Method::HEAD;
        if is_head {
            request.set_method(Method::GET);
        }
        let operation = served.operations.iter().find(|(method, _)| method == request.method());
        let is_options = request.method() == Method::OPTIONS;
        if operation.is_none() && !is_options {
            let method = if is_head { "HEAD" } else { request.method().as_str() };
            return Err(Problem::method_not_allowed(method));
        }
        let call = Arc::new(RequestContext { app: Arc::clone(&self.app), origin, language, caller, id, query });
        let Some((_, operation)) = operation else {
            return Ok(json_response(StatusCode::OK, &options::of(served.resource, &call)));
        };
        request.extensions_mut().insert(call);
        operation.call(request).await.or_else(problem_of)
    }
}

fn allow(operations: &[(Method, BoxEndpoint<'static>)]) -> HeaderValue {
    let mut names: Vec<&str> = operations.iter().map(|(method, _)| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn authorise(access: Access, caller: Option<&Principal>) -> Result<(), Problem> {
    match (access, caller) {
        (Access::Anybody, _) | (Access::Known, Some(_)) => Ok(()),
        (Access::Staff, Some(who)) if authz::is_staff(who) => Ok(()),
        (Access::Staff, Some(_)) => Err(Problem::detail(StatusCode::FORBIDDEN, Message::Forbidden)),
        (Access::Known | Access::Staff, None) => Err(Problem::unauthorized(Message::NotAuthenticated)),
    }
}

/// Operations fail with problems of ours; anything else would be a defect.
fn problem_of(error: poem::Error) -> Result<Response, Problem> {
    Err(error.downcast::<Problem>().unwrap_or_else(|error| Problem::internal(&error.to_string())))
}

/// The answer to HEAD: the headers of the answer to GET.
async fn without_body(mut response: Response) -> Response {
    let length = response.take_body().into_bytes().await.map_or(0, |body| body.len());
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response.set_body(Body::empty());
    response
}

fn add_headers(response: &mut Response, allow: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, allow.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language, Cookie"));
    // What says nothing of its language has only texts that are not ours.
    let english = HeaderValue::from_static(Language::English.tag());
    headers.entry(header::CONTENT_LANGUAGE).or_insert(english);
}

impl Endpoint for ContractDispatcher {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let uri = request.uri().clone();
        let paths = self.served.iter().map(|served| served.resource.path);
        Ok(match find(uri.path(), paths) {
            Found::Nothing => pages::not_found(),
            Found::NeedsSlash => pages::add_slash(&uri),
            Found::Resource { index, id, format } => {
                self.serve(&self.served[index], id.map(str::to_owned), format, request).await
            }
        })
    }
}
