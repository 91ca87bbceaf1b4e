//! A wallet renews by the code of a bridge, and collects by the code of an order what is owed.

use super::refunds::{PRICE_SAT, owing, received, times_paid};
use super::{buy_held, buy_plain, scenes};
use crate::lnurl;
use crate::network::Network;
use crate::shop::{HOLDS, PLAIN, Shop};

scenes! {
    fn a_wallet_renews_by_the_code_over_grpc(network) {
        renews(&network, "lnd_grpc");
    }

    fn a_wallet_renews_by_the_code_over_rest(network) {
        renews(&network, "lnd_rest");
    }

    fn a_wallet_collects_what_is_owed_over_grpc(network) {
        collects(&network, "lnd_grpc");
    }

    fn a_wallet_collects_what_is_owed_over_rest(network) {
        collects(&network, "lnd_rest");
    }
}

/// Bridges of both sorts of hosts; an extension's invoice is plain.
fn renews(network: &Network, kind: &str) {
    let shop = Shop::start(&network.lnd.usual_record(kind), &[HOLDS, PLAIN]);
    let hash_in = |request: &str| {
        let invoice = network.buyer.ask(&["decodepayreq", request]);
        assert_eq!(invoice["description"], "", "a hash stands in the place of a text");
        invoice["description_hash"].as_str().expect("a hash").to_owned()
    };
    for sale in [buy_held(&shop, network), buy_plain(&shop, network)] {
        lnurl::renew(&shop, &sale, hash_in, |request, _| network.buyer.pay(request).expect_settled());
    }
}

fn collects(network: &Network, kind: &str) {
    let (shop, sale) = owing(network, kind);
    let request = network.buyer.request(PRICE_SAT);
    lnurl::collect(&shop, &sale, PRICE_SAT, &request);
    assert_eq!((received(network, &request), times_paid(network, &request)), (PRICE_SAT, 1));
}
