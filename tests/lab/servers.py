"""The mail servers of the lab: Postfix, Exim, OpenSMTPD, Dovecot, each with a configuration of its own under /run/lab.

Every class has start() and stop() and writes nothing outside /run/lab (and /var/spool, which is a tmpfs of the lab).
"""
import os
import re
import shutil
import subprocess
import textwrap
import time

from network import exists, run

LAB = "/run/lab"
POSTFIX_BIN = "/usr/lib/postfix/sbin"


def make_certificate(name, keys="rsa"):
    """A self-signed certificate for `name`; returns (certificate, key) file names."""
    base = "%s/cert-%s-%s" % (LAB, name, keys)
    if not os.path.exists(base + ".pem"):
        new = ["-newkey", "rsa:2048"] if keys == "rsa" else ["-newkey", "ec", "-pkeyopt",
                                                             "ec_paramgen_curve:prime256v1"]
        run("openssl", "req", "-x509", *new, "-nodes", "-days", "3650", "-subj", "/O=Postcard Lab/CN=" + name,
            "-addext", "subjectAltName=DNS:" + name, "-keyout", base + ".key", "-out", base + ".pem")
    return base + ".pem", base + ".key"


def issue_certificate(name, names=(), keys="rsa:2048", start="20260101000000Z", end="20360101000000Z"):
    """A certificate for `name` (and the host names `names`) of an authority of the lab; (certificate, key, authority)."""
    base = "%s/ca-%s-%s" % (LAB, name, keys.replace(":", "-"))
    authority = LAB + "/authority"
    if not os.path.exists(authority + ".pem"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
            "/O=Postcard Lab/CN=Authority of the Lab", "-keyout", authority + ".key", "-out", authority + ".pem")
    new = ["-newkey", keys] if keys.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + keys]
    run("openssl", "req", "-new", *new, "-nodes", "-subj", "/O=Postcard Lab/CN=" + name, "-keyout", base + ".key",
        "-out", base + ".csr")
    write(base + ".index", "")
    config = write(base + ".cnf", """\
        [ca]
        default_ca = lab
        [lab]
        database = {base}.index
        new_certs_dir = {lab}
        rand_serial = yes
        default_md = sha256
        policy = any
        copy_extensions = none
        x509_extensions = names
        unique_subject = no
        [any]
        organizationName = optional
        commonName = supplied
        [names]
        subjectAltName = {names}
        """.format(base=base, lab=LAB, names=", ".join("DNS:" + n for n in names or [name])))
    run("openssl", "ca", "-batch", "-notext", "-config", config, "-in", base + ".csr", "-out", base + ".pem", "-cert",
        authority + ".pem", "-keyfile", authority + ".key", "-startdate", start, "-enddate", end)
    return base + ".pem", base + ".key", authority + ".pem"


def fingerprint(certificate):
    return run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").strip().split("=")[1].replace(
        ":", "").lower()


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(textwrap.dedent(text))
    os.chmod(path, mode)
    return path


