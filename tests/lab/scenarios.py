"""The first scenarios of the lab. Each is a function with a row above it; see README.md for how to add one.

A scenario starts servers, calls bench.go(), lets clients talk, and says with clear(), sealed(), failed() or silent()
what it made them do, in the order it did it. Those statements become the labels.
"""
import base64
import subprocess
import time

from bench import BODY_MARK, BOX, CLIENT6, SERVER, SERVER6, SERVER_INSIDE, Mail, scenario
from network import run
from servers import Dovecot, Exim, Middlebox, OpenSmtpd, Postfix, make_certificate

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
    bench.smtplib(mail, prepare="s.starttls()")
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


@scenario("STARTTLS is answered with 454 (the server cannot read its key); "
          "Postfix goes on in the clear on the same connection", "Postfix")
def refused_454(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_key_file="/run/lab/no-such-key"))
    sender = bench.postfix_sender()
    bench.go()
    mail = Mail("Order 4711")
    sender.submit(mail)
    bench.sent(sender)
    bench.clear(mail, offered=True, starttls_requested=True, starttls_reply=454,
                expect=["starttls-refused-then-clear"])


@scenario("a client asks for STARTTLS, gets 454, and goes on in the clear", "Postfix", "swaks")
def refused_454_swaks(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_key_file="/run/lab/no-such-key"))
    bench.go()
    mail = Mail("Second try of the order")
    bench.swaks("--tls-optional", mail=mail)
    bench.clear(mail, offered=True, starttls_requested=True, starttls_reply=454,
                expect=["starttls-refused-then-clear"])


@scenario("two Postfix with TLS 1.2 agree on anonymous Diffie-Hellman: there is no certificate", "Postfix")
def starttls_anonymous(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2"))
    sender = bench.postfix_sender()
    bench.go()
    sender.submit(Mail("Sealed for nobody in particular"))
    bench.sent(sender)
    bench.sealed("1.2", expect=["anonymous-dh"])


@scenario("STARTTLS, then TLS 1.0 by an old program", "Postfix", "smtplib")
def starttls_tls10(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1",
                        tls_medium_cipherlist="ALL:@SECLEVEL=0"))
    bench.go()
    bench.smtplib(Mail("Sealed in the old way"), prepare="c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
                  "c.check_hostname, c.verify_mode, c.minimum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1\n"
                  "c.set_ciphers('ALL:@SECLEVEL=0'); s.starttls(context=c)")
    bench.sealed("1.0", expect=["old-tls-version"])


@scenario("two sealed connections with TLS 1.2; the second resumes the first and shows no certificate",
          "Postfix")
def starttls_resumed(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2"))
    sender = bench.postfix_sender(smtp_tls_exclude_ciphers="aNULL",
                                  smtp_tls_session_cache_database="btree:$data_directory/sessions")
    bench.go()
    for number in (1, 2):
        sender.submit(Mail("Sealed %d" % number))
        bench.sent(sender, number)
    bench.sealed("1.2", expect=["self-signed-cert"])
    bench.sealed("1.2")


@scenario("the server insists on STARTTLS (530), but the sender's address has crossed already", "Postfix",
          "swaks")
def starttls_required(bench):
    bench.serve(Postfix(bench.server, tls="encrypt"))
    bench.go()
    bench.swaks(mail=Mail("Never sent"))
    bench.clear(offered=True, cleartext_envelopes=1, mail_from_refused=["carol@example.com"],
                expect=["client-ignored-starttls"])


@scenario("the client rejects the server's certificate (unknown authority) and leaves", "Postfix", "swaks")
def client_rejects_certificate(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols="TLSv1.2"))
    bench.go()
    bench.swaks("--tls", "--tls-verify", mail=Mail("Never sent"))
    bench.failed()


# ---------------------------------------------------------------- the handshake fails, and it is tried again in the clear

# TLS 1.2 with an elliptic curve certificate and only RSA ciphers: no handshake succeeds, the server says alert 40
NO_COMMON_CIPHER = {"tls": "may", "keys": "ec", "smtpd_tls_protocols": "TLSv1.2",
                    "tls_medium_cipherlist": "ECDHE-RSA-AES256-GCM-SHA384",
                    "smtpd_tls_exclude_ciphers": "aNULL"}


