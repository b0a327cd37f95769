"""Scenarios of sending, beyond those in scenarios.py: extensions that are used, logins, hops before the one that is watched."""
import base64

from bench import SERVER, Mail, scenario
from servers import Dovecot, Exim, OpenSmtpd, Postfix, write

RELAY, LAPTOP = "192.0.2.60", "192.0.2.20"


def submission(bench, user, password, mechanisms, tls="may", dovecot=None, **settings):
    """Postfix on port 587 that asks Dovecot about logins."""
    accounts = bench.serve(Dovecot(bench.server, user, password, auth_mechanisms=mechanisms, **dovecot or {}))
    bench.serve(Postfix(bench.server, port=587, tls=tls, smtpd_sasl_auth_enable="yes", smtpd_sasl_type="dovecot",
                        smtpd_sasl_path=accounts.auth_socket, **settings))


def curl_send(bench, mail, *words, port=25):
    text = write("/run/lab/curl-mail", mail.text())
    bench.curl("smtp://%s:%d/client.example.com" % (SERVER, port), "--mail-from", mail.sender, "--mail-rcpt", mail.recipients[0],
               "--upload-file", text, "--crlf", *words)


# ---------------------------------------------------------------- curl, OpenSMTPD

@scenario("curl --ssl: STARTTLS is answered with 454, curl goes on and logs in, and the password crosses", "Postfix", "Dovecot", "curl",
          logins=[("kim", "lab-secret-Cr8t")])
def refused_454_curl(bench):
    submission(bench, "kim", "lab-secret-Cr8t", "plain", smtpd_tls_key_file="/run/lab/no-such-key")
    bench.go()
    mail = Mail("Readable by accident", "kim@example.com")
    curl_send(bench, mail, "--ssl", "--user", "kim:lab-secret-Cr8t", port=587)
    bench.clear(mail, port=587, offered=True, starttls_requested=True, starttls_reply=454, auth_clear="PLAIN", auth_user="kim",
                expect=["starttls-refused-then-clear", "auth-plain-in-clear"],
                says={"postcard.exposed": ["envelope", "headers", "body", "credentials"], "postcard.auth_accepted": True,
                      "postcard.auth_result": ["accepted"], "postcard.auth_shows": ["password"]})


@scenario("OpenSMTPD hands a mail to Postfix with STARTTLS", "Postfix", "OpenSMTPD")
def opensmtpd_client(bench):
    server = bench.serve(Postfix(bench.server, tls="may"))
    bench.serve(OpenSmtpd(bench.client, ["127.0.0.1 port 25"], name="client.example.com", relay="smtp://" + SERVER))
    bench.go()
    bench.smtplib(Mail("Sealed by the small server"), to="127.0.0.1")
    server.logged("status=sent")
    bench.client_run("sleep", "11")   # OpenSMTPD idles 10 s before it says QUIT
    bench.sealed("1.3")


# ---------------------------------------------------------------- logins

@scenario("AUTH SCRAM-SHA-256 and AUTH DIGEST-MD5 by msmtp: no password crosses, but what one can guess it by", "Postfix", "Dovecot",
          "msmtp", logins=[("liam", "lab-secret-Sh2d")])
def auth_scram(bench):
    submission(bench, "liam", "lab-secret-Sh2d", "scram-sha-256 digest-md5")
    bench.go()
    for mechanism, expect in (("SCRAM-SHA-256", []), ("DIGEST-MD5", ["auth-digest-md5-in-clear"])):
        mail = Mail("By " + mechanism, "liam@example.com")
        bench.msmtp("--tls=off", "--auth=" + mechanism.lower(), "--user=liam", "--passwordeval=echo lab-secret-Sh2d", mail=mail,
                    port=587)
        bench.clear(mail, port=587, offered=True, auth_clear=mechanism, auth_user="liam", expect=["client-ignored-starttls"] + expect,
                    says={"postcard.auth_accepted": True, "postcard.auth_result": ["accepted"], "postcard.auth_shows": ["digest"]})


@scenario("AUTH OAUTHBEARER by curl: refused (the server cannot check it), but the token crossed", "Postfix", "Dovecot", "curl",
          secrets=["lab-token-Ob4.Yx8nE3uLk6Hw-Pz1"])
