//! The files that pages are made with, from the table that the build makes of `assets/`.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::Response;

use super::encoding;

/// A name with a part of the content's hash in it never means anything else.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The plain name may mean something else tomorrow.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A file.
struct Asset {
    /// Where it is by its name in the repository.
    plain: &'static str,
    /// Where it is, with a name that changes with its content; a page has no other than its plain one.
    path: &'static str,
    media_type: &'static str,
    /// With its quotes.
    etag: &'static str,
    bytes: &'static [u8],
    /// The same as gzip, where that saves something.
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The answer for the path of a file; `None` where there is none.
pub fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.path == path || asset.plain == path)?;
    Some(asset.answer(asset.plain != path, headers))
}

/// The icon, where browsers look for one by themselves.
pub fn icon(headers: &HeaderMap) -> Option<Response> {
    serve(ICON_PNG, headers)
}

impl Asset {
    fn answer(&self, for_ever: bool, headers: &HeaderMap) -> Response {
        let mut response = Response::builder().status(StatusCode::OK).content_type(self.media_type).finish();
        let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| matches(tags, self.etag));
        let gzip = self.gzip.filter(|_| encoding::takes_gzip(headers));
        let to = response.headers_mut();
        to.insert(header::ETAG, HeaderValue::from_static(self.etag));
        to.insert(header::CACHE_CONTROL, if for_ever { FOR_EVER } else { ASK_AGAIN });
        if self.gzip.is_some() {
            to.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if is_known {
            to.remove(header::CONTENT_TYPE);
            response.set_status(StatusCode::NOT_MODIFIED);
            return response;
        }
        if gzip.is_some() {
            to.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response.set_body(Bytes::from_static(gzip.unwrap_or(self.bytes)));
        response
    }
}

/// Whether a line of `If-None-Match` names this content: a list of tags, weak ones among them, or `*`.
fn matches(tags: &HeaderValue, etag: &str) -> bool {
    let Ok(tags) = tags.to_str() else { return false };
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, lines: &[(&str, &str)]) -> Option<Response> {
        let headers = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        serve(path, &headers)
    }

    #[test]
    fn a_name_with_a_hash_is_kept_for_ever_and_a_plain_one_is_asked_for_again() {
        for asset in ASSETS {
            let (hashed, plain) = (asked(asset.path, &[]).unwrap(), asked(asset.plain, &[]).unwrap());
            assert_eq!(plain.header(header::CACHE_CONTROL), Some("no-cache"));
            assert_eq!(hashed.header(header::ETAG), Some(asset.etag));
            if asset.path.ends_with('/') {
                continue;
            }
            assert_eq!(
                hashed.header(header::CACHE_CONTROL),
                Some("public, max-age=31536000, immutable"),
                "{}",
                asset.path
            );
        }
        for path in ["/assets/", "/assets/style.000000000000.css", "/assets/../build.rs", "/assets"] {
            assert!(asked(path, &[]).is_none(), "{path}");
        }
    }

    #[test]
    fn all_screens_in_one_language_are_less_than_45_kilobytes_over_the_wire() {
        let screens = || ASSETS.iter().filter(|asset| asset.plain.starts_with("/admin/"));
        let size = |asset: &Asset| asset.gzip.unwrap_or(asset.bytes).len();
        for other in ["/admin/en.js", "/admin/de.js"] {
            assert!(screens().any(|asset| asset.plain == other));
            let all: usize = screens().filter(|asset| asset.plain != other).map(size).sum();
            assert!(all < 45_000, "{all} bytes without {other}");
        }
    }

    #[test]
    fn all_screens_in_both_languages_are_less_than_45_kilobytes_as_one_stream() {
        use std::io::Write as _;
        let mut stream = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for asset in ASSETS.iter().filter(|asset| asset.plain.starts_with("/admin/")) {
            stream.write_all(asset.bytes).unwrap();
        }
        let all = stream.finish().unwrap().len();
        assert!(all < 45_000, "{all} bytes");
    }

    #[tokio::test]
    async fn gzip_is_given_to_who_takes_it_and_is_the_same_file() {
        let mut packed = asked(STYLE_CSS, &[("accept-encoding", "deflate, gzip;q=0.5")]).unwrap();
        assert_eq!(packed.header(header::CONTENT_ENCODING), Some("gzip"));
        assert_eq!(packed.header(header::VARY), Some("Accept-Encoding"));
        let bytes = packed.take_body().into_vec().await.unwrap();
        let mut plain = asked(STYLE_CSS, &[("accept-encoding", "gzip;q=0, br")]).unwrap();
        assert_eq!(plain.header(header::CONTENT_ENCODING), None);
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.take_body().into_vec().await.unwrap());
    }

    #[test]
    fn what_a_browser_has_already_is_not_sent_again() {
        let etag = asked(STYLE_CSS, &[]).unwrap().header(header::ETAG).unwrap().to_owned();
        for tags in [etag.clone(), format!("W/{etag}"), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let answer = asked(STYLE_CSS, &[("if-none-match", &tags)]).unwrap();
            assert_eq!(
                (answer.status(), answer.header(header::ETAG)),
                (StatusCode::NOT_MODIFIED, Some(&*etag)),
                "{tags}"
            );
        }
        for tags in ["\"other\"", etag.trim_matches('"'), "W/\"other\""] {
            assert_eq!(asked(STYLE_CSS, &[("if-none-match", tags)]).unwrap().status(), StatusCode::OK, "{tags}");
        }
    }
}