@scenario("handshake failure (alert 40), OpenSMTPD retries in the clear at once", "Postfix", "OpenSMTPD")
def retry_opensmtpd(bench):
    bench.serve(Postfix(bench.server, **NO_COMMON_CIPHER))
    bench.serve(OpenSmtpd(bench.client, ["127.0.0.1 port 25"], name="client.example.com",
                          relay="smtp://" + SERVER))
    bench.go()
    mail = Mail("Monthly figures")
    bench.smtplib(mail, to="127.0.0.1")
    bench.servers[0].logged("status=sent")
    time.sleep(11)   # OpenSMTPD idles 10 s before it says QUIT
    bench.failed(repeat=True)
    bench.clear(mail, offered=True, expect_later=["tls-failed-then-cleartext-retry"])


@scenario("handshake failure (no common TLS version), Exim retries in the clear at once", "Postfix", "Exim")
def retry_exim(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd_tls_protocols=">=TLSv1.3"))
    sender = bench.serve(Exim(bench.client, name="client.example.com", smarthost=SERVER,
                              transport=" tls_require_ciphers = NORMAL:-VERS-TLS1.3\n"))
    bench.go()
    mail = Mail("Minutes of the board")
    sender.submit(mail)
    bench.failed(repeat=True)
    bench.clear(mail, offered=True, expect_later=["tls-failed-then-cleartext-retry"])


@scenario("handshake failure, Postfix defers; when the mail is old enough it fails again "
          "and then goes in the clear (300 s by default, 3 s here)", "Postfix")
def retry_postfix(bench):
    bench.serve(Postfix(bench.server, **NO_COMMON_CIPHER))
    # by default 300 s; the order of events is the same
    sender = bench.postfix_sender(minimal_backoff_time="3s", maximal_backoff_time="4s", queue_run_delay="3s")
    bench.go()
    mail = Mail("Payroll of November")
    sender.submit(mail)
    bench.sent(sender)
    bench.failed(repeat=True)
    bench.clear(mail, offered=True, expect_later=["tls-failed-then-cleartext-retry"])


@scenario("OpenSMTPD 6.8 breaks off TLS 1.3 (alert 80 inside a protected record), Exim retries in the clear",
          "OpenSMTPD", "Exim")
def retry_protected_alert(bench):
    bench.serve(OpenSmtpd(bench.server, ["%s port 25 tls pki lab" % SERVER]))
    sender = bench.serve(Exim(bench.client, name="client.example.com", smarthost=SERVER))
    bench.go()
    mail = Mail("Seating plan")
    sender.submit(mail)
    bench.failed(repeat=True)
    bench.clear(mail, offered=True, expect_later=["tls-failed-then-cleartext-retry"])


# ---------------------------------------------------------------- somebody in the middle

def behind_box(bench, how, **settings):
    """Server behind a middlebox; the client knows the middlebox's address only."""
    bench.serve(Postfix(bench.server, tls="may"))
    box = bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, how))
    return bench.postfix_sender(to=BOX, **settings), box


@scenario("a middlebox writes XXXXXXXA over the keyword STARTTLS", "Postfix", "Python")
def middlebox_masks(bench):
    sender, _ = behind_box(bench, "mask")
    bench.go()
    mail = Mail("Contract draft")
    sender.submit(mail)
    bench.sent(sender)
    bench.clear(mail, to=BOX, offered=False, expect=["starttls-stripped-keyword-mangled"])


@scenario("first a sealed connection; then a middlebox takes the keyword STARTTLS out of the same server's reply",
          "Postfix", "Python")
def middlebox_deletes(bench):
    sender, box = behind_box(bench, "pass")
    bench.go()
    sender.submit(Mail("Still sealed"))
    bench.sent(sender)
    bench.sealed("1.3", to=BOX)
    box.stop()
    bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, "delete"))
    mail = Mail("No longer sealed")
    sender.submit(mail)
    bench.sent(sender, 2)
    bench.clear(mail, to=BOX, offered=False, expect_later=["starttls-vanished"])


@scenario("four sealed connections; then a middlebox takes the keyword STARTTLS out of the same server's reply, once; "
          "then it is gone, and mail is sealed again", "Postfix", "Python")
