//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // 54,000 addresses are relocated at the start. Packed, the list of them takes 16 KiB instead of 1.3 MiB of
    // memory. Needs glibc 2.36 (Debian 12); a linker that can't do it says so and goes on.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
