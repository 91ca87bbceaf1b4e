//! gzip, the one encoding that browsers ask for over `http://`, and so over Tor.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, header};

/// A smaller page is one packet either way. Bytes.
const WORTH_IT: usize = 600;
/// A larger page is a list, which repeats itself so much that the fastest way is nearly as good. Bytes.
const A_LIST: usize = 16 << 10;

/// Whether an answer may be compressed with gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality =
            parameters.trim().strip_prefix("q=").map_or(Some(1.0), |quality| quality.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality| quality > 0.0)
    })
}

/// The page as gzip; `None` where that is not worth it.
pub fn gzip(page: &[u8]) -> Option<Vec<u8>> {
    if page.len() < WORTH_IT {
        return None;
    }
    // The last bytes that a higher level saves cost a Raspberry Pi more time than the page itself.
    let level = if page.len() > A_LIST { Compression::fast() } else { Compression::new(4) };
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 2), level);
    encoder.write_all(page).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < page.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_by_who_names_it_and_does_not_refuse_it() {
        for (line, takes) in [
            ("gzip, deflate", true),
            ("GZIP", true),
            ("deflate;q=1, gzip;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("br", false),
            ("", false),
        ] {
            let headers = [(header::ACCEPT_ENCODING, line.parse().unwrap())].into_iter().collect();
            assert_eq!(takes_gzip(&headers), takes, "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
