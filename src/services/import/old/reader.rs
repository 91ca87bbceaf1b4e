//! Takes objects off the shelf.

use super::super::dump::{Object, Shelf};

/// Takes models off the shelf, and collects what is wrong with them.
pub struct Reader {
    /// What was not taken off yet.
    pub shelf: Shelf,
    /// What is wrong.
    pub wrong: Vec<String>,
}

impl Reader {
    /// All objects of a model, but for those that can't be read.
    pub fn each<T>(&mut self, model: &str, read: impl Fn(&Object) -> Result<T, String>) -> Vec<T> {
        let mut all = Vec::new();
        for object in self.shelf.remove(model).unwrap_or_default() {
            match read(&object) {
                Ok(value) => all.push(value),
                Err(problem) => self.wrong.push(format!("{}: {problem}", object.key)),
            }
        }
        all
    }
}
