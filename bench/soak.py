#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak [SECONDS] - 200 IMAP sessions that come, work and go, for ten minutes if not said otherwise: plain, under TLS,
and compressed. The memory and the descriptors of the server must not grow once it is warm, and no command is answered
with BAD. Results: build/bench/soak.md."""
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import idle  # noqa: E402
import run as bench  # noqa: E402

SECONDS, SESSIONS, USERS, THREADS = (20, 40, 5, 4) if bench.QUICK else (600, 200, 20, 8)
if len(sys.argv) > 1:
    SECONDS = int(sys.argv[1])
MESSAGE = b"From: a@example.org\r\nSubject: soak %d\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n" + b"soaking wet\r\n" * 100


class Session:
    """One connection; each call of step() says one command, or comes anew."""

    def __init__(self, ports, context, number):
        self.ports, self.context, self.number, self.random = ports, context, number, random.Random(number)
        self.sock = None
        self.steps = 0

    def come(self):
        plain, tls = self.ports
        self.sock = socket.create_connection(("127.0.0.1", tls if self.number % 3 else plain), 120)
        if self.number % 3:
            self.sock = self.context.wrap_socket(self.sock)
        self.deflate = self.inflate = None
        self.got = b""
        self.say(f"login user{self.number % USERS} bench")
        if self.number % 3 == 2:
            self.say("compress deflate")
            self.deflate, self.inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        self.say("select inbox")
        self.left = self.random.randrange(20, 200)

    def send(self, data):
        self.sock.sendall(self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH) if self.deflate else data)

    def receive(self, ends):
        """All until a line begins with one of `ends`; that line."""
        while True:
            line, found, rest = self.got.partition(b"\r\n")
            if found:
                self.got = rest
                if line.startswith(ends):
                    return line
                continue
            part = self.sock.recv(65536)
            if not part:
                sys.exit(f"soak: session {self.number} was closed")
            self.got += self.inflate.decompress(part) if self.inflate else part

    def say(self, text, literal=None):
        self.send(f"t {text}".encode() + (b"" if literal is None else b" {%d+}\r\n" % len(literal) + literal) + b"\r\n")
        line = self.receive((b"t ",))
        if line.startswith(b"t BAD"):
            sys.exit(f"soak: {text!r} was answered {line!r}")

    def wait(self):
        self.send(b"t idle\r\n")
        self.receive((b"+ ",))
        self.send(b"DONE\r\n")
        self.receive((b"t ",))

    def mailbox(self):
        name = f"soak{self.number}"
        for text in (f"create {name}", f"uid copy 1:20 {name}", f"setmetadata {name} (/private/comment \"wet\")",
                     f"status {name} (messages unseen)", f"delete {name}"):
            self.say(text)

    def step(self):
        self.steps += 1
        if self.sock and self.left == 0:
            self.say("logout")
            self.sock.close()
            self.sock = None
        if not self.sock:
            self.come()
            return
        self.left -= 1
        first = self.random.randrange(1, 3000)
        self.random.choice((
            lambda: self.say("append inbox (\\Seen)", MESSAGE % first),
            lambda: self.say(f"uid store {first}:* +flags.silent (\\Deleted)" if self.random.random() < .2 else "noop"),
            lambda: self.say("expunge"),
            lambda: self.say(f"uid fetch {first}:* (flags envelope bodystructure)"),
            lambda: self.say(f"uid fetch {first} body[]"),
            lambda: self.say(f"uid store {first} +flags (k{first % 50} \\Flagged)"),
            lambda: self.say(f"uid search return (all save) subject \"soak {first % 100}\""),
            lambda: self.say("uid sort (subject) utf-8 all"),
            lambda: self.say("search text dry"),
            lambda: self.say("list \"\" * return (status (messages))"),
            self.wait,
            self.mailbox,
        ))()


def work_on(sessions, end, faults):
    try:
        while time.monotonic() < end:
            for session in sessions:
                session.step()
    except (OSError, SystemExit) as fault:
        faults.append(str(fault))


def memory(pid):
    """KiB of its own, and of files that it has mapped."""
    facts = dict(line.split()[:2] for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return int(facts["Pss_Anon:"]), int(facts["Pss_File:"])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def soak(server, ports, context):
    before = descriptors(server.process.pid)
    sessions = [Session(ports, context, i) for i in range(SESSIONS)]
    faults, samples, begin = [], [], time.monotonic()
    threads = [threading.Thread(target=work_on, args=(sessions[i::THREADS], begin + SECONDS, faults)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(SECONDS / 40)
        samples.append((time.monotonic() - begin, *memory(server.process.pid), descriptors(server.process.pid)))
    for session in sessions:
        if session.sock:
            session.sock.close()
    time.sleep(2)
    after = descriptors(server.process.pid)
    if after > before + 5 * USERS:  # an account that was open lately keeps four
        faults.append(f"{before} descriptors before, {after} when all had gone")
    half, last = samples[len(samples) // 2][1], samples[-1][1]
    if SECONDS >= 120 and last > half * 1.1:
        faults.append(f"memory grew from {half} to {last} KiB in the second half")
    return sum(session.steps for session in sessions), samples, after, faults


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-soak-"))
    try:
        bench.certificate(work)
        for i in range(USERS):
            bench.make_maildir(work / "mail" / f"user{i}", 100, 1000, os.getuid(), os.getgid())
        server, plain, tls = idle.start(work)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            steps, samples, after, faults = soak(server, (plain, tls), context)
        finally:
            server.stop()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = [f"{SESSIONS} sessions over {USERS} mailboxes, {steps} commands in {SECONDS} s; {after} descriptors when all had gone.", "",
             "| s | KiB of the server | of mapped files | descriptors |", "| --- | --- | --- | --- |"]
    lines += [f"| {at:.0f} | {own} | {mapped} | {count} |" for at, own, mapped, count in samples[3::4]]
    bench.OUT.mkdir(parents=True, exist_ok=True)
    if not bench.QUICK:
        (bench.OUT / "soak.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines + faults))
    if faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
