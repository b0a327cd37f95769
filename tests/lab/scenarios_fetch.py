"""Scenarios of fetching mail, IMAP and POP3, beyond the first ones in scenarios.py: the clients that people run (mutt, mbsync,
fetchmail), and what only a program written for it does. Dovecot is the server in all of them."""
from bench import BODY_MARK, SERVER, Mail, scenario
from servers import Dovecot, Server, make_certificate, settle, write

NAME = "mx.example.org"   # the name of SERVER in /etc/hosts
INBOX = "Waiting for you"


def mailbox(bench, user, password, **more):
    mail = Mail(INBOX, "carol@example.com", user + "@example.org")
    return bench.serve(Dovecot(bench.server, user, password, mails=[mail], certificate=make_certificate(NAME), **more))


def fetched(bench, protocol="imap", port=143, **more):
    """One connection in the clear that fetched the mail in the box."""
    label = dict(protocol=protocol, port=port, verdict="cleartext", cleartext_messages=1, subjects=[INBOX])
    label.update(more)
    bench.fact(**label)


def says(reason, auth="accepted", shows="password", exposed=("headers", "body", "credentials"), messages=1):
    return {"postcard.reason": reason, "postcard.messages": messages, "postcard.exposed": list(exposed),
            "postcard.exposure": exposed[-1], "postcard.auth_result": [auth], "postcard.auth_shows": [shows]}


def by_hand(bench, *steps):
    """Sends each step when the server has said something that holds the text before it: (text, octets), ..."""
    bench.python("c = socket.create_connection((%r, 143), 10); said = b''" % SERVER,
                 "for wait, send in %r:" % (steps,),
                 "    while wait not in said:",
                 "        more = c.recv(4096)",
                 "        if not more: break",
                 "        said += more",
                 "    said = b''",
                 "    c.sendall(send)",
                 "while c.recv(4096): pass")


# ---------------------------------------------------------------- IMAP: mutt

def mutt(bench, user, password, *more):
    """Opens the box, shows the first mail, quits."""
    rc = write("/run/lab/muttrc", "\n".join((
        "set imap_pass='%s'" % password, "set ssl_verify_host=no", "set certificate_file=%s" % make_certificate(NAME)[0],
        "set realname=Anna", "set mail_check=600", "set imap_keepalive=600", "set wait_key=no", "set delete=no", "set move=no",
        "set folder=imap://%s@%s/" % (user, NAME), "set record=", "set spoolfile=+INBOX", *more)) + "\n")
    command = ["mutt", "-n", "-F", rc, "-f", "imap://%s@%s/INBOX" % (user, NAME),
               "-e", "push '<display-message><exit><exit>'"]
    bench.python("import os, pty", "os.environ.update(TERM='vt100', HOME='/run/lab')", "pty.spawn(%r)" % command)


@scenario("mutt reads a mail by IMAP in the clear; STARTTLS is offered", "Dovecot", "mutt", logins=[("anna", "lab-secret-Mt4w")])
def imap_mutt(bench):
    mailbox(bench, "anna", "lab-secret-Mt4w")
    bench.go()
    mutt(bench, "anna", "lab-secret-Mt4w", "set ssl_starttls=no", "set ssl_force_tls=no", "set imap_authenticators=login")
    fetched(bench, starttls_offered=True, auth_clear="LOGIN", auth_user="anna", expect=["auth-login-in-clear"],
            says=says("not-requested"))


@scenario("mutt files the copy of a mail that it sent on the IMAP server (APPEND), in the clear", "Dovecot", "mutt",
          logins=[("anna", "lab-secret-Mt4w")])
def imap_append_mutt(bench):
    mailbox(bench, "anna", "lab-secret-Mt4w")
    bench.go()
    rc = write("/run/lab/muttrc", "\n".join((
        "set imap_pass='lab-secret-Mt4w'", "set ssl_starttls=no", "set ssl_force_tls=no", "set imap_authenticators=login",
        "set folder=imap://anna@%s/" % NAME, "set record=+INBOX", "set sendmail=/bin/true", "set from=anna@example.org")) + "\n")
    bench.client_run("env", "HOME=/run/lab", "mutt", "-n", "-F", rc, "-s", "Copy for the file", "bert@example.org",
                     text="This text is readable: %s\n" % BODY_MARK)
    fetched(bench, starttls_offered=True, subjects=["Copy for the file"], auth_clear="LOGIN", auth_user="anna",
            expect=["auth-login-in-clear"], says=says("not-requested"))


# ---------------------------------------------------------------- IMAP: mbsync