def middlebox_comes_and_goes(bench):
    sender, box = behind_box(bench, "pass")
    bench.go()
    for n in range(1, 5):
        sender.submit(Mail("Sealed, %d" % n))
        bench.sent(sender, n)
        bench.sealed("1.3", to=BOX)
    box.stop()
    thief = bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, "delete"))
    mail = Mail("Open to all")
    sender.submit(mail)
    bench.sent(sender, 5)
    bench.clear(mail, to=BOX, offered=False, expect_later=["starttls-vanished"])
    thief.stop()
    bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, "pass"))
    for n in range(6, 11):
        sender.submit(Mail("Sealed again, %d" % n))
        bench.sent(sender, n)
        bench.sealed("1.3", to=BOX)


@scenario("the keyword is there, but a middlebox answers STARTTLS with 500", "Postfix", "Python")
def middlebox_refuses(bench):
    sender, _ = behind_box(bench, "refuse")
    bench.go()
    mail = Mail("Tender documents")
    sender.submit(mail)
    bench.sent(sender)
    bench.clear(mail, to=BOX, offered=True, starttls_requested=True, starttls_reply=500,
                expect=["starttls-refused-then-clear"])


@scenario("a middlebox answers EHLO with 500, the sender falls back to HELO: no STARTTLS can be asked for",
          "Postfix", "Python")
def middlebox_refuses_ehlo(bench):
    sender, _ = behind_box(bench, "noehlo")
    bench.go()
    mail = Mail("Back to the eighties")
    sender.submit(mail)
    bench.sent(sender)
    bench.clear(mail, to=BOX, offered=None, expect=["ehlo-refused-helo-fallback"])


@scenario("a middlebox answers the ClientHello with text; OpenSMTPD retries in the clear", "Postfix",
          "OpenSMTPD", "Python")
def middlebox_garbles(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, "garble"))
    bench.serve(OpenSmtpd(bench.client, ["127.0.0.1 port 25"], name="client.example.com",
                          relay="smtp://" + BOX))
    bench.go()
    mail = Mail("Price list")
    bench.smtplib(mail, to="127.0.0.1")
    bench.servers[0].logged("status=sent")
    time.sleep(11)
    bench.failed(to=BOX, repeat=True)
    bench.clear(mail, to=BOX, offered=True, expect_later=["tls-failed-then-cleartext-retry"])


# ---------------------------------------------------------------- passwords

@scenario("AUTH PLAIN with the password in the command, readable", "Exim", "swaks",
          logins=[("carol", "lab-secret-7Q2x")])
def auth_plain(bench):
    bench.serve(Exim(bench.server, tls=False, users=[("carol", "lab-secret-7Q2x")]))
    bench.go()
    mail = Mail("Scan of the contract")
    bench.swaks("--auth", "PLAIN", "--auth-user", "carol", "--auth-password", "lab-secret-7Q2x", mail=mail)
    bench.clear(mail, offered=False, auth_clear="PLAIN", auth_user="carol",
                expect=["server-no-starttls", "auth-plain-in-clear"])


@scenario("AUTH PLAIN, the password in a line of its own after 334; port 587, STARTTLS offered and not used",
          "Exim", "curl",
          logins=[("dave", "lab-secret-4Hn8")])
def auth_plain_334(bench):
    bench.serve(Exim(bench.server, port=587, users=[("dave", "lab-secret-4Hn8")]))
    bench.go()
    mail = Mail("Holiday list", "dave@example.com")
    with open("/run/lab/curl-mail", "w") as f:
        f.write(mail.text())
    bench.curl("smtp://%s:587/client.example.com" % SERVER, "--login-options", "AUTH=PLAIN", "--user",
               "dave:lab-secret-4Hn8", "--mail-from", mail.sender,
               "--mail-rcpt", mail.recipients[0], "--upload-file", "/run/lab/curl-mail", "--crlf")
    bench.clear(mail, port=587, offered=True, auth_clear="PLAIN", auth_user="dave",
                expect=["client-ignored-starttls", "auth-plain-in-clear"])


@scenario("AUTH LOGIN, user and password as two lines of base64", "Exim", "swaks",
          logins=[("erin", "lab-secret-9Wd3")])
def auth_login(bench):
    bench.serve(Exim(bench.server, users=[("erin", "lab-secret-9Wd3")]))
    bench.go()
    mail = Mail("Fax 0042", "erin@example.com")
    bench.swaks("--auth", "LOGIN", "--auth-user", "erin", "--auth-password", "lab-secret-9Wd3", mail=mail)
    bench.clear(mail, offered=True, auth_clear="LOGIN", auth_user="erin",
                expect=["client-ignored-starttls", "auth-login-in-clear"])


