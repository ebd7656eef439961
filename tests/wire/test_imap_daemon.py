#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_imap_daemon - the talks of tests/wire/imap over real sockets: `postern serve` with Maildirs, once over TCP and once
over TLS, there compressed once a session was logged in quietly. Each talk has a server and mail of its own. Talks that
need the engine's own world (a clock, limits in octets) say so with a line "engine"."""
import concurrent.futures
import pathlib
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from harness import POSTERN, SOURCE, Checks, Server  # noqa: E402
from talk_line import fits, learn, named, octets, talks  # noqa: E402

checks = Checks()
WAIT = 20


class Said(Exception):
    """Something else was said than the talk says."""


class Session:
    def __init__(self, world):
        port = world.server.imaps if world.tls else world.server.imap
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        if world.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
        self.got, self.squeeze, self.expand = b"", None, None

    def send(self, data):
        if self.squeeze:
            data = self.squeeze.compress(data) + self.squeeze.flush(zlib.Z_SYNC_FLUSH)
        self.sock.sendall(data)

    def receive(self, wait):
        """More, if it comes in time; False: it is over."""
        if not getattr(self.sock, "pending", int)() and not select.select([self.sock], [], [], wait)[0]:
            return None
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            return False
        self.got += self.expand.decompress(data) if self.expand and data else data
        return bool(data)

    def line(self):
        while b"\n" not in self.got:
            if not self.receive(WAIT):
                raise Said(f"nothing more was said: {self.got[-200:]!r}")
        line, self.got = self.got.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def quietly(self, commands, compress):
        for command in commands:
            self.send(b"x " + command + b"\r\n")
            while not self.line().startswith(b"x "):
                pass
        if compress:
            self.send(b"x compress deflate\r\n")
            while not self.line().startswith(b"x "):
                pass
            self.squeeze, self.expand = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)


class World:
    """A server, and the sessions of one talk."""

    def __init__(self, lines, tls, users):
        settings = ["append_mb = 1", "threads = 1", "workers = 1"]
        for line in lines:
            if line.startswith(b"hide "):
                names = ", ".join(f'"{name}"' for name in line[5:].decode().split())
                settings.append(f"imap_without = {{{names}}}")
            if line.startswith(b"quota 0 "):
                for name, limit in zip(("messages", "mailboxes"), line.split()[2:]):
                    settings.append(f"quota_{name} = {int(limit)}")
            if line.startswith((b"message-limit ", b"save-limit ")):
                settings.append("imap_" + line.decode().replace("-", "_").replace(" ", " = "))
            if line == b"may-set-quota":
                settings.append("imap_set_quota = yes")
            if line == b"share":
                settings += ['other_users = "Other"', 'shared = "Shared"', 'shared_account = "public"']
            if line == b"secure":
                settings.append('plaintext = "tls"')
        self.server, self.tls = Server(users=(), settings=settings, users_text=users), tls
        self.compress = tls and not any(word in line for line in lines for word in (b"compress", b"unauthenticate"))
        self.sessions, self.message, self.pending, self.names = {}, b"", (1, b""), {}

    def session(self, who):
        if who not in self.sessions:
            self.sessions[who] = Session(self)
        return self.sessions[who]

    def deliver(self, messages, recent):
        stream = b"".join(b"%d\n%s" % (len(one), one) for one in messages)
        subprocess.run([POSTERN, "put", "ann", "--stream", "--mail", str(self.server.mail)], input=stream, check=True,
                       stdout=subprocess.DEVNULL)
        if not recent:  # a session takes them
            with socket.create_connection(("127.0.0.1", self.server.imaps), timeout=WAIT) as plain:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                with context.wrap_socket(plain) as sock:
                    sock.sendall(b"a login ann secret\r\nb select inbox\r\nc logout\r\n")
                    while sock.recv(65536):
                        pass

    def flush(self):
        who, data = self.pending
        self.pending = (1, b"")
        if data:
            self.session(who).send(data)

    def silence(self):
        for session in self.sessions.values():
            while session.receive(0.02):
                pass
            if session.got:
                raise Said(f"more was said: {session.got[:200]!r}")

    def step(self, line):
        numbered = line[:1] in b"1234" and line[:1]
        who, word = (int(line[:1]), line[1:]) if numbered else (1, line)
        if word[:2] in (b"C:", b"S:"):
            text = named(self.names, word[3:])
            if word[:1] == b"C":
                if self.pending[0] != who:
                    self.flush()
                self.pending = (who, self.pending[1] + octets(text))
                self.session(who)
                return
            self.flush()
            got = self.session(who).line()
            if not fits(learn(self.names, text, got), got):
                raise Said(f"expected {text!r}, got {got!r}")
            return
        self.flush()
        number = int(line.split()[1]) if line.startswith((b"mail ", b"new ")) else 0
        if number:
            self.deliver([b"From: Ann <ann@example.org>\r\nSubject: number %d\r\n\r\nbody %d\r\n" % (i, i)
                          for i in range(1, number + 1)], line.startswith(b"new "))
        elif line.startswith(b">"):
            self.message += octets(line[2:])
        elif line == b"deliver":
            self.deliver([self.message], False)
            self.message = b""
        elif word.split()[0] in (b"login", b"select"):
            name, mailbox = (word.split()[1:] + [b"ann", b"inbox"][len(word.split()) - 1:])[:2]
            self.session(who).quietly([b"login %s secret" % name] + [b"select " + mailbox] * word.startswith(b"select"),
                                      self.compress and not self.session(who).squeeze)
        elif line == b"silence":
            self.silence()
        elif line == b"closed":
            while self.session(self.last).receive(WAIT):
                pass
        elif not line.startswith((b"hide ", b"share", b"quota ", b"secure", b"news", b"server", b"may-set-quota", b"starve", b"message-limit ", b"save-limit ")):
            raise Said(f"what is this: {line!r}")

    last = 1

    def run(self, lines):
        for line in lines:
            if line and not line.startswith(b"#"):
                if line[1:2] == b"C" and line[:1] in b"1234":
                    self.last = int(line[:1])
                elif line[:1] == b"C":
                    self.last = 1
                self.step(line)
        self.flush()
        self.silence()

    def end(self):
        for session in self.sessions.values():
            session.sock.close()
        return self.server.stop()


def run(name, lines, tls, users):
    world, why = None, ""
    try:
        world = World(lines, tls, users)
        world.run(lines)
    except (Said, OSError, RuntimeError, subprocess.SubprocessError) as error:
        why = f"{type(error).__name__}: {error}"
    code = world.end() if world else 0
    return f"{'TLS' if tls else 'TCP'}: {name}", why or (f"the server ended with {code}" if code else "")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-users-"))
    for user in ("ann", "bob", "carl", "public"):
        subprocess.run([POSTERN, "user", "add", user, "--users", str(folder / "users")], input="secret\n", text=True, check=True,
                       stdout=subprocess.DEVNULL)
    users = (folder / "users").read_text()
    shutil.rmtree(folder)
    wanted = sys.argv[1:]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = []
        for name, lines in talks(SOURCE / "tests/wire/imap"):
            if b"engine" in lines:
                checks.skipped += 2
            elif not wanted or any(word in name for word in wanted):
                jobs += [pool.submit(run, name, lines, tls, users) for tls in (False, True)]
        for job in jobs:
            name, why = job.result()
            checks.check(name, not why, why)
    checks.finish()


main()
