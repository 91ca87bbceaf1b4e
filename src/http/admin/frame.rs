//! The frame around the operations: where they are, what every request has to show before anybody looks at it, and how
//! whatever goes wrong is answered.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::{Endpoint, Request, Response, Route, RouteMethod};
use poem_openapi::__private::UrlQuery;
use poem_openapi::OpenApi;
use poem_openapi::error::{ParseParamError, ParsePathError};

use super::context::Context;
use crate::domain::texts::{Language, Message};
use crate::http::middleware::same_site;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;
use crate::http::server::surface::Surface;
use crate::http::{App, pages, url_encoded};

/// The most parameters in a query.
const MOST_PARAMETERS: usize = 50;

/// The admin API.
pub struct Frame {
    app: Arc<App>,
    routes: Route,
}

impl Frame {
    /// The frame around these operations.
    pub fn new(app: Arc<App>, operations: impl OpenApi) -> Self {
        let mut all: HashMap<String, HashMap<Method, BoxEndpoint<'static>>> = HashMap::new();
        operations.add_routes(&mut all);
        let mut routes = Route::new();
        for (path, methods) in all {
            routes = routes.at(format!("{path}/"), Resource::new(methods));
            routes = routes.at(path, make_sync(|request: Request| pages::add_slash(request.uri())));
        }
        Self { app, routes }
    }

    async fn answer(&self, mut request: Request, language: Language) -> Result<Response, Problem> {
        let origin = Origin::of(&request, &*self.app.is_trusted_proxy);
        same_site::check(request.method(), false, request.headers(), &origin)?;
        // Its parameters are looked for there; its service, which would put them there, knows no slash at the end.
        let query = url_encoded::fields(request.uri().query().unwrap_or_default().as_bytes(), MOST_PARAMETERS);
        let query = query.ok_or_else(|| Problem::detail(StatusCode::BAD_REQUEST, Message::FormUnreadable))?;
        request.extensions_mut().insert(UrlQuery(query));
        request.extensions_mut().insert(Arc::new(Context { app: Arc::clone(&self.app), origin, language }));
        self.routes.call(request).await.map_err(problem_of)
    }
}

/// The operations of one path.
struct Resource {
    methods: RouteMethod,
    allow: HeaderValue,
}

impl Resource {
    fn new(methods: HashMap<Method, BoxEndpoint<'static>>) -> Self {
        let mut names: Vec<&str> = methods.keys().map(Method::as_str).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.sort_unstable();
        let allow = HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
        let methods = methods.into_iter().fold(RouteMethod::new(), |all, (method, run)| all.method(method, run));
        Self { methods, allow }
    }
}

impl Endpoint for Resource {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let language = request.extensions().get::<Arc<Context>>().map(|context| context.language);
        let refused = Problem::method_not_allowed(request.method().as_str());
        match self.methods.call(request).await {
            Err(error) if error.status() == StatusCode::METHOD_NOT_ALLOWED => {
                let mut response = refused.answer(language.unwrap_or_default());
                response.headers_mut().insert(header::ALLOW, self.allow.clone());
                Ok(response)
            }
            outcome => outcome,
        }
    }
}

/// What an operation or the router says: problems of ours, and parameters that can't be read.
fn problem_of(error: poem::Error) -> Problem {
    if let Some(wrong) = error.downcast_ref::<ParseParamError>() {
        return Problem::fields(crate::http::problem::Fields::one(wrong.name, Message::from(wrong.reason.clone())));
    }
    if error.is::<ParsePathError>() {
        return Problem::not_found();
    }
    let status = error.status();
    match error.downcast::<Problem>() {
        Ok(problem) => problem,
        Err(_) if status == StatusCode::NOT_FOUND => Problem::not_found(),
        Err(error) => Problem::internal(&error.to_string()),
    }
}

/// Whoever has failed too often is told that it is them; the API of the predecessor calls it its own trouble.
fn of_guessing(problem: Problem) -> Problem {
    let is_theirs = problem.is(&Message::TooManyPasswords);
    Problem { status: if is_theirs { StatusCode::TOO_MANY_REQUESTS } else { problem.status }, ..problem }
}

impl Endpoint for Frame {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if !Surface::of(&request).has_admin() {
            return Ok(pages::not_found());
        }
        let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = Language::accepted(accepted);
        let outcome = self.answer(request, language).await;
        let mut response = outcome.unwrap_or_else(|problem| of_guessing(problem).answer(language));
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
        headers.entry(header::CONTENT_LANGUAGE).or_insert(HeaderValue::from_static(Language::English.tag()));
        // A browser would ask for name and password in a window of its own; whoever signs in has a page for it.
        headers.remove(header::WWW_AUTHENTICATE);
        Ok(response)
    }
}
