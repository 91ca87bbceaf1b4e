//! Where each page is, and how it is asked for.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use poem::endpoint::make_sync;
use poem::{Endpoint, IntoResponse, Request, Response, Route, get};

use super::answer::add_slash;
use super::form::Form;
use super::hosts::ListKind;
use super::visit::Visit;
use super::{
    assets, buy, calendar, claim, directory, find, hosts, lnurl, order, order_events, problems, product, receipt,
    renew, status,
};
use crate::domain::product::ProductKind;
use crate::http::App;
use crate::http::middleware::get_only::GetOnly;
use crate::http::middleware::same_site;
use crate::http::problem::Problem;
use crate::http::server::body_wait::BodyWait;

/// What search engines are asked to leave alone: addresses that are secrets.
const ROBOTS: &str = "User-agent: *\nDisallow: /charged/\nDisallow: /bridge/\nDisallow: /alias/\nDisallow: /invoice/\nDisallow: /find/\n\
                      Disallow: /lnurl/\nDisallow: /api/\n";

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Front,
    Hosts,
    Host,
    Order,
    /// Tells the script of its page what becomes of an order.
    OrderEvents,
    /// Takes a payment request over what an order owes.
    Claim,
    /// Tells a wallet what an order owes.
    Withdraw,
    /// Takes a wallet's payment request over it.
    WithdrawPay,
    /// Tells a wallet what one more period costs.
    Renew(ProductKind),
    /// Gives a wallet the invoice of one more period.
    RenewInvoice(ProductKind),
    #[cfg(feature = "demo")]
    DemoPay,
    Product(ProductKind),
    Extend(ProductKind),
    Calendar(ProductKind),
    Receipt,
    Find,
    Status,
    Demo,
    Directory,
}

/// Adds the pages to the paths of the shop.
pub fn routes(app: &Arc<App>, mut routes: Route) -> Route {
    for (path, place) in [
        ("/", Place::Front),
        ("/shop/hosts/", Place::Hosts),
        ("/shop/hosts/:id/", Place::Host),
        ("/charged/lnpurchase/po/:id/", Place::Order),
        ("/charged/lnpurchase/po/:id/events/", Place::OrderEvents),
        ("/charged/lnpurchase/po/:id/claim/", Place::Claim),
        ("/lnurl/withdraw/:id/", Place::Withdraw),
        ("/lnurl/withdraw/:id/pay/", Place::WithdrawPay),
        ("/lnurl/renew/bridge/:id/", Place::Renew(ProductKind::TorBridge)),
        ("/lnurl/renew/bridge/:id/invoice/", Place::RenewInvoice(ProductKind::TorBridge)),
        ("/lnurl/renew/alias/:id/", Place::Renew(ProductKind::NostrAlias)),
        ("/lnurl/renew/alias/:id/invoice/", Place::RenewInvoice(ProductKind::NostrAlias)),
        ("/bridge/:id/", Place::Product(ProductKind::TorBridge)),
        ("/bridge/:id/extend/", Place::Extend(ProductKind::TorBridge)),
        ("/bridge/:id/calendar.ics", Place::Calendar(ProductKind::TorBridge)),
        ("/alias/:id/", Place::Product(ProductKind::NostrAlias)),
        ("/alias/:id/extend/", Place::Extend(ProductKind::NostrAlias)),
        ("/alias/:id/calendar.ics", Place::Calendar(ProductKind::NostrAlias)),
        ("/find/", Place::Find),
        ("/status/", Place::Status),
        ("/invoice/:id/", Place::Receipt),
        ("/shop/demo/", Place::Demo),
        ("/.well-known/ip2tor.json", Place::Directory),
    ] {
        routes = routes.at(path, Page { app: Arc::clone(app), place });
        if let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty()) {
            routes = routes.at(bare, GetOnly(get(make_sync(|request: Request| add_slash(request.uri())))));
        }
    }
    #[cfg(feature = "demo")]
    if app.wallet.is_some() {
        let pay = Page { app: Arc::clone(app), place: Place::DemoPay };
        routes = routes.at("/charged/lnpurchase/po/:id/pay/", pay);
    }
    let branded = Arc::clone(app);
    let found = |answer: Option<Response>| answer.unwrap_or_else(problems::not_found);
    routes
        .at(
            "/assets/*",
            GetOnly(get(make_sync(move |request: Request| {
                found(assets::serve(request.uri().path(), request.headers()))
            }))),
        )
        .at(
            "/branding/*",
            GetOnly(get(make_sync(move |request: Request| found(branded.branding.serve(request.uri().path()))))),
        )
        .at("/favicon.ico", GetOnly(get(make_sync(move |request: Request| found(assets::icon(request.headers()))))))
        .at(
            "/robots.txt",
            GetOnly(get(make_sync(|_| ROBOTS.with_content_type("text/plain; charset=utf-8").into_response()))),
        )
}

