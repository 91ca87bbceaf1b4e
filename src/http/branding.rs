//! How the shop's pages look and what they say of its operator, ready to be shown and served.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use poem::Response;
use sha2::{Digest, Sha256};

/// Where its files are.
pub const FOLDER: &str = "/branding/";

/// The branding of a shop; by default there is none.
#[derive(Clone, Debug, Default)]
pub struct Branding {
    /// The name on the pages, in place of the site's.
    pub name: Option<String>,
    /// What the front page says first.
    pub intro: Option<String>,
    /// Links at the end of every page: words and address.
    pub links: Vec<(String, String)>,
    /// Whom to tell of abuse.
    pub abuse_contact: Option<String>,
    /// A picture beside the name.
    pub logo: Option<File>,
    /// A stylesheet with its colours.
    pub style: Option<File>,
}

/// A file under a name that changes with its content.
#[derive(Clone, Debug)]
pub struct File {
    path: String,
    media_type: &'static str,
    bytes: Bytes,
}

impl File {
    fn new(extension: &str, media_type: &'static str, bytes: Vec<u8>) -> Self {
        let hash = hex::encode(&Sha256::digest(&bytes)[..8]);
        Self { path: format!("{FOLDER}{hash}.{extension}"), media_type, bytes: bytes.into() }
    }
}

impl Branding {
    /// The same with a logo of this type.
    #[must_use]
    pub fn with_logo(self, media_type: &'static str, bytes: Vec<u8>) -> Self {
        let extension = if media_type == "image/png" { "png" } else { "jpg" };
        Self { logo: Some(File::new(extension, media_type, bytes)), ..self }
    }

    /// The same with another colour of links and buttons, by day and by night, each as `#5b2a86`.
    #[must_use]
    pub fn with_colours(self, day: &str, night: &str) -> Self {
        let style = format!(
            ":root {{ --accent: {day}; --on-accent: #fff; }}\n\
             @media (prefers-color-scheme: dark) {{ :root {{ --accent: {night}; --on-accent: #111; }} }}\n"
        );
        Self { style: Some(File::new("css", "text/css; charset=utf-8", style.into_bytes())), ..self }
    }

    /// Where the logo is, if there is one.
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(|file| file.path.as_str())
    }

    /// Where the stylesheet with its colours is, if it has any.
    pub fn style(&self) -> Option<&str> {
        self.style.as_ref().map(|file| file.path.as_str())
    }

    /// The answer for a path of one of its files.
    pub fn serve(&self, path: &str) -> Option<Response> {
        let file = [&self.logo, &self.style].into_iter().flatten().find(|file| file.path == path)?;
        let mut response = Response::builder().status(StatusCode::OK).content_type(file.media_type).finish();
        let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, for_ever);
        response.set_body(file.bytes.clone());
        Some(response)
    }
}