@scenario("AUTH CRAM-MD5: user name and digest cross", "Exim", "smtplib",
          logins=[("frank", "lab-secret-2Zb6")])
def auth_cram_md5(bench):
    bench.serve(Exim(bench.server, tls=False, users=[("frank", "lab-secret-2Zb6")]))
    bench.go()
    mail = Mail("Report of the alarm system", "frank@example.com")
    bench.smtplib(mail, prepare="s.login('frank', 'lab-secret-2Zb6')")
    bench.clear(mail, offered=False, auth_clear="CRAM-MD5", auth_user="frank",
                expect=["server-no-starttls", "auth-cram-md5-in-clear"])


@scenario("AUTH PLAIN with a wrong password: refused, but it crossed", "Exim", "swaks",
          logins=[("grace", "lab-secret-5Vt1")])
def auth_plain_refused(bench):
    bench.serve(Exim(bench.server, users=[("grace", "another-one")]))
    bench.go()
    bench.swaks("--auth", "PLAIN", "--auth-user", "grace", "--auth-password", "lab-secret-5Vt1",
                mail=Mail("Never sent"))
    bench.clear(offered=True, auth_clear="PLAIN", auth_user="grace", expect=["auth-plain-in-clear"])


@scenario("AUTH is offered inside TLS only; a client sends AUTH PLAIN all the same and is refused (503), "
          "but the password crossed", "Postfix", "Dovecot", "smtplib",
          logins=[("julia", "lab-secret-0Ry6")])
def auth_not_offered(bench):
    accounts = bench.serve(Dovecot(bench.server, "julia", "lab-secret-0Ry6"))
    bench.serve(Postfix(bench.server, port=587, tls="may", smtpd_tls_auth_only="yes",
                        smtpd_sasl_auth_enable="yes",
                        smtpd_sasl_type="dovecot", smtpd_sasl_path=accounts.auth_socket))
    bench.go()
    token = base64.b64encode(b"\0julia\0lab-secret-0Ry6").decode()
    bench.smtplib(port=587, prepare="s.ehlo(); s.docmd('AUTH', 'PLAIN %s')" % token)
    bench.clear(offered=True, port=587, auth_clear="PLAIN", auth_user="julia", expect=["auth-plain-in-clear"])


@scenario("AUTH is offered in the clear, nobody uses it", "Exim", "smtplib")
def auth_offered(bench):
    bench.serve(Exim(bench.server, tls=False, users=[("henry", "unused")]))
    bench.go()
    mail = Mail("Without a login")
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "auth-offered-in-clear"])


@scenario("submission on 587: STARTTLS, the login goes inside", "Postfix", "Dovecot", "msmtp",
          logins=[("irene", "lab-secret-8Kc5")])
def submission_587(bench):
    accounts = bench.serve(Dovecot(bench.server, "irene", "lab-secret-8Kc5"))
    bench.serve(Postfix(bench.server, port=587, tls="encrypt", smtpd_tls_auth_only="yes",
                        smtpd_sasl_auth_enable="yes",
                        smtpd_sasl_type="dovecot", smtpd_sasl_path=accounts.auth_socket))
    bench.go()
    bench.msmtp("--tls=on", "--auth=plain", "--user=irene", "--passwordeval=echo lab-secret-8Kc5",
                mail=Mail("Sealed submission", "irene@example.com"), port=587)
    bench.sealed("1.3", port=587)


@scenario("submission on 465: TLS from the first byte", "Exim", "msmtp",
          logins=[("irene", "lab-secret-8Kc5")])
def implicit_465(bench):
    bench.serve(Exim(bench.server, port=465, main="tls_on_connect_ports = 465\n",
                     users=[("irene", "lab-secret-8Kc5")]))
    bench.go()
    bench.msmtp("--tls=on", "--tls-starttls=off", "--auth=plain", "--user=irene",
                "--passwordeval=echo lab-secret-8Kc5",
                mail=Mail("Sealed from the start", "irene@example.com"), port=465)
    bench.sealed("1.3", port=465, implicit=True)


# ---------------------------------------------------------------- other ports, other addresses

@scenario("mail in the clear on port 2525", "Exim", "smtplib")
def port_2525(bench):
    bench.serve(Exim(bench.server, port=2525, tls=False))
    bench.go()
    mail = Mail("Through the side door")
    bench.smtplib(mail, port=2525)
    bench.clear(mail, port=2525, offered=False, expect=["server-no-starttls"])


