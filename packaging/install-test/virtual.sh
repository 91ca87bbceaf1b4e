# A Debian of another architecture, in an emulated machine with a kernel of its own: the same functions as in machine.sh, which
# is read before this. Needs root, qemu-system-arm, qemu-user-static, qemu-utils, e2fsprogs and openssh-client as well.
#
# It is real in what a container is not: its kernel's sandbox and limits of memory, and a power cut, which loses what the
# kernel has not written. And it is slow: about a minute to boot on two cores. Its network leads to this machine's ssh alone.

arch=$(dpkg-deb -f "$package" Architecture)
system=$cache/$suite-$arch
cut_within=60
# Without these it neither boots nor can be talked to.
virtual_only=udev,kmod,openssh-server,tiny-initramfs,linux-image-cloud-$arch

make_system() {
    [ -d "$system" ] && return
    for tool in mmdebstrap qemu-system-aarch64 qemu-img mkfs.ext4 ssh; do
        command -v $tool >/dev/null || die "$tool is missing: apt install mmdebstrap qemu-system-arm qemu-utils qemu-user-static e2fsprogs openssh-client"
    done
    step "making a Debian $suite for $arch (once, some ten minutes)"
    local new=$system.part
    rm -rf "$new"
    mkdir -p "$new/before/etc/tiny-initramfs"
    ssh-keygen -q -t ed25519 -N '' -f "$new/key"
    # No more than what mounts the disk: Debian's usual tool makes one for minutes, under emulation.
    printf 'AUTO_MODULES=no\nINCLUDE_MODULES="virtio_pci virtio_blk ext4"\n' >"$new/before/etc/tiny-initramfs/tiny-initramfs.conf"
    emulate
    mmdebstrap --quiet --variant=minbase --architectures="$arch" --include="$included,$virtual_only" \
        --setup-hook="copy-in $new/before/etc /" "$suite" "$new/root" "$(source_line)"
    give_way_in "$new/root"
    cp "$new"/root/boot/vmlinuz-* "$new/kernel"
    cp "$new"/root/boot/initrd.img-* "$new/initrd"
    mkfs.ext4 -q -d "$new/root" "$new/disk" 6G 2>/dev/null
    rm -rf "$new/root" "$new/before"
    mv "$new" "$system"
}

# Lets this kernel start the other architecture's programs, while the Debian is made.
emulate() {
    local known=/proc/sys/fs/binfmt_misc
    [ -e $known/register ] || mount -t binfmt_misc binfmt_misc $known
    [ -e $known/qemu-aarch64 ] && return
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >$known/register
    trap 'echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64; end_machine' EXIT
}

# A name, an address, and ssh for whoever has the key.
give_way_in() { # ROOT
    echo machine >"$1/etc/hostname"
    printf '127.0.0.1 localhost machine\n' >"$1/etc/hosts"
    printf '[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\n' >"$1/etc/systemd/network/one.network"
    mkdir -p "$1/shared" "$1/etc/systemd/system/multi-user.target.wants"
    ln -s /lib/systemd/system/systemd-networkd.service "$1/etc/systemd/system/multi-user.target.wants/"
    install -D -m 600 "$1/../key.pub" "$1/root/.ssh/authorized_keys"
}

new_machine() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/install-test.XXXXXX")
    mkdir "$scratch/shared"
    keeper='' port=$((20000 + RANDOM % 20000))
}

boot() {
    [ -e "$scratch/disk" ] || qemu-img create -q -f qcow2 -F raw -b "$(realpath "$system")/disk" "$scratch/disk"
    qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 1024 -accel tcg,thread=multi -nodefaults -display none -serial stdio \
        -kernel "$system/kernel" -initrd "$system/initrd" -append 'root=/dev/vda rw console=ttyAMA0 SYSTEMD_COLORS=0' \
        -drive "file=$scratch/disk,if=virtio,format=qcow2" -device virtio-rng-pci \
        -netdev "user,id=one,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=one,romfile= >>"$scratch/console" 2>&1 </dev/null &
    keeper=$!
    for _ in $(seq 300); do
        case "$(across 'systemctl is-system-running' 2>/dev/null || true)" in running | degraded) break ;; esac
        kill -0 "$keeper" 2>/dev/null || break
        sleep 2
    done
    if ! across true; then
        tail -n 20 "$scratch/console" >&2
        die "the machine does not start"
    fi
    # What is shared is sent anew: the folder may have been lost with the power.
    rm -f "$scratch/sent"
}

across() {
    ssh -q -p "$port" -i "$system/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 \
        -o ServerAliveInterval=20 -o ServerAliveCountMax=30 root@127.0.0.1 "$@"
}

# What was put into shared/ since the last time is there before the line runs.
inside() {
    local new=()
    if [ -e "$scratch/sent" ]; then new=(-newer "$scratch/sent"); fi
    touch "$scratch/sending"
    if (cd "$scratch/shared" && find . -type f "${new[@]}" | grep -q .); then
        (cd "$scratch/shared" && find . -type f "${new[@]}" -print0 | tar -c --null -T -) | across 'tar -x --no-same-owner -C /shared' </dev/stdin
    fi
    mv "$scratch/sending" "$scratch/sent"
    across "env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive bash -euc $(printf %q "$1")" </dev/null
}

halt() {
    inside 'systemctl poweroff' >/dev/null 2>&1 || true
    wait "$keeper" 2>/dev/null || true
    keeper=''
}

# What its kernel has not written is lost.
power_cut() {
    kill -9 "$keeper" 2>/dev/null || true
    wait "$keeper" 2>/dev/null || true
    keeper=''
}

end_machine() {
    [ -z "${keeper:-}" ] || power_cut
    [ -z "${scratch:-}" ] || rm -rf "$scratch"
}
