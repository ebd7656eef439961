#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_sendmail - users' mail for others goes to a program that is run as sendmail (L7): what it is told, what its exit statuses and
its words come to, programs that hang, die and are deaf; Postfix's sendmail, and msmtp."""
import json
import os
import smtplib
import subprocess
import time

import mtas
from clients import no_verify
from harness import POSTERN, Checks, Server
from sent import EIGHT, HASH, SMALL, arrived, mail_of

checks = Checks()
PROGRAM = r"""#!/usr/bin/env python3
import json, os, sys, time
data = sys.stdin.buffer.read()
json.dump([sys.argv[1:], data.decode("latin-1"), sorted(os.environ), os.listdir("/proc/self/fd"),
           "NoNewPrivs:\t0" in open("/proc/self/status").read()], open("{folder}/seen", "w"))
for line in data.decode("latin-1").split("\n\n", 1)[0].split("\n"):
    if line.startswith("X-Say: "): print(line[7:].replace("~", "\n"), file=sys.stderr if "stderr" in line else sys.stdout, flush=True)
    if line.startswith("X-Do: "): exec(line[6:])
"""


def serve(program=PROGRAM, *settings):
    folder = Server.make_folder()
    (folder / "sendmail").write_text(program.replace("{folder}", str(folder)))
    (folder / "sendmail").chmod(0o755)
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            "submission_listen_tls = {}", "lmtp_listen = {}", f'sendmail = "{folder}/sendmail"',
                            "sendmail_timeout = 2s", *settings], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n", folder=folder)


def client(server):
    smtp = smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=120)
    smtp.starttls(context=no_verify())
    smtp.login("alice", "secret")
    return smtp


def send(server, message, to=("x@far.example",), options=()):
    """The code and text of the end."""
    with client(server) as smtp:
        smtp.mail("alice@example.org", options)
        for recipient in to:
            code, text = smtp.rcpt(recipient)
            if code != 250:
                return code, text
        return smtp.data(message)


def seen(server):
    path = server.folder / "seen"
    found = json.loads(path.read_text()) if path.exists() else None
    path.unlink(missing_ok=True)
    return found


def with_header(line):
    return line.encode() + b"\r\n" + SMALL


