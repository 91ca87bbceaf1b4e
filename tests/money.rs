//! What happens to the money: purchases through the shop's services and workers against a simulated
//! node. Each test is a rule of the shop's promise.

#[path = "money/clock.rs"]
mod clock;
#[path = "money/clocks_apart.rs"]
mod clocks_apart;
#[path = "money/holds.rs"]
mod holds;
#[path = "money/hosts.rs"]
mod hosts;
#[path = "money/nodes.rs"]
mod nodes;
#[path = "money/oddities.rs"]
mod oddities;
#[path = "money/outages.rs"]
mod outages;
#[path = "money/plain.rs"]
mod plain;
#[path = "money/rates.rs"]
mod rates;
#[path = "money/refund_ways.rs"]
mod refund_ways;
#[path = "money/refunds.rs"]
mod refunds;
#[path = "money/rig.rs"]
mod rig;
#[path = "money/rights.rs"]
mod rights;
#[path = "money/unpaid.rs"]
mod unpaid;
