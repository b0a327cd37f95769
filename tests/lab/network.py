"""The little network of the lab: every machine is a network namespace on one switch, and the switch is what we capture.

    client --+
    box -----+-- br0 (tcpdump listens here)
    server --+

All of this lives inside the mount, process and network namespace that lab.py enters first, so it is gone when lab.py
is gone, however it ends.
"""
import os
import signal
import subprocess
import time

# The far side of a middlebox: the real server behind it. Kept out of the captures, they show the near side only.
INSIDE_NET = "203.0.113.0/24"


def run(*command, **options):
    """Run a command that must succeed; returns its output."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.STDOUT)
    done = subprocess.run([str(word) for word in command], text=True, **options)
    if done.returncode:
        raise RuntimeError("%s: exit %d\n%s" % (" ".join(map(str, command)), done.returncode, done.stdout))
    return done.stdout


class Switch:
    """A bridge, with tcpdump on it while a scenario runs."""

    def __init__(self):
        run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        run("ip", "link", "set", "br0", "up", "promisc", "on")   # so that it hands all frames to tcpdump
        self.hosts = {}
        self.tcpdump = None

    def host(self, name, *addresses, mac=None):
        """A machine with these addresses. Everybody reaches everybody directly: there is no router."""
        if name in self.hosts:
            return self.hosts[name]
        port = "p%d" % len(self.hosts)
        run("ip", "netns", "add", name)
        run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", port, "master", "br0", "up")
        host = Host(name)
        if mac:
            host.run("ip", "link", "set", "eth0", "address", mac)
        # whole frames with good checksums, as on a cable
        host.run("ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        run("ethtool", "-K", port, "gro", "off", "tx", "off")
        host.run("ip", "link", "set", "lo", "up")
        host.run("ip", "link", "set", "eth0", "up")
        for address in addresses:
            host.add_address(address)
        host.run("ip", "route", "add", "default", "dev", "eth0")
        host.run("ip", "-6", "route", "add", "default", "dev", "eth0")
        self.hosts[name] = host
        return host

    def start_capture(self, path, only=""):
        wanted = "tcp and not net " + INSIDE_NET + (" and (%s)" % only if only else "")
        command = ["tcpdump", "-i", "br0", "-s", "0", "-U", "--immediate-mode", "-Z", "root", "-w", path,
                   wanted]
        self.tcpdump = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.tcpdump.stderr:
            if "listening on" in line:
                return
        raise RuntimeError("tcpdump does not start")

    def stop_capture(self):
        if self.tcpdump:
            time.sleep(0.4)   # the last packets
            self.tcpdump.send_signal(signal.SIGINT)
            self.tcpdump.communicate()
            self.tcpdump = None


class Host:
    def __init__(self, name):
        self.name = name

    def _inside(self, command):
        return ["nsenter", "--net=/run/netns/" + self.name, "--"] + [str(word) for word in command]

    def run(self, *command, **options):
        return run(*self._inside(command), **options)

    def start(self, *command, **options):
        """Start a program that goes on running; the caller keeps the process."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self._inside(command), **options)

    def call(self, *command, text=None):
        """Run a client to its end, whatever it is; its output is of no interest."""
        subprocess.run(self._inside(command), input=text or "", text=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)

    def add_address(self, address):
        if ":" in address:
            self.run("ip", "address", "add", address + "/128", "dev", "eth0", "nodad")
        else:
            self.run("ip", "address", "add", address + "/32", "dev", "eth0")

    def wait_for_port(self, port, seconds=15):
        """Wait till somebody listens, without connecting: a connection would be in the capture."""
        end = time.time() + seconds
        while time.time() < end:
            for line in self.run("ss", "-Hltn").splitlines():
                if line.split()[3].endswith(":%d" % port):
                    return
            time.sleep(0.05)
        raise RuntimeError("nobody listens on port %d of %s" % (port, self.name))


def exists(name):
    return any(os.access(os.path.join(d, name), os.X_OK) for d in os.environ["PATH"].split(":"))
