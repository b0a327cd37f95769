#!/usr/bin/env python3
"""Makes captures of real mail traffic, with labels: real servers and clients in network namespaces, tcpdump between them.

usage: tests/lab/lab.py [--out DIR] [--scratch DIR] [--list] [SCENARIO...]

  --out DIR      where NAME.pcap and NAME.labels.json go (default: pcaps, beside tests)
  --scratch DIR  where the mail programs are unpacked to (default: /var/tmp/postcard-lab); they are not installed
  --list         list the scenarios and stop
  --keep-going   go on with the next scenario after one that fails
  SCENARIO       only these (shell patterns; default: all)

example: sudo tests/lab/lab.py --out /tmp/lab starttls-tls13 'auth-*'

Needs root, Linux with network namespaces and overlayfs, and Debian's package mirror at the first run.
Exit status: 0 all made, 1 a scenario failed, 2 wrong usage, 77 cannot run here (skipped).
"""
import argparse
import ctypes
import fcntl
import fnmatch
import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import bench        # noqa: E402
import capture      # noqa: E402
import network      # noqa: E402
import reading      # noqa: E402
import scenarios    # noqa: E402,F401 (fills bench.ALL)
import scenarios_content  # noqa: E402,F401
import scenarios_fetch    # noqa: E402,F401
import scenarios_smtp     # noqa: E402,F401
import scenarios_tls      # noqa: E402,F401
import servers      # noqa: E402

# The mail programs conflict with each other as packages, so they are unpacked, not installed. Postfix comes last:
# its /usr/sbin/sendmail is the one to stay.
PACKAGES = """exim4-base exim4-daemon-light opensmtpd dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd swaks msmtp ethtool
    libidn12 libgsasl18 libgssglue1 libntlm0 libsecret-1-0 libwrap0 libnet-ssleay-perl libauthen-sasl-perl libdigest-hmac-perl
    perl-openssl-defaults mutt libtokyocabinet9 libgpgme11 isync fetchmail socat zip postfix""".split()
# Of the Debian after this one, for key exchange that a quantum computer does not break; run with its own C library.
NEWER, NEWER_PACKAGES = "trixie", "openssl libssl3t64 libc6 libzstd1 zlib1g".split()
TOOLS = "ip ss unshare nsenter mount tcpdump openssl curl apt-get dpkg-deb".split()
USERS = {   # user: group; the servers insist on having them. They exist inside the lab only.
    "postfix": "postfix", "postdrop": "postdrop", "Debian-exim": "Debian-exim", "opensmtpd": "opensmtpd",
    "opensmtpq": "opensmtpq",
    "dovecot": "dovecot", "dovenull": "dovenull", "vmail": "vmail", "anna": "anna", "bert": "bert",
    "clara": "clara"}


def skip(why):
    print("lab: skipped: " + why, file=sys.stderr)
    sys.exit(77)


def programs(scratch):
    """Where they are unpacked: a folder for each list of packages, so that labs of two versions can share the scratch folder."""
    return "%s/root-%s" % (scratch, hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8])


def unpack(scratch):
    """Fetch the packages once and unpack them."""
    os.makedirs(scratch, exist_ok=True)
    lock = os.open(scratch, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)   # another lab that starts now waits
    try:
        unpack_alone(programs(scratch), scratch + "/debs")
        unpack_newer(scratch)
    finally:
        os.close(lock)


def unpack_newer(scratch):
    """Fetch and unpack the newer OpenSSL once; where that cannot be done, the scenarios with it are skipped."""
    root = scratch + "/newer"
    if os.path.exists(root + "/.complete"):
        return
    apt = root + "/apt"
    for sub in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs("%s/%s" % (apt, sub), exist_ok=True)
    with open(apt + "/sources.list", "w") as f:
        f.write("deb http://deb.debian.org/debian %s main\n" % NEWER)
    options = [x for pair in (("Dir::State", apt + "/state"), ("Dir::State::status", "/var/lib/dpkg/status"), ("Dir::Cache", apt + "/cache"),
                              ("Dir::Etc::sourcelist", apt + "/sources.list"), ("Dir::Etc::sourceparts", "/dev/null"),
                              ("APT::Sandbox::User", "root")) for x in ("-o", "=".join(pair))]
    for command in (["update"], ["download"] + NEWER_PACKAGES):
        if subprocess.run(["apt-get", "-qq"] + options + command, cwd=apt, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return
    for package in glob.glob(apt + "/*.deb"):
        network.run("dpkg-deb", "-x", package, root)
    shutil.rmtree(apt)
    open(root + "/.complete", "w").close()


def cannot(name):
    """Why a scenario cannot be made on this machine, or nothing."""
    uses = bench.ALL[name].uses
    if "gpg" in uses and not network.exists("gpg"):
        return "no gpg here"
    if "openssl-newer" in uses and not os.path.exists(servers.newer() + "/.complete"):
        return "no newer OpenSSL here"
    return ""


def unpack_alone(root, debs):
    stamp = root + "/.complete"
    if os.path.exists(stamp) and open(stamp).read().split() == PACKAGES:
        return
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(debs, exist_ok=True)
    print("lab: fetching the mail programs to " + debs)
    done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download"] + PACKAGES, cwd=debs,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        skip("the mail programs cannot be fetched: " + (done.stdout.strip().splitlines() or ["apt-get failed"])[-1])
    for package in PACKAGES:
        newest = max(glob.glob("%s/%s_*.deb" % (debs, package)), key=os.path.getmtime)
        network.run("dpkg-deb", "-x", newest, root)
    for top in ("sbin", "bin", "lib"):   # packages from before /bin became a link to /usr/bin
        if os.path.isdir(root + "/" + top):
            shutil.copytree(root + "/" + top, root + "/usr/" + top, symlinks=True, dirs_exist_ok=True)
    with open(stamp, "w") as f:
        f.write("\n".join(PACKAGES))


def enter(scratch):
    """Start this program again in namespaces of its own; all that the lab mounts, creates and starts ends with it."""
    command = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child=SIGKILL"]
    if subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode:
        skip("no new namespaces on this machine")
    environment = dict(os.environ, POSTCARD_LAB_INSIDE=scratch)
    die_with_parent = lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL)   # PR_SET_PDEATHSIG
    command += [sys.executable, os.path.abspath(__file__)] + sys.argv[1:]
    child = subprocess.Popen(command, env=environment, preexec_fn=die_with_parent)
    try:
        sys.exit(child.wait())
    except KeyboardInterrupt:
        child.kill()
        child.wait()
        sys.exit(130)


