"""No password, token or word of a mail's text comes out of postcard, whatever it is asked to print."""
import base64
import binascii
import glob
import os
import random
import re
import signal
import string
import subprocess
import tempfile
import time
import unittest

import dialogue
import packets
import planted
import postcard

GREETING = "S: 220 mx.example.com ESMTP"
LIST = "S: 250-mx.example.com\nS: 250 AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2 NTLM"
MIN_PIECE = 8  # octets of a secret that would already be a leak


def word(rng):
    return "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(20))


def b64(text):
    return base64.b64encode(text.encode("latin-1")).decode()


def smtp(auth):
    return "\n".join([GREETING, "C: EHLO client.example.org", LIST, auth, "C: QUIT", "S: 221 Bye"])


def pop3(auth):
    return "\n".join(["@server 192.0.2.25:110", "S: +OK ready", auth, "C: QUIT", "S: +OK Bye"])


def imap(auth):
    return "\n".join(["@server 192.0.2.25:143", "S: * OK ready", auth, "C: z LOGOUT", "S: * BYE"])


def mail(*lines):
    """A mail whose header goes on with these lines, behind what they stand in."""
    return smtp("\n".join(["C: MAIL FROM:<a@example.org>", "S: 250 Ok", "C: RCPT TO:<b@example.com>", "S: 250 Ok", "C: DATA", "S: 354 Go",
                           "C: Subject: x"] + ["C> \\r\\n" if line == "" else "C: " + line for line in lines] + ["C: .", "S: 250 Ok"]))


PARTS = "Content-Type: multipart/mixed; boundary=b"