impl Place {
    /// The methods that it is asked for with.
    const fn allow(self) -> &'static str {
        match self {
            Self::Front | Self::Hosts | Self::Order | Self::Product(_) | Self::Calendar(_) | Self::Status => {
                "GET, HEAD, OPTIONS"
            }
            Self::Withdraw | Self::Renew(_) | Self::Receipt | Self::Demo | Self::Directory => "GET, HEAD, OPTIONS",
            // Changes something, and wallets know no other way.
            Self::WithdrawPay | Self::RenewInvoice(_) => "GET, OPTIONS",
            Self::OrderEvents => "GET, OPTIONS",
            Self::Host | Self::Find => "GET, HEAD, POST, OPTIONS",
            Self::Extend(_) | Self::Claim => "POST, OPTIONS",
            #[cfg(feature = "demo")]
            Self::DemoPay => "POST, OPTIONS",
        }
    }

    /// Whether wallets ask here by themselves.
    const fn is_for_wallets(self) -> bool {
        matches!(self, Self::Withdraw | Self::WithdrawPay | Self::Renew(_) | Self::RenewInvoice(_))
    }

    fn takes(self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }

    async fn show(self, visit: &Visit) -> Result<Response, Problem> {
        match self {
            Self::Front => hosts::show(visit, ListKind::Front),
            Self::Hosts => hosts::show(visit, ListKind::Alone),
            Self::Host => buy::show(visit),
            Self::Order => order::show(visit),
            Self::OrderEvents => order_events::listen(visit),
            Self::Product(kind) => product::show(visit, kind, None).await,
            Self::Calendar(kind) => calendar::show(visit, kind),
            Self::Find => find::show(visit),
            Self::Status => status::show(visit),
            Self::Receipt => receipt::show(visit),
            Self::Demo => hosts::show(visit, ListKind::Demo),
            Self::Directory => directory::show(visit),
            Self::Withdraw => claim::offer(visit),
            Self::WithdrawPay => claim::withdraw(visit).await,
            Self::Renew(kind) => renew::offer(visit, kind),
            Self::RenewInvoice(kind) => renew::invoice(visit, kind).await,
            // Not asked for in this way.
            Self::Extend(_) | Self::Claim => Err(Problem::not_found()),
            #[cfg(feature = "demo")]
            Self::DemoPay => Err(Problem::not_found()),
        }
    }

    async fn take(self, visit: &Visit, form: &Form) -> Result<Response, Problem> {
        match self {
            Self::Host => buy::take(visit, form).await,
            Self::Extend(kind) => product::extend(visit, kind, form).await,
            Self::Find => find::take(visit, form).await,
            Self::Claim => order::claim(visit, form).await,
            #[cfg(feature = "demo")]
            Self::DemoPay => order::pay_in_demo(visit),
            _ => Err(Problem::not_found()),
        }
    }
}

/// A place as an endpoint.
struct Page {
    app: Arc<App>,
    place: Place,
}

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let visit = Visit::of(&self.app, &request);
        let mut response = match self.answer(&visit, request).await {
            Ok(response) => response,
            Err(problem) if self.place.is_for_wallets() && problem.status != StatusCode::METHOD_NOT_ALLOWED => {
                lnurl::refusal(&visit, &problem)
            }
            Err(problem) => problems::answer(&visit, &problem),
        };
        if matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NO_CONTENT) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(self.place.allow()));
        }
        Ok(response)
    }
}

impl Page {
    async fn answer(&self, visit: &Visit, mut request: Request) -> Result<Response, Problem> {
        let method = request.method().clone();
        if method == Method::OPTIONS {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        if !self.place.takes(&method) {
            return Err(Problem::method_not_allowed(method.as_str()));
        }
        if method != Method::POST {
            return self.place.show(visit).await;
        }
        same_site::check_form(request.headers(), &visit.origin)?;
        let body = request.take_body();
        let bytes = BodyWait::on(&request, self.app.bodies.read(request.headers(), body)).await?;
        self.place.take(visit, &Form::parse(&bytes)?).await
    }
}
