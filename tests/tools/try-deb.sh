#!/bin/sh
# Tries the Debian package on a bare Debian 12: apt installs it with its maintainer scripts, it is
# configured, upgraded, removed, installed again, purged; nothing but its users is left.  Then, where
# that can be done (boot-chroot.sh), the system is booted and all of it happens to a running service.
#
#     tests/tools/try-deb.sh [FOLDER]
#
# It packages what is built in BUILD (default: build).  FOLDER (default: a new one under /var/tmp,
# removed afterwards) takes the system.  It needs root, debootstrap and a package mirror (MIRROR,
# default: this machine's); what this machine's apt is configured with is used inside too.  Status
# 0: all went well; 77: it cannot be tried here.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
build=${BUILD:-build}
for program in debootstrap dpkg-shlibdeps; do
	if [ "$(id -u)" != 0 ] || ! command -v $program >/dev/null; then
		echo "try-deb: needs root, debootstrap and dpkg-dev" >&2
		exit 77
	fi
done
mirror=${MIRROR:-$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm main.*/\2/p; s/^URIs: *//p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)}
mirror=${mirror:-http://deb.debian.org/debian}
root=${1:-$(mktemp -d /var/tmp/postcard-deb.XXXXXX)}
mkdir -p "$root" && chmod 755 "$root" # it becomes /, which users of the system must pass

leave() {
	[ -z "${machine:-}" ] || { kill "$machine" && wait "$machine"; } 2>/dev/null || true
	umount "$root/proc" "$root/dev" 2>/dev/null || true
	[ -n "${keep:-}" ] || rm -rf --one-file-system "$root"
}
keep=${1:+yes}
trap leave EXIT
trap 'exit 130' INT TERM

old=1.0~try-1 new=1.0~try-2
arch=$(dpkg --print-architecture)
for version in $old $new; do
	make -s deb BUILD="$build" DEPS=0 DEB_VERSION=$version >/dev/null
done

[ -e "$root/etc/debian_version" ] ||
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 77; }
rm -f "$root.log"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
[ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/try"
mv "$build/postcard_${old}_$arch.deb" "$build/postcard_${new}_$arch.deb" "$root/try/"
cp pcaps/office.pcap "$root/try/"

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
fail() {
	echo "try-deb: $*"
	exit 1
}
step() {
	echo "== $*"
}
apt() {
	inside apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >"$root/try/log" 2>&1 || {
		tail -n 40 "$root/try/log"
		fail "apt-get $*"
	}
	if grep -iE 'postcard.*(warning|error)|maintainer script' "$root/try/log"; then
		fail "apt-get $* was not silent"
	fi
}
# is NAME in the output of the command that follows?
says() {
	word=$1
	shift
	said=$(inside "$@" 2>&1) || true
	case $said in
	*"$word"*) ;;
	*) fail "'$*' does not say '$word' but: $said" ;;
	esac
}
mode() {
	[ "$(inside stat -c '%U:%G %a' "$1")" = "$2" ] || fail "$1 is $(inside stat -c '%U:%G %a' "$1"), not $2"
}

step "install"
apt update
# what is there without it, so that a purge can be compared
apt install --no-install-recommends systemd logrotate libcap2-bin
apt install --no-install-recommends --download-only "/try/postcard_${old}_$arch.deb"
before() {
	inside find / -xdev \( -path /proc -o -path /dev -o -path /try -o -path /var/cache -o -path /var/lib/apt \) -prune -o \
	    -name '*postcard*' -print | sort
}
[ -z "$(before)" ] || fail "already there: $(before)"
apt install --no-install-recommends "/try/postcard_${old}_$arch.deb"
says 'postcard 0' postcard --version
says 'configuration    /etc/postcard/postcard.yaml' postcard -T
inside postcard -T >/dev/null || fail "postcard -T failed"
says 'or an interface with -i' postcard --config /etc/postcard/postcard.yaml
inside postcard -q -r /try/office.pcap >/dev/null || fail "it does not replay"
for user in postcard postcard-worker; do
	says nologin getent passwd $user
done
mode /var/lib/postcard "postcard:postcard 750"
mode /var/lib/postcard/spool "postcard:postcard 700"
mode /var/log/postcard "postcard:adm 750"
says disabled systemctl is-enabled postcard.service
said=$(inside logrotate --debug /etc/logrotate.d/postcard 2>&1) || fail "logrotate does not take its file: $said"

step "configure"
inside sed -i -e 's/^#interface: eth1/interface: lo/' -e 's/^#out:/out:/' -e 's/^#rules-extra:/rules-extra:/' \
    /etc/postcard/postcard.yaml
says 'rules: No such file' postcard -T
inside mkdir /etc/postcard/rules
inside cp /usr/share/postcard/rules/spread.yml /usr/share/postcard/rules/many-logins.yml /etc/postcard/rules
inside sed -i -e 's/^name: /&my-/' -e 's/^id: ......../id: 00000000/' /etc/postcard/rules/spread.yml /etc/postcard/rules/many-logins.yml
inside postcard -T >"$root/try/said" || fail "postcard -T with a configuration failed"
for line in 'interfaces       lo' 'user             postcard' 'out              /var/log/postcard/records.ndjson' \
    'state            /var/lib/postcard/state.db'; do
	grep -qx "$line" "$root/try/said" || fail "postcard -T does not say '$line': $(cat "$root/try/said")"
