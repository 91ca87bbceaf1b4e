#!/usr/bin/env bash
# Makes an apt repository of the packages in target/deb: static files for any web server. packaging/repository.sh KEY URL
# KEY is the gpg key to sign with (its id or address), URL where the folder target/repository will be found.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/settings.sh

key=${1:?which gpg key signs} url=${2:?where it will be found}
out=target/repository suite=stable name=ip2tor-shop
for tool in apt-ftparchive gpg; do command -v $tool >/dev/null || die "$tool is missing: sudo apt install apt-utils gpg"; done
ls $packages/*.deb >/dev/null 2>&1 || die "there are no packages in $packages: make deb"

rm -rf $out.new && mkdir -p $out.new/pool
# What was published before stays available: the way back.
[ ! -d $out/pool ] || cp -a $out/pool/. $out.new/pool/
cp -a $packages/*.deb $out.new/pool/
cd $out.new
for arch in amd64 arm64; do
    folder=dists/$suite/main/binary-$arch
    mkdir -p $folder
    apt-ftparchive --arch $arch packages pool >$folder/Packages
    gzip -9nk $folder/Packages
done
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
apt-ftparchive -o APT::FTPArchive::Release::Origin=$name -o APT::FTPArchive::Release::Label=$name \
    -o APT::FTPArchive::Release::Suite=$suite -o APT::FTPArchive::Release::Codename=$suite \
    -o APT::FTPArchive::Release::Architectures="amd64 arm64" -o APT::FTPArchive::Release::Components=main \
    -o APT::FTPArchive::Release::Date="$date" release dists/$suite >Release.new
mv Release.new dists/$suite/Release
gpg --batch --yes --local-user "$key" --clearsign --output dists/$suite/InRelease dists/$suite/Release
gpg --batch --yes --local-user "$key" --armor --detach-sign --output dists/$suite/Release.gpg dists/$suite/Release
gpg --export "$key" >$name.gpg
cat >$name.sources <<SOURCES
Types: deb
URIs: $url
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/$name.gpg
SOURCES
cd - >/dev/null
rm -rf $out && mv $out.new $out
cat >&2 <<HELP
$out is ready to be copied to $url. On a machine:
  sudo curl -o /usr/share/keyrings/$name.gpg $url/$name.gpg
  sudo curl -o /etc/apt/sources.list.d/$name.sources $url/$name.sources
  sudo apt update && sudo apt install $name
HELP
