//! Pages for people: rendered here, usable without JavaScript, in every language of the texts. A page calls the services
//! as the API does, never the API.

mod answer;
mod assets;
mod buy;
mod calendar;
mod claim;
mod directory;
mod encoding;
mod find;
mod form;
mod format;
mod frame;
mod hosts;
mod language;
mod lnurl;
mod order;
mod order_events;
mod order_form;
mod order_words;
mod paths;
mod periods;
mod places;
mod problems;
mod product;
mod product_words;
mod receipt;
mod renew;
#[cfg(test)]
mod sample;
mod stage;
mod standing;
mod status;
mod texts;
mod visit;

pub use answer::{add_slash, to_docs};
pub use assets::serve as asset;
pub use places::routes;
pub use problems::{answer, not_found, reader};
pub use visit::Visit;
