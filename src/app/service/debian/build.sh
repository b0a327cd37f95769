#!/bin/sh
# Makes the Debian package of what `make install` put into a folder:
#
#     build.sh ROOT VERSION MAINTAINER OUT
#
# ROOT is that folder, of which the package is made; OUT the folder that takes
# postcard_VERSION_ARCH.deb.  It needs dpkg-dev and no privileges.
set -eu
root=$1 version=$2 maintainer=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
doc=$root/usr/share/doc/postcard
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/postcard"
gzip -9nf "$root/usr/share/man/man1/postcard.1"
install -d "$doc" "$root/DEBIAN"
install -m 644 "$here/copyright" "$doc/copyright"
{
	printf 'postcard (%s) unstable; urgency=medium\n\n  * See the README of the source.\n\n' "$version"
	printf ' -- %s  %s\n' "$maintainer" "$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")"
} | gzip -9n >"$doc/changelog.Debian.gz"
chmod 644 "$doc/changelog.Debian.gz"

# the libraries that the program is linked with, by the packages that have them
mkdir -p "$work/debian"
printf 'Source: postcard\n\nPackage: postcard\nArchitecture: any\n' >"$work/debian/control"
program=$(cd "$root" && pwd)/usr/bin/postcard
depends=$(cd "$work" && dpkg-shlibdeps -O "$program" 2>"$work/log" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { cat "$work/log" >&2; exit 1; }

size=$(du -sk --exclude=DEBIAN "$root" | cut -f 1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@MAINTAINER@|$maintainer|" -e "s|@SIZE@|$size|" \
    -e "s|@DEPENDS@|$depends|" "$here/control.in" >"$root/DEBIAN/control"
install -m 644 "$here/conffiles" "$root/DEBIAN/conffiles"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN/"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print | sed 's|^\./||' | LC_ALL=C sort |
    xargs -d '\n' md5sum >DEBIAN/md5sums)
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/postcard_${version}_$arch.deb"
