//! What happens to the money: purchases through the shop's services and workers against a simulated
//! node. Each test is a rule of the shop's promise.

mod claims;
mod clock;
mod clocks_apart;
mod holds;
mod hosts;
mod nodes;
mod oddities;
mod older;
mod outages;
mod plain;
mod rates;
mod refund_ways;
mod refunds;
mod renewals;
mod rig;
mod rights;
mod unpaid;