class Server:
    software = "?"

    def __init__(self, host, port=25):
        self.host, self.port, self.process = host, port, None
        self.dir = "%s/%s-%s" % (LAB, type(self).__name__.lower(), host.name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def start(self, *command):
        self.log = open(self.dir + "/output", "w")
        self.process = self.host.start(*command, stdout=self.log, stderr=subprocess.STDOUT)
        self.host.wait_for_port(self.port)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process = None
            self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Postfix(Server):
    """Keyword arguments beyond the named ones are lines of main.cf; services are additional lines of master.cf."""

    software = "Postfix"
    MASTER = """\
        {port} inet n - n - {limit} {smtpd}
        pickup unix n - n 60 1 pickup
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 5 1 qmgr
        tlsmgr unix - - n 1000? 1 tlsmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        verify unix - - n - 1 verify
        flush unix n - n 1000? 0 flush
        proxymap unix - - n - - proxymap
        smtp unix - - n - - smtp
        error unix - - n - - error
        retry unix - - n - - error
        discard unix - - n - - discard
        lmtp unix - - n - - lmtp
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        postlog unix-dgram n - n - 1 postlogd
        """

    def __init__(self, host, name="mx.example.org", port=25, tls="none", keys="rsa", smtpd="smtpd",
                 services="", **settings):
        super().__init__(host, port)
        certificate, key = make_certificate(name, keys)
        lines = {
            "compatibility_level": "3.6", "myhostname": name, "mydestination": "example.org",
            "mynetworks": "127.0.0.0/8",
            "queue_directory": self.dir + "/queue", "data_directory": self.dir + "/data",
            "command_directory": "/usr/sbin",
            "daemon_directory": POSTFIX_BIN, "mail_owner": "postfix", "setgid_group": "postdrop",
            "alias_maps": "", "alias_database": "",
            "maillog_file": self.dir + "/log", "maillog_file_prefixes": "/run", "inet_interfaces": "all",
            "inet_protocols": "all",
            "disable_dns_lookups": "yes", "smtp_host_lookup": "native", "smtpd_peername_lookup": "no",
            "smtputf8_enable": "no",
            "local_transport": "discard:", "local_recipient_maps": "inline:{anna=x, bert=x, clara=x}",
            "smtpd_tls_security_level": tls, "smtpd_tls_cert_file": certificate, "smtpd_tls_key_file": key,
            "smtpd_tls_session_cache_database": "",
            "smtpd_recipient_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        }
        lines.update(settings)
        write(self.dir + "/main.cf", "".join("%s = %s\n" % item for item in lines.items()))
        write(self.dir + "/master.cf", textwrap.dedent(self.MASTER.format(port=port, smtpd=smtpd,
                limit="1" if smtpd == "postscreen" else "-")) + textwrap.dedent(services))
        os.mkdir(self.dir + "/data")
        shutil.chown(self.dir + "/data", "postfix", "postfix")
        for sub in ("active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop pid").split():
            os.makedirs(self.dir + "/queue/" + sub)
            if sub != "pid":
                shutil.chown(self.dir + "/queue/" + sub, "postfix",
                             "postdrop" if sub in ("public", "maildrop") else "root")
        os.chmod(self.dir + "/queue/maildrop", 0o1730)
        os.chmod(self.dir + "/queue/public", 0o2710)
        self.start(POSTFIX_BIN + "/master", "-c", self.dir, "-d")

    def logged(self, text, count=1):
        """Wait till it has logged this so many times; it makes the file with the first line."""
        def there():
            try:
                with open(self.dir + "/log") as f:
                    return f.read().count(text) >= count
            except FileNotFoundError:
                return False
        settle(there)

    def submit(self, mail):
        """Hand a mail over as a local program would; Postfix sends it on at once."""
        self.host.run("/usr/sbin/sendmail", "-C", self.dir, "-i", "-f", mail.sender, *mail.recipients,
                      input=mail.text())


class Exim(Server):
    """Server, or client where `smarthost` is given; `main` are lines of the main section."""

    software = "Exim"

    def __init__(self, host, name="mail.example.net", port=25, tls=True, smarthost=None, main="",
                 transport="", users=(), keys=None):
        super().__init__(host, port)
        certificate, key = keys or make_certificate(name)
        key = shutil.copy(key, self.dir + "/key")   # Exim reads it as its own user
        os.mkdir(self.dir + "/spool")
        for path in (self.dir, self.dir + "/spool", key):
            shutil.chown(path, "Debian-exim", "Debian-exim")
        if smarthost:
            route = "smart:\n driver = manualroute\n route_list = * %s byname\n transport = out\n" % smarthost
        else:
            route = "sink:\n driver = redirect\n data = :blackhole:\n"
        authenticators = ""
        if users:
            table = "${extract{$auth%d}{" + " ".join("%s=%s" % user for user in users) + "}{$value}fail}"
            check = "${if eq{$auth%d}{" + table + "}}"
            authenticators = textwrap.dedent("""\
                plain:
                 driver = plaintext
                 public_name = PLAIN
                 server_prompts = :
                 server_condition = %s
                 server_set_id = $auth2
                login:
                 driver = plaintext
                 public_name = LOGIN
                 server_prompts = Username:: : Password::
                 server_condition = %s
                 server_set_id = $auth1
                cram:
                 driver = cram_md5
                 public_name = CRAM-MD5
                 server_secret = %s
                 server_set_id = $auth1
                """) % (check % (3, 2), check % (2, 1), table % 1)
        config = textwrap.dedent("""\
            primary_hostname = {name}
            spool_directory = {dir}/spool
            log_file_path = {dir}/%slog
            pid_file_path = {dir}/pid
            exim_user = Debian-exim
            exim_group = Debian-exim
            never_users = root
            trusted_users = root
            host_lookup =
            rfc1413_query_timeout = 0s
            daemon_smtp_ports = {port}
            smtp_accept_keepalive = false
            acl_smtp_rcpt = accept_rcpt
            acl_smtp_data = accept_data
            tls_advertise_hosts = {advertise}
            tls_certificate = {certificate}
            tls_privatekey = {key}
            keep_environment =
            """).format(name=name, dir=self.dir, port=port, advertise="*" if tls else "",
                        certificate=certificate, key=key) + textwrap.dedent(main)
        config += "begin acl\naccept_rcpt:\n accept\naccept_data:\n accept\nbegin routers\n" + route
        config += "begin transports\nout:\n driver = smtp\n" + transport
        config += "begin retry\n* * F,1h,1m\nbegin authenticators\n" + authenticators
        self.config = write(self.dir + "/exim.conf", config)
        os.makedirs("/etc/exim4", exist_ok=True)
        with open("/etc/exim4/trusted_configs", "a") as f:   # else Exim gives up its rights
            f.write(self.config + "\n")
        self.start("/usr/sbin/exim4", "-C", self.config, "-bdf", "-q1h")

    def submit(self, mail):
        self.host.run("/usr/sbin/exim4", "-C", self.config, "-odf", "-oi", "-f", mail.sender,
                      *mail.recipients, input=mail.text())


class OpenSmtpd(Server):
    """`listen` and `relay` are parts of smtpd.conf. Debian 12's version 6.8 fails as a TLS server (it cannot sign)."""

    software = "OpenSMTPD"

    def __init__(self, host, listen, name="mx.example.org", relay=None, port=25):
        super().__init__(host, port)
        certificate, key = make_certificate(name)
        os.chmod(key, 0o600)
        os.makedirs("/var/spool/smtpd", exist_ok=True)
        os.chmod("/var/spool/smtpd", 0o711)
        os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
        write("/etc/mailname", name + "\n")
        lines = "".join('%s %s "%s"\n' % ("pki lab", what, path) for what,
                        path in (("cert", certificate), ("key", key)))
        lines += "".join("listen on %s\n" % line for line in listen)
        if relay:
            lines += 'action "out" relay host %s helo %s\nmatch from any for any action "out"\n' % (relay,
                                                                                                    name)
        else:
            lines += 'action "in" mda "/bin/cat >/dev/null"\nmatch from any for domain "example.org" action "in"\n'
        config = write(self.dir + "/smtpd.conf", lines, 0o600)
        self.start("/usr/sbin/smtpd", "-d", "-f", config)


class Dovecot(Server):
    """IMAP, POP3, LMTP, and logins for Postfix, for `user` (and `others` with the same password).

    Keyword arguments beyond the named ones are lines of dovecot.conf; `more` is put behind them."""

    software = "Dovecot"

    def __init__(self, host, user, password, port=143, mails=(), others=(), certificate=None, more="",
                 **settings):
        super().__init__(host, port)
        certificate, key = certificate or make_certificate("imap.example.org")
        home = self.dir + "/home"
        for sub in ("cur", "new", "tmp"):
            os.makedirs("%s/%s/Maildir/%s" % (home, user, sub))
        for other in others:
            os.makedirs("%s/%s" % (home, other))
        for number, mail in enumerate(mails):
            with open("%s/%s/Maildir/new/%d.lab" % (home, user, 1700000000 + number), "w") as f:
                f.write(mail.text())
        run("chown", "-R", "vmail:vmail", home)
        write(self.dir + "/users", "".join("%s:{PLAIN}%s\n" % (name, password) for name in (user, *others)))
        lines = {"ssl": "yes", "disable_plaintext_auth": "no", "auth_mechanisms": "plain login cram-md5"}
        lines.update(settings)
        text = textwrap.dedent("""\
            base_dir = {dir}/base
            state_dir = {dir}/state
            protocols = imap pop3 lmtp
            listen = *
            log_path = {dir}/log
            ssl_cert = <{certificate}
            ssl_key = <{key}
            mail_location = maildir:{dir}/home/%n/Maildir
            default_vsz_limit = 512M
            passdb {{
              driver = passwd-file
              args = username_format=%n {dir}/users
            }}
            userdb {{
              driver = static
              args = uid=vmail gid=vmail home={dir}/home/%n
            }}
            first_valid_uid = 100
            service lmtp {{
              inet_listener lmtp {{
                port = 24
              }}
            }}
            service auth {{
              unix_listener {dir}/auth {{
                mode = 0666
              }}
            }}
            """).format(dir=self.dir, certificate=certificate, key=key)
        self.config = write(self.dir + "/dovecot.conf",
                            text + "".join("%s = %s\n" % item for item in lines.items()) + textwrap.dedent(more))
        self.auth_socket = self.dir + "/auth"
        self.start("/usr/sbin/dovecot", "-F", "-c", self.config)
        for other in (24, 110, 143):
            self.host.wait_for_port(other)


def newer():
    """Where the programs of a newer Debian are, if they are."""
    return os.environ["POSTCARD_LAB_INSIDE"] + "/newer"


def newer_openssl():
    """The command that runs its openssl, with its own C library."""
    libraries = newer() + "/usr/lib/x86_64-linux-gnu"
    return [libraries + "/ld-linux-x86-64.so.2", "--library-path", libraries, newer() + "/usr/bin/openssl"]


class NewerTls(Server):
    """openssl s_server of a newer Debian; it greets as a mail server would, and says no more."""

    def __init__(self, host, port, certificate, key, greeting, *words):
        super().__init__(host, port)
        command = " ".join(newer_openssl() + ["s_server", "-quiet", "-accept", str(port), "-cert", certificate, "-key", key, *words])
        self.start("sh", "-c", "(printf '%%s\\r\\n' '%s'; exec sleep 60) | exec env OPENSSL_CONF=/dev/null %s" % (greeting, command))


class Middlebox(Server):
    """An inline proxy (middlebox.py) that answers in the place of a server and changes what passes."""

    software = "Python"

    def __init__(self, host, listen, to, *what, port=25):
        super().__init__(host, port)
        here = os.path.dirname(os.path.abspath(__file__))
        self.start("/usr/bin/python3", here + "/middlebox.py", listen, str(port), to, str(port), *what)


def versions():
    """Name and version of each program, for the labels."""
    def ask(*command):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20).stdout
    first = lambda text: (text.splitlines() or ["?"])[0]
    return {
        "Postfix": "Postfix " + ask("postconf", "-c", "/etc/postfix", "-d", "-h", "mail_version").split()[-1],
        "Exim": "Exim " + (re.search(r"Exim version (\S+)", ask("exim4", "-bV", "-C", "/dev/null")) or ["",
                "?"])[1],
        "OpenSMTPD": "OpenSMTPD " + first(ask("/usr/sbin/smtpd", "-h")).split()[-1],
        "Dovecot": "Dovecot " + first(ask("dovecot", "--version")).split()[0],
        "swaks": "swaks " + first(ask("swaks", "--version")).split()[-1],
        "mutt": " ".join(first(ask("mutt", "-v")).split()[:2]),
        "mbsync": first(ask("mbsync", "--version")),
        "fetchmail": "fetchmail " + (re.search(r"release (\S+?)\+", ask("fetchmail", "-V")) or ["", "?"])[1],
        "socat": "socat " + (re.search(r"socat version (\S+)", ask("socat", "-V")) or ["", "?"])[1],
        "zip": "Zip " + (re.search(r"Zip (\S+)", ask("zip", "-v")) or ["", "?"])[1],
        "msmtp": "msmtp " + first(ask("msmtp", "--version")).split()[-1],
        "curl": " ".join(first(ask("curl", "--version")).split()[:2]),
        "smtplib": "Python smtplib " + first(ask("/usr/bin/python3", "--version")).split()[-1],
        "imaplib": "Python imaplib " + first(ask("/usr/bin/python3", "--version")).split()[-1],
        "poplib": "Python poplib " + first(ask("/usr/bin/python3", "--version")).split()[-1],
        "Python": "Python " + first(ask("/usr/bin/python3", "--version")).split()[-1],
        "gpg": "GnuPG " + first(ask("gpg", "--version")).split()[-1] if exists("gpg") else "GnuPG",
        "openssl-newer": "OpenSSL " + ask(*newer_openssl(), "version").split()[1] if os.path.exists(newer() + "/.complete") else "OpenSSL",
        "openssl": "OpenSSL " + first(ask("openssl", "version")).split()[1],
    }


def settle(check, seconds=30):
    """Wait till check() is true."""
    end = time.time() + seconds
    while not check():
        if time.time() > end:
            raise RuntimeError("still not true after %d s" % seconds)
        time.sleep(0.1)
