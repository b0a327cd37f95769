#!/bin/bash
# Boots the systemd of a folder that holds a system, in namespaces and control groups of its own,
# with no network but lo, and stays until it is ended:
#
#     tests/tools/boot-chroot.sh FOLDER
#
# For try-deb.sh.  It prints the number of the system's first process, for nsenter.  It needs root
# and control groups (of version 1 or 2) that it may make; what boots sees, moves and ends no
# process but its own.  Status 77: it cannot be done here.
set -eu
root=$1 name=postcard-try-$$
groups=/sys/fs/cgroup

cannot() {
	echo "boot-chroot: $*" >&2
	exit 77
}
leave() {
	sleep 0.2 # what was in them is ending
	for group in $groups/$name $groups/*/$name; do
		[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
	done
}
trap leave EXIT

# groups of our own, so that what boots takes their root for its own
join=
if [ -e $groups/cgroup.procs ]; then
	trees=$groups
else
	trees=$(echo $groups/*)
fi
for tree in $trees; do
	[ -e "$tree/cgroup.procs" ] || continue
	mkdir "$tree/$name" 2>/dev/null || cannot "no control group can be made in $tree"
	if [ "$tree" != $groups ]; then # of version 1 these are empty in a new one, which takes nobody then
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$tree/$file" ] || cat "$tree/$file" >"$tree/$name/$file"
		done
	fi
	join="$join $tree/$name/cgroup.procs"
done
[ -n "$join" ] || cannot "there are no control groups"

# a shell that moves itself there and becomes the system's first process
setsid bash -c '
	for procs in '"$join"'; do echo $$ >"$procs" || exit 77; done
	exec unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child --propagation private "$@"
' - bash -c '
	set -e
	root=$1
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	for d in null zero full random urandom tty; do
		touch "$root/dev/$d"
		mount --bind "/dev/$d" "$root/dev/$d"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	if [ -e /sys/fs/cgroup/cgroup.procs ]; then
		mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	else
		mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
		for c in cpu cpuacct memory pids devices freezer; do
			[ -d /sys/fs/cgroup/$c ] || continue
			mkdir "$root/sys/fs/cgroup/$c"
			mount -t cgroup -o $c cgroup "$root/sys/fs/cgroup/$c"
		done
		mkdir "$root/sys/fs/cgroup/systemd"
		mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
	fi
	exec chroot "$root" env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    /lib/systemd/systemd --log-target=console --show-status=no --unit=multi-user.target
' - "$root" &
child=$!
trap 'kill -KILL $child 2>/dev/null || true' TERM INT
for _ in $(seq 50); do
	first=$(cat "/proc/$child/task/$child/children" 2>/dev/null) || break
	[ -z "$first" ] || break
	sleep 0.1
done
echo ${first:-}
status=0
while kill -0 $child 2>/dev/null; do # a signal ends one wait
	wait $child || status=$?
done
exit $status
