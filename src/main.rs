//! The `ip2tor-shop` binary: parses nothing itself, hands over to the library.
fn main() -> std::process::ExitCode {
    ip2tor_shop::run()
}