def settle_in(root):
    """Inside the namespaces: show the unpacked programs at their usual places."""
    mount = lambda *words: network.run("mount", *words)
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for sub in ("netns", "upper", "work", "lab"):
        os.mkdir("/run/" + sub)
    try:
        mount("-t", "overlay", "overlay", "-o", "lowerdir=%s/usr:/usr" % root, "/usr")
        mount("-t", "overlay", "overlay", "-o",
              "lowerdir=%s/etc:/etc,upperdir=/run/upper,workdir=/run/work" % root, "/etc")
    except RuntimeError as e:
        skip("no overlay file system: " + str(e).splitlines()[-1])
    for place in ("/var/spool", "/var/lib"):
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    with open("/etc/passwd") as f:
        known = {line.split(":")[0] for line in f}
    with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group:
        for number, user in enumerate(USERS):
            if user not in known:
                passwd.write("%s:x:%d:%d::/run/lab:/usr/sbin/nologin\n" % (user, 7000 + number,
                                                                           7000 + number))
                group.write("%s:x:%d:\n" % (USERS[user], 7000 + number))
    # numbers only: no name server is asked
    with open("/etc/resolv.conf.lab", "w") as f:
        f.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    if os.path.islink("/etc/resolv.conf") or not os.path.exists("/etc/resolv.conf"):
        if os.path.lexists("/etc/resolv.conf"):
            os.unlink("/etc/resolv.conf")
    shutil.copy("/etc/resolv.conf.lab", "/etc/resolv.conf")
    with open("/etc/hosts", "w") as f:
        f.write("127.0.0.1 localhost\n" + bench.HOSTS)
    network.run("hostname", "client.example.com")
    os.mkdir("/run/lab/gnupg", 0o700)
    os.environ["GNUPGHOME"] = "/run/lab/gnupg"
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"


def make(name, scenario, out, versions):
    """Run one scenario; writes its capture and labels. Returns the disagreements with tshark's reading."""
    pcap = "/run/lab/%s.pcap" % name
    table = bench.Bench(pcap)
    try:
        scenario.run(table)
    finally:
        table.close()
    scenario.software = ", ".join(versions.get(s, s) for s in scenario.uses)
    labels, places = capture.make_labels(name, scenario, table.facts, pcap)
    secrets = [bench.BODY_MARK] + scenario.secrets
    labels["secrets"] = capture.wire_forms(pcap, secrets, scenario.logins)
    bad = []
    if network.exists("tshark"):
        for label, place in zip(labels["sessions"], places):
            bad += ["%s: %s > %s: %s" % (name, label["client"], label["server"], line)
                    for line in reading.check(pcap, label, place["stream"], secrets + [p for _, p in scenario.logins])]
    shutil.copyfile(pcap, "%s/%s.pcap" % (out, name))
    capture.write_json(labels, "%s/%s.labels.json" % (out, name))
    return bad


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0], add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--out", default=os.path.normpath(HERE + "/../../pcaps"))
    parser.add_argument("--scratch", default="/var/tmp/postcard-lab")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.help:
        print(__doc__.strip())
        return 0
    if args.list:
        for name, scenario in bench.ALL.items():
            print("%-28s %s" % (name, scenario.note))
        return 0
    chosen = [n for n in bench.ALL if not args.names or any(fnmatch.fnmatchcase(n, p) for p in args.names)]
    if not chosen:
        parser.error("no such scenario, see --list")
    if os.geteuid():
        skip("needs root")
    if "POSTCARD_LAB_INSIDE" not in os.environ:
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing:
            skip("missing programs: " + " ".join(missing))
        os.makedirs(args.out, exist_ok=True)
        scratch = os.path.abspath(args.scratch)
        unpack(scratch)
        enter(scratch)
    settle_in(programs(os.environ["POSTCARD_LAB_INSIDE"]))
    versions = servers.versions()
    failed = 0
    if not network.exists("tshark"):
        print("lab: no tshark here, the labels are not checked against it")
    for name in chosen:
        if cannot(name):
            print("%-28s skipped: %s" % (name, cannot(name)))
            continue
        try:
            bad = make(name, bench.ALL[name], args.out, versions)
        except Exception as e:
            if not args.keep_going:
                raise
            bad = ["%s: %s" % (name, e)]
        failed += bool(bad)
        print("%-28s %s" % (name, "ok" if not bad else "WRONG"), flush=True)
        for line in bad:
            print("   " + line, flush=True)
    capture.write_index(args.out)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
