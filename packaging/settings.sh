# What the scripts in here share; sourced from the repository's root.

# The version of the package, and the time that all its files have: that of the newest commit.
version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml; }
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

step() { printf '== %s (after %s s)\n' "$1" "$SECONDS" >&2; }
die() { printf 'error: %s\n' "$1" >&2; exit 1; }

# Debian's name of an architecture as the compiler's.
triple() {
    case "$1" in
        amd64) echo x86_64-unknown-linux-gnu ;;
        arm64) echo aarch64-unknown-linux-gnu ;;
        *) die "there are packages for amd64 and arm64 only, not for $1" ;;
    esac
}

# Where the packages go.
packages=target/deb