def auth_oauthbearer(bench):
    write("/run/lab/no-such-oauth2", "tokeninfo_url = http://127.0.0.1:9/\n")
    submission(bench, "mia", "unused", "oauthbearer", dovecot={
        "more": "passdb {\n  driver = oauth2\n  mechanisms = oauthbearer\n  args = /run/lab/no-such-oauth2\n}\n"})
    bench.go()
    curl_send(bench, Mail("Never sent", "mia@example.com"), "--user", "mia", "--oauth2-bearer", "lab-token-Ob4.Yx8nE3uLk6Hw-Pz1",
              "--login-options", "AUTH=OAUTHBEARER", port=587)
    bench.clear(port=587, offered=True, auth_clear="OAUTHBEARER", auth_user="mia",
                says={"postcard.reason": "not-requested", "postcard.exposed": ["credentials"], "postcard.auth_accepted": False,
                      "postcard.auth_result": ["refused"], "postcard.auth_shows": ["token"]})


@scenario("AUTH LOGIN that the client cancels with * when it is asked for the password; then AUTH PLAIN, accepted", "Exim", "smtplib",
          logins=[("noah", "lab-secret-Cn7y")])
def auth_cancelled(bench):
    bench.serve(Exim(bench.server, tls=False, users=[("noah", "lab-secret-Cn7y")]))
    bench.go()
    mail = Mail("On second thoughts", "noah@example.com")
    token = base64.b64encode(b"\0noah\0lab-secret-Cn7y").decode()
    bench.smtplib(mail, prepare="s.ehlo(); s.docmd('AUTH', 'LOGIN bm9haA=='); s.docmd('*'); s.docmd('AUTH', 'PLAIN %s')" % token)
    bench.clear(mail, offered=False, auth_clear="PLAIN", auth_user="noah",
                expect=["server-no-starttls", "auth-plain-in-clear", "auth-login-in-clear"],
                says={"postcard.auth_accepted": True, "postcard.auth_result": ["cancelled", "accepted"]})


# ---------------------------------------------------------------- extensions that are used

@scenario("Postfix hands mail to a content filter and says with XFORWARD whom it had it from", "Postfix", "swaks")
def xforward(bench):
    relay = bench.switch.host("relay", RELAY)
    bench.serve(Postfix(bench.server, smtpd_authorized_xforward_hosts=RELAY))
    first = bench.serve(Postfix(relay, name="relay.example.com", mynetworks="192.0.2.0/24", content_filter="scan:[%s]:25" % SERVER,
                                services="scan unix - - n - - smtp\n -o smtp_send_xforward_command=yes\n"
                                         " -o smtp_tls_security_level=none\n"))
    bench.go("host " + SERVER)
    mail = Mail("To be looked through", "carol@example.com")
    bench.swaks(mail=mail, to=RELAY)
    bench.sent(first)
    bench.clear(mail, from_ip=RELAY, offered=False, expect=["server-no-starttls"],
                says={"postcard.used": ["DSN", "XFORWARD"], "network.forwarded_ip": "192.0.2.10"})


@scenario("a proxy says with XCLIENT whom it speaks for", "Postfix", "swaks")
def xclient(bench):
    bench.serve(Postfix(bench.server, smtpd_authorized_xclient_hosts="192.0.2.0/24"))
    bench.go()
    mail = Mail("On behalf of another")
    bench.swaks("--xclient", "ADDR=203.0.113.99 NAME=far.example.net", mail=mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls"],
                says={"postcard.used": ["XCLIENT"], "network.forwarded_ip": "203.0.113.99"})


@scenario("Postfix asks for a delivery status notification (RET, ENVID, NOTIFY, ORCPT)", "Postfix")
def dsn(bench):
    bench.serve(Postfix(bench.server))
    sender = bench.postfix_sender()
    bench.go()
    mail = Mail("Tell me when it is there")
    sender.host.run("/usr/sbin/sendmail", "-C", sender.dir, "-i", "-f", mail.sender, "-N", "success,failure", "-R", "hdrs",
                    "-V", "lab-4711", *mail.recipients, input=mail.text())
    bench.sent(sender)
    bench.clear(mail, offered=False, expect=["server-no-starttls"], says={"postcard.used": ["DSN"]})


@scenario("MAIL with REQUIRETLS in the clear: refused (555), and wrong to begin with; then one whose header says TLS-Required: No",
          "Postfix", "smtplib")
