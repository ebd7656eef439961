#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_daemon - the talks that need only users and messages, over real sockets against `postern serve`.

Each talk gets users, a maildir and a loopback address of its own (so that delays after failed logins stay
with it); talks with the same settings share one server. What a socket cannot show (time steps, deferred
answers, faults of the store, the engine's own options) is skipped and counted.

usage: test_daemon.py [AREA/NAME...]      BUILD names the build folder"""
import base64
import collections
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import tempfile
import threading

from pop3_talk import SETUP, UNSEEN, Skip, Talk, unescape

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build/release")).resolve()
PATIENCE = 30  # a server that says nothing for so long has failed; never waited for when all is well


class Failed(Exception):
    pass


def crypt_fast(password):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password, b"$5$rounds=1000$postern$").decode()


def on_wire(raw, stuffed):
    wire = re.sub(rb"(?<!\r)\n", b"\r\n", raw)
    if raw and not raw.endswith(b"\n"):
        wire += b"\r\n"
    return re.sub(rb"(?:^|(?<=\n))\.", b"..", wire) if stuffed else wire


class Server:
    """One `postern serve` for all talks of the same settings."""

    def __init__(self, folder, settings, talks):
        self.mail = folder / "mail"
        self.mail.mkdir(parents=True)
        users = [f"{name}{talk.number}:{crypt_fast(password)}" for talk in talks for name, password in talk.users.items()]
        (folder / "users").write_text("\n".join(users) + "\n", encoding="utf-8")
        values = {"config_version": 1, "host": "pop.example", "listen": ("127.0.0.1:0",), "listen_tls": ("127.0.0.1:0",),
                  "imap_listen": (), "imap_listen_tls": (),
                  "mail": str(self.mail), "users": str(folder / "users"), "plaintext": "always", "ban_strikes": 0,
                  "connections_per_address": 0, "log_level": "info",
                  "mechanisms": ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1"), **settings}
        config = folder / "postern.conf"
        config.write_text("".join(f"{key} = {self.value(key, v)}\n" for key, v in values.items()), encoding="utf-8")
        self.process = subprocess.Popen([str(BUILD / "postern"), "serve", "--config", str(config)],
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.ports, self.log = {}, collections.deque(maxlen=200)
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"listening.*address=\"?[^ ]*:(\d+)\"? .*?protocol=(\w+)", line)
            if found:
                self.ports[found[2]] = int(found[1])
            if len(self.ports) == 2:
                break
        if len(self.ports) != 2:
            raise Failed("the server did not start: " + "".join(self.log))
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    @staticmethod
    def value(key, value):
        if isinstance(value, tuple):
            return "{" + ", ".join(f'"{v}"' for v in value) + "}"
        plain = isinstance(value, int) or key in ("last", "read_only", "expire_days")
        return {"yes": "true", "no": "false"}.get(value, value) if plain else f'"{value}"'

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("the server did not end on SIGTERM") from None


class Run:
    """One talk over one connection at a time."""

    def __init__(self, talk, server):
        self.talk, self.server = talk, server
        self.sock, self.got, self.messages, self.at, self.tls = None, b"", {}, 0, "tls" in talk.lines
        self.folder = server.mail / f"alice{talk.number}"
        for name in talk.users:
            for part in ("cur", "new", "tmp"):
                (server.mail / f"{name}{talk.number}" / part).mkdir(parents=True)

    def add(self, uid, raw):
        if not re.fullmatch(r"[A-Za-z0-9!~_-][A-Za-z0-9.!~_-]*", uid):
            raise Skip("a unique-id that no file name can have")
        if not self.sock and self.messages and uid < max(self.messages):
            raise Skip("not in the order of names")
        self.messages[uid] = raw
        (self.folder / "tmp" / uid).write_bytes(raw)
        os.utime(self.folder / "tmp" / uid, (1e9 + len(self.messages), 1e9 + len(self.messages)))
        (self.folder / "tmp" / uid).rename(self.folder / "new" / uid)

    def files(self):
        return [path for part in ("cur", "new") for path in (self.folder / part).iterdir()]

    def connect(self):
        source = f"127.{64 + self.talk.number // 250}.{self.talk.number % 250 + 1}.1"
        port = self.server.ports["pop3s" if self.tls else "pop3"]
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            self.wrap()

    def wrap(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # R96
        self.sock = context.wrap_socket(self.sock, suppress_ragged_eofs=False)  # R96: close_notify must come

    def receive(self):
        try:
            more = self.sock.recv(65536)
        except socket.timeout:
            raise Failed(f"the server says nothing; left: {self.got!r}") from None
        self.got += more
        return bool(more)

    def line(self, wanted):
        while b"\r\n" not in self.got:
            if not self.receive():
                raise Failed(f"expected {wanted!r}, but the connection is closed; left: {self.got!r}")
        line, self.got = self.got.split(b"\r\n", 1)
        return line

    @staticmethod
    def matches(wanted, line):
        if wanted in ("+OK~", "-ERR~"):
            return line == wanted[:-1].encode() or (line.startswith(wanted[:-1].encode() + b" ") and
                                                    line[len(wanted):len(wanted) + 1] != b"[")
        if not wanted.endswith("*"):
            return line == unescape(wanted)
        prefix, _, inner = wanted[:-1].partition("*")
        return line.startswith(unescape(prefix)) and inner.encode() in line

    def expect(self, wanted):
        wanted = self.talk.own(wanted)
        while wanted == "...":
            if self.line(wanted) == b".":
                return
        line = self.line(wanted)
        if not self.matches(wanted, line):
            raise Failed(f"expected {wanted!r}, got {line!r}")

    def expect_has(self, items):
        lines = []
        while not lines or lines[-1] != b".":
            lines.append(self.line(items))
        for item in items.split(", "):
            absent = item.startswith("!")
            if any(self.matches(item.removeprefix("!"), line) for line in lines) == absent:
                raise Failed(f"{item} in {lines}")

    def expect_body(self, uid):
        wanted = on_wire(self.messages[uid], True) + b".\r\n"
        while len(self.got) < len(wanted) and self.receive():
            pass
        if not self.got.startswith(wanted):
            raise Failed(f"the body of {uid} differs: {self.got[:200]!r}")
        self.got = self.got[len(wanted):]

    def client(self, word, rest):
        rest = self.talk.own(rest)
        if word == "C(fill):":
            size, _, start = rest.partition(" ")
            return unescape(start).ljust(int(size) - 2, b"x") + b"\r\n"
        if word == "C(auth):":
            mechanism, _, text = rest.partition(" ")
            return b"AUTH " + mechanism.encode() + b" " + base64.b64encode(unescape(text)) + b"\r\n"
        if word == "C(b64):":
            return base64.b64encode(unescape(rest)) + b"\r\n"
        return unescape(rest) + (b"" if word == "C(raw):" else b"\r\n")

    def message(self, word, rest):
        uid, _, text = rest.partition(":")
        text = text.removeprefix(" ")
        end = {"message(lf)": b"\n", "message(raw)": b""}.get(word, b"\r\n")
        if not text.startswith("<<"):
            return self.add(uid, unescape(text) + end)
        raw = b""
        while self.talk.lines[self.at + 1] != text[2:]:
            self.at += 1
            raw += unescape(self.talk.lines[self.at]) + end
        self.at += 1
        return self.add(uid, raw)

    def mailbox(self, rest):
        for item in rest.split():
            uid, size = re.fullmatch(r"(.*?)(?::(\d+))?", item).groups()
            start = f"Subject: {uid}\r\n\r\n".encode()
            if size is None:
                self.add(uid, start + f"body of {uid}\r\n".encode())
            else:
                start = start if int(size) >= len(start) + 2 else b""
                self.add(uid, (start.ljust(int(size) - 2, b"x") + b"\r\n")[:int(size)])

    def setup(self, word, rest):
        if word == "mailbox:":
            self.mailbox(rest)
        elif word.startswith("message") or word == "arrive":
            self.message(word, rest)
        elif word == "vanish":
            for path in self.files():
                if path.name.split(":2,")[0] == rest:
                    path.unlink()
        else:
            return word in SETUP
        return True

    def ended(self):
        while self.receive():
            pass
        if self.got:
            raise Failed(f"the server said {self.got!r} before it closed")

    def store(self, rest):
        wanted = sorted(filter(None, rest.split(",")))
        for _ in range(200):  # files are removed after the answer
            have = sorted(path.name.split(":2,")[0] for path in self.files())
            if have == wanted:
                break
            time.sleep(0.05)
        if have != wanted:
            raise Failed(f"the store has {have}, expected {rest}")

    def step(self, word, rest):
        if word == "S:":
            self.expect(rest)
        elif word == "S(has):":
            self.expect_has(rest)
        elif word == "S(body)":
            self.expect_body(rest)
        elif word == "S(b64):":
            self.expect("+ " + base64.b64encode(unescape(rest)).decode())
        elif word == "S(close)":
            self.ended()
        elif word == "login":
            self.expect("+OK*")
            for line in (f"USER alice{self.talk.number}", "PASS secret"):
                self.sock.sendall(line.encode() + b"\r\n")
                self.expect("+OK*")
        elif word == "tls-up":
            self.wrap()
        elif word == "eof":
            self.sock.shutdown(socket.SHUT_WR)
        elif word == "again":
            self.sock.close()
            self.connect()
        elif word == "store:":
            self.store(rest)

    def pipelined(self):
        """This C line and those that follow it directly, in one segment."""
        data = b""
        while self.at < len(self.talk.lines) and self.talk.lines[self.at].startswith("C"):
            word, _, rest = self.talk.lines[self.at].partition(" ")
            data += self.client(word, rest)
            self.at += 1
        self.at -= 1
        self.sock.sendall(data)

    def run(self):
        try:
            while self.at < len(self.talk.lines):
                line = self.talk.lines[self.at]
                word, _, rest = line.partition(" ")
                if line and word != "#" and not self.setup(word, rest):
                    if not self.sock:
                        self.connect()
                    if word.startswith("C"):
                        self.pipelined()
                    elif word not in UNSEEN:
                        self.step(word, rest)
                self.at += 1
            if self.got:
                raise Failed(f"the server said {self.got!r} as well")
        except (OSError, Failed) as error:
            raise Failed(f"pop3/{self.talk.name}.talk:{self.at + 1}: {error}") from None
        finally:
            if self.sock:
                self.sock.close()


def main():
    paths = sorted(HERE.glob("pop3/*/*.talk"))
    wanted = set(sys.argv[1:])
    groups, skipped, passed, failed = collections.defaultdict(list), 0, 0, 0
    for number, path in enumerate(paths):
        if wanted and f"{path.parent.name}/{path.stem}" not in wanted:
            continue
        try:
            talk = Talk(path, number)
            groups[tuple(sorted(talk.settings.items()))].append(talk)
        except Skip:
            skipped += 1
    top = pathlib.Path(tempfile.mkdtemp(prefix="postern-talks-"))
    try:
        for index, (settings, talks) in enumerate(groups.items()):
            server = Server(top / str(index), dict(settings), talks)
            for talk in talks:
                try:
                    Run(talk, server).run()
                    passed += 1
                except Skip:
                    skipped += 1
                except Failed as error:
                    failed += 1
                    print("FAIL", error)
            if server.process.poll() is not None:
                failed += 1
                print("FAIL the server ended by itself:", "".join(server.log))
            else:
                server.stop()
    finally:
        shutil.rmtree(top)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return bool(failed) or not passed


sys.exit(main())
