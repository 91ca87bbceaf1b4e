//! What the operator does about debts: refunds through a node, whose outcome may be learned much later,
//! payments by other means, and second tries of a delivery.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::Principal;
use ip2tor_shop::services::payments;
use ip2tor_shop::services::payments::claims::{self, Claim, Outcome as ClaimOutcome};
use ip2tor_shop::services::payments::refunds::{self, Bill, Late, Request};
use ip2tor_shop::store::refunds::Refund;

use super::deeds::{report, short};
use super::pages;
use super::world::{Outcome, World};

/// The buyer asks for what is owed, often twice, and the shop begins to pay it by itself.
async fn claim(world: &mut World, order: OrderId, owed: Msat) -> Outcome {
    for _ in 0..world.luck.choice([1, 2]).unwrap() {
        world.note(format!("buyer: claims {}", short(order)));
        if world.chance(70) && pages::claim(world, order, owed).await? {
            world.count("a debt was claimed by its page".to_owned());
            continue;
        }
        let bill = some_bill(world, owed);
        let answer = claims::claim(&world.shop, order, bill).await;
        world.answered(answer).map(drop)?;
    }
    pay_claims(world).await
}

/// What the shop does about claims, as `background::claims` does it; the outcome is heard later.
async fn pay_claims(world: &mut World) -> Outcome {
    for claim in claims::due(&world.shop).map_err(|error| error.to_string())? {
        let Claim { order, hash, amount, expires_at, .. } = claim;
        let bill = Bill { bolt11: claim.bolt11.clone(), hash, amount: Some(amount), expires_at };
        let fee_limit = Some(claim.fee_limit);
        let request = Request { order, bill, amount: None, fee_limit, not_paid_since_backup: false };
        let begun = refunds::intend_with(&world.shop, request, &Principal::Shop, Late::Stays).await;
        let outcome = match &begun {
            Ok((refund, _)) => {
                send(world, refund);
                ClaimOutcome::NotKnown
            }
            Err(why) => ClaimOutcome::NotPaid(why.to_string()),
        };
        let concluded = claims::conclude(&world.shop, &claim, outcome).await;
        world.answered(concluded)?;
        world.answered(begun).map(drop)?;
    }
    Ok(())
}

fn some_bill(world: &mut World, amount: Msat) -> Bill {
    let hash = PaymentHash(world.luck.u128(..).to_be_bytes().repeat(2).try_into().unwrap());
    let expires_at = world.now().plus_secs(FOR_EVER);
    Bill { bolt11: format!("lnbcrt{hash}"), hash, amount: Some(amount), expires_at }
}

/// The node is asked to pay, and the answer is not heard.
fn send(world: &mut World, refund: &Refund) {
    let is_paid = world.chance(70);
    if is_paid {
        *world.memory.paid_back.entry(refund.order).or_default() += refund.amount.0;
    }
    world.memory.paying.push((refund.clone(), is_paid));
}

/// Longer than any run, in seconds.
const FOR_EVER: i64 = 10_000_000_000;

/// The operator does something about an order that owes, or looks what became of a refund.
pub async fn settle(world: &mut World) -> Outcome {
    let owing: Vec<_> = world.last.orders.values().filter(|(purchase, _)| purchase.owed.0 > 0).collect();
    let owing = world.luck.choice(owing).map(|(purchase, _)| (purchase.id, purchase.owed));
    let Some((order, owed)) = owing.filter(|_| world.memory.paying.is_empty() || world.chance(60)) else {
        return learn(world).await;
    };
    match world.luck.u32(..6) {
        0 => {
            world.note(format!("operator: try {} again", short(order)));
            let answer = payments::apply::retry_delivery(&world.shop, order, &Principal::CommandLine(None)).await;
            world.answered(answer).map(drop)
        }
        1 => by_hand(world, order).await,
        2 | 3 => claim(world, order, owed).await,
        _ => {
            begin(world, order, owed).await?;
            if world.chance(50) { meanwhile(world, order).await } else { Ok(()) }
        }
    }
}

/// The host delivers late, or says that it can't: either changes what is owed.
async fn meanwhile(world: &mut World, order: OrderId) -> Outcome {
    let product = world.last.products[&world.last.orders[&order].1].clone();
    let status = world.luck.choice([ProductStatus::Active, ProductStatus::Failed]).unwrap();
    report(world, &product, status).await
}

async fn by_hand(world: &mut World, order: OrderId) -> Outcome {
    world.note(format!("operator: paid {} back", short(order)));
    let answer = payments::apply::mark_refunded(&world.shop, order, &Principal::CommandLine(None), "by hand").await;
    if let Ok(amount) = answer {
        *world.memory.paid_back.entry(order).or_default() += amount.0;
    }
    world.answered(answer).map(drop)
}

/// A refund is written down and the node is asked; the command dies before it hears the answer.
async fn begin(world: &mut World, order: OrderId, owed: Msat) -> Outcome {
    world.note(format!("operator: refund {}", short(order)));
    let bill = some_bill(world, owed);
    let request = Request { order, bill, amount: None, fee_limit: None, not_paid_since_backup: false };
    let answer = refunds::intend(&world.shop, request, &Principal::CommandLine(None)).await;
    if let Ok((refund, _)) = &answer {
        send(world, refund);
    }
    world.answered(answer).map(drop)
}

/// The operator learns what became of a refund.
pub async fn learn(world: &mut World) -> Outcome {
    if world.memory.paying.is_empty() {
        return Ok(());
    }
    let n = world.luck.usize(..world.memory.paying.len());
    let (refund, is_paid) = world.memory.paying.swap_remove(n);
    world.note(format!("operator: the refund of {} is paid: {is_paid}", short(refund.order)));
    let owed = world.last.orders[&refund.order].0.owed;
    if is_paid && owed != refund.amount {
        world.count("a debt changed while it was paid back".to_owned());
    }
    let answer = match is_paid {
        true => refunds::succeeded(&world.shop, &refund, Msat(0), &Principal::CommandLine(None)).await.map(drop),
        false => refunds::failed(&world.shop, &refund, "no route", &Principal::CommandLine(None)).await,
    };
    let claim = claims::of(&world.shop, refund.order).map_err(|error| error.to_string())?;
    if let Some(claim) = claim.filter(|claim| claim.hash == refund.hash) {
        let outcome = if is_paid { ClaimOutcome::Paid } else { ClaimOutcome::NotPaid("no route".to_owned()) };
        let concluded = claims::conclude(&world.shop, &claim, outcome).await;
        world.answered(concluded)?;
    }
    world.answered(answer).map(drop)
}
