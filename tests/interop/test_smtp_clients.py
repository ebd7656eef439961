#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_clients - who sends mail to us: swaks, msmtp, curl, smtplib and nodemailer as users' programs do, Postfix, Exim and
OpenSMTPD as MTAs do, by SMTP and by LMTP over TCP and a unix socket. What arrived is read over POP3 and compared octet by
octet with what was sent."""
import grp
import os
import re
import smtplib
import socket
import subprocess
import time

import mtas
from clients import npm
from harness import SOURCE, Checks, Server
from sent import EIGHT, HASH, SMALL, arrived, body, mail_of, wait_for

checks = Checks()
PEOPLE = [f"u{i}" for i in range(1, 21)]
USERS = "".join(f"{user}:{HASH}\n" for user in ["alice", "bob", *PEOPLE])


def serve(*settings):
    folder = Server.make_folder()
    folder.chmod(0o755)
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            'submission_listen_tls = {"127.0.0.1:0"}', f'lmtp_listen = {{"127.0.0.1:0", "{folder}/lmtp,mode=0666"}}',
                            "message_mb = 64", *settings], users=(), users_text=USERS, folder=folder)


# ---- programs ----------------------------------------------------------------------------------------------------------


def run(*command, text=b"", env=None):
    return subprocess.run(command, input=text, capture_output=True, timeout=60, env={**os.environ, **(env or {})})


def test_swaks(server):
    path = server.folder / "small.eml"
    path.write_bytes(SMALL.replace(b"\r\n", b"\n"))
    for what, flags in (("swaks", ["--port", str(server.port("smtp"))]),
                        ("swaks, STARTTLS", ["--port", str(server.port("smtp")), "--tls"]),
                        ("swaks, pipelined", ["--port", str(server.port("smtp")), "--pipeline"]),
                        ("swaks, LMTP", ["--protocol", "LMTP", "--port", str(server.port("lmtp"))]),
                        ("swaks, LMTP on a socket", ["--protocol", "LMTP", "--socket", str(server.folder / "lmtp")])):
        where = [] if "--socket" in flags else ["--server", "127.0.0.1"]
        got = run("swaks", *where, *flags, "--from", "ann@far.example", "--to", "alice@example.org", "--data", f"@{path}")
        checks.check(f"{what}: exit", got.returncode == 0, got.stdout.decode()[-600:])
        arrived(what, checks, server, "alice", SMALL + b"\r\n")  # swaks adds a line
    for mechanism in ("PLAIN", "LOGIN"):
        got = run("swaks", "--server", "127.0.0.1", "--port", str(server.port("submission")), "--tls", "--auth", mechanism,
                  "--auth-user", "bob", "--auth-password", "secret", "--from", "bob@example.org", "--to", "alice@example.org",
                  "--data", f"@{path}")
        checks.check(f"swaks, AUTH {mechanism}: exit", got.returncode == 0, got.stdout.decode()[-600:])
        arrived(f"swaks, AUTH {mechanism}", checks, server, "alice", SMALL + b"\r\n")
    got = run("swaks", "--server", "127.0.0.1", "--port", str(server.port("smtp")), "--from", "ann@far.example", "--to",
              "nobody@example.org")
    checks.check("swaks: no such user", got.returncode == 24 and b"550 5.1.1" in got.stdout, got.stdout.decode()[-300:])


def test_msmtp(server):
    config = server.folder / "msmtprc"
    config.write_text(f"account default\nhost 127.0.0.1\nport {server.port('submissions')}\ntls on\ntls_starttls off\n"
                      "tls_certcheck off\nauth plain\nuser bob\npassword secret\nfrom bob@example.org\n")
    config.chmod(0o600)
    got = run("msmtp", "-C", str(config), "alice@example.org", text=EIGHT.replace(b"\r\n", b"\n"))
    checks.check("msmtp: exit", got.returncode == 0, got.stderr.decode())
    arrived("msmtp", checks, server, "alice", EIGHT)


def test_curl(server):
    path = server.folder / "curl.eml"
    path.write_bytes(SMALL)
    got = run("curl", "-sS", f"smtp://127.0.0.1:{server.port('smtp')}", "--mail-from", "ann@far.example", "--mail-rcpt",
              "alice@example.org", "-T", str(path))
    checks.check("curl: exit", got.returncode == 0, got.stderr.decode())
    arrived("curl", checks, server, "alice", SMALL)
    got = run("curl", "-sSk", "--ssl-reqd", f"smtp://127.0.0.1:{server.port('submission')}", "-u", "bob:secret", "--mail-from",
              "bob@example.org", "--mail-rcpt", "alice@example.org", "-T", str(path))
    checks.check("curl, STARTTLS and AUTH: exit", got.returncode == 0, got.stderr.decode())
    arrived("curl, STARTTLS and AUTH", checks, server, "alice", SMALL)


def test_smtplib(server):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
        smtp.sendmail("ann@far.example", ["alice@example.org"], EIGHT, ["BODY=8BITMIME"])
        refused = smtp.sendmail("ann@far.example", ["alice@example.org", "nobody@example.org"], SMALL)
        checks.check("smtplib: one is refused", refused.get("nobody@example.org", (0,))[0] == 550, str(refused))
    found = wait_for(server, "alice", 2)
    checks.check("smtplib: two messages", [body(one) for one in found] == [body(EIGHT), body(SMALL)], str(len(found)))
    large = SMALL + b"".join(b"%070d\r\n" % i for i in range(50 * 1024 * 1024 // 72))
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=120) as smtp:
        smtp.sendmail("ann@far.example", ["alice@example.org", "bob@example.org"], large)
    for user in ("alice", "bob"):
        arrived("smtplib, 50 MiB", checks, server, user, large)
    with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=60) as lmtp:
        lmtp.ehlo_or_helo_if_needed()
        lmtp.mail("ann@far.example")
        for user in ("alice", "bob", "alice"):
            lmtp.rcpt(f"{user}@example.org")
        replies = [lmtp.data(SMALL), lmtp.getreply(), lmtp.getreply()]
        checks.check("smtplib, LMTP: a reply for each", [code for code, _ in replies] == [250] * 3, str(replies))
    arrived("smtplib, LMTP", checks, server, "alice", SMALL)
    arrived("smtplib, LMTP", checks, server, "bob", SMALL)


NODEMAILER = "nodemailer@6.9.16"
NODE = """
import nodemailer from "nodemailer";
const [port, secure, text] = [Number(process.argv[2]), process.argv[3] === "yes", process.argv[4]];
const to = nodemailer.createTransport({host: "127.0.0.1", port, secure, requireTLS: !secure,
  auth: {user: "bob", pass: "secret"}, tls: {rejectUnauthorized: false}});
