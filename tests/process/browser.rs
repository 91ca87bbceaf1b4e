//! Real browsers: purchases in Chromium with and without scripts and in Firefox as Tor Browser is at its level "Safest",
//! and every page as it looks on a phone and on a desktop; in Chromium the screens of those who run the shop as well, from
//! the first run on. Pictures are kept below `target/screenshots`.

mod admin;
mod admin_deeds;
mod admin_login;
mod driver;
mod first_run;
mod gallery;
mod looks;
mod purchase;
mod safest;
mod session;