def mbsync(bench, user, password, *more):
    rc = write("/run/lab/mbsyncrc", "\n".join((
        "IMAPAccount lab", "Host " + NAME, "User " + user, 'Pass "%s"' % password.replace("\\", "\\\\").replace('"', '\\"'),
        "CertificateFile " + make_certificate(NAME)[0], *more, "", "IMAPStore far", "Account lab", "", "MaildirStore near",
        "Path /run/lab/mbsync/", "Inbox /run/lab/mbsync/INBOX", "", "Channel lab", "Far :far:", "Near :near:", "Patterns INBOX",
        "Create Near", "Sync Pull", "SyncState /run/lab/mbsync/state-")) + "\n", 0o600)
    bench.client_run("rm", "-rf", "/run/lab/mbsync")
    bench.client_run("mkdir", "/run/lab/mbsync")
    bench.client_run("env", "HOME=/run/lab", "mbsync", "-c", rc, "-a")


QUOTED = 'lab-secret-"Qb\\7r"'   # on the wire in quotes, with backslashes


@scenario("mbsync with SSLType None fetches by IMAP in the clear though STARTTLS is offered; the password has quotes in it",
          "Dovecot", "mbsync", logins=[("anna", QUOTED)])
def imap_mbsync(bench):
    mailbox(bench, "anna", QUOTED)
    bench.go()
    mbsync(bench, "anna", QUOTED, "SSLType None", "AuthMechs LOGIN")
    fetched(bench, starttls_offered=True, auth_clear="LOGIN-COMMAND", auth_user="anna", expect=["imap-login-in-clear"],
            says=says("not-requested"))


@scenario("mbsync with STARTTLS and TLS 1.2, mutt with STARTTLS and TLS 1.3, mbsync on 993", "Dovecot", "mbsync", "mutt",
          logins=[("anna", "lab-secret-Sy8k")])
def imap_sealed(bench):
    mailbox(bench, "anna", "lab-secret-Sy8k")
    bench.go()
    mbsync(bench, "anna", "lab-secret-Sy8k", "SSLType STARTTLS", "SSLVersions TLSv1.2")
    bench.sealed("1.2", protocol="imap", port=143, starttls_reply="OK", expect=["self-signed-cert"])
    mutt(bench, "anna", "lab-secret-Sy8k", "set ssl_starttls=yes", "set ssl_force_tls=yes")
    bench.sealed("1.3", protocol="imap", port=143, starttls_reply="OK")
    mbsync(bench, "anna", "lab-secret-Sy8k", "SSLType IMAPS")
    bench.sealed("1.3", protocol="imap", port=993, implicit=True)


# ---------------------------------------------------------------- IMAP: states and logins

@scenario("IMAP with COMPRESS=DEFLATE in the clear: looks like noise, and is readable to everybody", "Dovecot", "imaplib",
          logins=[("anna", "lab-secret-Zl2p")])
def imap_compress(bench):
    mailbox(bench, "anna", "lab-secret-Zl2p", more="mail_plugins = zlib\nprotocol imap {\n  mail_plugins = zlib imap_zlib\n}\n")
    bench.go()
    bench.python("import zlib",
                 "m = imaplib.IMAP4(%r); m.login('anna', 'lab-secret-Zl2p')" % SERVER,
                 "imaplib.Commands['COMPRESS'] = ('AUTH',)",
                 "m._simple_command('COMPRESS', 'DEFLATE')",
                 "out, back, wire = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15), m.sock",
                 "class Deflated:",
                 "    held = b''",
                 "    def fill(self): self.held += back.decompress(wire.recv(4096))",
                 "    def readline(self, most=-1):",
                 "        while b'\\n' not in self.held: self.fill()",
                 "        line, _, self.held = self.held.partition(b'\\n')",
                 "        return line + b'\\n'",
                 "    def read(self, n):",
                 "        while len(self.held) < n: self.fill()",
                 "        got, self.held = self.held[:n], self.held[n:]",
                 "        return got",
                 "    def close(self): pass",
                 "m._file = m.file = Deflated()",
                 "m.send = lambda d: wire.sendall(out.compress(d) + out.flush(zlib.Z_SYNC_FLUSH))",
                 "m.select(); m.fetch('1', '(RFC822)'); m.logout()")
    fetched(bench, starttls_offered=True, auth_clear="LOGIN-COMMAND", auth_user="anna", expect=["imap-login-in-clear"],
            says=says("not-requested"))


class Preauth(Server):
    """Dovecot's imap as inetd would run it, for a user who need not log in: it greets with PREAUTH."""

    def __init__(self, host, dovecot, user, address=SERVER):
        super().__init__(host, 143)
        start = write(self.dir + "/imap", "#!/bin/sh\nexport USER=%s HOME=%s/home/%s\nexec setpriv --reuid vmail --regid vmail "
                      "--clear-groups doveadm -c %s exec imap\n" % (user, dovecot.dir, user, dovecot.config), 0o755)
        self.start("socat", "TCP-LISTEN:143,bind=%s,fork,reuseaddr" % address, "EXEC:" + start)
        settle(lambda: "%s:143 " % address in host.run("ss", "-Hltn"))   # Dovecot's own is at the same port of another address