done
inside systemctl enable postcard.service 2>/dev/null || fail "it cannot be enabled"
inside install -o postcard -g postcard -m 600 /dev/null /var/lib/postcard/state.db
inside install -o postcard -g adm -m 640 /dev/null /var/log/postcard/records.ndjson

step "upgrade"
apt install --no-install-recommends "/try/postcard_${new}_$arch.deb"
[ "$(inside dpkg-query -W -f '${Version}' postcard)" = $new ] || fail "it is not upgraded"
inside grep -q '^interface: lo' /etc/postcard/postcard.yaml || fail "the configuration is not kept"
[ -e "$root/var/lib/postcard/state.db" ] || fail "the memory is not kept"
says enabled systemctl is-enabled postcard.service
says 'interfaces       lo' postcard -T

step "remove, and install again"
apt remove postcard
[ ! -e "$root/usr/bin/postcard" ] || fail "the program is still there"
inside grep -q '^interface: lo' /etc/postcard/postcard.yaml || fail "the configuration is not kept"
[ -e "$root/var/lib/postcard/state.db" ] || fail "the memory is not kept"
apt install --no-install-recommends "/try/postcard_${new}_$arch.deb"
says enabled systemctl is-enabled postcard.service
says 'interfaces       lo' postcard -T

step "purge"
inside rm -r /etc/postcard/rules
apt purge postcard
left=$(before)
[ -z "$left" ] || fail "left behind: $left"
says nologin getent passwd postcard

# ---- as a running service ----

if ! grep -lq notify_open $(ls src/app/*.c | grep -v notify.c); then
	echo "== try-deb: all went well (no run tells a service manager yet: not tried as a service)"
	exit 0
fi
umount "$root/proc" "$root/dev"
tests/tools/boot-chroot.sh "$root" >"$root.first" 2>"$root.log" &
machine=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	sleep 1
	[ ! -s "$root.first" ] || break
done
first=$(tr -d ' ' <"$root.first")
inside() {
	nsenter -t "$first" -m -p -n -u -i -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
	    DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER= "$@"
}
state=$([ -z "$first" ] || inside systemctl is-system-running --wait 2>/dev/null) || true
case $state in
running|degraded) ;;
*)
	echo "== try-deb: all went well, but not tried as a service: $(tail -n 1 "$root.log")"
	rm -f "$root.log" "$root.first"
	exit 0
	;;
esac
rm -f "$root.log" "$root.first"
# what systemd and the journal say of it, where it is not as expected
journal() {
	inside systemctl status --no-pager postcard 2>&1 || true
	inside journalctl --no-pager -b -n 40 -u postcard 2>&1 || true
	fail "$*"
}
main() {
	inside systemctl show -p MainPID --value postcard
}
runs() {
	[ "$(inside systemctl is-active postcard)" = active ] || journal "it does not run: $*"
}

step "install on a running system"
inside ip link set lo up 2>/dev/null || true
apt install --no-install-recommends "/try/postcard_${old}_$arch.deb"
[ "$(inside systemctl is-active postcard)" = inactive ] || journal "it was started unasked"

step "start"
inside sed -i -e 's/^#interface: eth1/interface: lo/' -e 's/^#out:/out:/' -e 's/^#metrics:/metrics:/' \
    /etc/postcard/postcard.yaml
inside systemctl enable --now postcard 2>/dev/null || journal "it does not start"
runs "once started"
for pid in $(inside cat /sys/fs/cgroup/systemd/system.slice/postcard.service/cgroup.procs 2>/dev/null ||
    inside cat /sys/fs/cgroup/system.slice/postcard.service/cgroup.procs); do
	inside grep -E '^(Name|Uid|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status" | tr -s '\n\t' '  '
	echo
done
says 'CapEff:	0000000000000000' cat "/proc/$(main)/status"
says "Uid:	$(inside id -u postcard)" cat "/proc/$(main)/status"
mode /var/log/postcard/records.ndjson "postcard:postcard 640"

step "reload, and rotate"
earlier=$(main)
inside systemctl reload postcard || journal "it cannot be reloaded"
inside sh -c 'echo {} >>/var/log/postcard/records.ndjson'
inside logrotate --force /etc/logrotate.d/postcard || journal "its records cannot be rotated"
sleep 1
runs "after a reload"
[ "$earlier" = "$(main)" ] || journal "a reload started it anew"
inside [ -s /var/log/postcard/records.ndjson.1 ] || journal "its records were not rotated"

step "killed, it comes back"
inside systemctl kill --signal=KILL postcard
sleep 7
runs "after it was killed"
[ "$earlier" != "$(main)" ] || journal "it was not killed"

step "upgrade of what runs"
earlier=$(main)
apt install --no-install-recommends "/try/postcard_${new}_$arch.deb"
sleep 2
runs "after an upgrade"
[ "$earlier" != "$(main)" ] || journal "the upgrade did not start it anew"

step "stop"
start=$(date +%s)
inside systemctl stop postcard
[ $(($(date +%s) - start)) -le 3 ] || journal "it took $(($(date +%s) - start)) s to stop"
[ "$(inside systemctl show -p Result --value postcard)" = success ] || journal "it did not end well"

step "purge of what runs"
inside systemctl start postcard
apt purge postcard
[ "$(inside systemctl is-active postcard)" = inactive ] || journal "it still runs"
left=$(before; inside find /run/systemd -name '*postcard*')
[ -z "$left" ] || fail "left behind: $left"

echo "== try-deb: all went well"
