"""The scenarios of the lab. Each is a function with a row above it; see README.md for how to add one.

A scenario starts servers, calls bench.go(), lets clients talk, and says with clear(), sealed(), failed() or silent()
what it made them do, in the order it did it. Those statements become the labels.
"""
import os
import subprocess
import time

from network import Switch, run
from servers import Dovecot, Exim, Middlebox, OpenSmtpd, Postfix, settle

CLIENT, CLIENT6 = "192.0.2.10", "2001:db8:c::10"
SERVER, SERVER6 = "198.51.100.25", "2001:db8:5::25"
BOX, BOX_INSIDE, SERVER_INSIDE = "198.51.100.77", "203.0.113.1", "203.0.113.25"
HOSTS = """\
192.0.2.10 client.example.com
198.51.100.25 mx.example.org
198.51.100.77 gateway.example.org
2001:db8:5::25 mx6.example.org
"""
BODY_MARK = "bodymark-K3v9"
HERE = os.path.dirname(os.path.abspath(__file__))

ALL = {}


class Scenario:
    def __init__(self, function, note, uses, logins, secrets):
        self.run, self.note, self.uses, self.logins, self.secrets = function, note, uses, list(logins), list(secrets)


def scenario(note, *uses, logins=(), secrets=()):
    """Makes a function a scenario; `uses` names the programs, `logins` are (user, password), both for the labels."""
    def add(function):
        ALL[function.__name__.replace("_", "-")] = Scenario(function, note, uses, logins, secrets)
        return function
    return add


class Mail:
    def __init__(self, subject, sender="carol@example.com", *recipients, body="", raw_subject=None, extra=""):
        self.subject, self.sender, self.recipients = subject, sender, recipients or ("anna@example.org",)
        self.body, self.raw_subject, self.extra = body, raw_subject, extra

    def text(self):
        return "From: <%s>\nTo: <%s>\nSubject: %s\n%s\n%s\n%s\n" % (
            self.sender or "MAILER-DAEMON@example.com", ">, <".join(self.recipients), self.raw_subject or self.subject,
            self.extra, self.body or "Hello,\nthis text is readable: " + BODY_MARK, "Bye")