@scenario("IMAP that greets with PREAUTH: logged in before anything was said, so STARTTLS is refused", "Dovecot", "socat", "Python")
def imap_preauth(bench):
    server = mailbox(bench, "anna", "unused", default_internal_user="dovecot", listen="127.0.0.1")
    bench.client_run("chmod", "-R", "a+rX", server.dir)
    bench.serve(Preauth(bench.server, server, "anna"))
    bench.go()
    by_hand(bench, (b"PREAUTH", b"a STARTTLS\r\n"), (b"a ", b"b SELECT INBOX\r\n"), (b"b OK", b"c FETCH 1 (RFC822)\r\n"),
            (b"c OK", b"d LOGOUT\r\n"))
    fetched(bench, starttls_offered=False, starttls_requested=True, starttls_reply="BAD",
            says={"postcard.anomalies": ["imap-preauth"], "postcard.messages": 1, "postcard.exposed": ["headers", "body"],
                  "postcard.auth": None})


@scenario("LOGINDISABLED, and the client logs in all the same: refused (PRIVACYREQUIRED), but the password crossed", "Dovecot",
          "imaplib", logins=[("anna", "lab-secret-Ld5n")])
def imap_logindisabled(bench):
    mailbox(bench, "anna", "lab-secret-Ld5n", disable_plaintext_auth="yes")
    bench.go()
    bench.python("m = imaplib.IMAP4(%r)" % SERVER, "try: m.login('anna', 'lab-secret-Ld5n')", "except m.error: m.logout()")
    bench.fact(protocol="imap", port=143, verdict="cleartext", starttls_offered=True, auth_clear="LOGIN-COMMAND", auth_user="anna",
               expect=["imap-login-in-clear"],
               says=dict({"postcard.auth_accepted": False},
                         **says("not-requested", "refused", exposed=["credentials"], messages=0)))


@scenario("IMAP LOGIN with literals: one that waits for the server's go-ahead, one that does not (LITERAL+)", "Dovecot", "Python",
          logins=[("anna", "lab-secret-Lt9v")])
def imap_login_literal(bench):
    mailbox(bench, "anna", "lab-secret-Lt9v")
    bench.go()
    fetch = ((b"b OK", b"c FETCH 1 (BODY.PEEK[])\r\n"), (b"c OK", b"d LOGOUT\r\n"))
    by_hand(bench, (b"* OK", b"a LOGIN {4}\r\n"), (b"+", b"anna {15}\r\n"), (b"+", b"lab-secret-Lt9v\r\n"),
            (b"a OK", b"b SELECT INBOX\r\n"), *fetch)
    by_hand(bench, (b"* OK", b"a LOGIN {4+}\r\nanna {15+}\r\nlab-secret-Lt9v\r\n"), (b"a OK", b"b EXAMINE INBOX\r\n"), *fetch)
    for _ in range(2):
        fetched(bench, starttls_offered=True, auth_clear="LOGIN-COMMAND", auth_user="anna", expect=["imap-login-in-clear"],
                says=says("not-requested"))


@scenario("IMAP AUTHENTICATE CRAM-MD5: user name and digest cross, no password; a second client cancels it with * when it has "
          "seen the challenge", "Dovecot", "imaplib", logins=[("anna", "lab-secret-Cr1m")])
def imap_cram_md5(bench):
    mailbox(bench, "anna", "lab-secret-Cr1m")
    bench.go()
    bench.python("m = imaplib.IMAP4(%r); m.login_cram_md5('anna', 'lab-secret-Cr1m')" % SERVER,
                 "m.select(); m.fetch('1', '(RFC822)'); m.logout()")
    fetched(bench, starttls_offered=True, auth_clear="CRAM-MD5", auth_user="anna", expect=["auth-cram-md5-in-clear"],
            says=says("not-requested", shows="digest"))
    bench.python("m = imaplib.IMAP4(%r)" % SERVER, "try: m.authenticate('CRAM-MD5', lambda c: None)", "except m.error: m.logout()")
    # nothing of the password crossed
    bench.fact(protocol="imap", port=143, verdict="no-mail", starttls_offered=True, auth_clear="CRAM-MD5",
               says={"postcard.auth_result": ["cancelled"], "postcard.auth": ["CRAM-MD5"], "postcard.exposure": "names"})


@scenario("IMAP AUTHENTICATE XOAUTH2: refused (the server cannot check it), but the token crossed", "Dovecot", "curl",
          logins=[], secrets=["lab-token-Xo7.Gq3vT9sWm2Rk5-Jd8"])
