//! Pages that say what went wrong, and what to do.

use std::sync::Arc;

use askama::Template;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Request, Response};

use super::answer::html;
use super::format;
use super::frame::Frame;
use super::texts::Texts;
use super::visit::Visit;
use crate::http::App;
use crate::http::problem::{Content, Problem};

/// Why something was not done.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    t: &'static Texts,
    frame: Frame,
    heading: &'static str,
    lead: &'static str,
    details: Vec<String>,
}

/// Paths that are for programs: they get the problem as JSON, whatever they accept.
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/shop/host", "/readyz", "/healthz", "/media/"];

/// The visit of somebody who would read a page: their browser says so, and the path is not for programs.
pub fn reader(app: &Arc<App>, request: &Request) -> Option<Visit> {
    let path = request.uri().path();
    let is_for_programs = FOR_PROGRAMS.iter().any(|part| match part.strip_suffix('/') {
        Some(_) => path.starts_with(part),
        None => path == *part,
    });
    (!is_for_programs && takes_pages(request.headers())).then(|| Visit::of(app, request))
}

fn takes_pages(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|range| range.split(';').next().is_some_and(|range| range.trim() == "text/html"))
}

/// The page of a problem, or what is left of it where no page can be made.
pub fn answer(visit: &Visit, problem: &Problem) -> Response {
    page(visit, problem).unwrap_or_else(|_| problem.answer(visit.language))
}

fn page(visit: &Visit, problem: &Problem) -> Result<Response, Problem> {
    let (heading, lead) = words(visit.t, problem.status);
    let mut details = match &problem.content {
        // A page says "not found" in better words.
        _ if problem.status == StatusCode::NOT_FOUND => Vec::new(),
        Content::Detail(message) => vec![message.text(visit.language)],
        Content::Fields(_) => Vec::new(),
    };
    if let Some(secs) = problem.retry_after_secs {
        details.push((visit.t.try_again_in)(&format::span(visit.t, i64::from(secs))));
    }
    let template = ProblemPage { t: visit.t, frame: visit.frame(heading), heading, lead, details };
    let mut response = visit.page_with(problem.status, &template)?;
    if let Some(secs) = problem.retry_after_secs {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What is answered, whatever the client accepts, for a path that leads nowhere.
pub fn not_found() -> Response {
    html(StatusCode::NOT_FOUND, include_str!("../../../templates/not_found.html"))
}

const fn words(t: &'static Texts, status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::FORBIDDEN => (t.p403, t.p403_lead),
        StatusCode::NOT_FOUND => (t.p404, t.p404_lead),
        StatusCode::TOO_MANY_REQUESTS => (t.p429, t.p429_lead),
        StatusCode::SERVICE_UNAVAILABLE => (t.p503, t.p503_lead),
        _ if status.as_u16() >= 500 => (t.p500, t.p500_lead),
        _ => (t.p400, t.p400_lead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn a_problem_is_shown_in_each_language() {
        for language in Language::ALL {
            let t = Texts::of(language);
            for status in [400, 403, 404, 405, 429, 500, 503] {
                let (heading, lead) = words(t, StatusCode::from_u16(status).unwrap());
                let details = vec!["<b>what</b>".to_owned()];
                let page = ProblemPage { t, frame: Frame::sample(language), heading, lead, details }.render().unwrap();
                assert!(page.contains("&#60;b&#62;what") && page.contains(&format!("lang=\"{}\"", language.tag())));
            }
        }
    }
}
