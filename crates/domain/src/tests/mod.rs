//! Tests of what many files of this crate have alike: names, and limits to the millisecond. What one file decides is tested
//! beside it.

mod hosts;
mod limits;
mod names;
mod shown;