const info = await to.sendMail({envelope: {from: "bob@example.org", to: ["alice@example.org", "nobody@example.org"]},
  raw: Buffer.from(text, "base64")});
console.log(JSON.stringify([info.accepted, info.rejected, info.response.slice(0, 9)]));
to.close();
"""


def test_nodemailer(server):
    import base64
    folder = npm(NODEMAILER)
    if not folder:
        checks.skip("nodemailer cannot be installed", 2)
        return
    (folder / "send.mjs").write_text(NODE)
    for port, secure in ((server.port("submissions"), "yes"), (server.port("submission"), "no")):
        got = run("node", str(folder / "send.mjs"), str(port), secure, base64.b64encode(EIGHT).decode())
        checks.check("nodemailer: what it heard",
                     got.stdout.strip() == b'[["alice@example.org"],["nobody@example.org"],"250 2.0.0"]', got.stdout + got.stderr)
        arrived("nodemailer", checks, server, "alice", EIGHT)


# ---- MTAs ----------------------------------------------------------------------------------------------------------------


def relay(mta, to, message, options=()):
    with smtplib.SMTP("127.0.0.1", mta.port, timeout=120) as smtp:
        smtp.sendmail("ann@far.example", to, message, options)


def through(what, mta, server):
    """The lines of the specification: one, two, twenty recipients; refusals; a large message; 8-bit; UTF-8."""
    relay(mta, ["alice@example.org"], SMALL)
    if not arrived(f"{what}, one", checks, server, "alice", SMALL):
        raise RuntimeError(f"nothing comes by {what}: {mta.log()[-2000:]}")
    relay(mta, ["alice@example.org", "bob@example.org"], EIGHT, ["BODY=8BITMIME"])
    for user in ("alice", "bob"):
        arrived(f"{what}, two", checks, server, user, EIGHT)
    relay(mta, [f"{user}@example.org" for user in PEOPLE], SMALL)
    for user in PEOPLE:
        arrived(f"{what}, twenty", checks, server, user, SMALL)
    large = SMALL + b"".join(b"%070d\r\n" % i for i in range(50 * 1024 * 1024 // 72))
    relay(mta, ["alice@example.org"], large)
    arrived(f"{what}, 50 MiB", checks, server, "alice", large, 120)
    relay(mta, ["alice@example.org", "nobody@example.org"], SMALL)
    arrived(f"{what}, one of two unknown", checks, server, "alice", SMALL)
    checks.check(f"{what}: it heard that there is no such user", mta.log_has("5.1.1"), mta.log()[-600:])


def full(what, mta, server):
    """A temporary refusal is tried again: the mailbox is full, and is emptied."""
    relay(mta, ["bob@example.org"], SMALL)
    wait = time.monotonic() + 60
    while not mta.log_has("4.2.2") and time.monotonic() < wait:
        time.sleep(0.1)
    checks.check(f"{what}: a full mailbox is for later", mta.log_has("4.2.2"), mta.log()[-600:])
    found = mail_of(server, "bob")
    checks.check(f"{what}: one was there", len(found) == 1, str(len(found)))
    mta.flush()
    arrived(f"{what}, again", checks, server, "bob", SMALL)


def each_way(kind, server):
    for what, where in (("LMTP on a socket", f"unix:{server.folder / 'lmtp'}"), ("LMTP", f"lmtp:{server.port('lmtp')}"),
                        ("SMTP", f"smtp:{server.port('smtp')}")):
        with kind(where) as mta:
            if not mta.ready:
                checks.skip(f"{kind.__name__} cannot run here: {mta.why}")
                return
            through(f"{kind.__name__}, {what}", mta, server)
    small = serve("quota_messages = 1")
    try:
        small_where = f"lmtp:{small.port('lmtp')}"
        with kind(small_where) as mta:
            relay(mta, ["bob@example.org"], SMALL)
            until = time.monotonic() + 60
            while not list((small.mail / "bob").rglob("new/*")) and time.monotonic() < until:
                time.sleep(0.1)
            full(f"{kind.__name__}, full", mta, small)
    finally:
        small.stop()


def test_postfix(server):
    each_way(mtas.Postfix, server)
    with mtas.Postfix(f"unix:{server.folder / 'lmtp'}") as mta:
        if not mta.ready:
            return
        with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as smtp:
            smtp.ehlo()
            smtp.sendmail("grüße@far.example", ["alice@example.org"], EIGHT.decode().encode(), ["SMTPUTF8", "BODY=8BITMIME"])
        found = arrived("Postfix, SMTPUTF8", checks, server, "alice", EIGHT)
        checks.check("Postfix, SMTPUTF8: the sender", found.startswith("Return-Path: <grüße@far.example>".encode()), repr(found[:80]))


OPERATING = (SOURCE / "docs/operating.md").read_text()


class Documented(mtas.Postfix):
    """With the lines of docs/operating.md for main.cf, of which later ones count; all senders are strangers."""
    settings = re.search(r"in its `main.cf`\n\n((?:    .+\n)+)", OPERATING)[1].replace("    ", "") + "mynetworks = 192.0.2.0/24\n"
    whither = ("lmtp:inet:127.0.0.1:24", "lmtp:inet:127.0.0.1:{}")

    def __init__(self, place):
        super().__init__(f"lmtp:{place}")
        if self.whither[0] not in self.settings:
            raise RuntimeError(f"docs/operating.md has no {self.whither[0]}")
        self.settings = self.settings.replace(self.whither[0], self.whither[1].format(place))


class OnSocket(Documented):
    """And those for its socket."""
    whither = ("virtual_transport = lmtp:inet:127.0.0.1:24",
               re.search(r"`(virtual_transport = lmtp:unix:)/run/postern/lmtp`", OPERATING)[1] + "{}")
    services = re.search(r"`(lmtp unix [^`]*)` in `master.cf`", OPERATING)[1] + "\n"


def asks(what, mta, server):
    """What we would refuse is refused to the sender, not bounced to whoever it claims to be."""
    if not mta.ready:
        checks.skip(f"Postfix cannot run here: {mta.why}")
        return
    with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as smtp:
        some = smtp.sendmail("ann@far.example", ["nobody@example.org", "alice+lists@example.org"], SMALL)
    checks.check(f"{what}: asks", list(some) == ["nobody@example.org"] and some["nobody@example.org"][0] == 550 and
                 b"5.1.1 no such user here" in some["nobody@example.org"][1], str(some))
    arrived(f"{what}: asks, and hands on", checks, server, "alice", SMALL)
    checks.check(f"{what}: nothing is bounced", "non-delivery" not in mta.log(), mta.log()[-600:])


def test_postfix_documented(server):
    with Documented(server.port("lmtp")) as mta:
        asks("Postfix as documented", mta, server)


def test_postfix_on_its_socket(_):
    """The socket is given to its group, and to nobody else."""
    folder = Server.make_folder()
    folder.chmod(0o755)
    line = re.search(r"`(lmtp_listen = [^`]*)`", OPERATING)[1].replace("/run/postern", str(folder))
    with OnSocket(folder / "lmtp") as mta:
        if not mta.ready:
            checks.skip(f"Postfix cannot run here: {mta.why}")
            return
        server = Server(settings=['domains = {"example.org"}', line], users=(), users_text=USERS, folder=folder)
        try:
            facts = os.stat(folder / "lmtp")
            checks.check("the socket is its group's", (facts.st_mode & 0o777, facts.st_gid) == (0o660, grp.getgrnam("postfix").gr_gid), str(facts))
            asks("Postfix on its socket", mta, server)
        finally:
            server.stop()


def test_exim(server):
    each_way(mtas.Exim, server)


def test_opensmtpd(server):
    each_way(mtas.OpenSMTPD, server)


checks.run_with(serve(), globals())
