//! Real browsers: purchases in Chromium with and without scripts and in Firefox as Tor Browser is at its level "Safest",
//! what becomes of those that fail, wallets that scan a page's code,
//! and every page as it looks on a phone and on a desktop; in Chromium the screens of those who run the shop as well, from
//! the first run on. Pictures are kept below `target/screenshots`.

mod admin;
mod admin_deeds;
mod admin_login;
mod admin_money;
mod admin_people;
mod claims;
mod driver;
mod endings;
mod events;
mod first_run;
mod gallery;
mod looks;
mod operator;
mod purchase;
mod renewal;
mod safest;
mod session;
mod wallet;
