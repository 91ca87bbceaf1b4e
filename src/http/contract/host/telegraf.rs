//! The monitoring configuration: two checks for each bridge, through its public port and through
//! Tor.

use std::fmt::Write;

use crate::domain::address::with_port;
use crate::domain::product::Subject;
use crate::domain::text::{for_line, for_toml};
use crate::domain::texts::Message;
use crate::http::contract::answer::Text;
use crate::http::contract::call::RequestContext;
use crate::http::problem::Problem;
use crate::services::{Principal, hosts, products};

/// The port of the local Tor HTTP proxy unless the request names another.
const PROXY_PORT: &str = "9065";

/// The configuration of the caller's bridges; empty when there are none.
pub async fn config(call: &RequestContext, caller: &Principal, port: Option<&str>) -> Result<Text, Problem> {
    let port = port.filter(|port| !port.is_empty()).unwrap_or(PROXY_PORT);
    let is_port = port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse().is_ok_and(|port: u16| port > 0);
    if !is_port {
        return Err(Problem::field("port", Message::NoPort));
    }
    let mut text = String::new();
    for view in products::view::monitored(call.shop(), caller).await? {
        let (Subject::Target(target), Some(public_port)) = (&view.product.subject, view.product.port) else {
            continue;
        };
        let owner = hosts::catalog::owner_name(call.shop(), view.host.owner_id)?;
        for (check, address, proxy) in
            [("via-ip2tor", with_port(&view.host.ip, public_port), None), ("via-tor", target.clone(), Some(port))]
        {
            let (name, url) = (&view.host.name, for_toml(&format!("https://{address}")));
            let _ = write!(
                text,
                "\n# Port:{public_port} {check} on Host:{ip} ({shown} - Owner:{owner})\n[[inputs.http_response]]\n  \
                 urls = [{url}]\n",
                ip = view.host.ip,
                shown = for_line(name),
                owner = for_line(&owner),
            );
            if let Some(proxy) = proxy {
                let _ = writeln!(text, "  http_proxy = \"http://localhost:{proxy}\"");
            }
            let _ = write!(
                text,
                "\n  response_timeout = \"15s\"\n  insecure_skip_verify = true\n\n  [inputs.http_response.tags]\n    \
                 bridge_host = {name}\n    bridge_port = \"{public_port}\"\n    checks = \"{check}\"\n",
                name = for_toml(name),
            );
        }
    }
    Ok(Text(text))
}
