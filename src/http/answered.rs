//! How many requests were answered, and how.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Counts answers by the first digit of their status.
#[derive(Debug, Default)]
pub struct Answered([AtomicU64; 5]);

impl Answered {
    /// Counts one.
    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.0.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// So many of each class (`2xx`) since the start.
    pub fn all(&self) -> [(String, u64); 5] {
        std::array::from_fn(|class| (format!("{}xx", class + 1), self.0[class].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_in_its_class() {
        let answered = Answered::default();
        for status in [200, 201, 404, 503] {
            answered.count(StatusCode::from_u16(status).unwrap());
        }
        let all = answered.all();
        let all: Vec<_> = all.iter().map(|(class, count)| (class.as_str(), *count)).collect();
        assert_eq!(all, [("1xx", 0), ("2xx", 2), ("3xx", 0), ("4xx", 1), ("5xx", 1)]);
    }
}
