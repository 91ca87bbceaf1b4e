# A Debian or Ubuntu with systemd as its first process, in a container: functions for the scenes. Needs root, mmdebstrap,
# systemd-container and util-linux; no network but the distribution's mirror, that only for the first `make_system`.
#
# What is done to a machine stays on its disk (an overlay above the system that was made once), over reboots and power
# cuts. In such a container MemoryMax= and IPAddressDeny= are not enforced.

suite=${SUITE:-bookworm}
cache=${CACHE:-target/install-test}
system=$cache/$suite
# How long an upgrade takes here, in seconds: the plug is pulled at some moment of it.
cut_within=3
# What Debian's installer brings, and what the scenes call; no Recommends, so that a forgotten dependency shows.
included=systemd,systemd-sysv,dbus,init-system-helpers,ca-certificates,apt,adduser,curl,jq,iproute2,procps,sqlite3

# Where a suite comes from, as a line of sources.list. Ubuntu's key is in none of Debian's packages: KEYRING names the file.
source_line() {
    case $suite in
    noble) echo "deb ${MIRROR:-http://archive.ubuntu.com/ubuntu} $suite main universe" ;;
    *) echo "deb ${MIRROR:-http://deb.debian.org/debian} $suite main" ;;
    esac
}

# Makes the system that all machines begin with, unless it is there.
make_system() {
    [ -d "$system" ] && return
    for tool in mmdebstrap systemd-nspawn unshare nsenter; do
        command -v $tool >/dev/null || die "$tool is missing: apt install mmdebstrap systemd-container util-linux"
    done
    step "making a $suite (once, some minutes)"
    mkdir -p "$cache"
    rm -rf "$system.part"
    mmdebstrap --quiet --variant=minbase ${KEYRING:+--keyring="$KEYRING"} --include=$included "$suite" "$system.part" "$(source_line)"
    echo machine >"$system.part/etc/hostname"
    printf '127.0.0.1 localhost machine\n' >"$system.part/etc/hosts"
    mv "$system.part" "$system"
}

# A new machine with an empty disk above the system; the folder shared/ is /shared in it.
new_machine() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/install-test.XXXXXX")
    mkdir "$scratch/disk" "$scratch/work" "$scratch/root" "$scratch/shared"
    keeper='' init=''
}

# Starts it and waits until systemd is done with it.
boot() {
    unshare --mount --pid --fork --kill-child --mount-proc bash -euc '
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/disk,workdir=$2/work" "$2/root"
        # A container manages the control groups below its own, and needs the new kind of them.
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        group=/sys/fs/cgroup/install-test-$3; mkdir -p "$group"; echo $BASHPID >"$group/cgroup.procs"
        mkdir -p /run/systemd/nspawn; mount -t tmpfs tmpfs /run/systemd/nspawn
        exec systemd-nspawn --quiet --boot --directory="$2/root" --machine=install-test-$3 --bind="$2/shared:/shared" \
            --keep-unit --register=no --private-network --console=read-only
    ' - "$(realpath "$system")" "$scratch" $$ >"$scratch/console" 2>&1 </dev/null &
    keeper=$!
    for _ in $(seq 300); do
        init=$(first_process "$keeper") && [ -n "$init" ] &&
            case "$(inside 'systemctl is-system-running' 2>/dev/null || true)" in running | degraded) return ;; esac
        kill -0 "$keeper" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$scratch/console" >&2
    die "the machine does not start"
}

# The machine's systemd, as this machine sees it: the only one of that name below the keeper.
first_process() {
    local process
    for process in $(pgrep --parent "$1" || true); do
        if [ "$(cat "/proc/$process/comm" 2>/dev/null)" = systemd ]; then echo "$process"; return; fi
        first_process "$process"
    done
}

# Runs a line of shell in the machine as root.
inside() {
    (cd / && nsenter --target "$init" --mount --uts --ipc --net --pid --root --wd \
        env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive bash -euc "$1")
}

# An orderly end.
halt() {
    inside 'systemctl poweroff' >/dev/null 2>&1 || true
    wait "$keeper" 2>/dev/null || true
    keeper=''
}

# The plug is pulled: no process may say another word. (What the kernel has not written yet is not lost here.)
power_cut() {
    kill -9 "$init" "$keeper" 2>/dev/null || true
    wait "$keeper" 2>/dev/null || true
    keeper=''
}

# Removes the machine, whatever state it is in.
end_machine() {
    [ -z "${keeper:-}" ] || power_cut
    unshare --mount bash -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
        find "/sys/fs/cgroup/install-test-$1" -depth -type d -exec rmdir {} +' - $$ 2>/dev/null || true
    [ -z "${scratch:-}" ] || rm -rf "$scratch"
}
