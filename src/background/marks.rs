//! What is being worked on, so that nothing is worked on twice at a time.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

/// A set of things that are being worked on.
#[derive(Debug)]
pub struct Marks<T>(Arc<Mutex<HashSet<T>>>);

impl<T> Default for Marks<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Copy + Eq + Hash> Marks<T> {
    /// Marks `what`; `None` when it is marked already.
    pub fn begin(&self, what: T) -> Option<Mark<T>> {
        let is_new = self.lock().insert(what);
        // Made only when it is new: dropping one takes the mark away.
        is_new.then(|| Mark { marks: Self(Arc::clone(&self.0)), what })
    }

    /// Whether `what` is being worked on.
    pub fn is_marked(&self, what: T) -> bool {
        self.lock().contains(&what)
    }

    /// How much is being worked on.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<T>> {
        self.0.lock()
    }
}

/// Stands for work that is being done. It ends with this, also by a panic.
#[derive(Debug)]
pub struct Mark<T: Copy + Eq + Hash> {
    marks: Marks<T>,
    what: T,
}

impl<T: Copy + Eq + Hash> Drop for Mark<T> {
    fn drop(&mut self) {
        self.marks.lock().remove(&self.what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_marked_twice_and_a_panic_leaves_no_mark() {
        let marks = Marks::default();
        let mark = marks.begin(1).unwrap();
        assert!(marks.begin(1).is_none() && marks.begin(2).is_some());
        drop(mark);
        let work = std::panic::AssertUnwindSafe(|| {
            let _mark = marks.begin(1).unwrap();
            panic!("a defect");
        });
        assert!(std::panic::catch_unwind(work).is_err());
        assert_eq!(marks.len(), 0);
    }
}
