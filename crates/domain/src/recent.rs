//! What is remembered of many, and only of the latest: a table by the hash of a name, in bounded memory. When
//! it is full the oldest are forgotten, never all: whoever floods it pushes out what is nearly over.

use std::collections::HashMap;

/// The latest entries, by the hash of what they belong to.
pub struct Recent<V> {
    most: usize,
    /// A number that is smaller for what is forgotten earlier.
    age: fn(&V) -> i64,
    entries: HashMap<u64, V>,
}

impl<V> Recent<V> {
    /// Nothing yet; at most `most` later.
    pub fn new(most: usize, age: fn(&V) -> i64) -> Self {
        Self { most, age, entries: HashMap::new() }
    }

    /// What a full table takes, in bytes: a power of two of places, of which one in eight stays empty, each
    /// with a byte of the table's own.
    pub const fn most_bytes(most: usize) -> usize {
        (most * 8 / 7).next_power_of_two() * (size_of::<(u64, V)>() + 1)
    }

    /// The entry, if it is remembered.
    pub fn get(&self, key: u64) -> Option<&V> {
        self.entries.get(&key)
    }

    /// The entry to be changed, if it is remembered.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.entries.get_mut(&key)
    }

    /// The entry, made when it is not remembered.
    pub fn entry(&mut self, key: u64, fresh: impl FnOnce() -> V) -> &mut V {
        if self.entries.len() >= self.most && !self.entries.contains_key(&key) {
            self.forget_oldest();
        }
        self.entries.entry(key).or_insert_with(fresh)
    }

    /// Forgets one.
    pub fn remove(&mut self, key: u64) {
        self.entries.remove(&key);
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One in eight goes, so that this is seldom done. Which of several equally old ones go does not matter.
    fn forget_oldest(&mut self) {
        let mut ages: Vec<i64> = self.entries.values().map(self.age).collect();
        let mut left = (ages.len() / 8).max(1);
        let (_, limit, _) = ages.select_nth_unstable(left - 1);
        let (limit, age) = (*limit, self.age);
        left = ages.iter().filter(|age| **age < limit).count();
        // All that are older than the limit go, and of those at the limit as many as it takes.
        let mut at_limit = (self.entries.len() / 8).max(1) - left;
        self.entries.retain(|_, entry| match age(entry).cmp(&limit) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal if at_limit > 0 => {
                at_limit -= 1;
                false
            }
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_is_full_the_oldest_are_forgotten_and_not_all() {
        let mut recent = Recent::new(16, |age: &i64| *age);
        for key in 0..16 {
            recent.entry(key, || 100 + i64::try_from(key).unwrap());
        }
        *recent.entry(3, || 0) = 1000;
        assert_eq!(recent.len(), 16);
        recent.entry(99, || 200);
        assert_eq!(recent.len(), 15, "two went, one came");
        assert!(recent.get(0).is_none() && recent.get(1).is_none() && recent.get(2).is_some());
        assert_eq!(recent.get(3), Some(&1000));
    }

    #[test]
    fn entries_of_the_same_age_do_not_all_go() {
        let mut recent = Recent::new(16, |age: &i64| *age);
        for key in 0..1000 {
            recent.entry(key, || 7);
            assert!(recent.len() <= 16);
        }
        assert!(recent.len() >= 14);
        let mut one = Recent::new(1, |age: &i64| *age);
        one.entry(1, || 1);
        one.entry(2, || 2);
        assert_eq!((one.len(), one.get(2)), (1, Some(&2)));
    }
}
