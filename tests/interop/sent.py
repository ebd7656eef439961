# SPDX-License-Identifier: MIT
"""sent - messages to be sent, and how it is seen that they came: over POP3, octet by octet."""
import poplib
import socket
import subprocess
import time

from harness import POSTERN, Server

HASH = "$1$talk$N5L5/tTgLo/SVo/A48QuQ."  # of "secret"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
SMALL = b"From: Ann <ann@far.example>\r\nTo: alice@example.org\r\nSubject: small\r\nMessage-ID: <1@far.example>\r\n" \
        b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n.dot\r\n..two dots\r\n.\r\n\r\nFrom here\r\nend\r\n"
EIGHT = SMALL.replace(b"end", "Grüße, 世界".encode()).replace(b"Subject: small", b"Subject: eight\r\nMIME-Version: 1.0\r\n"
                                                                b"Content-Type: text/plain; charset=utf-8\r\n"
                                                                b"Content-Transfer-Encoding: 8bit")
USERS = f"alice:{HASH}\nbob:{HASH}\n"


def serve_smtp(*settings):
    """All ways in that SMTP has, for example.org, where alice and bob are."""
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            'submission_listen_tls = {"127.0.0.1:0"}', 'lmtp_listen = {"127.0.0.1:0"}', *settings],
                  users=(), users_text=USERS)


def deliver(server, *arguments, text=MESSAGE):
    """`postern deliver`, as an MTA runs it for its pipe."""
    return subprocess.run([POSTERN, "deliver", "-c", str(server.folder / "postern.conf"), *arguments], input=text, capture_output=True,
                          timeout=30)


def name_of(address):
    """What a host is called, if that is its name as well."""
    try:
        name = socket.gethostbyaddr(address)[0]
        if address in socket.gethostbyname_ex(name)[2]:
            return name.encode()
    except OSError:
        pass
    return b"unknown"


def mail_of(server, user):
    """All messages of a user, as POP3 gives them; they are gone then."""
    pop = poplib.POP3("127.0.0.1", server.plain, timeout=60)
    poplib._MAXLINE = 1 << 30
    pop.utf8()
    pop.user(user)
    pop.pass_("secret")
    found = []
    for number in range(1, pop.stat()[0] + 1):
        found.append(b"\r\n".join(pop.retr(number)[1]) + b"\r\n")
        pop.dele(number)
    pop.quit()
    return found


def wait_for(server, user, count=1, seconds=60):
    found, until = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        found += mail_of(server, user)
        time.sleep(0.1)
    return found


def junk_of(server, user="alice"):
    """What lies in Junk, which is empty then."""
    paths = list((server.mail / user / ".Junk" / "new").glob("*"))
    found = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    return found


def body(message):
    return message.split(b"\r\n\r\n", 1)[1]


def arrived(what, checks, server, user, sent, seconds=60):
    """One message, whose body is the sent one's, and whose header has the sent one's lines."""
    found = wait_for(server, user, 1, seconds)
    if not checks.check(f"{what}: one message for {user}", len(found) == 1, str(len(found))):
        return b""
    checks.check(f"{what}: the body of {user}'s", body(found[0]) == body(sent), repr(found[0][-300:]))
    head = found[0].split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    missing = [line for line in sent.split(b"\r\n\r\n", 1)[0].split(b"\r\n") if line not in head]
    checks.check(f"{what}: the header of {user}'s", not missing, repr(missing))
    checks.check(f"{what}: Return-Path first, once", found[0].startswith(b"Return-Path: <") and
                 found[0].split(b"\r\n\r\n")[0].lower().count(b"\r\nreturn-path:") == 0, repr(found[0][:100]))
    return found[0]
