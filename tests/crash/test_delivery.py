#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""delivery - P1 P2: the server is killed (kill -9) while eight LMTP streams deliver, again and again. Each sender notes what was
answered with 250; all of that is there afterwards, whole, and once. What was not answered is there whole or not at all.
Then a disk that fills up in the middle of a message: 452, nothing is left behind, and what is smaller is taken."""
import hashlib
import os
import pathlib
import random
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import Checks, Server  # noqa: E402

ROUNDS = int(os.environ.get("DELIVERY_ROUNDS", "8"))
STREAMS = 8
HASH = "$1$talk$N5L5/tTgLo/SVo/A48QuQ."  # of "secret"
SETTINGS = ['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {}', 'submission_listen_tls = {}',
            'lmtp_listen = {"127.0.0.1:0"}']
USERS = "".join(f"u{i}:{HASH}\n" for i in range(3))
checks = Checks()


def message(number):
    text = random.Random(number).randbytes(random.Random(number).randrange(20, 12000)).hex().encode()
    lines = b"\r\n".join(text[i:i + 72] for i in range(0, len(text), 72))
    return b"Subject: %d\r\nX-Sum: %s\r\n\r\n%s\r\n" % (number, hashlib.sha1(lines).hexdigest().encode(), lines)


class Stream(threading.Thread):
    """Sends until the server is gone; notes what was accepted, by user."""

    def __init__(self, port, numbers):
        super().__init__(daemon=True)
        self.port, self.numbers, self.kept, self.sent = port, numbers, [], []

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
                reader = sock.makefile("rb")
                reader.readline()
                sock.sendall(b"LHLO x\r\n")
                while reader.readline()[3:4] == b"-":
                    pass
                for number in self.numbers:
                    users = random.sample(range(3), random.randrange(1, 4))
                    self.sent.append((number, users))
                    sock.sendall(b"MAIL FROM:<a@b.example>\r\n" + b"".join(b"RCPT TO:<u%d@example.org>\r\n" % u for u in users) +
                                 b"DATA\r\n" + message(number) + b".\r\n")
                    for _ in range(2 + len(users)):
                        reader.readline()
                    for user in users:
                        if reader.readline().startswith(b"250 "):
                            self.kept.append((number, user))
        except OSError:
            pass


def stored(server, user):
    """The numbers of the messages of a user, and which of them are broken."""
    numbers, broken = [], []
    for sub in ("cur", "new"):
        for path in (server.mail / user / sub).glob("*"):
            head, _, body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in head.split(b"\n") if b": " in line and not line.startswith(b"\t"))
            numbers.append(int(fields[b"Subject"]))
            if hashlib.sha1(body.removesuffix(b"\n").replace(b"\n", b"\r\n")).hexdigest().encode() != fields[b"X-Sum"]:
                broken.append(path.name)
    return numbers, broken


def seen(server, user):
    """How many messages a client is shown."""
    import poplib
    pop = poplib.POP3("127.0.0.1", server.plain, timeout=60)
    pop.user(user)
    pop.pass_("secret")
    count = pop.stat()[0]
    pop.quit()
    return count


def killed():
    folder, number, kept = Server.make_folder(), 0, []
    for turn in range(ROUNDS):
        server = Server(settings=SETTINGS, users=(), users_text=USERS, folder=folder)
        streams = [Stream(server.port("lmtp"), range(number + i * 100000, number + (i + 1) * 100000)) for i in range(STREAMS)]
        number += STREAMS * 100000
        for stream in streams:
            stream.start()
        time.sleep(random.uniform(0.05, 0.8))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for stream in streams:
            stream.join(30)
            kept += stream.kept
        server = Server(settings=SETTINGS, users=(), users_text=USERS, folder=folder)
        for user in range(3):
            shown = seen(server, f"u{user}")
            numbers, broken = stored(server, f"u{user}")
            lost = [n for n, u in kept if u == user and n not in set(numbers)]
            checks.check(f"round {turn}, u{user}: nothing that was acknowledged is lost", not lost, f"{len(lost)} of {len(kept)}")
            checks.check(f"round {turn}, u{user}: nothing is there twice", len(numbers) == len(set(numbers)))
            checks.check(f"round {turn}, u{user}: all is whole", not broken, str(broken[:3]))
            checks.check(f"round {turn}, u{user}: a client is shown what is there", shown == len(numbers), f"{shown} {len(numbers)}")
        server.process.send_signal(signal.SIGTERM)
        checks.check(f"round {turn}: the server ends well", server.process.wait(30) == 0)
    checks.check("many were acknowledged", len(kept) > ROUNDS * STREAMS, str(len(kept)))
    server.stop()


def full():
    if os.geteuid():
        checks.skip("only root can mount a small disk")
        return
    with tempfile.TemporaryDirectory() as small:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True).returncode:
            checks.skip("no small disk can be mounted here")
            return
        server = None
        try:
            os.chmod(small, 0o755)
            server = Server(settings=[*SETTINGS, f'mail = "{small}/mail"'], users=(), users_text=USERS)
            with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
                smtp.sendmail("a@b.example", ["u0@example.org"], message(1))
                try:
                    smtp.sendmail("a@b.example", ["u0@example.org", "u1@example.org"], message(2) + b"x" * 76 + b"\r\n" * 4000000)
                    code = 250
                except smtplib.SMTPResponseException as error:
                    code = error.smtp_code
                checks.check("a full disk: 452", code == 452, str(code))
                left = [path for path in pathlib.Path(small).rglob("tmp/*")]
                checks.check("a full disk: nothing is left behind", not left, str(left))
                smtp.sendmail("a@b.example", ["u0@example.org", "u1@example.org"], message(3))
            checks.check("a full disk: what is smaller is taken", [seen(server, "u0"), seen(server, "u1")] == [2, 1])
        finally:
            if server:
                server.stop()
            subprocess.run(["umount", small], check=False)


checks.run("killed", killed)
checks.run("full", full)
checks.finish()
