//! What buyers and hosts were told: a promise once it was answered. And the rules that were broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a buyer saw of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub product: Option<String>,
    pub port: Option<i64>,
    /// Base64, as the API shows it; seen together with the payment request.
    pub hash: Option<String>,
}

/// What was answered so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Orders that were answered 201 (or extensions that were answered 200).
    pub orders: BTreeMap<String, Seen>,
    /// Products whose activation was accepted.
    pub activated: BTreeSet<String>,
    /// Products that a host was told to activate, and has not reported (perhaps unheard) as taken down.
    pub listed: BTreeSet<String>,
    /// Orders whose payment was taken, as the payer knows.
    pub settled: BTreeSet<String>,
    /// Bytes that were reported and accepted, by product.
    pub used: BTreeMap<String, i64>,
    /// Bytes that were reported without an answer: they count or they don't.
    pub maybe_used: BTreeMap<String, i64>,
}

/// Shared by all who act.
#[derive(Default)]
pub struct Ledger {
    told: Mutex<Told>,
    broken: Mutex<Vec<String>>,
    buying_is_over: AtomicBool,
    all_is_over: AtomicBool,
    careless: AtomicBool,
    answers: AtomicUsize,
    refusals: AtomicUsize,
    failures: AtomicUsize,
}

/// Ends all threads when the test ends, also by a panic.
pub struct StopOnDrop(pub Arc<Ledger>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop_buying();
        self.0.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }

    pub fn snapshot(&self) -> Told {
        self.told().clone()
    }

    /// A rule was broken.
    pub fn violation(&self, text: String) {
        lock(&self.broken).push(text);
    }

    pub fn broken(&self) -> Vec<String> {
        lock(&self.broken).clone()
    }

    /// What a buyer sees of an order never changes once it was seen.
    pub fn saw(&self, order: &str, now: Seen) {
        let mut told = self.told();
        let seen = told.orders.entry(order.to_owned()).or_default();
        let changed = |old: &Option<String>, new: &Option<String>| old.is_some() && new.is_some() && old != new;
        let port_changed = seen.port.is_some() && now.port.is_some() && seen.port != now.port;
        let broken = changed(&seen.product, &now.product) || changed(&seen.hash, &now.hash) || port_changed;
        let text = format!("order {order} was {seen:?} and is now {now:?}");
        seen.product = seen.product.take().or(now.product);
        seen.hash = seen.hash.take().or(now.hash);
        seen.port = seen.port.or(now.port);
        drop(told);
        if broken {
            self.violation(text);
        }
    }

    /// An HTTP status; no input and no moment may lead to a 500.
    pub fn status(&self, what: &str, answer: &crate::live::http::Answer) {
        let counter = if answer.status < 400 { &self.answers } else { &self.refusals };
        counter.fetch_add(1, Ordering::Relaxed);
        if answer.status >= 500 && answer.status != 503 {
            self.violation(format!("{what}: {answer:?}"));
        }
    }

    /// No answer, which is fine: somebody was killed.
    pub fn no_answer(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether buyers walk away and hosts forget: not any more when the end is near.
    pub fn set_careless(&self, careless: bool) {
        self.careless.store(careless, Ordering::Relaxed);
    }

    pub fn careless(&self) -> bool {
        self.careless.load(Ordering::Relaxed)
    }

    pub fn stop_buying(&self) {
        self.set_careless(false);
        self.buying_is_over.store(true, Ordering::Relaxed);
    }

    pub fn buying_is_over(&self) -> bool {
        self.buying_is_over.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.all_is_over.store(true, Ordering::Relaxed);
    }

    pub fn all_is_over(&self) -> bool {
        self.all_is_over.load(Ordering::Relaxed)
    }

    pub fn summary(&self) -> String {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let told = self.told();
        format!(
            "{} orders, {} activations, {} payments known to the payer; {} answers, {} refusals, {} without an answer",
            told.orders.len(),
            told.activated.len(),
            told.settled.len(),
            count(&self.answers),
            count(&self.refusals),
            count(&self.failures)
        )
    }
}
