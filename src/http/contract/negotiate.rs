//! The form of the answer: JSON, plain text (monitoring), or the way to the documentation for
//! browsers. Decided before anything else is looked at, as in the contract.

/// What a resource can be answered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renders {
    /// JSON, and for browsers a redirect to the documentation.
    Json,
    /// Plain text only.
    Text,
}

/// The outcome of the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the resource usually answers.
    Usual,
    /// A browser: to the documentation.
    Docs,
    /// `format` names a form that there is not (404).
    Unknown,
    /// `Accept` excludes every form (406).
    NotAcceptable,
}

/// Negotiates from a format (path suffix or query parameter) and the `Accept` header.
pub fn negotiate(renders: Renders, format: Option<&str>, accept: Option<&str>) -> Form {
    match (renders, format) {
        (Renders::Json, Some("json")) | (Renders::Text, Some("txt")) => return Form::Usual,
        (Renders::Json, Some("api")) => return Form::Docs,
        (_, Some(_)) => return Form::Unknown,
        (_, None) => {}
    }
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Form::Usual };
    // The most specific ranges win; within them the usual form.
    let offers: &[(&str, Form)] = match renders {
        Renders::Json => &[("application/json", Form::Usual), ("text/html", Form::Docs)],
        Renders::Text => &[("text/plain", Form::Usual)],
    };
    for specificity in (0..=2).rev() {
        for (offer, form) in offers {
            let fits = |range: &str| specificity_of(range) == specificity && covers(range, offer);
            if accept.split(',').map(essence).any(fits) {
                return *form;
            }
        }
    }
    Form::NotAcceptable
}

fn essence(range: &str) -> &str {
    range.split(';').next().unwrap_or(range).trim()
}

fn specificity_of(range: &str) -> u8 {
    match range.split_once('/') {
        Some(("*", "*")) => 0,
        Some((_, "*")) => 1,
        _ => 2,
    }
}

fn covers(range: &str, offer: &str) -> bool {
    match range.split_once('/') {
        Some(("*", "*")) => true,
        Some((kind, "*")) => offer.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)),
        _ => range.eq_ignore_ascii_case(offer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_form_unless_a_browser_or_an_impossible_form_is_asked_for() {
        for (format, accept, form) in [
            (None, None, Form::Usual),
            (None, Some("*/*"), Form::Usual),
            (None, Some("application/json; charset=utf-8"), Form::Usual),
            (None, Some("text/html,application/xhtml+xml,*/*;q=0.8"), Form::Docs),
            (None, Some("text/html, application/json"), Form::Usual),
            (None, Some("text/*"), Form::Docs),
            (None, Some("application/xml"), Form::NotAcceptable),
            (None, Some("application/xml, */*"), Form::Usual),
            (None, Some("rubbish"), Form::NotAcceptable),
            (Some("json"), Some("application/xml"), Form::Usual),
            (Some("api"), None, Form::Docs),
            (Some("xml"), None, Form::Unknown),
        ] {
            assert_eq!(negotiate(Renders::Json, format, accept), form, "{format:?} {accept:?}");
        }
    }

    #[test]
    fn the_monitoring_configuration_is_plain_text_only() {
        for (format, accept, form) in [
            (None, Some("*/*"), Form::Usual),
            (None, Some("application/json"), Form::NotAcceptable),
            (Some("json"), None, Form::Unknown),
            (Some("txt"), None, Form::Usual),
        ] {
            assert_eq!(negotiate(Renders::Text, format, accept), form, "{format:?} {accept:?}");
        }
    }
}