def test_told():
    server = serve()
    try:
        got = send(server, SMALL, ("x@far.example", "bob@example.org", "-oX/etc@far.example", '"a b"@far.example', "x@other.example"))
        checks.check("taken", got[0] == 250 and got[1].startswith(b"2.0.0 handed on as "), str(got))
        arguments, text, environment, descriptors, may_gain = seen(server)
        checks.check("it is told of the envelope, of those elsewhere", arguments ==
                     ["-i", "-f", "alice@example.org", "--", "x@far.example", "-oX/etc@far.example", '"a b"@far.example', "x@other.example"],
                     str(arguments))
        checks.check("lines end as here", "\r" not in text and text.startswith("Received: from ") and
                     text.endswith(SMALL.decode().replace("\r\n", "\n")), text)
        checks.check("it is given nothing of ours", set(environment) <= {"PATH", "LC_CTYPE"} and len(descriptors) <= 4,
                     str((environment, descriptors)))
        checks.check("it may be one that is another group's", may_gain)
        arrived("sendmail, also here", checks, server, "bob", SMALL)
        checks.check("8-bit", send(server, EIGHT, options=["BODY=8BITMIME"])[0] == 250 and "Grüße".encode().decode("latin-1") in seen(server)[1])
        large = SMALL + b"".join(b"%070d\r\n" % i for i in range(200000))
        checks.check("14 MB", send(server, large, ("x@far.example", "bob@example.org"))[0] == 250)
        checks.check("14 MB, the same", seen(server)[1].endswith(large.decode().replace("\r\n", "\n")))
        arrived("sendmail, 14 MB", checks, server, "bob", large)
        many = tuple(f"user{i}@far.example" for i in range(900))
        checks.check("900 recipients", send(server, SMALL, many)[0] == 250 and tuple(seen(server)[0][4:]) == many)
        checks.check("only people here: it is not run", send(server, SMALL, ("bob@example.org",))[0] == 250 and not seen(server))
        arrived("sendmail, only here", checks, server, "bob", SMALL)
        with client(server) as smtp:
            checks.check("nobody sends in another's name", smtp.mail("bob@example.org")[0] == 553)
            smtp.rset()
            smtp.mail("")
            smtp.rcpt("x@far.example")
            checks.check("the empty sender", smtp.data(SMALL)[0] == 250 and seen(server)[0][:3] == ["-i", "-f", "<>"])
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as smtp:
            smtp.helo()
            smtp.mail("x@y.example")
            checks.check("not for strangers", smtp.rcpt("x@far.example")[0] == 550)
        with client(server) as smtp:  # who goes away in the middle has sent nothing
            smtp.mail("alice@example.org")
            smtp.rcpt("x@far.example")
            smtp.docmd("DATA")
            smtp.sock.sendall(b"Subject: cut\r\n\r\nhere")
            smtp.close()
        time.sleep(0.3)
        checks.check("one that is cut is not handed on", not seen(server))
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_answers():
    server = serve()
    cases = [(f"X-Do: sys.exit({status})", code, enhanced) for status, code, enhanced in
             ((0, 250, b"2.0.0"), (64, 451, b"4.3.0"), (65, 554, b"5.6.0"), (66, 451, b"4.3.0"), (67, 550, b"5.1.1"), (68, 550, b"5.1.2"),
              (69, 554, b"5.0.0"), (70, 451, b"4.3.0"), (71, 451, b"4.3.0"), (73, 451, b"4.3.0"), (74, 451, b"4.3.0"), (75, 451, b"4.3.0"),
              (76, 554, b"5.5.0"), (77, 550, b"5.7.1"), (78, 451, b"4.3.0"), (1, 451, b"4.3.0"), (127, 451, b"4.3.0"))]
    cases += [("X-Say: 4.2.1 not now\r\nX-Do: sys.exit(67)", 451, b"4.2.1 not now"),
              ("X-Say: 5.2.2 full\r\nX-Do: sys.exit(75)", 550, b"5.2.2 full"),
              ("X-Do: print('5.2.2 full', end='\\r\\n'); sys.exit(75)", 550, b"5.2.2 full"),
              ("X-Say: 5.2.2\r\nX-Do: sys.exit(75)", 550, b"5.2.2 it cannot be"),
              ("X-Say: stderr: who?~more\r\nX-Do: sys.exit(67)", 550, b"5.1.1 stderr: who?"),
              ("X-Say: 5.1.1.1 x\r\nX-Do: sys.exit(75)", 451, b"4.3.0 5.1.1.1 x"),
              ("X-Say: 2.0.0 fine\r\nX-Do: sys.exit(75)", 451, b"4.3.0 2.0.0 fine"),
              ("X-Say: 5.9 x\x07y\r\nX-Do: sys.exit(75)", 451, b"4.3.0 5.9 x"),
              ("X-Say: 5.1.1 x\r\nX-Do: sys.exit(0)", 250, b"2.0.0 handed on"),
              ("X-Do: os.kill(os.getpid(), 9)", 451, b"4.3.0 it cannot be handed on now"),
              ("X-Do: print('y' * 300000); sys.exit(67)", 550, b"5.1.1 y")]
    try:
        for header, code, text in cases:
            got = send(server, with_header(header), ("x@far.example", "bob@example.org"))
            checks.check(f"{header!r}: {code}", got[0] == code and got[1].startswith(text) and not got[1].endswith(b" "), str(got))
            checks.check(f"{header!r}: here", len(mail_of(server, "bob")) == (code == 250))
        for header in ("X-Do: os.system('sleep 60')", "X-Do: os.close(1) or os.close(2) or time.sleep(60)",
                       "X-Do: os.system('sleep 60 &')"):
            began = time.monotonic()
            got = send(server, with_header(header), ("x@far.example", "bob@example.org"))
            checks.check(f"{header!r}: not waited for", got[0] == 451 and 1 < time.monotonic() - began < 15, str(got))
            checks.check(f"{header!r}: nothing here", not mail_of(server, "bob"))
        with client(server) as smtp:
            smtp.mail("alice@example.org")
            smtp.rcpt("x@far.example")
            smtp.data(with_header("X-Do: sys.exit(77)"))
            checks.check("the session goes on", smtp.sendmail("alice@example.org", ["x@far.example"], SMALL) == {})
        checks.check("the log tells why", any("sendmail-refused" in line and "who?" in line for line in server.log))
        left = subprocess.run(["pgrep", "-f", f"{server.folder}/sendmail"], capture_output=True, text=True).stdout
        checks.check("none is left", not left, left)
    finally:
        checks.check("the server ends well", server.stop() == 0)
    for what, script, code in (("deaf", "#!/bin/sh\nexit 0\n", 250), ("no program at all", "what", 451)):
        server = serve(script)
        try:
            got = send(server, SMALL + b"y" * 70 + b"\r\n" * 200000)
            checks.check(f"one that is {what}", got[0] == code, str(got))
        finally:
            server.stop()


