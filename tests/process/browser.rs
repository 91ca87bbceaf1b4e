//! Real browsers: purchases in Chromium with and without scripts and in Firefox as Tor Browser is at its level "Safest",
//! and every page as it looks on a phone and on a desktop. Pictures are kept below `target/screenshots`.

mod driver;
mod gallery;
mod looks;
mod purchase;
mod safest;
mod session;
