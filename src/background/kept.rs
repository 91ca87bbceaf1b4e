//! Panics, which are defects, end nothing for good. A task that lasts as long as the shop is begun anew, and that is told:
//! without it the shop would go on and, say, hear of no payment any more.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::domain::alert::AlertTopic;
use crate::services::{Error, Principal, Shop};
use crate::store::alerts;

/// Before a task that has panicked is begun anew.
pub const PAUSE: Duration = Duration::from_secs(5);

/// Does one piece of work of several: a panic becomes its error, so that what comes after it goes on.
///
/// # Errors
/// Its own.
pub async fn caught<T>(what: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| Err(Error::Internal(format!("{what} panicked: the log says why"))))
}

/// Runs what `begin` makes until it ends by itself; what it had remembered is lost with a panic.
pub async fn kept<F>(shop: Shop, name: String, begin: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    kept_with(shop, name, PAUSE, begin).await;
}

/// The same with another time in between.
pub async fn kept_with<F>(shop: Shop, name: String, pause: Duration, mut begin: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    while AssertUnwindSafe(async { begin().await }).catch_unwind().await.is_err() {
        tracing::error!(task = name, "a task has panicked; it is begun anew in a moment");
        super::failure::log_failure("telling of a task that has panicked", tell(&shop, &name).await);
        tokio::time::sleep(pause).await;
    }
}

/// The operator closes it: that it works again can't be seen.
async fn tell(shop: &Shop, name: &str) -> Result<(), Error> {
    let (name, now) = (name.to_owned(), shop.now());
    let text = format!(
        "A part of the shop stopped by a defect and was begun anew: {name}. Please report this with the log, where the \
         reason stands"
    );
    shop.tx(&Principal::Shop, move |tx| Ok(alerts::raise(tx.db, AlertTopic::Defect, &name, &text, now)?))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::test_support::shop_in;

    #[tokio::test]
    async fn a_panic_is_an_error_of_what_was_done() {
        let one =
            |number: u32| caught("the work", async move { if number == 2 { panic!("a defect") } else { Ok(number) } });
        assert_eq!(one(1).await.unwrap(), 1);
        assert!(one(2).await.unwrap_err().to_string().contains("the work panicked"));
        assert_eq!(one(3).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_task_that_panics_is_told_once_and_begun_anew_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let shop = shop_in(&dir.path().join("shop.sqlite3"));
        let mut begun = 0;
        kept_with(shop.clone(), "the outbox".to_owned(), Duration::ZERO, || {
            begun += 1;
            // Before its future and inside it: both are defects of the task.
            assert!(begun != 1, "at once");
            let number = begun;
            async move { assert!(number != 2, "later") }
        })
        .await;
        assert_eq!(begun, 3);
        let told = shop.db.read(|db| alerts::list(db, false)).unwrap();
        let told: Vec<_> = told.iter().map(|alert| (alert.subject.as_str(), alert.occurrences)).collect();
        assert_eq!(told, [("the outbox", 2)]);
    }
}