def imap_xoauth2(bench):
    mailbox(bench, "anna", "unused", auth_mechanisms="plain xoauth2", more="passdb {\n  driver = oauth2\n  mechanisms = xoauth2\n"
            "  args = /run/lab/no-such-oauth2\n}\n")
    write("/run/lab/no-such-oauth2", "tokeninfo_url = http://127.0.0.1:9/\n")
    bench.go()
    bench.curl("imap://%s/INBOX;MAILINDEX=1" % SERVER, "--user", "anna", "--oauth2-bearer", "lab-token-Xo7.Gq3vT9sWm2Rk5-Jd8",
               "--login-options", "AUTH=XOAUTH2")
    bench.fact(protocol="imap", port=143, verdict="cleartext", starttls_offered=True, auth_clear="XOAUTH2", auth_user="anna",
               expect=["auth-xoauth2-in-clear"], says=says("not-requested", "refused", "token", ["credentials"], 0))


# ---------------------------------------------------------------- POP3

def fetchmail(bench, *options, user="bert", password="", protocol="pop3", run=("--keep",)):
    rc = write("/run/lab/fetchmailrc", "poll %s protocol %s user '%s' password '%s' mda '/bin/cat >/dev/null' %s\n" % (
        NAME, protocol, user, password, " ".join(options)), 0o600)
    bench.client_run("env", "HOME=/run/lab", "fetchmail", "-f", rc, "-i", "/run/lab/fetchids", "--nosyslog", "--fetchall", *run)


@scenario("fetchmail by POP3 in the clear (sslproto ''), STLS is offered", "Dovecot", "fetchmail",
          logins=[("bert", "lab-secret-Fm3c")])
def pop3_fetchmail(bench):
    mailbox(bench, "bert", "lab-secret-Fm3c", auth_mechanisms="plain")
    bench.go()
    fetchmail(bench, "sslproto ''", password="lab-secret-Fm3c")
    fetched(bench, "pop3", 110, starttls_offered=True, auth_clear="USER", auth_user="bert", expect=["pop3-user-pass-in-clear"],
            says=says("not-requested"))


@scenario("fetchmail by POP3 with STLS, and on 995", "Dovecot", "fetchmail", logins=[("bert", "lab-secret-Fm3c")])
def pop3_sealed(bench):
    mailbox(bench, "bert", "lab-secret-Fm3c")
    bench.go()
    fetchmail(bench, "sslproto 'TLS1.2+'", "no sslcertck", password="lab-secret-Fm3c")
    bench.sealed("1.3", protocol="pop3", port=110, starttls_reply="+OK")
    fetchmail(bench, "ssl", "no sslcertck", password="lab-secret-Fm3c")
    bench.sealed("1.3", protocol="pop3", port=995, implicit=True)


@scenario("POP3 APOP by fetchmail: user name and digest cross, no password", "Dovecot", "fetchmail",
          logins=[("bert", "lab-secret-Ap0p")])
def pop3_apop(bench):
    mailbox(bench, "bert", "lab-secret-Ap0p", auth_mechanisms="plain apop")
    bench.go()
    fetchmail(bench, "sslproto ''", password="lab-secret-Ap0p", protocol="apop")
    fetched(bench, "pop3", 110, starttls_offered=None, auth_clear="APOP", auth_user="bert",
            says=says("not-asked", shows="digest"))


@scenario("POP3 TOP: the headers of a mail cross, its body does not", "Dovecot", "poplib", logins=[("bert", "lab-secret-Tp4h")])
def pop3_top(bench):
    mailbox(bench, "bert", "lab-secret-Tp4h")
    bench.go()
    bench.python("p = poplib.POP3(%r); p.user('bert'); p.pass_('lab-secret-Tp4h')" % SERVER, "p.top(1, 0); p.quit()")
    bench.fact(protocol="pop3", port=110, verdict="cleartext", starttls_offered=None, auth_clear="USER", auth_user="bert",
               expect=["pop3-user-pass-in-clear"],
               says={"postcard.reason": "not-asked", "postcard.exposed": ["headers", "credentials"]})


@scenario("STLS is refused (-ERR); the client logs in and fetches in the clear on the same connection", "Dovecot", "poplib",
          logins=[("bert", "lab-secret-Rf2s")])
def pop3_stls_refused(bench):
    mailbox(bench, "bert", "lab-secret-Rf2s", ssl="no")
    bench.go()
    bench.python("p = poplib.POP3(%r)" % SERVER, "try: p._shortcmd('STLS')", "except poplib.error_proto: pass",
                 "p.user('bert'); p.pass_('lab-secret-Rf2s'); p.retr(1); p.quit()")
    fetched(bench, "pop3", 110, starttls_offered=None, starttls_requested=True, starttls_reply="-ERR", auth_clear="USER",
            auth_user="bert", expect=["pop3-user-pass-in-clear"], says=says("refused"))
