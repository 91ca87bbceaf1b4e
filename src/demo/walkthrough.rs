//! What the demo prints: where things are, and a purchase to copy and paste.

use std::path::Path;

use super::seed::Memory;
use ip2tor_lnd_simulator::Running;

/// A valid version 3 onion address for the walk-through; nobody answers there.
const TARGET: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

/// The text for a person.
pub fn text(
    shop_url: &str,
    admin_url: Option<&str>,
    data_dir: &Path,
    memory: &Memory,
    simulator: &Running,
    with_agent: bool,
) -> String {
    let Memory { admin, password, host_id, token, .. } = memory;
    let program = std::env::current_exe().map_or_else(|_| "ip2tor-shop".to_owned(), |path| path.display().to_string());
    let lnd = simulator.dir().display();
    let grpc = simulator.local_addr();
    let data_dir = data_dir.display();
    let admin_url = admin_url.map_or_else(String::new, |url| format!(", at {url}/admin/"));
    let host_part = if with_agent {
        "   # The simulated host activates it within two seconds.\n".to_owned()
    } else {
        "   # You are the host (check in at least every five minutes, or you count as dead):\n   \
             curl -s -X POST -H \"Authorization: Token $TOKEN\" $SHOP/api/v1/hosts/$HOST/check_in/\n   \
             curl -s -H \"Authorization: Token $TOKEN\" \"$SHOP/api/v1/tor_bridges/?host=$HOST&status=P\"\n   \
             curl -s -X PATCH -H \"Authorization: Token $TOKEN\" -d status=A $SHOP/api/v1/tor_bridges/$BRIDGE/\n"
            .to_owned()
    };
    let check_in = if with_agent {
        String::new()
    } else {
        "   curl -s -X POST -H \"Authorization: Token $TOKEN\" $SHOP/api/v1/hosts/$HOST/check_in/\n".to_owned()
    };
    format!(
        "\nIP2Tor Shop, demo (Ctrl-C ends it; started again it goes on where it was)\n\n\
         Open {shop_url}/ and buy a bridge: the order's page has a button that pays.\n\n\
         Shop          {shop_url}\n\
         API document  {shop_url}/docs/\n\
         Data          {data_dir}\n\
         Administrator {admin} / {password}{admin_url}\n\
         Host          {host_id}\n\
         Host token    {token}\n\
         Lightning     simulated LND, gRPC on {grpc}, certificate and macaroons in {lnd}\n\n\
         Or as programs do, in another terminal (needs curl and jq):\n\n   \
         SHOP={shop_url} HOST={host_id} TOKEN={token}\n\
         {check_in}   \
         curl -s $SHOP/api/v1/public/hosts/ | jq .\n   \
         ORDER=$(curl -s -d product=tor_bridge -d host_id=$HOST -d tos_accepted=true \\\n     \
         -d target={TARGET} $SHOP/api/v1/public/order/ | jq -r .id)\n   \
         curl -s $SHOP/api/v1/public/pos/$ORDER/ | jq .\n   \
         BRIDGE=$(curl -s $SHOP/api/v1/public/pos/$ORDER/ | jq -r '.item_details[0].product.id')\n   \
         INVOICE=$(curl -s $SHOP/api/v1/public/pos/$ORDER/ | jq -r '.ln_invoices[0].payment_request')\n   \
         {program} lnd-simulator pay --dir {lnd} $INVOICE\n\
         {host_part}   \
         curl -s $SHOP/api/v1/public/tor_bridges/$BRIDGE/ | jq .\n   \
         # One more day:\n   \
         curl -s -X POST $SHOP/api/v1/public/tor_bridges/$BRIDGE/extend/ | jq .\n"
    )
}