class Bench:
    """What a scenario works on: machines, the capture, and the list of facts."""
    switch = None
    current = None

    def __init__(self, pcap):
        if not Bench.switch:
            Bench.switch = Switch()
        self.pcap, self.facts, self.servers, self.others = pcap, [], [], []
        self.client = self.switch.host("client", CLIENT, CLIENT6)
        self.server = self.switch.host("server", SERVER, SERVER6, SERVER_INSIDE)
        self.box = self.switch.host("box", BOX, BOX_INSIDE)

    def serve(self, server):
        self.servers.append(server)
        return server

    def go(self):
        """All servers stand: from here on it is recorded."""
        self.switch.start_capture(self.pcap)

    def close(self):
        self.switch.stop_capture()
        for server in reversed(self.servers):
            server.stop()

    # --- clients: every one runs to its end; exit codes are not looked at, the capture is
    def swaks(self, *words, mail=None, to=SERVER, port=25, host=None):
        mail = mail or Mail("?")
        text = ["--header", "Subject: " + (mail.raw_subject or mail.subject), "--body", mail.body or "This text is readable: " + BODY_MARK]
        if not any(w in ("--quit-after", "-q") for w in words):
            words = words + tuple(text)
        host = host or self.client
        return host.start("swaks", "--server", to, "--port", port, "--from", mail.sender or "<>", "--to", ",".join(mail.recipients),
                          "--helo", "client.example.com", "--timeout", "10", *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(30)

    def msmtp(self, *words, mail, to=SERVER, port=25, host=None):
        host = host or self.client
        return subprocess.run(host._inside(["msmtp", "-C", "/dev/null", "--host=" + to, "--port=%d" % port, "--domain=laptop.example.com",
                              "--from=" + mail.sender, "--tls-certcheck=off", *words, "--", *mail.recipients]),
                              input=mail.text(), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30).returncode

    def curl(self, *words, host=None):
        host = host or self.client
        return host.start("curl", "-s", "-k", "-m", "20", "--noproxy", "*", *words, stdout=subprocess.DEVNULL).wait(30)

    def python(self, code, host=None):
        """A few lines with smtplib."""
        host = host or self.client
        return host.start("/usr/bin/python3", "-c", "import smtplib, socket, ssl, sys\n" + code, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).wait(40)

    # --- facts
    def fact(self, **label):
        from_ip, to = label.pop("from_ip", CLIENT), label.pop("to", SERVER)
        port, repeat = label.pop("port", 25), label.pop("repeat", False)
        base = {"protocol": "smtp", "seen": "both", "midstream": False, "gaps": False, "starttls_offered": None,
                "starttls_requested": False, "starttls_reply": None, "tls_client_hello": False, "implicit_tls": False,
                "tls_established": False, "cleartext_messages": 0, "cleartext_envelopes": 0, "mail_from": [], "rcpt_to": [],
                "subjects": [], "auth_clear": None, "auth_user": None}
        base.update(label)
        self.facts.append({"from_ip": from_ip, "to": (to, port), "repeat": repeat, "label": base})

    def clear(self, *mails, offered, **more):
        """Mails crossed readable."""
        raw = [m.raw_subject for m in mails if m.raw_subject]
        if raw:
            more["subjects_raw"] = raw
        self.fact(**dict({"verdict": "cleartext", "starttls_offered": offered, "cleartext_messages": len(mails),
                          "cleartext_envelopes": len(mails), "mail_from": [m.sender for m in mails],
                          "rcpt_to": [r for m in mails for r in m.recipients], "subjects": [m.subject for m in mails]}, **more))

    def sealed(self, version, **more):
        """STARTTLS (or implicit=True: TLS from the first byte) came up, and everything went inside."""
        if more.pop("implicit", False):
            how = {"implicit_tls": True, "starttls_requested": False, "expect": ["implicit-tls"]}
        else:
            how = {"starttls_offered": True, "starttls_requested": True, "starttls_reply": 220}
        self.fact(**dict({"verdict": "encrypted", "tls_client_hello": True, "tls_established": True, "tls_version": version}, **how, **more))

    def failed(self, **more):
        """STARTTLS was accepted, and the handshake broke."""
        self.fact(**dict({"verdict": "failed-tls", "tls_client_hello": True, "starttls_offered": True, "starttls_requested": True,
                          "starttls_reply": 220}, **more))

    def silent(self, offered=None, **more):
        """Nothing of a mail crossed."""
        self.fact(**dict({"verdict": "no-mail", "starttls_offered": offered}, **more))


# ---------------------------------------------------------------- STARTTLS, as it should be and as it is

@scenario("STARTTLS, then TLS 1.3: the certificate is not visible", "Postfix", "swaks")
def starttls_tls13(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    bench.swaks("--tls", mail=Mail("Sealed minutes"))
    bench.sealed("1.3")


@scenario("STARTTLS, then TLS 1.2: the certificate (self-signed) is visible", "Postfix", "smtplib")
def starttls_tls12(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2"))
    bench.go()
    mail = Mail("Sealed by an older server")
    bench.python("c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n"
                 "s = smtplib.SMTP(%r, 25, 'client.example.com'); s.starttls(context=c)\n"
                 "s.sendmail(%r, %r, %r); s.quit()" % (SERVER, mail.sender, list(mail.recipients), mail.text()))
    bench.sealed("1.2", expect=["self-signed-cert"])


@scenario("the server offers no STARTTLS; mail goes in the clear", "Postfix", "msmtp")
def not_offered(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    mail = Mail("Offer for the new roof")
    bench.msmtp("--tls=off", mail=mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls"])


@scenario("STARTTLS is offered and the client does not care", "Postfix", "swaks")
def offered_ignored(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    mail = Mail("Toner low on floor 2")
    bench.swaks(mail=mail)
    bench.clear(mail, offered=True, expect=["client-ignored-starttls"])


@scenario("STARTTLS is answered with 454 (the server cannot read its key); Postfix goes on in the clear on the same connection", "Postfix")
def refused_454(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_key_file="/run/lab/no-such-key"))
    sender = bench.serve(Postfix(bench.client, name="client.example.com", tls="none", relayhost="[%s]" % SERVER, smtp_tls_security_level="may", mydestination=""))
    bench.go()
    mail = Mail("Order 4711")
    sender.submit(mail)
    settle(lambda: "status=sent" in open(sender.dir + "/log").read())
    time.sleep(0.3)
    bench.clear(mail, offered=True, starttls_requested=True, starttls_reply=454, expect=["starttls-refused-then-clear"])


@scenario("a client asks for STARTTLS, gets 454, and goes on in the clear", "Postfix", "swaks")
def refused_454_swaks(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_key_file="/run/lab/no-such-key"))
    bench.go()
    mail = Mail("Second try of the order")
    bench.swaks("--tls-optional", mail=mail)
    bench.clear(mail, offered=True, starttls_requested=True, starttls_reply=454, expect=["starttls-refused-then-clear"])


@scenario("AUTH PLAIN with the password in the command, readable", "Exim", "swaks", logins=[("carol", "lab-secret-7Q2x")])
def auth_plain(bench):
    bench.serve(Exim(bench.server, tls=False, users=[("carol", "lab-secret-7Q2x")]))
    bench.go()
    mail = Mail("Scan of the contract")
    bench.swaks("--auth", "PLAIN", "--auth-user", "carol", "--auth-password", "lab-secret-7Q2x", mail=mail)
    bench.clear(mail, offered=False, auth_clear="PLAIN", auth_user="carol", expect=["server-no-starttls", "auth-plain-in-clear"])
