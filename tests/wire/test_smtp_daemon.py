#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_daemon - the talks of tests/wire/smtp over real sockets: `postern serve` with Maildirs, over TCP, over TLS
(what is spoken there has an implicit-TLS port, or STARTTLS comes first) and, for LMTP, over a unix socket. Each talk has a
server of its own. Talks that need the engine's own world (a clock, limits, a store that fails) are passed over."""
import concurrent.futures
import pathlib
import re
import select
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from clients import no_verify  # noqa: E402
from harness import SOURCE, Checks, Server  # noqa: E402
from talk_line import fits, octets, talks  # noqa: E402

checks = Checks()
WAIT = 20
HASH = "$1$talk$N5L5/tTgLo/SVo/A48QuQ."  # of "secret"
USERS = "".join(f"{user}:{HASH}{more}\n" for user, more in (("alice", ""), ("bob", ""), ("gone", ":disabled=yes"),
                                                          ("ann@example.net", "")))
ALIASES = """team: alice, bob
team2: team, alice
loop: loop2
loop2: loop
dead: nobody
half: nobody, bob
sales@example.net: bob
box: alice+lists
@example.net: @example.org
"""
SETTINGS = {"option newline reject": "bare_newline = reject", "option newline legacy": "bare_newline = legacy",
            "option verify": "smtp_verify = yes", "option trusted": 'smtp_trusted = {"127.0.0.0/8"}', "option tls_required": "smtp_tls_required = yes",
            "option hide_client": "hide_client = yes", "detail_create": "detail_create = yes",
            "any_sender": "any_sender = yes", "secure": 'plaintext = "tls"'}
# what the server's own clock, names and address are instead of the host's
OURS = ((b"Tue, 14 Nov 2023 22:13:20 +0000", b"{*}"), (b"5a5a5a5a5a5a5a5a", b"{*}"), (b"192.0.2.1", b"127.0.0.1"))


class Said(Exception):
    """Something else was said than the talk says."""


