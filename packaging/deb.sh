#!/usr/bin/env bash
# Puts a program that is compiled into a Debian package: packaging/deb.sh amd64|arm64 PROGRAM [FOLDER]. Prints where it is.
# The same program gives the same bytes, whenever and wherever. COMPRESSION=gzip is faster, for a try.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/settings.sh

arch=${1:?which architecture: amd64 or arm64} program=${2:?which program} folder=${3:-$packages}
name=ip2tor-shop version=${VERSION:-$(version)}
triple "$arch" >/dev/null
most_program=32000000 most_package=11000000
maintainer=${MAINTAINER:-$(sed -n 's/^ -- \(.*>\)  .*/\1/p' packaging/debian/changelog | head -n 1)}

umask 022
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

put() { # MODE FILE PLACE
    install -D -m "$1" "$2" "$root/$3"
}
put 755 "$program" usr/bin/$name
put 644 packaging/$name.service usr/lib/systemd/system/$name.service
put 644 packaging/sysusers.d/$name.conf usr/lib/sysusers.d/$name.conf
put 644 packaging/tmpfiles.d/$name.conf usr/lib/tmpfiles.d/$name.conf
put 644 packaging/config.example.toml usr/share/$name/config.example.toml
put 755 packaging/raspiblitz/bonus.$name.sh usr/share/$name/bonus.$name.sh
put 644 packaging/debian/copyright usr/share/doc/$name/copyright
put 644 packaging/debian/changelog usr/share/doc/$name/changelog
put 644 docs/OPERATING.md usr/share/doc/$name/OPERATING.md
for example in packaging/examples/*; do put 644 "$example" "usr/share/doc/$name/examples/${example##*/}"; done
put 644 packaging/man/$name.1 usr/share/man/man1/$name.1
gzip -9n "$root/usr/share/doc/$name/changelog" "$root/usr/share/man/man1/$name.1"

# The oldest libc that has all that the program calls.
glibc=$(readelf --version-info --wide "$program" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | cut -d _ -f 2)
size=$(du -k -s --apparent-size "$root" | cut -f 1)
mkdir "$root/DEBIAN"
sed -e "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/; s/@MAINTAINER@/$maintainer/" \
    -e "s/@LIBS@/libc6 (>= $glibc), libgcc-s1 (>= 4.2)/" packaging/debian/control >"$root/DEBIAN/control"
for script in preinst postinst prerm postrm; do
    sed "s/@VERSION@/$version/" packaging/debian/$script >"$root/DEBIAN/$script"
    chmod 755 "$root/DEBIAN/$script"
done
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$folder"
package=$folder/${name}_${version}_$arch.deb
# The best that xz can: a fiftieth less to fetch for 65 MiB of memory while it is unpacked.
hardest=(-z9)
[ "${COMPRESSION:-xz}" = xz ] && hardest+=(-Sextreme)
dpkg-deb --root-owner-group "-Z${COMPRESSION:-xz}" "${hardest[@]}" --threads-max=1 --build "$root" "$package" >&2
sizes="program $(stat -c %s "$program") bytes, package $(stat -c %s "$package") bytes, needs libc $glibc"
step "$package: $sizes"
[ "$(stat -c %s "$program")" -le $most_program ] || die "the program has more than $most_program bytes"
[ "${COMPRESSION:-xz}" != xz ] || [ "$(stat -c %s "$package")" -le $most_package ] || die "the package has more than $most_package bytes"
echo "$package"
