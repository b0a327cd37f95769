"""What a scenario works with: mails, machines, the capture, and the statements that become the labels."""
import subprocess
import time

from network import Switch
from servers import Postfix

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

ALL = {}


class Scenario:
    def __init__(self, function, note, uses, logins, secrets):
        self.run, self.note, self.uses = function, note, uses
        self.logins, self.secrets = list(logins), list(secrets)


def scenario(note, *uses, logins=(), secrets=()):
    """Makes a function a scenario; `uses` names the programs, `logins` are (user, password), both for the labels."""
    def add(function):
        ALL[function.__name__.replace("_", "-")] = Scenario(function, note, uses, logins, secrets)
        return function
    return add


class Mail:
    def __init__(self, subject, sender="carol@example.com", *recipients, body="", raw_subject=None, extra="", farewell="Bye\n"):
        self.subject, self.sender, self.recipients = subject, sender, recipients or ("anna@example.org",)
        self.body, self.raw_subject, self.extra, self.farewell = body, raw_subject, extra, farewell

    def text(self):
        return "From: <%s>\nTo: <%s>\nSubject: %s\n%s\n%s\n%s" % (
            self.sender or "MAILER-DAEMON@example.com", ">, <".join(self.recipients),
            self.raw_subject or self.subject,
            self.extra, self.body or "Hello,\nthis text is readable: " + BODY_MARK, self.farewell)


class Bench:
    """What a scenario works on: machines, the capture, and the list of facts."""
    switch = None

    def __init__(self, pcap):
        if not Bench.switch:
            Bench.switch = Switch()
        self.pcap, self.facts, self.servers = pcap, [], []
        self.client = self.switch.host("client", CLIENT, CLIENT6)
        self.server = self.switch.host("server", SERVER, SERVER6, SERVER_INSIDE)
        self.box = self.switch.host("box", BOX, BOX_INSIDE)

    def serve(self, server):
        self.servers.append(server)
        return server

    def postfix_sender(self, to=SERVER, **settings):
        """A Postfix on the client machine that sends all its mail to one server, with TLS where offered."""
        settings = dict({"relayhost": "[%s]" % to, "smtp_tls_security_level": "may", "mydestination": ""},
                        **settings)
        return self.serve(Postfix(self.client, name="client.example.com", **settings))

    def go(self, only=""):
        """All servers stand: from here on it is recorded (`only`: an additional filter for tcpdump)."""
        self.switch.start_capture(self.pcap, only)

    def close(self):
        self.switch.stop_capture()
        for server in reversed(self.servers):
            server.stop()

    # --- clients: every one runs to its end; exit codes are not looked at, the capture is

    def client_run(self, *command, text=None, host=None):
        return (host or self.client).call(*command, text=text)

    def swaks(self, *words, mail, to=SERVER, port=25, host=None):
        self.client_run("swaks", "--server", to, "--port", port, "--helo", "client.example.com", "--timeout",
                        10,
                        "--from", mail.sender, "--to", ",".join(mail.recipients), "--header",
                        "Subject: " + mail.subject,
                        "--body", "This text is readable: " + BODY_MARK, *words, host=host)

    def msmtp(self, *words, mail, to=SERVER, port=25, host=None):
        self.client_run("msmtp", "-C", "/dev/null", "--host=" + to, "--port=%d" % port,
                        "--domain=laptop.example.com",
                        "--tls-certcheck=off", "--from=" + mail.sender, *words, "--", *mail.recipients,
                        text=mail.text(), host=host)

    def curl(self, *words, host=None):
        self.client_run("curl", "-s", "-k", "-m", 20, "--noproxy", "*", *words, host=host)

    def python(self, *lines, host=None):
        code = "\n".join(("import imaplib, poplib, smtplib, socket, ssl",) + lines)
        self.client_run("/usr/bin/python3", "-c", code, host=host)

    def smtplib(self, *mails, to=SERVER, port=25, prepare="", options=(), host=None, line_end="\r\n"):
        """Python's smtplib, all mails on one connection; `prepare`: statements before them (s is the connection)."""
        lines = ["s = smtplib.SMTP(%r, %d, 'client.example.com', timeout=20)" % (to, port), prepare]
        for mail in mails:
            text = mail.text().replace("\n", line_end).encode()
            lines.append("s.sendmail(%r, %r, %r, %r)" % (mail.sender, mail.recipients, text, options))
        self.python(*lines, "s.quit()", host=host)

    def sent(self, postfix, count=1):
        """Wait till a Postfix has got rid of so many recipients."""
        postfix.logged("status=sent", count)
        time.sleep(0.3)

    # --- facts
    def fact(self, **label):
        """One connection: from `from_ip` to address `to`, `port`; the rest are fields of the label."""
        from_ip, to = label.pop("from_ip", CLIENT), label.pop("to", SERVER)
        port, repeat = label.pop("port", 25), label.pop("repeat", False)
        base = {"protocol": "smtp", "seen": "both", "midstream": False, "gaps": False,
                "starttls_offered": None,
                "starttls_requested": False, "starttls_reply": None, "tls_client_hello": False,
                "implicit_tls": False,
                "tls_established": False, "cleartext_messages": 0, "cleartext_envelopes": 0, "mail_from": [],
                "rcpt_to": [],
                "subjects": [], "auth_clear": None, "auth_user": None}
        base.update(label)
        self.facts.append({"from_ip": from_ip, "to": (to, port), "repeat": repeat, "label": base})

    def clear(self, *mails, offered, **more):
        """Mails crossed readable."""
        label = {
            "verdict": "cleartext", "starttls_offered": offered, "cleartext_messages": len(mails),
            "cleartext_envelopes": len(mails), "mail_from": [m.sender for m in mails],
            "rcpt_to": [r for m in mails for r in m.recipients], "subjects": [m.subject for m in mails]}
        raw = [m.raw_subject for m in mails if m.raw_subject]
        if raw:
            label["subjects_raw"] = raw
        self.fact(**dict(label, **more))

    def sealed(self, version, **more):
        """STARTTLS (or implicit=True: TLS from the first byte) came up, and everything went inside."""
        label = {"verdict": "encrypted", "tls_client_hello": True, "tls_established": True,
                 "tls_version": version}
        if more.pop("implicit", False):
            label.update(implicit_tls=True, expect=["implicit-tls"] + more.pop("expect_also", []))
        else:
            label.update(starttls_offered=True, starttls_requested=True, starttls_reply=220)
        self.fact(**dict(label, **more))

    def failed(self, **more):
        """STARTTLS was accepted, and the handshake broke."""
        label = {"verdict": "failed-tls", "tls_client_hello": True, "starttls_offered": True,
                 "starttls_requested": True, "starttls_reply": 220}
        self.fact(**dict(label, **more))

    def silent(self, offered=None, **more):
        """Nothing of a mail crossed."""
        self.fact(**dict({"verdict": "no-mail", "starttls_offered": offered}, **more))
