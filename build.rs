//! What the pages' files become, and how the program is linked.

#[path = "build/api_page.rs"]
mod api_page;
#[path = "build/api_schema.rs"]
mod api_schema;
#[path = "build/assets.rs"]
mod assets;
#[path = "build/references.rs"]
mod references;

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let folder = |name: &str| var(name).map_err(std::io::Error::other);
    assets::write_table(Path::new(&folder("CARGO_MANIFEST_DIR")?), Path::new(&folder("OUT_DIR")?))?;
    // 54,000 addresses are relocated at the start. Packed, the list of them takes 16 KiB instead of 1.3 MiB of
    // memory. A linker that can't do it says so and goes on; a C library that can't would not load the program.
    if var("TARGET") == var("HOST") && glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// The version of this machine's C library, when it is glibc.
fn glibc() -> Option<(u32, u32)> {
    let answer = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
