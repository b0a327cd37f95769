"""Real syslog servers for tests: rsyslog and syslog-ng of Debian, unpacked into the build folder.

Their packages exclude each other, and installing either would take over the machine's own logging,
so neither is installed: apt-get downloads what is missing, dpkg unpacks it, and the programs run
from there.  Where that cannot be done, tests are skipped with the reason.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

FOLDER = os.path.join(os.environ.get("POSTCARD_BUILD", "build"), "syslogd")
PACKAGES = {"rsyslog": ["rsyslog", "rsyslog-openssl"], "syslog-ng": ["syslog-ng-core"]}
PROGRAMS = {"rsyslog": "rsyslogd", "syslog-ng": "syslog-ng"}

_lock = threading.Lock()
_reasons = {}  # why one cannot be had


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          universal_newlines=True, check=False, **more)


def missing(packages):
    """What apt would install for the packages, themselves too; None where it knows them not."""
    p = run(["apt-get", "-s", "--no-install-recommends", "install"] + packages, env=dict(os.environ, LC_ALL="C"))
    return re.findall(r"(?m)^Inst (\S+)", p.stdout) if p.returncode == 0 else None


def unpack(kind, root):
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return "no apt-get and dpkg here"
    wanted = missing(PACKAGES[kind])
    debs = os.path.join(root, "debs")
    os.makedirs(debs, exist_ok=True)
    for attempt in range(2):
        if wanted is not None:
            p = run(["apt-get", "-q", "-o", "APT::Sandbox::User=" + ("root" if os.geteuid() == 0 else ""), "download"] + wanted,
                    cwd=debs, timeout=200) if wanted else None
            if p is None or p.returncode == 0:
                break
        if attempt or os.geteuid() != 0:
            return "apt-get cannot download %s" % " ".join(wanted or PACKAGES[kind])
        run(["apt-get", "-q", "update"], timeout=200)
        wanted = missing(PACKAGES[kind])
    for deb in os.listdir(debs):
        if run(["dpkg", "-x", os.path.join(debs, deb), root]).returncode:
            return "dpkg cannot unpack " + deb
    return None


def have(kind):
    """The folder that the server is unpacked in; skips the test where it cannot be had."""
    root = os.path.abspath(os.path.join(FOLDER, kind))
    with _lock:
        if kind not in _reasons and not os.path.exists(os.path.join(root, "done")):
            try:
                _reasons[kind] = unpack(kind, root)
            except (OSError, subprocess.TimeoutExpired) as e:
                _reasons[kind] = str(e)
            if _reasons[kind] is None:
                open(os.path.join(root, "done"), "w").close()
        if _reasons.get(kind):
            raise unittest.SkipTest("%s cannot be had: %s" % (kind, _reasons[kind]))
    return root


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


class Server:
    """A server that may be started, killed and started again; what it got is in lines()."""

    def __init__(self, kind, transport, tls=None, framing="octets", raw=False):
        self.kind, self.transport, self.tls, self.framing, self.raw = kind, transport, tls, framing, raw
        self.root = have(kind)
        self.folder = tempfile.mkdtemp(prefix="pc-syslogd-")
        self.out = os.path.join(self.folder, "out")
        self.socket = os.path.join(self.folder, "log")
        self.port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.process = None
        with open(os.path.join(self.folder, "conf"), "w", encoding="utf-8") as f:
            f.write(self.rsyslog() if kind == "rsyslog" else self.syslog_ng())

    def url(self, query="", host="127.0.0.1"):
        where = "unix://" + self.socket if self.transport == "unix" else "%s://%s:%d" % (self.transport, host, self.port)
        parts = [p for p in (query, "framing=lf" if self.framing == "lf" else "") if p]
        return where + ("?" + "&".join(parts) if parts else "")

    def rsyslog(self):
        lines = ['global(workDirectory="%s" net.enableDNS="off"' % self.folder]
        if self.tls:
            lines += ['defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="%s"' % self.tls.path("ca.pem"),
                      'defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s"' % (
                          self.tls.path(self.tls.server + ".pem"), self.tls.path(self.tls.server + ".key"))]
        lines += [")", 'main_queue(queue.type="Direct")']
        fmt = "%rawmsg%" if self.raw else (
            "%syslogfacility-text%.%syslogseverity-text%~%timereported:::date-rfc3339%~%hostname%~%app-name%~%procid%~"
            "%msgid%~%structured-data%~%msg%")
        lines.append('template(name="all" type="string" string="%s\\n")' % fmt)
        if self.transport == "unix":
            lines += ['module(load="imuxsock" SysSock.Use="off")',
                      'input(type="imuxsock" Socket="%s" RateLimit.Interval="0" UsePIDFromSystem="off")' % self.socket]
        elif self.transport == "udp":
            lines += ['module(load="imudp")', 'input(type="imudp" address="127.0.0.1" port="%d")' % self.port]
        else:
            mode = 'StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="%s"' % (
                "x509/certvalid" if self.tls.client else "anon") if self.tls else ""
            lines += ['module(load="imtcp" %s)' % mode, 'input(type="imtcp" address="127.0.0.1" port="%d")' % self.port]
        lines.append('action(type="omfile" file="%s" template="all")' % self.out)
        return "\n".join(lines) + "\n"

    def syslog_ng(self):
        if self.transport == "unix":
            source = 'unix-dgram("%s")' % self.socket
        elif self.transport == "tls":
            source = 'syslog(ip("127.0.0.1") port(%d) transport("tls") tls(key-file("%s") cert-file("%s") ca-file("%s") peer-verify(%s)))' % (
                self.port, self.tls.path(self.tls.server + ".key"), self.tls.path(self.tls.server + ".pem"), self.tls.path("ca.pem"),
                "required-trusted" if self.tls.client else "optional-untrusted")
        elif self.framing == "lf":
            source = 'network(ip("127.0.0.1") port(%d) transport("tcp") flags(syslog-protocol))' % self.port
        else:
            source = 'syslog(ip("127.0.0.1") port(%d) transport("%s"))' % (self.port, self.transport)
        fmt = "${FACILITY}.${LEVEL}~${S_ISODATE}~${HOST}~${PROGRAM}~${PID}~${MSGID}~${SDATA}~${MSG}"
        return '''@version: current
options { flush-lines(1); keep-hostname(yes); use-dns(no); time-reap(5); frac-digits(6); log-fifo-size(100000); };
source s { %s; };
destination d { file("%s" template("%s\\n")); };
log { source(s); destination(d); flags(flow-control); };
''' % (source, self.out, fmt)

    def start(self):
        root, conf = self.root, os.path.join(self.folder, "conf")
        libs = [os.path.join(root, d) for d in ("usr/lib/syslog-ng", "usr/lib", "lib")]
        for base in ("usr/lib", "lib"):
            folder = os.path.join(root, base)
            if os.path.isdir(folder):
                libs += [os.path.join(folder, d) for d in os.listdir(folder) if d.endswith("-linux-gnu")]
        program = os.path.join(root, "usr/sbin", PROGRAMS[self.kind])
        if not os.path.exists(program):
            program = shutil.which(PROGRAMS[self.kind], path="/usr/sbin:/usr/bin")
        if self.kind == "rsyslog":
            command = [program, "-n", "-iNONE", "-f", conf]
            modules = [os.path.join(d, "rsyslog") for d in libs if os.path.exists(os.path.join(d, "rsyslog", "lmnet.so"))]
            command += ["-M" + modules[0]] if modules else []
        else:
            command = [program, "-F", "--no-caps", "--cfgfile", conf]
            for option, name in (("persist-file", "persist"), ("pidfile", "pid"), ("control", "ctl")):
                command.append("--%s=%s" % (option, os.path.join(self.folder, name)))
            own = os.path.join(root, "usr/lib/syslog-ng")
            if os.path.isdir(own):
                modules = [os.path.join(own, d) for d in os.listdir(own) if os.path.isdir(os.path.join(own, d))]
                command += ["--module-path=" + modules[0]]
        if self.transport == "unix" and os.path.exists(self.socket):
            os.unlink(self.socket)
        with open(os.path.join(self.folder, "said"), "a", encoding="utf-8") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                            env=dict(os.environ, LD_LIBRARY_PATH=":".join(libs)))
        if not wait_for(self.listens):
            self.end()
            raise AssertionError("%s does not start:\n%s" % (self.kind, self.said()))
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("%s ended:\n%s" % (self.kind, self.said()))
        if self.transport == "unix":
            return os.path.exists(self.socket)
        table = "/proc/net/udp" if self.transport == "udp" else "/proc/net/tcp"
        with open(table, encoding="ascii") as f:
            found = "0100007F:%04X" % self.port
            return any(line.split()[1] == found and (self.transport == "udp" or line.split()[3] == "0A") for line in f if ":" in line.split()[1])

    def said(self):
        with open(os.path.join(self.folder, "said"), encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    def kill(self, sig=signal.SIGKILL):
        if self.process:
            self.process.send_signal(sig)
            self.process.wait(20)
            self.process = None

    def end(self):
        self.kill()

    def clean(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def lines(self):
        """What it wrote, split at its separators."""
        if not os.path.exists(self.out):
            return []
        with open(self.out, "rb") as f:
            text = f.read().decode("utf-8")
        return [line if self.raw else line.split("~", 7) for line in text.split("\n")[:-1]]


class Certificates:
    """A certificate authority of one's own, made by openssl."""

    def __init__(self, server="localhost", client=False):
        if not shutil.which("openssl"):
            raise unittest.SkipTest("openssl is not installed")
        self.folder, self.server, self.client = tempfile.mkdtemp(prefix="pc-ca-"), server, client
        self.call("req", "-x509", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                  "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
        for name in (server, "client"):
            self.make(name)

    def make(self, name, days="2"):
        with open(self.path(name + ".ext"), "w", encoding="ascii") as f:
            f.write("subjectAltName=%s:%s\n" % ("IP" if name[0].isdigit() else "DNS", name))
        self.call("req", "-new", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        self.call("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-out", name + ".pem", "-days", days, "-extfile", name + ".ext")

    def call(self, verb, *more):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] if verb == "req" else []
        p = run(["openssl", verb] + key + list(more), cwd=self.folder)
        if p.returncode:
            raise AssertionError(p.stdout)

    def path(self, name):
        return os.path.join(self.folder, name)

    def clean(self):
        shutil.rmtree(self.folder, ignore_errors=True)
