"""Scenarios about TLS itself: what the certificate says, old versions, ciphers that do not keep their promise.

All of it with TLS 1.2 or older: later certificates are not visible."""
from bench import SERVER, Mail, scenario
from scenarios_fetch import NAME, mbsync
from servers import (Dovecot, Exim, NewerTls, Postfix, fingerprint, issue_certificate, make_certificate,
                     newer_openssl)

NO_CERTIFICATE_LESS = {"smtpd_tls_exclude_ciphers": "aNULL"}


def postfix_with(bench, certificate, key, **settings):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2", smtpd_tls_cert_file=certificate,
                        smtpd_tls_key_file=key, **NO_CERTIFICATE_LESS, **settings))


def s_client(bench, *words, port=25, bye="QUIT\r\n"):
    """openssl s_client, which says goodbye as soon as TLS is up."""
    bench.client_run("sh", "-c", "(sleep 1; printf '%s'; sleep 1) | openssl s_client -quiet -ign_eof -connect %s:%d %s" % (
        bye.replace("\r\n", "\\r\\n"), SERVER, port, " ".join(words)))


def names(match, name=NAME, of="greeting"):
    return {"postcard.tls.name.checked": name, "postcard.tls.name.from": of, "postcard.tls.name.match": match}


def about(certificate, *hosts, kind="RSA", size=2048, start="2026-01-01", end="2036-01-01"):
    return {"tls.server.hash.sha256": fingerprint(certificate), "tls.server.x509.alternative_names": list(hosts),
            "tls.server.x509.public_key_algorithm": kind, "tls.server.x509.public_key_size": size,
            "tls.server.not_before": start + "T00:00:00.000000000Z", "tls.server.not_after": end + "T00:00:00.000000000Z"}


@scenario("a certificate of an authority, for the server's name and another, with an elliptic curve key: nothing to find fault with",
          "Postfix", "openssl")
def cert_good(bench):
    certificate, key, _ = issue_certificate(NAME, (NAME, "mail.example.org"), "prime256v1")
    postfix_with(bench, certificate, key)
    bench.go()
    s_client(bench, "-starttls smtp", "-tls1_2")
    bench.sealed("1.2", says=dict(names(True), **about(certificate, NAME, "mail.example.org", kind="EC", size=256),
                                  **{"postcard.anomalies": None}))


@scenario("a certificate that had expired, and a key of 1024 bits", "Exim", "openssl")
def cert_expired(bench):
    certificate, key, _ = issue_certificate("mail.example.net", keys="rsa:1024", start="20240101000000Z", end="20250101000000Z")
    bench.serve(Exim(bench.server, main="tls_require_ciphers = NORMAL:-VERS-TLS1.3:%VERIFY_ALLOW_BROKEN\n", keys=(certificate, key)))
    bench.go()
    s_client(bench, "-starttls smtp", "-tls1_2", "-cipher DEFAULT@SECLEVEL=0")
    bench.sealed("1.2", expect=["expired-cert"],
                 says=dict(names(True, "mail.example.net"),
                           **about(certificate, "mail.example.net", size=1024, start="2024-01-01", end="2025-01-01")))


@scenario("a certificate for another host (by wildcard for another domain), on port 993", "Dovecot", "mbsync",
          logins=[("anna", "lab-secret-Wn4z")])
def cert_wrong_name(bench):
    certificate, key, _ = issue_certificate("*.example.net", ("*.example.net", "example.net"))
    bench.serve(Dovecot(bench.server, "anna", "lab-secret-Wn4z", certificate=(certificate, key)))
    bench.go()
    mbsync(bench, "anna", "lab-secret-Wn4z", "SSLType IMAPS", "SSLVersions TLSv1.2", "CertificateFile " + certificate)
    bench.sealed("1.2", protocol="imap", port=993, implicit=True, expect_also=["cert-name-mismatch"],
                 says=dict(names(False, of="sni"), **about(certificate, "*.example.net", "example.net")))