class World:
    """A server, and the one session of a talk."""

    def __init__(self, lines, way):
        words = [line.decode("latin-1") for line in lines]
        self.role = "lmtp" if "lmtp" in words else "submission" if "submission" in words else "smtp"
        self.way, self.sock, self.got, self.pending, self.message = way, None, b"", b"", b""
        settings = ['domains = {"example.org", "example.net"}', 'postmaster = "alice"', "threads = 1", "workers = 1",
                    'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                    'submission_listen_tls = {"127.0.0.1:0"}', 'mechanisms = {"PLAIN", "LOGIN", "SCRAM-SHA-256"}',
                    'host = "mx.example.org"', 'greeting = "hello"']
        settings += [SETTINGS[word] for word in words if word in SETTINGS]
        for word in words:
            if word.startswith("quota 0 "):
                settings += [f"quota_{name} = {int(limit)}" for name, limit in zip(("messages", "mailboxes"), word.split()[2:])]
        self.folder = Server.make_folder()
        (self.folder / "aliases").write_text(ALIASES)
        settings += [f'aliases = "{self.folder}/aliases"', f'lmtp_listen = {{"127.0.0.1:0", "{self.folder}/lmtp"}}']
        self.server = Server(settings=settings, users=(), users_text=USERS, folder=self.folder)

    def connected(self):
        if self.sock:
            return
        if self.way == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(WAIT)
            self.sock.connect(str(self.folder / "lmtp"))
            return
        implicit = self.way == "tls"
        self.sock = socket.create_connection(("127.0.0.1", self.server.port("submissions" if implicit else self.role)),
                                             timeout=WAIT)
        if implicit:
            self.encrypt()

    def encrypt(self):
        self.sock = no_verify().wrap_socket(self.sock)

    def receive(self, wait):
        """More, if it comes in time; False: it is over."""
        if not getattr(self.sock, "pending", int)() and not select.select([self.sock], [], [], wait)[0]:
            return None
        self.sock.settimeout(wait)
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return None  # of TLS, but nothing for us
        except ConnectionError:
            return False
        finally:
            self.sock.settimeout(WAIT)
        self.got += data
        return bool(data)

    def line(self):
        self.connected()
        while b"\n" not in self.got:
            if not self.receive(WAIT):
                raise Said(f"nothing more was said: {self.got[-200:]!r}")
        line, self.got = self.got.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def reply(self):
        while self.line()[3:4] == b"-":
            pass

    def flush(self):
        data, self.pending = self.pending, b""
        if data:
            self.connected()
            try:
                self.sock.sendall(data)
            except ConnectionError:
                pass  # it was closed; what it said before that is judged

    def quietly(self, depth):
        self.connected()
        self.reply()
        for command in [b"LHLO client.example" if self.role == "lmtp" else b"EHLO client.example",
                        b"MAIL FROM:<a@b.example>", b"RCPT TO:<alice@example.org>", b"DATA"][:depth]:
            self.sock.sendall(command + b"\r\n")
            self.reply()

    def messages(self, where):
        user, _, name = where.partition("/")
        box = self.server.mail / user / (f".{name}" if name else "")
        return [path for sub in ("cur", "new") if (box / sub).is_dir() for path in (box / sub).iterdir()]

    def is_last(self, where):
        wanted, self.message = self.message, b""
        for ours, theirs in OURS:
            wanted = wanted.replace(ours, theirs)
        got = max(self.messages(where), key=lambda path: path.stat().st_mtime_ns).read_bytes()
        if not fits(wanted.replace(b"\r\n", b"\n"), got.replace(b"\r\n", b"\n")):
            raise Said(f"{where} has another message: {got!r}")

    def step(self, line):
        word = line.decode("latin-1")
        if line[:2] == b"C:":
            self.pending += octets(line[3:])
        elif match := re.match(rb"C\*(\d+): ?(.*)", line, re.S):
            self.pending += int(match[1]) * octets(match[2])
        elif line[:2] == b"S:":
            self.flush()
            if not fits(line[3:], got := self.line()):
                raise Said(f"expected {line[3:]!r}, got {got!r}")
        elif line[:1] == b">":
            self.message += line[2:] + b"\r\n"
        elif word in ("hello", "mail", "rcpt", "data"):
            self.quietly(1 + ["hello", "mail", "rcpt", "data"].index(word))
        elif word.startswith("mailbox "):
            user, _, name = word[8:].partition("/")
            for sub in ("cur", "new", "tmp"):
                (self.server.mail / user / sub).mkdir(parents=True, exist_ok=True)
                (self.server.mail / user / f".{name}" / sub).mkdir(parents=True)
        else:
            self.flush()
            self.happens(word)

    def happens(self, word):
        if word == "silence":
            self.silence()
        elif word == "closed":
            while self.receive(WAIT):
                pass
        elif word == "eof":
            self.sock.shutdown(socket.SHUT_WR)
            while self.receive(WAIT):
                pass
        elif word == "tls-up":
            self.encrypt()
        elif word.startswith("has "):
            where, count = word[4:].split()
            if len(self.messages(where)) != int(count):
                raise Said(f"{word}: {len(self.messages(where))}")
        elif word.startswith("is "):
            self.is_last(word[3:])
        elif word not in SETTINGS and word not in ("lmtp", "submission", "whole", "open", "tls") and \
                not word.startswith("quota "):
            raise Said(f"what is this: {word!r}")

    def silence(self):
        self.connected()
        while self.receive(0.02):
            pass
        if self.got:
            raise Said(f"more was said: {self.got[:200]!r}")

    def run(self, lines):
        for line in lines:
            if line and not line.startswith(b"#"):
                self.step(line)
        self.flush()
        self.silence()

    def end(self):
        if self.sock:
            self.sock.close()
        return self.server.stop()


def run(name, lines, way):
    world, why = None, ""
    try:
        world = World(lines, way)
        world.run(lines)
    except (Said, OSError, RuntimeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
    code = world.end() if world else 0
    return f"{way}: {name}", why or (f"the server ended with {code}" if code else "")


def ways(lines):
    """How this talk can be had over sockets."""
    text = b"\n".join(lines)
    known = {line.encode() for line in SETTINGS}
    if b"engine" in lines or re.search(rb"(?m)^(fail |time |shutdown)", text) or \
            any(line.startswith(b"option ") and line not in known for line in lines) or \
            re.search(rb"(?m)^quota [1-9]", text):
        return []
    if b"tls" in lines:
        return ["tls"] if b"submission" in lines else []
    if b"option trusted" in lines or b"secure" in lines or b"option tls_required" in lines:
        return ["tcp"]
    if b"submission" in lines and not re.search(rb"STARTTLS|with ESMTPA", text):
        return ["tcp", "tls"]
    return ["tcp", "unix"] if b"lmtp" in lines and b"127.0.0.1" not in text and b"192.0.2.1" not in text else ["tcp"]


def main():
    wanted = sys.argv[1:]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = []
        for name, lines in talks(SOURCE / "tests/wire/smtp"):
            if wanted and not any(word in name for word in wanted):
                continue
            found = ways(lines)
            checks.skipped += not found
            jobs += [pool.submit(run, name, lines, way) for way in found]
        for job in jobs:
            name, why = job.result()
            checks.check(name, not why, why)
    checks.finish()


main()