# How a secret can cross; {s} is it, and each {b...} a base64 form of it.
FORMS = {
    "smtp plain": smtp("C: AUTH PLAIN {bplain}\nS: 235 Ok"),
    "smtp plain behind 334": smtp("C: AUTH PLAIN\nS: 334 \nC: {bplain}\nS: 235 Ok"),
    "smtp plain refused": smtp("C: AUTH PLAIN {bplain}\nS: 538 Encryption required"),
    "smtp plain, blanks and case": smtp("C: aUtH   plain   {bplain}\nS: 535 No"),
    "smtp login": smtp("C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: {b}\nS: 334 UGFzc3dvcmQ6\nC: {b}\nS: 235 Ok"),
    "smtp login, user in the command": smtp("C: AUTH LOGIN {b}\nS: 334 UGFzc3dvcmQ6\nC: {b}\nS: 535 No"),
    "smtp login, not waiting": smtp("C: AUTH LOGIN\nC: {b}\nC: {b}\nS: 334 VXNl\nS: 334 UGFz\nS: 235 Ok"),
    "smtp cram-md5": smtp("C: AUTH CRAM-MD5\nS: 334 PDE+\nC: {b}\nS: 235 Ok"),
    "smtp xoauth2": smtp("C: AUTH XOAUTH2 {bplain}\nS: 334 eyJ9\nC: \nS: 535 No"),
    "smtp oauthbearer": smtp("C: AUTH OAUTHBEARER {bplain}\nS: 235 Ok"),
    "smtp ntlm": smtp("C: AUTH NTLM {b}\nS: 334 TlRM\nC: {b}\nS: 235 Ok"),
    "smtp without a mechanism": smtp("C: AUTH {b}\nS: 504 What\nC: AUTH {s} {s}\nS: 504 What"),
    "smtp after a cancelled one": smtp("C: AUTH LOGIN\nS: 334 VXNl\nC: *\nS: 501 No\nC: AUTH PLAIN {bplain}\nS: 235 Ok"),
    "smtp digest-md5": smtp("C: AUTH DIGEST-MD5\nS: 334 bm9u\nC: {b}\nS: 334 cnNw\nC: \nS: 235 Ok"),
    "smtp scram": smtp("C: AUTH SCRAM-SHA-256 {b}\nS: 334 cj1h\nC: {b}\nS: 334 dj1y\nC: \nS: 235 Ok"),
    "smtp external": smtp("C: AUTH EXTERNAL {b}\nS: 535 No\nC: AUTH EXTERNAL\nS: 334 \nC: {b}\nS: 235 Ok"),
    "smtp gssapi": smtp("C: AUTH GSSAPI\nS: 334 \nC: {b}\nS: 334 BQQF\nC: {b}\nS: 235 Ok"),
    "smtp anonymous": smtp("C: AUTH ANONYMOUS {b}\nS: 235 Ok"),
    "smtp of an unknown mechanism": smtp("C: AUTH X-HOUSE {s} {s}\nS: 334 eA==\nC: {s} {s}\nS: 235 Ok"),
    "smtp oauthbearer, told why": smtp("C: AUTH OAUTHBEARER {bplain}\nS: 334 eyJ9\nC: AQ==\nS: 535 No"),
    "smtp cancelled behind it": smtp("C: AUTH XOAUTH2 {bplain}\nS: 334 eyJ9\nC: *\nS: 501 No"),
    "smtp injected behind STARTTLS": smtp("C: STARTTLS\nC: AUTH PLAIN {bplain}\nS: 220 Go\nC: x {s}"),
    "smtp where TLS was due": smtp("C: STARTTLS\nS: 220 Go\nC: AUTH PLAIN {bplain}\nS: 235 Ok"),
    "smtp a word where TLS was due": smtp("C: STARTTLS\nS: 220 Go\nC: {s}\nS: 500 What"),
    "smtp burl": smtp("C: MAIL FROM:<a@example.org>\nS: 250 Ok\nC: RCPT TO:<b@example.com>\nS: 250 Ok\n"
                      "C: BURL imap://i/x;urlauth=submit+joe:internal:{s} LAST\nS: 250 Ok"),
    "smtp burl behind STARTTLS": smtp("C: STARTTLS\nC: BURL imap://i/x;urlauth=submit+joe:internal:{s}\nS: 220 Go"),
    "smtp, nobody answers": smtp("C: AUTH PLAIN\nC: {bplain}"),
    "pop3 pass": pop3("C: USER joe\nS: +OK\nC: PASS {s}\nS: +OK"),
    "pop3 pass with blanks": pop3("C: USER joe\nS: +OK\nC: PASS a {s} b\nS: -ERR"),
    "pop3 apop": pop3("C: APOP joe {s}\nS: +OK"),
    "pop3 auth": pop3("C: AUTH PLAIN\nS: + \nC: {bplain}\nS: +OK"),
    "pop3 auth in one": pop3("C: AUTH PLAIN {bplain}\nS: +OK"),
    "imap login": imap("C: a LOGIN joe {s}\nS: a OK"),
    "imap login quoted": imap('C: a LOGIN "joe" "{s} x"\nS: a NO'),
    "imap login literal": imap("C: a LOGIN {{3}}\nS: + go\nC: joe {{20}}\nS: + go\nC: {s}\nS: a OK"),
    "imap login literal+": imap("C: a LOGIN {{3+}}\nC: joe {{20+}}\nC: {s}\nS: a OK"),
    "imap authenticate": imap("C: a AUTHENTICATE PLAIN\nS: + \nC: {bplain}\nS: a OK"),
    "imap login, name as literal": imap("C: a LOGIN {{3+}}\nC: joe {s}\nS: a OK"),
    "imap login, literal that looks like a command": imap("C: a LOGIN joe {{27+}}\nC: b NOOP {s}\nS: a OK"),
    "imap login, escapes": imap('C> a LOGIN "j\\\\"oe" "\\\\"{s}\\\\\\\\"\\r\\n\nS: a OK'),
    "imap login, no literal after all": imap("C: a LOGIN joe {{20{s}}}\nS: a NO"),
    "imap login in a row": imap("C: a LOGIN joe {s}\nC: b LOGIN joe {s}\nS: a NO\nS: b NO"),
    "imap authenticate, not waiting": imap("C: a AUTHENTICATE LOGIN\nC: {b}\nC: {b}\nS: + VXNl\nS: + UGFz\nS: a NO"),
    "imap authenticate behind a cancelled one": imap("C: a AUTHENTICATE LOGIN\nS: + VXNl\nC: *\nS: a BAD\nC: b AUTHENTICATE PLAIN {bplain}\nS: b OK"),
    "imap authenticate, literal": imap("C: a AUTHENTICATE PLAIN {{28+}}\nC: {b}\nS: a OK"),
    "imap authenticate, nobody answers": "@only client\n" + imap("C: a AUTHENTICATE LOGIN\nS: +\nC: {b}\nS: +\nC: {b}\nS: a OK"),
    "imap login, compressed": imap("C: a COMPRESS DEFLATE\nS: a OK\n@deflate C\n@deflate S\nC: b LOGIN joe {s}\nS: b OK"),
    "imap append": imap("C: a LOGIN joe x\nS: a OK\nC: b APPEND x {{24+}}\nC> \\r\\n{s}\\r\\n\\r\\n\nS: b OK"),
    "imap fetch": imap("C: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[TEXT] {{20}}\nS> {s} BODY[1] \"{s}\")\\r\\n\nS: a OK"),
    "pop3 auth, refused name": pop3("C: USER joe\nS: -ERR\nC: PASS {s}\nS: -ERR\nC: AUTH CRAM-MD5\nS: + PDE+\nC: {b}\nS: -ERR"),
    "pop3 retr": pop3("C: RETR 1\nS: +OK\nS: Subject: x\nS: \nS: {s}\nS: .\nC: TOP 1 0\nS: +OK\nS: X-Secret: {s}\nS: .\n"),
    "imap authenticate in one": imap("C: a AUTHENTICATE PLAIN {bplain}\nS: a OK"),
    "ftp": "\n".join(["@server 192.0.2.25:2121", "S: 220 ready", "C: USER joe", "S: 331 Ok", "C: PASS {s}", "S: 230 In"]),
    "a body": smtp("C: MAIL FROM:<a@example.org>\nS: 250 Ok\nC: RCPT TO:<b@example.com>\nS: 250 Ok\nC: DATA\nS: 354 Go\n"
                   "C: Subject: x\nC: \nC: word {s} word\nC: AUTH PLAIN {b}\nC: {s}\nC: .\nS: 250 Ok"),
    "a body without a header": smtp("C: DATA\nS: 354 Go\nC: {s}\nC: .\nS: 250 Ok"),
    "a body by BDAT": smtp("C: MAIL FROM:<a@example.org>\nS: 250 Ok\nC: RCPT TO:<b@example.com>\nS: 250 Ok\n"
                           "C: BDAT 24 LAST\nC> \\r\\n{s}\\r\\n\nS: 250 Ok"),
    "an attachment in base64": mail(PARTS, "", "--b", "Content-Type: application/pdf; name=a.pdf", "Content-Transfer-Encoding: base64", "",
                                    "{b}", "{b}", "--b--"),
    "an attachment in quoted-printable": mail("Content-Type: a/b; name=a", "Content-Transfer-Encoding: quoted-printable", "", "%PDF-=31{s}"),
    "an attachment as it is": mail(PARTS, "", "--b", "Content-Disposition: attachment", "", "%PDF-1.7 {s}", "--b", "", "{s}", "--b--"),
    "an attached message": mail(PARTS, "", "--b", "Content-Type: message/rfc822; name=a.eml", "", "Subject: {s}", "Message-ID: <{s}>", "",
                                "{s}", "--b--"),
    "a text in base64": mail("Content-Type: text/plain", "Content-Transfer-Encoding: base64", "", "{b}"),
    "a file in a text": mail("", "begin 644 a.txt", "{uu}", "`", "end"),
    "behind a PGP message": mail("", "-----BEGIN PGP MESSAGE-----", "Comment: {s}", "", "hQEM{s}", "-----END PGP MESSAGE-----", "{s}"),
    "what says it is S/MIME": mail("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "", "{s}"),
    "headers of no interest": smtp("C: MAIL FROM:<a@example.org>\nS: 250 Ok\nC: RCPT TO:<b@example.com>\nS: 250 Ok\nC: DATA\n"
                                   "S: 354 Go\nC: X-Secret: {s}\nC:  {s}\nC: Authorization: {s}\nC: \nC: x\nC: .\nS: 250 Ok"),
}


def pieces(secret):
    """What must not stand in an output: the secret's pieces, plain and as base64 that depends on it alone."""
    found = {secret[i:i + MIN_PIECE].encode() for i in range(len(secret) - MIN_PIECE + 1)}
    for alone in planted.base64_inside(secret.encode()):
        found |= {alone[i:i + MIN_PIECE] for i in range(len(alone) - MIN_PIECE + 1)}
    return found


def lab_secrets():
    """{form: secret}: what secrets.txt of the lab names, in every form."""
    with open(os.path.join("pcaps", "secrets.txt"), encoding="utf-8") as f:
        secrets = [line for line in f.read().split("\n") if line]
    return {form: secret for secret in secrets for form in planted.forms(secret)}


LOGIN = re.compile(r'(?i)^(\S+ LOGIN \S+ |PASS )("?)[^"{]+("?)$')
TOKEN = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")


def planted_script(path, rng):
    """A dialogue in which each password, token and line of a mail's text is another, unheard of one, and each text has one more:
    (script, [secret])."""
    with open(path, encoding="utf-8") as f:
        script, _ = dialogue.parse(f.read())
    secrets, state, out = [], "", []

    def new():
        secrets.append(word(rng))
        return secrets[-1]

    def token(found):
        try:
            fields = base64.b64decode(found[0], validate=True).split(b"\0")
        except ValueError:
            return found[0]
        return b64("%s\0%s\0%s" % (fields[0].decode("latin-1"), fields[1].decode("latin-1"), new())) if len(fields) == 3 else found[0]
    for number, line in script:
        text = line[3:]
        if line == "C> \\r\\n" and state == "header":
            state = "text"
        elif line[:2] == "C:" and state == "text":
            if text == ".":
                out.append((number, "C: " + new()))
                state = ""
            elif text and not text.startswith(("-", ".", " ", "\t")) and not re.match(r"[!-9;-~]+:", text):
                line = "C: " + new()
        elif line[:2] == "C:" and state == "header":
            state = "text" if text == "" else "" if text == "." else "header"
        elif line[:2] == "C:" and text.upper() == "DATA":
            state = "header"
        elif line[:2] == "C:":
            login = LOGIN.match(text)
            line = "C: " + (login[1] + login[2] + new() + login[3] if login else TOKEN.sub(token, text))
        elif line[:2] == "S:" and re.match("[45]", text):
            state = ""   # DATA was refused: what follows are commands, and may be evidence
        out.append((number, line))
    return out, secrets


def memory_of(pid):
    """What a core file of the process would hold: its memory that can be written."""
    out = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                mem.seek(begin)
                while begin < end:
                    got = mem.read(min(end - begin, 1 << 24))
                    out.append(got.replace(b"\0" * 4096, b""))
                    begin += len(got)
    return b"".join(out)


class Secrets(unittest.TestCase):
    def outputs(self, files):
        for mode in postcard.MODES + [["--json", "--reveal"]]:
            done = postcard.run(postcard.binary(), ["-r"] + files + mode)
            self.assertEqual(done.code, 0, done.stderr)
            yield mode, done.stdout + done.stderr

    def test_a_leak_would_be_found(self):
        secret = word(random.Random(1))
        self.assertTrue(any(p in b"x" + b64("\0joe\0" + secret).encode() for p in pieces(secret)))
        self.assertTrue(any(p in b"<" + secret[3:15].encode() + b">" for p in pieces(secret)))

    def test_every_form_in_every_cut(self):
        rng = random.Random(20261123)
        with tempfile.TemporaryDirectory() as folder:
            files, needles = [], {}
            for name, form in FORMS.items():
                cuts = [packets.Shape()] + [packets.Shape(piece=n) for n in (1, 2, 3, 5, 7, 11, 13, 17, 23)]
                for i, shape in enumerate(cuts):
                    secret = word(rng)
                    text = form.format(s=secret, b=b64(secret), bplain=b64("\0joe\0" + secret),
                                       uu=binascii.b2a_uu(secret.encode(), backtick=True).decode().strip("\n"))
                    port = "@client 10.0.0.9:%d" % (20000 + len(files))
                    script, _ = dialogue.parse(port + "\n" + text)
                    path = os.path.join(folder, "%04d.pcap" % len(files))
                    dialogue.compile_script(script, shape).write(path)
                    files.append(path)
                    for piece in pieces(secret):
                        needles[piece] = "%s, cut %d" % (name, i)
            for start in range(0, len(files), 100):
                for mode, out in self.outputs(files[start:start + 100]):
                    seen = {out[i:i + MIN_PIECE] for i in range(len(out) - MIN_PIECE + 1)}
                    leaked = sorted({needles[x] for x in seen & needles.keys()})
                    self.assertEqual(leaked, [], "in the output of %s" % (mode or "the report"))

    def test_the_lab_secrets(self):
        forms = lab_secrets()
        self.assertGreater(len(set(forms.values())), 50)
        for mode, out in self.outputs(sorted(glob.glob("pcaps/*.pcap"))):
            leaked = [(secret, form) for form, secret in forms.items() if form in out]
            self.assertEqual(leaked, [], "in the output of %s" % (mode or "the report"))

    def test_the_dialogues(self):
        rng, told = random.Random(20261130), 0
        with tempfile.TemporaryDirectory() as folder:
            for path in sorted(glob.glob("tests/dialogues/*.txt")):
                script, secrets = planted_script(path, rng)
                told += bool(secrets)
                if not secrets:
                    continue
                capture = os.path.join(folder, "x.pcap")
                dialogue.compile_script(script).write(capture)
                needles = set().union(*(pieces(s) for s in secrets))
                for mode in [["-v"], ["--reveal"], ["--json"], ["--json", "--reveal"]]:
                    done = postcard.run(postcard.binary(), ["-r", capture] + mode)
                    out = done.stdout + done.stderr
                    seen = {out[i:i + MIN_PIECE] for i in range(len(out) - MIN_PIECE + 1)}
                    self.assertEqual(seen & needles, set(), "%s: in the output of %s" % (path, mode))
        self.assertGreater(told, 20)

    def test_no_core_file(self):
        """The worker, which holds the packets, can leave no core file; in the parent's memory none of it stands."""
        if postcard.sanitized():
            self.skipTest("a sanitizer keeps what was freed, and maps terabytes that would be read here")
        files = [os.path.abspath(path) for path in sorted(glob.glob("pcaps/*.pcap"))] * 20   # more than fits into pipes
        with tempfile.TemporaryDirectory() as folder:
            # nobody reads what it writes: it waits with all in its memory
            p = subprocess.Popen(["sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$0" "$@"', os.path.abspath(postcard.binary()),
                                  "--json", "--reveal", "-r"] + files,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
            try:
                memory, worker, limits, end = b"", 0, "", time.time() + 10
                # the worker lowers it before it reads, and may be gone when the parent's memory is looked at
                while not re.search(r"(?m)^Max core file size +0 +0", limits) and time.time() < end:
                    try:
                        with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
                            worker = int((f.read().split() or [worker])[-1])
                        with open("/proc/%d/limits" % worker) as f:
                            limits = f.read() or limits
                    except OSError:   # it is not there yet
                        pass
                    time.sleep(0.001)
                while b"scanner@example.com" not in memory and time.time() < end:
                    try:
                        memory = memory_of(p.pid)
                    except PermissionError:
                        self.skipTest("a process's memory may not be read here")
                    except OSError:   # it moves
                        pass
                self.assertEqual(re.search(r"(?m)^Max core file size +(\S+) +(\S+)", limits).groups(), ("0", "0"))
                self.assertTrue(b"scanner@example.com" in memory, "the records did not pass through it: this is no test")
                self.assertEqual([(s, f) for f, s in lab_secrets().items() if f in memory], [])
                try:
                    os.kill(worker, signal.SIGSEGV)
                except ProcessLookupError:
                    pass   # it had read all
                p.stdout.read()
                p.wait(30)
            finally:
                p.kill()
                p.wait()
                p.stdout.close()
            self.assertEqual([x for x in os.listdir(folder) if "core" in x], [])

    def test_no_file_has_them(self):
        """What is written besides standard output: records, spools of each format, metrics, memory; all of it with --reveal, too."""
        forms = lab_secrets()
        files = sorted(glob.glob("pcaps/*.pcap"))
        with tempfile.TemporaryDirectory() as folder:
            spool = os.path.join(folder, "spool")
            os.mkdir(spool)
            more = ["--out", os.path.join(folder, "out"), "--metrics", os.path.join(folder, "metrics"), "--state", os.path.join(folder, "state"),
                    "--spool", spool, "--reveal", "-q"]
            formats = ["rfc5424", "rfc3164", "cef", "leef", "json", "cee"]
            for name in formats:  # nobody listens there: all of it waits in the spool
                more += ["--syslog", "tcp://127.0.0.1:1?records=sessions&format=" + name]
            done = postcard.run(postcard.binary(), ["-r"] + files + more)
            self.assertEqual(done.code, 0, done.stderr)
            written = {}
            for where, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(where, name)
                    with open(path, "rb") as f:
                        written[os.path.relpath(path, folder)] = f.read()
            for wanted in ["out", "metrics", "state"]:
                self.assertGreater(len(written[wanted]), 1000)
            self.assertEqual(len([n for n in written if n.endswith(".spool") and len(written[n]) > 10000]), len(formats))
            for name, octets in written.items():
                leaked = [(secret, form) for form, secret in forms.items() if form in octets]
                self.assertEqual(leaked, [], "in " + name)


if __name__ == "__main__":
    unittest.main()
