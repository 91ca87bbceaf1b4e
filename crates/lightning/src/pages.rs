//! Pages of a node's invoices, also where the node or this program can't read some of them: an answer that is too
//! large, or fails because of one invoice, is asked for in smaller parts, and what fails alone is passed over.

use std::future::Future;

use ip2tor_domain::lightning::{InvoicePage, NodeError, NodeErrorKind};

/// Behind every invoice that there is.
const END: u64 = u64::MAX >> 2;

/// The page after the add index `after`. `ask` gets an add index and the most invoices that it may answer with.
///
/// # Errors
/// Those of `ask`, unless they are the fault of single invoices.
pub async fn page<A, F>(after: u64, limit: u32, ask: A) -> Result<InvoicePage, NodeError>
where
    A: Fn(u64, u32) -> F,
    F: Future<Output = Result<InvoicePage, NodeError>>,
{
    let mut limit = limit;
    loop {
        match ask(after, limit).await {
            Err(error) if error.kind == NodeErrorKind::Rejected && limit > 1 => limit /= 2,
            Err(error) if error.kind == NodeErrorKind::Rejected => return past_first(after, ask, error).await,
            answer => return answer,
        }
    }
}

/// Passes over the first invoice after `after`, whose add index is searched for: up in growing steps to where the
/// node answers again, then back by halves. A node that lists nothing at all keeps its error.
async fn past_first<A, F>(after: u64, ask: A, error: NodeError) -> Result<InvoicePage, NodeError>
where
    A: Fn(u64, u32) -> F,
    F: Future<Output = Result<InvoicePage, NodeError>>,
{
    let is_readable = async |from| match ask(from, 1).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == NodeErrorKind::Rejected => Ok(false),
        Err(error) => Err(error),
    };
    if !is_readable(END).await? {
        return Err(error);
    }
    let (mut fails, mut works, mut step) = (after, after.saturating_add(1), 1_u64);
    while works < END && !is_readable(works).await? {
        step = step.saturating_mul(2);
        (fails, works) = (works, works.saturating_add(step).min(END));
    }
    while works - fails > 1 {
        let middle = fails + (works - fails) / 2;
        if is_readable(middle).await? {
            works = middle;
        } else {
            fails = middle;
        }
    }
    tracing::debug!(add_index = works, %error, "an invoice of this node can't be read; it is passed over");
    Ok(InvoicePage { invoices: Vec::new(), next: Some(works) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A node whose invoices have these add indexes, of which some can't be read; how often it was asked.
    async fn read_all(all: &[u64], bad: &[u64]) -> (Result<Vec<u64>, NodeError>, u32) {
        let asked = Cell::new(0);
        let read = std::cell::RefCell::new(Vec::new());
        let ask = |after: u64, limit: u32| {
            asked.set(asked.get() + 1);
            let page: Vec<u64> = all.iter().copied().filter(|index| *index > after).take(limit as usize).collect();
            let failed = page.iter().any(|index| bad.contains(index)) || bad.contains(&0);
            let next = (page.len() == limit as usize).then(|| page.last().copied()).flatten();
            std::future::ready(if failed {
                Err(NodeError::new(NodeErrorKind::Rejected, "unable to decode"))
            } else {
                read.borrow_mut().push((limit, page));
                Ok(InvoicePage { invoices: Vec::new(), next })
            })
        };
        let mut after = 0;
        loop {
            match page(after, 8, ask).await {
                Err(error) => return (Err(error), asked.get()),
                Ok(InvoicePage { next: Some(next), .. }) => after = next,
                Ok(_) => break,
            }
        }
        let mut seen: Vec<u64> = read.into_inner().into_iter().flat_map(|(_, page)| page).collect();
        seen.sort_unstable();
        seen.dedup();
        (Ok(seen), asked.get())
    }

    #[tokio::test]
    async fn all_but_the_unreadable_one_are_read_however_far_apart_they_are() {
        for all in [vec![1, 2, 3, 4, 5], vec![3, 70, 71, 90_000, 90_001, 4_000_000]] {
            for bad in &all {
                let (seen, asked) = read_all(&all, &[*bad]).await;
                let rest: Vec<u64> = all.iter().copied().filter(|index| index != bad).collect();
                assert_eq!(seen.unwrap(), rest, "{bad}");
                assert!(asked < 150, "{asked} calls");
            }
        }
    }

    #[tokio::test]
    async fn a_node_that_lists_nothing_at_all_is_an_error() {
        let (seen, asked) = read_all(&[1], &[0]).await;
        assert!(seen.is_err() && asked < 10, "{asked} calls");
    }
}
