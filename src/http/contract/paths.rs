//! Finding the resource of a path: trailing slash, format suffix, id.

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// No resource.
    Nothing,
    /// A resource, had the path a slash at the end.
    NeedsSlash,
    /// A resource.
    Resource {
        /// Its place among the paths.
        index: usize,
        /// The id in the path.
        id: Option<&'a str>,
        /// The format suffix (`.json`).
        format: Option<&'a str>,
    },
}

/// Finds a path (that starts with `/api/v1`) among the patterns; the first that fits wins.
pub fn find<'a>(path: &'a str, patterns: impl Iterator<Item = &'static str>) -> Found<'a> {
    let Some(rest) = path.strip_prefix("/api/v1") else { return Found::Nothing };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Found::Nothing;
    }
    let (rest, has_slash) = match rest.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (rest, format) = split_format(rest);
    for (index, pattern) in patterns.enumerate() {
        if let Some(id) = fits(rest, pattern) {
            // A path with a suffix is complete with and without the slash.
            return match has_slash || format.is_some() {
                true => Found::Resource { index, id, format },
                false => Found::NeedsSlash,
            };
        }
    }
    Found::Nothing
}

fn split_format(path: &str) -> (&str, Option<&str>) {
    let is_suffix =
        |suffix: &str| !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match path.rsplit_once('.') {
        Some((rest, suffix)) if is_suffix(suffix) => (rest, Some(suffix)),
        _ => (path, None),
    }
}

/// Whether the path fits, and the id in it.
fn fits<'a>(path: &'a str, pattern: &str) -> Option<Option<&'a str>> {
    let mut id = None;
    let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return Some(id),
            (Some(part), Some(":id")) if !part.is_empty() && !part.contains('.') => id = Some(part),
            (Some(part), Some(want)) if part == want => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [&str; 4] = ["", "/hosts", "/hosts/config", "/hosts/:id"];

    fn look(path: &str) -> Found<'_> {
        find(path, PATTERNS.into_iter())
    }

    #[test]
    fn a_known_path_needs_its_slash_and_an_unknown_one_stays_unknown() {
        assert_eq!(look("/api/v1"), Found::NeedsSlash);
        assert_eq!(look("/api/v1/"), Found::Resource { index: 0, id: None, format: None });
        assert_eq!(look("/api/v1/hosts"), Found::NeedsSlash);
        assert_eq!(look("/api/v1/hosts/abc"), Found::NeedsSlash);
        for path in ["/api/v1/nope", "/api/v1/nope/", "/api/v1//hosts/", "/api/v1hosts/", "/api/v1/hosts/a/b/", "/x"] {
            assert_eq!(look(path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn fixed_segments_win_and_suffixes_name_the_format() {
        assert_eq!(look("/api/v1/hosts/config/"), Found::Resource { index: 2, id: None, format: None });
        assert_eq!(look("/api/v1/hosts/abc/"), Found::Resource { index: 3, id: Some("abc"), format: None });
        assert_eq!(look("/api/v1/hosts.json"), Found::Resource { index: 1, id: None, format: Some("json") });
        assert_eq!(look("/api/v1/hosts/a.xml/"), Found::Resource { index: 3, id: Some("a"), format: Some("xml") });
    }
}
