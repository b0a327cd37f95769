#!/usr/bin/env python3
"""A proxy between a mail client and a server that meddles with STARTTLS, as firewalls with "mail inspection" do.

usage: middlebox.py LISTEN_ADDRESS PORT SERVER_ADDRESS PORT pass|mask|delete|refuse|454|noehlo|garble

  pass    everything passes untouched
  mask    the keyword STARTTLS in the EHLO reply becomes XXXXXXXA; the command is answered with 500 (as Cisco's do)
  delete  the line with the keyword is taken out
  refuse  the keyword stays, but STARTTLS is answered with 500 by the proxy
  454     the keyword stays, but STARTTLS is answered with 454 by the proxy
  noehlo  EHLO is answered with 500 by the proxy
  garble  STARTTLS passes, but the answer to the ClientHello is the text "454 ..."
"""
import re
import socket
import sys
import threading


def lines(sock):
    """What comes from a socket: whole lines with their ends, and from the first TLS record on, blocks as they come."""
    rest, text = b"", True
    while True:
        block = sock.recv(65536)
        if not block:
            if rest:
                yield rest
            return
        rest += block
        text = text and not re.match(rb"[\x14-\x17]\x03", rest)
        whole, newline, tail = rest.rpartition(b"\n") if text else (rest, b"", b"")
        if whole + newline:
            yield whole + newline
        rest = tail


def from_server(client, server, how):
    for block in lines(server):
        if how == "mask":
            block = re.sub(rb"(?im)^(250[- ])STARTTLS\b", rb"\1XXXXXXXA", block)
        elif how == "delete":
            # a last line "250 STARTTLS" would end the reply: the line before it becomes the last one
            block = re.sub(rb"(?im)^250-STARTTLS\r\n", b"", block)
            block = re.sub(rb"(?im)^250-([^\r\n]*)\r\n250 STARTTLS\r\n", rb"250 \1\r\n", block)
        client.sendall(block)
    client.shutdown(socket.SHUT_WR)


def from_client(client, server, how):
    for block in lines(client):
        if re.match(rb"(?i)STARTTLS\r\n", block):
            if how in ("mask", "refuse", "delete"):
                client.sendall(b"500 5.5.1 Command unrecognized\r\n")
                continue
            if how == "454":
                client.sendall(b"454 4.7.0 TLS not available due to temporary reason\r\n")
                continue
        if how == "noehlo" and re.match(rb"(?i)EHLO", block):
            client.sendall(b"500 5.5.1 Command unrecognized\r\n")
            continue
        if how == "garble" and block[:2] == b"\x16\x03":
            client.sendall(b"454 4.7.0 TLS not available due to temporary reason\r\n")
            continue
        server.sendall(block)
    server.shutdown(socket.SHUT_WR)


def serve(client, target, how):
    server = socket.create_connection(target)
    back = threading.Thread(target=from_server, args=(client, server, how), daemon=True)
    back.start()
    try:
        from_client(client, server, how)
    except OSError:
        pass
    back.join(5)
    client.close()
    server.close()


def main():
    address, port, target, target_port, how = sys.argv[1:6]
    listener = socket.create_server((address, int(port)))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, (target, int(target_port)), how), daemon=True).start()


if __name__ == "__main__":
    main()
