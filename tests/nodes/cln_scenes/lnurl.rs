//! A wallet renews by the code of a bridge, and collects by the code of an order what is owed.

use super::refunds::{PRICE_SAT, owing, times_paid};
use super::{buy, scenes, shop};
use crate::lnurl;

scenes! {
    fn a_wallet_renews_by_the_code(network) {
        let shop = shop(&network);
        let sale = buy(&shop, &network);
        let hash_in = |request: &str| {
            let invoice = network.buyer.ask(&["decode", &format!("string={request}")]);
            invoice["description_hash"].as_str().unwrap_or_else(|| panic!("no hash: {invoice}")).to_owned()
        };
        // It compares what was told with the hash itself.
        let pay = |request: &str, told: &str| network.buyer.pay_told(request, told).expect_settled();
        lnurl::renew(&shop, &sale, hash_in, pay);
    }

    fn a_wallet_collects_what_is_owed(network) {
        let (shop, sale) = owing(&network);
        let request = network.buyer.request(PRICE_SAT);
        lnurl::collect(&shop, &sale, PRICE_SAT, &request);
        assert_eq!(times_paid(&network, &request), 1);
    }
}
