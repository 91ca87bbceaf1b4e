//! A node whose clock is behind. lightningd takes its time from the C library, which Debian's `faketime` stands before.

use std::path::PathBuf;

use super::scenes;
use crate::PATIENCE;
use crate::live::process::wait_until;
use crate::shop::{PLAIN, Shop, said};

scenes! {
    fn a_node_whose_clock_is_behind_sells_nothing_and_both_times_are_told(network) {
        let Some(library) = faketime() else {
            println!("not run: Debian's package faketime is not installed");
            return;
        };
        let mut slow = network.add("slow");
        let library = library.display().to_string();
        slow.environment = vec![
            ("LD_PRELOAD", library), ("FAKETIME", "-2h".to_owned()), ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        slow.restart(&network.chain, &[]);
        let shop = Shop::start(&slow.record(), &[PLAIN]);
        let order = shop.place(0);
        let told = || shop.alerts().contains(&"clocks_apart".to_owned()).then_some(());
        wait_until(PATIENCE, told).unwrap_or_else(|| panic!("{:?}\n{}", shop.alerts(), shop.log()));
        let view = shop.order_view(&order);
        assert!(view["ln_invoices"][0]["payment_request"].is_null(), "what can't be paid is not shown: {view}");
        let check = shop.command(&["node", "check"]);
        let text = said(&check);
        assert!(!check.status.success() && text.contains("clocks apart") && text.contains("behind"), "{text}");
        let doctor = said(&shop.command(&["doctor"]));
        assert!(doctor.contains("clock"), "{doctor}");
    }
}

/// The library of the package, whatever this machine is.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}