@scenario("port 465 without any TLS: a misconfigured server", "Exim", "swaks")
def clear_on_465(bench):
    bench.serve(Exim(bench.server, port=465, tls=False))
    bench.go()
    mail = Mail("Not what the port promises")
    bench.swaks(mail=mail, port=465)
    bench.clear(mail, port=465, offered=False, expect=["server-no-starttls"])


@scenario("IPv6, in the clear", "Postfix", "msmtp")
def ipv6_clear(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    mail = Mail("Six times more addresses")
    bench.msmtp("--tls=off", mail=mail, to=SERVER6)
    bench.clear(mail, from_ip=CLIENT6, to=SERVER6, offered=False, expect=["server-no-starttls"])


@scenario("IPv6, sealed", "Postfix", "msmtp")
def ipv6_sealed(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    bench.msmtp("--tls=on", mail=Mail("Six seals"), to=SERVER6)
    bench.sealed("1.3", from_ip=CLIENT6, to=SERVER6)


# ---------------------------------------------------------------- shapes of a dialogue

@scenario("Exim sends with BDAT; MAIL, RCPT, BDAT and the text in one go", "Postfix", "Exim")
def bdat_exim(bench):
    bench.serve(Postfix(bench.server))
    sender = bench.serve(Exim(bench.client, name="client.example.com", smarthost=SERVER))
    bench.go()
    mail = Mail("In one chunk")
    sender.submit(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls"])


@scenario("three messages on one connection", "Postfix", "smtplib")
def three_messages(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    mails = [Mail("Page one", "scanner@example.com"),
             Mail("Page two", "scanner@example.com", "bert@example.org"),
             Mail("Page three", "scanner@example.com", "anna@example.org", "clara@example.org")]
    bench.smtplib(*mails)
    bench.clear(*mails, offered=True, expect=["client-ignored-starttls"])


@scenario("Postfix' postscreen greets with 220- first and with 220 two seconds later", "Postfix", "swaks")
def postscreen(bench):
    bench.serve(Postfix(bench.server, tls="may", smtpd="postscreen", postscreen_greet_wait="2s",
                        postscreen_greet_action="enforce",
                        postscreen_cache_map="btree:$data_directory/postscreen",
                        services="smtpd pass - - n - - smtpd\ntlsproxy unix - - n - 0 tlsproxy\n"
                                 "dnsblog unix - - n - 0 dnsblog\n"))
    bench.go()
    mail = Mail("After some patience")
    bench.swaks(mail=mail)
    bench.clear(mail, offered=True, expect=["client-ignored-starttls"])


@scenario("addresses and subject in UTF-8 (SMTPUTF8)", "Exim", "smtplib")
def smtputf8(bench):
    bench.serve(Exim(bench.server, tls=False))
    bench.go()
    mail = Mail("Grüße aus Köln", "jürgen@example.com", "žofie@example.org")
    bench.smtplib(mail, options=("SMTPUTF8", "BODY=8BITMIME"))
    bench.clear(mail, offered=False, expect=["server-no-starttls"])


@scenario("only the client's packets are in the capture: why it sends in the clear cannot be told", "Postfix",
          "swaks")
def one_way(bench):
    bench.serve(Postfix(bench.server))
    bench.go("dst host " + SERVER)
    mail = Mail("Half of a conversation")
    bench.swaks(mail=mail)
    bench.clear(mail, offered=None, seen="client-only", expect=["sent-in-clear-reason-unknown"])


@scenario("a program that ends the lines of its message with a bare LF", "Postfix", "smtplib")
def bare_lf(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    mail = Mail("Written without carriage returns")
    bench.smtplib(mail, line_end="\n")
    bench.clear(mail, offered=False, expect=["server-no-starttls"])


@scenario("the client says HELO: whether the server has STARTTLS is not seen", "Postfix", "swaks")
def helo_only(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    mail = Mail("UPS on battery", "ups@example.com")
    bench.swaks("--protocol", "SMTP", mail=mail)
    bench.clear(mail, offered=None, expect=["helo-only-client"])


@scenario("the only recipient is refused with 550: an envelope, no message", "Postfix", "swaks")
def recipient_refused(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    bench.swaks(mail=Mail("Never sent", "carol@example.com", "nobody@example.org"))
    bench.clear(offered=False, cleartext_envelopes=1, mail_from=["carol@example.com"],
                rcpt_to_refused=["nobody@example.org"], expect=["server-no-starttls"])


@scenario("three recipients, the second is refused", "Postfix", "smtplib")
def one_of_three_refused(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    mail = Mail("Invitation", "carol@example.com", "anna@example.org", "nobody@example.org",
                "bert@example.org")
    bench.smtplib(mail)
    bench.clear(mail, offered=False, rcpt_to=["anna@example.org", "bert@example.org"],
                rcpt_to_refused=["nobody@example.org"], expect=["server-no-starttls"])


@scenario("a bounce: the sender is <>", "Postfix")
def null_sender(bench):
    bench.serve(Postfix(bench.server))
    sender = bench.postfix_sender(mydestination="client.example.com",
                                  local_transport="error:5.1.1 no such person", local_recipient_maps="")
    bench.go()
    sender.submit(Mail("Is this right?", "anna@example.org", "nobody@client.example.com"))
    bench.sent(sender)
    bench.clear(Mail("Undelivered Mail Returned to Sender", "", "anna@example.org"), offered=False,
                expect=["server-no-starttls"])


@scenario("Postfix to Postfix: commands and replies pipelined, three recipients", "Postfix")
def pipelining(bench):
    bench.serve(Postfix(bench.server))
    sender = bench.postfix_sender()
    bench.go()
    mail = Mail("To all of you", "carol@example.com", "anna@example.org", "bert@example.org",
                "clara@example.org")
    sender.submit(mail)
    bench.sent(sender, 3)
    bench.clear(mail, offered=False, expect=["server-no-starttls"])


@scenario("Postfix hands mail to Dovecot by LMTP over the network; a reply for each of two recipients",
          "Postfix", "Dovecot")
def lmtp(bench):
    bench.serve(Dovecot(bench.server, "anna", "unused", others=("bert",)))
    sender = bench.postfix_sender(default_transport="lmtp:inet:[%s]:24" % SERVER, relayhost="",
                                  smtp_tls_security_level="none")
    bench.go()
    mail = Mail("For the mailboxes", "carol@example.com", "anna@example.org", "bert@example.org")
    sender.submit(mail)
    bench.sent(sender, 2)
    bench.clear(mail, port=24, protocol="lmtp", offered=True, expect=["lmtp", "client-ignored-starttls"])


ENCODED = Mail("Übersicht der Gehälter – vertraulich",
               raw_subject="=?utf-8?Q?=C3=9Cbersicht_der_Geh=C3=A4lter?=\n =?utf-8?B?IOKAkyB2ZXJ0cmF1bGljaA==?=",
               extra='MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="lab-boundary"\n',
               body='--lab-boundary\nContent-Type: text/plain; charset=utf-8\n\nThis text is readable: %s\n'
               '--lab-boundary\nContent-Type: text/csv; name="salaries.csv"\nContent-Transfer-Encoding: base64\n'
               'Content-Disposition: attachment; filename="salaries.csv"\n\n%s\n--lab-boundary--\n'
               % (BODY_MARK, base64.b64encode(b"name,salary,filemark-Q8r4\nAnna,1\n").decode()))


@scenario("an attachment, and a subject in encoded words (RFC 2047)", "Postfix", "smtplib",
          secrets=["filemark-Q8r4"])
def attachment(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    bench.smtplib(ENCODED)
    bench.clear(ENCODED, offered=False, expect=["server-no-starttls"])


def smime(*how):
    """A mail whose body OpenSSL has encrypted or signed for a certificate."""
    certificate, key = make_certificate("anna@example.org")
    signer = ["-signer", certificate, "-inkey", key] if how[0] == "-sign" else [certificate]
    out = run("openssl", "smime", *how, *signer, input="This text is for Anna: " + BODY_MARK + "\n")
    head, _, body = out.partition("\n\n")
    return head + "\n", body


@scenario("a message encrypted by S/MIME, transport in the clear", "Postfix", "smtplib", "openssl")
def smime_encrypted(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    head, body = smime("-encrypt", "-aes256")
    mail = Mail("Only the subject is readable", extra=head, body=body)
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "smime-body"])


@scenario("a message signed by S/MIME, not encrypted", "Postfix", "smtplib", "openssl")
def smime_signed(bench):
    bench.serve(Postfix(bench.server))
    bench.go()
    head, body = smime("-sign")
    mail = Mail("Signed, and readable", extra=head, body=body)
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "smime-signed-not-encrypted"])


PASSPHRASE = "lab-secret-pgp-5Ym2"


def pgp():
    """A text encrypted by gpg."""
    return run("gpg", "--batch", "--quiet", "--armor", "--pinentry-mode", "loopback", "--passphrase",
               PASSPHRASE, "--symmetric",
               input="This text is for Anna: " + BODY_MARK + "\n", stderr=subprocess.DEVNULL)


@scenario("a text encrypted by PGP inside an ordinary message", "Postfix", "smtplib", "gpg",
          secrets=[PASSPHRASE])
def pgp_inline(bench):
    bench.serve(Postfix(bench.server))
    mail = Mail("As discussed", body=pgp(), farewell="")
    bench.go()
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "pgp-inline-body"])


@scenario("the same with a readable line behind it: the message is not sealed", "Postfix", "smtplib", "gpg",
          secrets=[PASSPHRASE])
def pgp_inline_text(bench):
    bench.serve(Postfix(bench.server))
    mail = Mail("As discussed", body=pgp())
    bench.go()
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "pgp-inline-in-text"])


@scenario("PGP/MIME: multipart/encrypted", "Postfix", "smtplib", "gpg", secrets=[PASSPHRASE])
def pgp_mime(bench):
    bench.serve(Postfix(bench.server))
    mail = Mail("...",
                extra="MIME-Version: 1.0\nContent-Type: multipart/encrypted;\n"
                      ' protocol="application/pgp-encrypted"; boundary="lab-pgp"\n',
                body="--lab-pgp\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--lab-pgp\n"
                'Content-Type: application/octet-stream; name="encrypted.asc"\n\n%s\n--lab-pgp--\n' % pgp())
    bench.go()
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls", "pgp-mime-body"])


# ---------------------------------------------------------------- no mail at all

@scenario("a monitor: connect, EHLO, QUIT", "Postfix", "smtplib")
def monitor_probe(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    bench.smtplib(prepare="s.ehlo()")
    bench.silent(offered=True)


@scenario("a scanner: SYN to port 25, answered by RST", "Python")
def refused_syn(bench):
    bench.go()
    bench.python("socket.create_connection((%r, 25), 3)" % SERVER)
    bench.silent()


@scenario("a scanner: takes the greeting and leaves", "Postfix", "Python")
def banner_grab(bench):
    bench.serve(Postfix(bench.server, tls="may"))
    bench.go()
    bench.python("s = socket.create_connection((%r, 25), 3); s.recv(100); s.close()" % SERVER)
    bench.silent()


# ---------------------------------------------------------------- IMAP and POP3

def mailbox(bench, user, password):
    mail = Mail("Waiting for you", "carol@example.com", user + "@example.org")
    return bench.serve(Dovecot(bench.server, user, password, mails=[mail]))


@scenario("IMAP LOGIN and FETCH in the clear, STARTTLS offered", "Dovecot", "imaplib",
          logins=[("anna", "lab-secret-3Xm7")])
def imap_clear(bench):
    mailbox(bench, "anna", "lab-secret-3Xm7")
    bench.go()
    bench.python("m = imaplib.IMAP4(%r); m.login('anna', 'lab-secret-3Xm7')" % SERVER,
                 "m.select(); m.fetch('1', '(RFC822)'); m.logout()")
    bench.fact(protocol="imap", port=143, verdict="cleartext", starttls_offered=True, cleartext_messages=1,
               subjects=["Waiting for you"],
               auth_clear="LOGIN-COMMAND", auth_user="anna", expect=["imap-login-in-clear"])


@scenario("IMAP AUTHENTICATE PLAIN in the clear", "Dovecot", "curl", logins=[("anna", "lab-secret-3Xm7")])
def imap_auth_plain(bench):
    mailbox(bench, "anna", "lab-secret-3Xm7")
    bench.go()
    bench.curl("imap://%s/INBOX;MAILINDEX=1" % SERVER, "--login-options", "AUTH=PLAIN", "--user",
               "anna:lab-secret-3Xm7")
    bench.fact(protocol="imap", port=143, verdict="cleartext", starttls_offered=True, cleartext_messages=1,
               subjects=["Waiting for you"],
               auth_clear="PLAIN", auth_user="anna", expect=["auth-plain-in-clear"])


@scenario("IMAP with STARTTLS", "Dovecot", "curl", logins=[("anna", "lab-secret-3Xm7")])
def imap_starttls(bench):
    mailbox(bench, "anna", "lab-secret-3Xm7")
    bench.go()
    bench.curl("--ssl-reqd", "imap://%s/INBOX;MAILINDEX=1" % SERVER, "--user", "anna:lab-secret-3Xm7")
    bench.sealed("1.3", protocol="imap", port=143, starttls_reply="OK")


@scenario("IMAP on 993: TLS from the first byte", "Dovecot", "curl", logins=[("anna", "lab-secret-3Xm7")])
def imaps(bench):
    mailbox(bench, "anna", "lab-secret-3Xm7")
    bench.go()
    bench.curl("imaps://%s/INBOX;MAILINDEX=1" % SERVER, "--user", "anna:lab-secret-3Xm7")
    bench.sealed("1.3", protocol="imap", port=993, implicit=True)


@scenario("POP3 USER, PASS and RETR in the clear, STLS offered", "Dovecot", "poplib",
          logins=[("bert", "lab-secret-6Jf9")])
def pop3_clear(bench):
    mailbox(bench, "bert", "lab-secret-6Jf9")
    bench.go()
    bench.python("p = poplib.POP3(%r); p.capa(); p.user('bert'); p.pass_('lab-secret-6Jf9')" % SERVER,
                 "p.retr(1); p.quit()")
    bench.fact(protocol="pop3", port=110, verdict="cleartext", starttls_offered=True, cleartext_messages=1,
               subjects=["Waiting for you"],
               auth_clear="USER", auth_user="bert", expect=["pop3-user-pass-in-clear"])


@scenario("POP3 with STLS", "Dovecot", "curl", logins=[("bert", "lab-secret-6Jf9")])
def pop3_stls(bench):
    mailbox(bench, "bert", "lab-secret-6Jf9")
    bench.go()
    bench.curl("--ssl-reqd", "pop3://%s/1" % SERVER, "--user", "bert:lab-secret-6Jf9")
    bench.sealed("1.3", protocol="pop3", port=110, starttls_reply="+OK")


# ---------------------------------------------------------------- all together

@scenario("an office: a scanner sends 12 mails in the clear, a program logs in by AUTH PLAIN though STARTTLS "
          "is offered, two mail servers send sealed, and a branch sits behind a middlebox that masks STARTTLS", "Postfix", "Exim",
          "swaks", "smtplib", "Python",
          logins=[("erp", "lab-secret-1Ng4")])
def office(bench):
    scanner = bench.switch.host("scanner", "192.0.2.31", mac="00:1b:a9:00:00:31")
    program = bench.switch.host("program", "192.0.2.40")
    branch = bench.switch.host("branch", "192.0.2.50")
    relay = bench.switch.host("relay", "192.0.2.60")
    bench.serve(Exim(bench.server, name="mx.example.org", users=[("erp", "lab-secret-1Ng4")]))
    bench.serve(Middlebox(bench.box, BOX, SERVER_INSIDE, "mask"))
    first = bench.postfix_sender()
    second = bench.serve(Exim(relay, name="relay.example.com", smarthost=SERVER))
    bench.go()
    first.submit(Mail("Sealed one", "carol@example.com"))
    bench.sent(first)
    bench.sealed("1.3")
    for page in range(1, 13):
        mail = Mail("Scanned document %d" % page, "scanner@example.com")
        bench.smtplib(mail, host=scanner, prepare="s.local_hostname = 'scanner.example.com'")
        bench.clear(mail, from_ip="192.0.2.31", offered=True, expect=["client-ignored-starttls"])
        if page == 6:
            second.submit(Mail("Sealed two", "dave@example.com"))
            bench.sealed("1.3", from_ip="192.0.2.60")
            mail = Mail("Invoice 2026-117", "erp@example.com", "accounts@example.net")
            bench.swaks("--helo", "erp.example.com", "--auth", "PLAIN", "--auth-user", "erp",
                        "--auth-password", "lab-secret-1Ng4", mail=mail, host=program)
            bench.clear(mail, from_ip="192.0.2.40", offered=True, auth_clear="PLAIN", auth_user="erp",
                        expect=["client-ignored-starttls", "auth-plain-in-clear"])
    mail = Mail("Figures of the branch", "branch@example.com")
    bench.swaks("--helo", "branch.example.com", "--tls-optional", mail=mail, to=BOX, host=branch)
    bench.clear(mail, from_ip="192.0.2.50", to=BOX, offered=False,
                expect=["starttls-stripped-keyword-mangled"])
