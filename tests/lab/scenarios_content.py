"""Scenarios about what a readable mail holds: attachments that are locked or not what they say, subjects in many character sets,
parts within parts. Python's smtplib hands them to Postfix, which has no TLS."""
import base64
import binascii
import os
import zlib
from email.header import Header

from bench import BODY_MARK, Mail, scenario
from network import run
from servers import Postfix, write

MIXED = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="lab-mixed"\n'


def mixed(*parts, boundary="lab-mixed"):
    return "".join("--%s\n%s\n" % (boundary, part) for part in parts) + "--%s--\n" % boundary


def text_part(text="This text is readable: " + BODY_MARK, kind="text/plain; charset=us-ascii", encoding="7bit"):
    return "Content-Type: %s\nContent-Transfer-Encoding: %s\n\n%s\n" % (kind, encoding, text)


def attached(content, kind, name):
    """A part with an attachment in base64; `name` is the parameter as it stands in the field."""
    return "Content-Type: %s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment;\n %s\n\n%s" % (
        kind, name, base64.encodebytes(content).decode())


def delivered(bench, mail, *says):
    bench.serve(Postfix(bench.server))
    bench.go()
    bench.smtplib(mail)
    bench.clear(mail, offered=False, expect=["server-no-starttls"], says_of_messages=list(says))


@scenario("an archive locked with a password: its name is readable, and that it is one", "Postfix", "smtplib", "zip",
          secrets=["filemark-Lk5z", "lab-secret-zip-9Ex1"])
def attachment_zip_password(bench):
    inner = write("/run/lab/payroll.csv", "name,salary,filemark-Lk5z\nAnna,1\n" * 8)
    archive = "/run/lab/payroll.zip"
    if os.path.exists(archive):
        os.unlink(archive)
    run("zip", "-q", "-j", "-P", "lab-secret-zip-9Ex1", archive, inner)
    with open(archive, "rb") as f:
        content = f.read()
    mail = Mail("Payroll, locked", extra=MIXED, body=mixed(
        text_part(), attached(content, "application/zip", 'filename="payroll.zip"')))
    delivered(bench, mail, {"email.attachments.file.name": ["payroll.zip"], "email.attachments.file.mime_type": ["application/zip"],
                            "email.attachments.detected_type": ["application/zip; encrypted"], "postcard.body_protection": "none",
                            "postcard.exposed": ["envelope", "headers", "body", "attachments"]})


def png():
    """A picture of one point."""
    chunk = lambda kind, data: len(data).to_bytes(4, "big") + kind + data + binascii.crc32(kind + data).to_bytes(4, "big")
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0") + chunk(b"IDAT", zlib.compress(b"\0\x7f"))
            + chunk(b"IEND", b""))


@scenario("three attachments that are not what they say: a PDF that is an archive, a text that is a picture, a picture that is "
          "a PDF", "Postfix", "smtplib", "zip", secrets=["filemark-Li7e"])
def attachment_lies(bench):
    inner, archive = write("/run/lab/macro.txt", "filemark-Li7e\n"), "/run/lab/lies.zip"
    if os.path.exists(archive):
        os.unlink(archive)
    run("zip", "-q", "-j", "-0", archive, inner)
    with open(archive, "rb") as f:
        content = f.read()
    pdf = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF filemark-Li7e\n"
    mail = Mail("Invoice, notes, photo", extra=MIXED, body=mixed(
        text_part(), attached(content, "application/pdf", 'filename="invoice.pdf"'),
        attached(png(), "text/plain", "filename=notes.txt"),
        attached(pdf, "image/jpeg", 'filename="photo.jpg"')))
    delivered(bench, mail, {"email.attachments.file.name": ["invoice.pdf", "notes.txt", "photo.jpg"],
                            "email.attachments.file.mime_type": ["application/pdf", "text/plain", "image/jpeg"],
                            "email.attachments.detected_type": ["application/zip", "image/png", "application/pdf"]})


SUBJECT = [("Übersicht – ", "utf-8"), ("Привет ", "koi8-r"), ("こんにちは ", "iso-2022-jp"), ("Gesprächsnotiz", "iso-8859-1")]


@scenario("a subject in four character sets (RFC 2047), the text in UTF-7, quoted-printable and base64, a file name by RFC 2231",
          "Postfix", "smtplib", secrets=["größenmark-Ut7k", "gehältermark-Qp3z", "umsatzmark-B64w"])
def charsets(bench):
    raw = "\n ".join(Header(text, charset).encode() for text, charset in SUBJECT)
    mail = Mail("".join(text for text, _ in SUBJECT), raw_subject=raw, extra=MIXED, body=mixed(
        text_part("größenmark-Ut7k".encode("utf-7").decode(), "text/plain; charset=utf-7"),
        text_part("=3Cp=3Egeh=E4ltermark-Qp3z=3C/p=3E", "text/html; charset=iso-8859-1", "quoted-printable"),
        text_part(base64.b64encode(b"Here is umsatzmark-B64w for you\r\n").decode(), "text/plain", "base64"),
        attached(b"filled,in\n", "text/csv", "filename*0*=utf-8''%C3%9Cbersicht%20;\n"
                 " filename*1*=der%20Geh%C3%A4lter;\n filename*2=.csv")))
    delivered(bench, mail, {"email.subject": mail.subject, "email.attachments.file.name": ["Übersicht der Gehälter.csv"],
                            "postcard.exposed": ["envelope", "headers", "body", "attachments"]})


@scenario("parts within parts: mixed, alternative, related, a picture in the text, an attachment and a forwarded mail", "Postfix",
          "smtplib", secrets=["innermark-Fw2q"])
def nested_parts(bench):
    picture = ("Content-Type: image/png\nContent-Transfer-Encoding: base64\nContent-ID: <logo>\n"
               "Content-Disposition: inline\n\n" + base64.encodebytes(png()).decode())
    related = 'Content-Type: multipart/related; boundary="lab-related"\n\n' + mixed(
        text_part("<p>This text is readable: %s</p>" % BODY_MARK, "text/html; charset=us-ascii"), picture, boundary="lab-related")
    both = 'Content-Type: multipart/alternative; boundary="lab-both"\n\n' + mixed(text_part(), related, boundary="lab-both")
    forwarded = ("Content-Type: message/rfc822\nContent-Disposition: attachment; filename=\"forwarded.eml\"\n\n"
                 "From: <erin@example.net>\nTo: <carol@example.com>\nSubject: The one inside\n\nThis one says innermark-Fw2q\n")
    mail = Mail("The one outside", extra=MIXED, body=mixed(
        both, attached(b"%PDF-1.4\n%%EOF\n", "application/pdf", 'filename="report.pdf"'), forwarded))
    delivered(bench, mail, {"email.subject": "The one outside",
                            "email.attachments.file.name": ["report.pdf", "forwarded.eml"],
                            "postcard.exposed": ["envelope", "headers", "body", "attachments"]})
