//! A chain backend that hangs: `GetInfo` does too, while cancelling and settling work. Money first.

use std::time::Duration;

use super::{HOLDING, scenes};
use crate::shop::{HOLDS, Shop};

/// Its payments are held for a minute at most.
const SHORT: &[&str] = &["--use-holds=true", "--port-range", "23000-23999", "--hold-limit-secs=60"];
/// A payment is taken within this although the node tells nothing of itself.
const SOON: Duration = Duration::from_secs(15);
/// How far beyond its limit a payment may be held.
const SLACK: Duration = Duration::from_secs(20);

scenes! {
    fn a_held_payment_is_taken_while_the_chain_backend_hangs(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[HOLDS]);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        let _hang = network.chain.hang();
        // Long enough for a look at the node to be tried, and to fail.
        std::thread::sleep(Duration::from_secs(20));
        assert_eq!(shop.report(&sale, "A").status, 200);
        assert_eq!(payment.outcome(SOON), crate::live::payer::Paid::Settled);
        shop.await_order(&sale, "P");
    }

    fn a_held_payment_goes_back_in_time_while_the_chain_backend_hangs(network) {
        let shop = Shop::start(&network.lnd.usual_record("lnd_grpc"), &[SHORT]);
        let sale = shop.order(HOLDING);
        let mut payment = network.buyer.pay(&sale.request);
        shop.await_bridge(&sale, "P");
        let _hang = network.chain.hang();
        payment.expect_given_back(Duration::from_secs(60) + SLACK);
    }
}
