#!/bin/sh
# Tries the README's two commands on a bare Debian 12: debootstrap's smallest, with make and git.
#
#     tests/tools/try-in-chroot.sh [FOLDER]
#
# FOLDER (default: a new one under /var/tmp, removed afterwards) takes the system.  It needs root,
# debootstrap and a package mirror (MIRROR, default: this machine's); what this machine's apt is
# configured with is used inside too.  Status 0: both passed; 77: it cannot be tried here.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
	echo "try-in-chroot: needs root and debootstrap" >&2
	exit 77
fi
mirror=${MIRROR:-$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm main.*/\2/p; s/^URIs: *//p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)}
mirror=${mirror:-http://deb.debian.org/debian}
root=${1:-$(mktemp -d /var/tmp/postcard-chroot.XXXXXX)}
mkdir -p "$root" && chmod 755 "$root" # it becomes /, which users of the system must pass

leave() {
	umount "$root/proc" "$root/dev/pts" "$root/dev" 2>/dev/null || true
	[ -n "${keep:-}" ] || rm -rf --one-file-system "$root"
}
keep=${1:+yes}
trap leave EXIT
trap 'exit 130' INT TERM

[ -e "$root/etc/debian_version" ] ||
    debootstrap --variant=minbase --include=make,git,ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 77; }
rm -f "$root.log"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
[ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
rm -rf "$root/root/postcard"
git clone -q "$top" "$root/root/postcard"

for command in "make demo" "make test"; do
	echo "== $command"
	start=$(date +%s)
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	    sh -c "cd /root/postcard && $command" >"$root/log" 2>&1 || {
		tail -n 40 "$root/log"
		echo "== $command failed"
		exit 1
	}
	tail -n 4 "$root/log"
	echo "== $command: $(($(date +%s) - start)) s"
done
