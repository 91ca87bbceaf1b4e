//! The end of what was bought, as a file that reminds of it.

use http::header;
use poem::Response;

use super::order_words;
use super::paths::folder;
use super::product_words::ends;
use super::visit::Visit;
use crate::domain::id::ProductId;
use crate::domain::product::{Product, ProductKind};
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::services::orders::follow;

const DAY_SECS: i64 = 86_400;

/// The end of the period, as a file for a calendar.
pub fn show(visit: &Visit, kind: ProductKind) -> Result<Response, Problem> {
    let bought = follow::bought(&visit.app.shop, visit.id(ProductId::parse)?, kind)?;
    let end = ends(&bought.product).ok_or_else(Problem::not_found)?;
    let t = visit.t;
    let name = if kind == ProductKind::TorBridge { t.bridge } else { t.alias };
    let address = order_words::address(&bought.product, &bought.host).unwrap_or_default();
    let link = format!("{}/{}/{}/", visit.origin.base, folder(kind), bought.product.id);
    let title = format!("{name} {address} {}", t.calendar_title);
    let text = event(&bought.product, end, visit.app.shop.now(), &title, &link);
    let response = Response::builder().content_type("text/calendar; charset=utf-8");
    Ok(response.header(header::CONTENT_DISPOSITION, "attachment; filename=\"ip2tor.ics\"").body(text))
}

/// An event of RFC 5545 with an alarm some time before: for what runs for a day, a day before is too soon.
fn event(product: &Product, end: Timestamp, now: Timestamp, title: &str, link: &str) -> String {
    let stamp = |at: Timestamp| at.to_wire().replace(['-', ':'], "");
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//IP2Tor Shop//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@ip2tor-shop", product.id),
        format!("DTSTAMP:{}", stamp(now)),
        format!("DTSTART:{}", stamp(end)),
        format!("SUMMARY:{}", escaped(title)),
        format!("URL:{link}"),
        "BEGIN:VALARM".to_owned(),
        "ACTION:DISPLAY".to_owned(),
        format!("DESCRIPTION:{}", escaped(title)),
        format!("TRIGGER:{}", if product.terms.duration_secs > 2 * DAY_SECS { "-P1D" } else { "-PT2H" }),
        "END:VALARM".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().map(|line| folded(line)).collect()
}

/// What is no separator of the format.
fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    plain.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,")
}

/// A line of at most 75 bytes, and what is left in lines that begin with a blank.
fn folded(line: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for letter in line.chars() {
        if width + letter.len_utf8() > 73 {
            text.push_str("\r\n ");
            width = 0;
        }
        text.push(letter);
        width += letter.len_utf8();
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::http::pages::sample::sample;

    #[test]
    fn the_end_is_an_event_that_calendars_read_and_no_text_adds_a_line_to_it() {
        let (_, mut product) = sample(Uuid::nil());
        let end = Timestamp::from_secs(86_400);
        let text =
            event(&product, end, Timestamp::from_secs(0), "a,b;c\r\nATTENDEE:x \u{fc}\u{fc}\u{fc}", &"l".repeat(90));
        assert!(text.contains("DTSTART:19700102T000000Z\r\n") && text.contains("SUMMARY:a\\,b\\;cATTENDEE:x"));
        assert!(text.contains("TRIGGER:-PT2H"), "it runs for a day");
        product.terms.duration_secs = 30 * DAY_SECS;
        assert!(event(&product, end, Timestamp::from_secs(0), "a", "l").contains("TRIGGER:-P1D"));
        assert!(text.lines().all(|line| line.len() <= 75) && !text.contains("\nATTENDEE"));
    }
}