def test_filtered():
    """A filter refuses before it is handed on."""
    server = serve(PROGRAM, 'filter = "/bin/false"')
    try:
        checks.check("a filter comes first", send(server, SMALL)[0] == 451 and not seen(server))
    finally:
        server.stop()


def test_settings():
    for settings, why in (('sendmail = "/nonexistent"', "is no program"), ('sendmail = "/bin/true"\nsmarthost = "a:1"', "only one of them")):
        folder = Server.make_folder()
        (folder / "postern.conf").write_text(f'config_version = 1\nusers = "{folder}/users"\nmail = "{folder}/mail"\nlisten = {{}}\n'
                                             f"listen_tls = {{}}\nimap_listen = {{}}\nimap_listen_tls = {{}}\n{settings}\n")
        (folder / "users").write_text(f"alice:{HASH}\n")
        got = subprocess.run([POSTERN, "serve", "--config", str(folder / "postern.conf")], capture_output=True, text=True, timeout=30)
        checks.check(f"settings: {why}", got.returncode == 78 and why in got.stderr, str(got))


def test_postfix():
    """Postfix's sendmail: both copies arrive, and the sender is the user's."""
    mx = Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}", "submission_listen_tls = {}",
                          "lmtp_listen = {}"], users=(), users_text=f"bob:{HASH}\n")
    near = None
    try:
        with mtas.Postfix(f"smtp:{mx.port('smtp')}") as mta:
            if not mta.ready:
                checks.skip(f"Postfix cannot run here: {mta.why}")
                return
            near = serve(f"#!/bin/sh\nMAIL_CONFIG={mta.folder}/etc exec /usr/sbin/sendmail \"$@\"\n", 'domains = {"near.example"}',
                         "sendmail_timeout = 20s", "any_sender = yes")
            for message in (SMALL, EIGHT):
                checks.check("Postfix takes it", send(near, message, ("bob@example.org", "alice@near.example"))[0] == 250, mta.log()[-500:])
                found = arrived("by Postfix's sendmail", checks, mx, "bob", message)
                checks.check("its sender", found.startswith(b"Return-Path: <alice@example.org>"), repr(found[:60]))
                arrived("by Postfix's sendmail, here", checks, near, "alice", message)
    finally:
        mx.stop()
        if near:
            near.stop()


def test_msmtp():
    mx = Server(settings=['domains = {"far.example"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}", "submission_listen_tls = {}",
                          "lmtp_listen = {}"], users=(), users_text=f"bob:{HASH}\n")
    near = serve(f"#!/bin/sh\nexec msmtp --host=127.0.0.1 --port={mx.port('smtp')} \"$@\"\n", "sendmail_timeout = 20s")
    try:
        got = send(near, EIGHT, ("bob@far.example",))
        checks.check("msmtp takes it", got[0] == 250, str(got))
        arrived("by msmtp", checks, mx, "bob", EIGHT)
        got = send(near, SMALL, ("nobody@far.example",))
        checks.check("msmtp: no such user there", got[0] == 554 and b"nobody@far.example" in got[1], str(got))
    finally:
        near.stop()
        mx.stop()


for function in (test_told, test_answers, test_filtered, test_settings, test_postfix, test_msmtp):
    checks.run(function.__name__, function)
checks.finish()
