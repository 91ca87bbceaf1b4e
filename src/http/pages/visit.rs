//! One request for a page: who asks, in which language, and how the page is sent.

use std::sync::Arc;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

use super::answer::html;
use super::encoding;
use super::frame::Frame;
use super::language;
use super::texts::Texts;
use crate::domain::texts::Language;
use crate::http::App;
use crate::http::kept_pages::Basis;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;
use crate::services::hosts::catalog::Site;
use crate::services::{Error, hosts};

/// A request for a page.
pub struct Visit {
    /// Everything that requests share.
    pub app: Arc<App>,
    /// Who asks, and the URL of the shop as they see it.
    pub origin: Origin,
    /// The language of the page.
    pub language: Language,
    /// Its words.
    pub t: &'static Texts,
    /// The id in it.
    pub id: Option<String>,
    /// The query, in its order.
    pub query: Vec<(String, String)>,
    takes_gzip: bool,
    is_head: bool,
    /// A choice of language that is to be kept.
    cookie: Option<HeaderValue>,
}

impl Visit {
    /// Reads what a request says of itself.
    pub fn of(app: &Arc<App>, request: &Request) -> Self {
        let origin = Origin::of(request, &*app.is_trusted_proxy);
        let query = request.uri().query().unwrap_or_default();
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let chosen = language::named(&query, "lang");
        // The part of a page is in the language of the page, and chooses none.
        let asked = chosen.or_else(|| language::named(&query, "part"));
        let language = language::of(asked, request.headers(), origin.surface);
        Self {
            cookie: chosen.and_then(|language| language::cookie(language, &origin)),
            app: Arc::clone(app),
            origin,
            language,
            t: Texts::of(language),
            id: request.raw_path_param("id").map(str::to_owned),
            query,
            takes_gzip: encoding::takes_gzip(request.headers()),
            is_head: request.method() == Method::HEAD,
        }
    }

    /// The id in the path, in any form that names a UUID; anything else is not found.
    pub fn id<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.id.as_deref().and_then(parse).ok_or_else(Problem::not_found)
    }

    /// A query parameter; repeated, the last wins.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Does what leaves something in the database, within the limits of new orders: whoever asks could otherwise make it
    /// grow as fast as they can ask.
    pub async fn limited<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Problem> {
        self.app.orders.admit(&self.origin, self.app.shop.now()).map_err(Problem::throttled)?;
        Ok(work.await.inspect_err(|_| self.app.orders.refused(&self.origin))?)
    }

    /// The QR code of a text that knows no case, as a picture within the page: no further request, and no SVG, which
    /// "Safest" does not show.
    pub fn qr(&self, text: &str) -> Option<String> {
        let png = self.app.pictures.of(text).ok()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
    }

    /// What stands around every page.
    pub fn frame(&self, title: impl Into<String>) -> Frame {
        // A page that tells of a failure is shown without the shop's name rather than not at all.
        let site = self.app.shop.db.read(hosts::catalog::site);
        let shop = site.map_or_else(|_| "IP2Tor".to_owned(), |Site { name, .. }| name);
        self.frame_of(shop, title)
    }

    /// The same for a shop whose name is known.
    pub fn frame_of(&self, shop: String, title: impl Into<String>) -> Frame {
        Frame::new(self.language, &self.query, title.into(), shop, &self.app.branding)
    }

    /// A page that anybody may see.
    pub fn page(&self, template: &impl Template) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template)
    }

    /// A page with another status.
    pub fn page_with(&self, status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
        let text = template.render().map_err(|error| Problem::internal(&error.to_string()))?;
        Ok(self.send(status, text.into_bytes()))
    }

    /// A page whose address is a secret: nobody keeps it, and no search engine names it.
    pub fn secret_page(&self, status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
        let mut response = self.page_with(status, template)?;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
        Ok(response)
    }

    /// A page that was kept, where one was made of the same; who takes no gzip gets one that is made for them.
    pub fn kept_page(&self, basis: &Basis) -> Option<Response> {
        let page = self.app.kept_pages.get(basis).filter(|_| self.takes_gzip)?;
        Some(self.answer(StatusCode::OK, page, true))
    }

    /// A page that anybody may see, and that is kept for the next who asks.
    pub fn page_to_keep(&self, basis: Basis, template: &impl Template) -> Result<Response, Problem> {
        let text = template.render().map_err(|error| Problem::internal(&error.to_string()))?;
        let packed = if self.takes_gzip { encoding::gzip(text.as_bytes()) } else { None };
        let Some(packed) = packed.map(Bytes::from) else { return Ok(self.send(StatusCode::OK, text.into_bytes())) };
        self.app.kept_pages.put(basis, &packed);
        Ok(self.answer(StatusCode::OK, packed, true))
    }

    fn send(&self, status: StatusCode, page: Vec<u8>) -> Response {
        match if self.takes_gzip { encoding::gzip(&page) } else { None } {
            Some(packed) => self.answer(status, packed.into(), true),
            None => self.answer(status, page.into(), false),
        }
    }

    fn answer(&self, status: StatusCode, body: Bytes, is_packed: bool) -> Response {
        let length = HeaderValue::from(body.len());
        let mut response = html(status, if self.is_head { Bytes::new() } else { body });
        self.add_headers(response.headers_mut());
        if is_packed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.is_head {
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Accept-Language, Cookie"));
        if let Some(cookie) = &self.cookie {
            headers.insert(header::SET_COOKIE, cookie.clone());
        }
    }
}
