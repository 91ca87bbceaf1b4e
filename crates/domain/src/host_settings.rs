//! The settings of a host, one list for all who go through them.

/// Hands the settings of a host to `$then!`, which makes of them what it needs: the fields of [`Host`], of
/// [`HostChange`], of the flags on the command line, the columns of the table. Each is a line
/// `field: Type = default, "NAME OF ITS VALUE";` under what the help says of it, and `alias = "…"` is another name of
/// its flag. Durations are in seconds, prices in msat, bandwidth in bytes.
///
/// A new one also needs a column in `migrations/`, its limits in [`errors`], `make openapi`, a field in
/// `assets/admin/hosts.js` with its words, and a line in `docs/OPERATING.md`: `CONTRIBUTING.md` has the recipe.
///
/// [`Host`]: crate::host::Host
/// [`HostChange`]: crate::host_rules::HostChange
/// [`errors`]: crate::host_rules::errors
#[macro_export]
macro_rules! host_settings {
    ($then:ident) => {
        $then! {
            /// Whether it sells (default for a new host: true).
            is_enabled: bool = true, "BOOL";
            /// Whether it takes no new orders, while what it has sold goes on and can be extended.
            is_draining: bool = false, "BOOL";
            /// Whether it is for trying out: its products can't be extended.
            is_test_host: bool = false, "BOOL";
            /// Whether it is paid for on a test network.
            is_testnet: bool = false, "BOOL";
            /// Whether it sells Tor bridges.
            offers_tor_bridges: bool = false, "BOOL";
            /// Seconds that a bridge is sold for; 0 is for ever.
            tor_bridge_duration: i64 = 86_400, "SECONDS";
            /// The price of a new bridge.
            tor_bridge_price_initial: $crate::money::Msat = $crate::money::Msat(25_000), "MSAT";
            /// The price of an extension.
            tor_bridge_price_extension: $crate::money::Msat = $crate::money::Msat(20_000), "MSAT";
            /// Whether it sells Nostr aliases.
            offers_nostr_aliases: bool = false, "BOOL";
            /// The port that serves aliases.
            nostr_alias_port: u16 = 80, "PORT";
            /// Seconds that an alias is sold for; 0 is for ever.
            nostr_alias_duration: i64 = 2_592_000, "SECONDS";
            /// The price of a new alias.
            nostr_alias_price_initial: $crate::money::Msat = $crate::money::Msat(25_000_000), "MSAT";
            /// The price of an extension.
            nostr_alias_price_extension: $crate::money::Msat = $crate::money::Msat(20_000_000), "MSAT";
            /// Whether it would sell reverse SSH tunnels (stored, not sold by this shop).
            offers_rssh_tunnels: bool = false, "BOOL";
            /// The price of a tunnel.
            rssh_tunnel_price: $crate::money::Msat = $crate::money::Msat(1000), "MSAT";
            /// Terms of service as text; may be empty.
            terms_of_service: String = String::new(), "TEXT";
            /// Where the terms are; may be empty.
            terms_of_service_url: String = String::new(), "URL";
            /// Bytes that a new bridge, and each extension, comes with; 0 is without limit.
            bridge_bandwidth_initial: i64 = 1 << 30, "BYTES";
            /// Seconds added to each paid period, at least 600.
            grace_secs: i64 = 600, "SECONDS";
            /// Seconds that a payment is held until the host has activated, at least 60.
            hold_limit_secs: i64 = 90, "SECONDS";
            /// Whether buyers pay only when the host has delivered, where the node can do that.
            use_holds: bool = true, "BOOL";
            /// Seconds after a payment for which buyers' software waits: what is delivered later is told, at least 60.
            late_secs: i64 = 360, "SECONDS", alias = "late";
            /// How many periods the pages sell at once, with one invoice (1 to 366).
            max_periods: u16 = 1, "NUMBER";
            /// Whom to tell of abuse, as everybody reads it: a mail or web address; may be empty.
            abuse_contact: String = String::new(), "TEXT";
        }
    };
}