@scenario("a certificate by wildcard that fits, on POP3 with STLS", "Dovecot", "openssl")
def cert_wildcard(bench):
    certificate, key, _ = issue_certificate("*.example.org", ("*.example.org",))
    bench.serve(Dovecot(bench.server, "bert", "unused", certificate=(certificate, key)))
    bench.go()
    s_client(bench, "-starttls pop3", "-tls1_2", "-servername", NAME, port=110)
    bench.sealed("1.2", protocol="pop3", port=110, starttls_reply="+OK", starttls_offered=None,
                 says=dict(names(True, of="sni"), **about(certificate, "*.example.org")))


@scenario("IMAP with STARTTLS and TLS 1.1; on 993 with TLS 1.0", "Dovecot", "openssl")
def imap_old_tls(bench):
    bench.serve(Dovecot(bench.server, "anna", "unused", ssl_min_protocol="TLSv1", ssl_cipher_list="ALL:@SECLEVEL=0",
                        certificate=make_certificate(NAME)))
    bench.go()
    s_client(bench, "-starttls imap", "-tls1_1", "-cipher DEFAULT@SECLEVEL=0", port=143, bye="a LOGOUT\r\n")
    bench.sealed("1.1", protocol="imap", port=143, starttls_reply="OK", expect=["old-tls-version", "self-signed-cert"])
    s_client(bench, "-tls1", "-cipher DEFAULT@SECLEVEL=0", port=993, bye="a LOGOUT\r\n")
    bench.sealed("1.0", protocol="imap", port=993, implicit=True, expect_also=["old-tls-version", "self-signed-cert"])


@scenario("TLS comes up with a cipher that does not encrypt (NULL): the mail stands readable inside the TLS records", "Postfix",
          "smtplib", logins=[])
def tls_null_cipher(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2", smtpd_tls_ciphers="medium",
                        tls_medium_cipherlist="eNULL:!aNULL:@SECLEVEL=0"))
    bench.go()
    bench.smtplib(Mail("Sealed with nothing"), prepare="c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
                  "c.check_hostname, c.verify_mode, c.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2\n"
                  "c.set_ciphers('eNULL:!aNULL:@SECLEVEL=0'); s.starttls(context=c)")
    bench.sealed("1.2", verdict="cleartext", expect=["tls-null-cipher", "weak-cipher"])


@scenario("STARTTLS with RC4, as an old appliance would", "Exim", "msmtp")
def starttls_rc4(bench):
    old = "NONE:+VERS-TLS1.2:+ARCFOUR-128:+RSA:+SHA1:+COMP-NULL:+SIGN-ALL:+CTYPE-X509:+GROUP-ALL"
    bench.serve(Exim(bench.server, main="tls_require_ciphers = %s\n" % old))
    bench.go()
    bench.msmtp("--tls=on", "--tls-priorities=" + old, mail=Mail("Sealed by a broken cipher"))
    bench.sealed("1.2", expect=["weak-cipher", "self-signed-cert"], says={"tls.cipher": "TLS_RSA_WITH_RC4_128_SHA"})


@scenario("the client rejects the certificate (unknown authority) inside TLS 1.3, and leaves", "Postfix", "curl")
def tls13_client_rejects(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    bench.client_run("curl", "-s", "-m", 20, "--noproxy", "*", "--ssl-reqd", "smtp://%s/client.example.com" % SERVER, "--mail-from",
                     "carol@example.com", "--mail-rcpt", "anna@example.org", "--upload-file", "/etc/hosts")
    bench.failed()


@scenario("TLS from the first byte on 993, with a key exchange that a quantum computer does not break (X25519MLKEM768)", "openssl-newer")
def imaps_post_quantum(bench):
    bench.serve(NewerTls(bench.server, 993, *make_certificate(NAME), "* OK ready"))
    bench.go()
    bench.client_run("sh", "-c", "(sleep 1; printf 'a LOGOUT\\r\\n'; sleep 1) | OPENSSL_CONF=/dev/null %s s_client -quiet "
                     "-servername %s -connect %s:993" % (" ".join(newer_openssl()), NAME, SERVER))
    bench.sealed("1.3", protocol="imap", port=993, implicit=True, says={"postcard.tls.group": "X25519MLKEM768"})
