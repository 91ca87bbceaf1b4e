//! The surfaces of the shop: which of its faces a listener shows. Each listener puts its own into
//! the requests that it takes.

use http::{HeaderValue, Uri, header};
use poem::{Request, Response};

/// The header that tells Tor Browser of the same page at the onion address.
const ONION_LOCATION: &str = "onion-location";

/// What a listener serves, and to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Surface {
    /// API, pages, host API and documents, for everybody who reaches a TCP listener.
    #[default]
    Clearnet,
    /// The same for everybody who knows the shop's onion address.
    Onion,
    /// The same, for clients on the operator's list: nobody else can find this onion service, so what
    /// belongs to operators alone may be here. They are not slowed down.
    Operators,
    /// The same over a TCP listener of its own, which the operator has chosen for whoever runs the shop.
    Admin,
}

impl Surface {
    /// The surface of the listener that has taken a request.
    pub fn of(request: &Request) -> Self {
        request.extensions().get::<Self>().copied().unwrap_or_default()
    }

    /// Whether the API and the pages for those who run the shop are here.
    pub const fn has_admin(self) -> bool {
        matches!(self, Self::Operators | Self::Admin)
    }

    /// Whether the rate of one client is limited here.
    pub const fn is_limited(self) -> bool {
        !matches!(self, Self::Operators)
    }
}

/// Points clearnet pages to the same path at the onion address, when the operator wants that.
pub fn advertise(onion: Option<&str>, surface: Surface, uri: &Uri, response: &mut Response) {
    let Some(onion) = onion.filter(|_| surface == Surface::Clearnet) else { return };
    let is_page = response.content_type().is_some_and(|kind| kind.starts_with("text/html"));
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if let (true, Ok(location)) = (is_page, HeaderValue::try_from(format!("{onion}{path}"))) {
        response.headers_mut().insert(header::HeaderName::from_static(ONION_LOCATION), location);
    }
}