def requiretls_in_clear(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    bench.smtplib(prepare="s.ehlo(); s.docmd('MAIL', 'FROM:<carol@example.com> REQUIRETLS')")
    bench.clear(offered=False, cleartext_envelopes=1, mail_from_refused=["carol@example.com"],
                expect=["server-no-starttls", "requiretls-violated"], says={"postcard.used": ["REQUIRETLS"]})
    mail = Mail("Your TLS report is broken", extra="TLS-Required: No\n")
    bench.smtplib(mail, options=("BODY=8BITMIME",))
    bench.clear(mail, offered=False, expect=["server-no-starttls"], says={"postcard.used": ["8BITMIME"]},
                says_of_messages=[{"postcard.tls_required": False, "postcard.delivered": "accepted"}])


@scenario("fetchmail asks a server to send what waits for a domain (ETRN); no mail crosses here", "Postfix", "fetchmail")
def etrn(bench):
    bench.serve(Postfix(bench.server, fast_flush_domains="example.net", mynetworks="192.0.2.0/24",
                        relay_domains="example.net"))
    rc = write("/run/lab/fetchmailrc", "poll mx.example.org protocol etrn fetchdomains example.net\n", 0o600)
    bench.go()
    bench.client_run("env", "HOME=/run/lab", "fetchmail", "-f", rc, "-i", "/run/lab/fetchids", "--nosyslog")
    bench.silent(offered=False, says={"postcard.used": ["ETRN"], "postcard.outcome": "no-mail"})


@scenario("Postfix asks whether an address exists (a probe: MAIL, RCPT, then QUIT): an envelope, no message", "Postfix")
def address_probe(bench):
    bench.serve(Postfix(bench.server))
    sender = bench.postfix_sender(mydestination="example.com", local_recipient_maps="")
    bench.go()
    sender.host.run("/usr/sbin/sendmail", "-C", sender.dir, "-f", "carol@example.com", "-bv", "anna@example.org", input="")
    sender.logged("status=deliverable")
    bench.clear(offered=False, cleartext_envelopes=1, mail_from=["carol@example.com"], rcpt_to=["anna@example.org"],
                expect=["server-no-starttls"], says={"postcard.exposed": ["envelope"], "postcard.exposure": "envelope"},
                says_of_messages=[{"postcard.delivered": "aborted"}])


# ---------------------------------------------------------------- hops

def three_servers(bench):
    """Exim on the client's machine, Postfix behind it, OpenSMTPD at the end without TLS; the last hop only is recorded."""
    laptop, relay = bench.switch.host("laptop", LAPTOP), bench.switch.host("relay", RELAY)
    bench.serve(OpenSmtpd(bench.server, ["%s port 25" % SERVER]))
    last = bench.serve(Postfix(relay, name="relay.example.com", tls="may", mynetworks="192.0.2.0/24", relayhost="[%s]" % SERVER,
                               mydestination="", smtp_tls_security_level="may", smtpd_tls_received_header="yes"))
    bench.serve(Exim(bench.client, name="client.example.com", smarthost=RELAY))
    bench.go("host " + SERVER)
    return laptop, last


@scenario("a mail goes with TLS from msmtp to Exim and on to Postfix, and in the clear from there to OpenSMTPD: sealed until the "
          "hop that is watched; a second one goes in the clear to Exim already", "OpenSMTPD", "Postfix", "Exim", "msmtp")
def hops(bench):
    laptop, last = three_servers(bench)
    for number, (tls, first, mail) in enumerate((("on", "ESMTPS", Mail("Sealed until here")),
                                                 ("off", "ESMTP", Mail("Open, sealed, open"))), 1):
        bench.msmtp("--tls=" + tls, mail=mail, to="192.0.2.10", host=laptop)
        bench.sent(last, number)
        bench.clear(mail, from_ip=RELAY, offered=False, expect=["server-no-starttls"], says_of_messages=[{
            "postcard.hops.by": ["relay.example.com", "client.example.com"], "postcard.hops.ip": ["192.0.2.10", LAPTOP],
            "postcard.hops.with": ["ESMTPS", first], "postcard.hops.state": ["sealed", "sealed" if tls == "on" else "readable"],
            "postcard.hops_sealed": tls == "on"}])


