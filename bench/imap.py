#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap - IMAP against tuned Dovecot on the same mail in one run: CPU time of all processes of a server per operation,
driven by one plain socket. Results: build/bench/imap.md."""
import os
import pathlib
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as bench  # noqa: E402

SIZES = (1000, 3000) if bench.QUICK else (10000, 100000)
SYNC = "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE"
SMALL = b"Subject: appended\r\nFrom: a@example.org\r\n\r\n" + b"x" * 70 + b"\r\n"
SMALL += (b"the quick brown fox jumps over the lazy dog and runs away from it all\r\n" * 60)[:4096 - len(SMALL)]


class Client:
    """One command at a time; of the answers only their end is looked at."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.count = 0
        self.until(b"*")

    def until(self, tag):
        tail = b"\r\n"
        while True:
            octets = self.socket.recv(1 << 20)
            if not octets:
                sys.exit(f"imap: closed; waited for {tag!r} after {tail[-200:]!r}")
            tail = tail[-2000:] + octets
            at = tail.rfind(b"\r\n" + tag + b" ")
            if at >= 0 and tail.endswith(b"\r\n"):
                if tag != b"*" and not tail.startswith(tag + b" OK", at + 2):
                    sys.exit(f"imap: {tail[at:]!r}")
                return

    def say(self, command):
        self.count += 1
        tag = f"t{self.count}".encode()
        self.socket.sendall(tag + b" " + command + b"\r\n")
        self.until(tag)

    def pipeline(self, command, count):
        """So many of it in one packet, as a program sends them; of lone ones both servers' CPU time is mostly waking up."""
        tags = [f"t{self.count + 1 + i}".encode() for i in range(count)]
        self.count += count
        self.socket.sendall(b"".join(tag + b" " + command + b"\r\n" for tag in tags))
        self.until(tags[-1])

    def append(self, octets):
        self.say(b"APPEND INBOX {%d+}\r\n%s" % (len(octets), octets))


def realistic(folder, count, uid, gid):
    """A Maildir of messages with the headers that mail has, each 4th in two parts."""
    rng = random.Random(7)
    for sub in ("cur", "new", "tmp"):
        (folder / sub).mkdir(parents=True)
    for i in range(count):
        name = f"user{rng.randrange(1000)}"
        head = (f"Return-Path: <{name}@example.org>\r\nReceived: from mx{i % 9}.example.org (mx.example.org [192.0.2.{i % 250}])\r\n"
                f"\tby mail.example.com (Postfix) with ESMTPS id {rng.randrange(1 << 40):X}\r\n\tfor <bench@example.com>; "
                f"Fri, 20 Nov 2026 10:00:00 +0000 (UTC)\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;\r\n"
                f"\ts=k1; h=from:to:subject:date; bh={rng.randrange(1 << 200):x}=;\r\n\tb={rng.randrange(1 << 900):x}\r\n"
                f"Date: Fri, 20 Nov 2026 {i % 24:02}:{i % 60:02}:00 +0000\r\nFrom: \"User, {name}\" <{name}@example.org>\r\n"
                f"To: bench@example.com, \"Somebody Else\" <else{i}@example.net>\r\nCc: list@example.net\r\nSubject: message {i} about "
                f"{rng.choice(('lunch', 'the report', 'invoices', 'a bug', 'holidays'))}\r\nMessage-ID: <{i}.{rng.randrange(1 << 30)}@example.org>\r\n"
                f"In-Reply-To: <{i - 1}@example.org>\r\nReferences: <{i - 2}@example.org> <{i - 1}@example.org>\r\nMIME-Version: 1.0\r\n"
                "User-Agent: Bench 1.0\r\n")
        line = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=70)) + "\r\n"
        if i % 4:
            body = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + line * 20
        else:
            body = ("Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                    + line * 10 + "--b1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                    + line * 10 + "--b1--\r\n")
        data = (head + body).encode()
        (folder / "cur" / f"{1600000000 + i}.M{i}P1.bench,S={len(data)},W={len(data)}:2,").write_bytes(data)
    for path in [folder.parent, folder, *folder.rglob("*")]:
        os.chown(path, uid, gid)


def forget(mail, user):
    shutil.rmtree(mail / user / "postern", ignore_errors=True)
    for path in (mail / user).glob("dovecot*"):
        path.unlink()


class Meter:
    def __init__(self, server, port, mail):
        self.server, self.port, self.mail, self.rows = server, port, mail, {}

    def open(self, user):
        client = Client(self.port)
        client.say(b"LOGIN %s bench" % user.encode())
        return client

    def take(self, name, count, work):
        before = bench.cpu_seconds(self.server.process.pid)
        work()
        self.rows[name] = (bench.cpu_seconds(self.server.process.pid) - before) / count * 1e6

    def logins(self, count):
        for _ in range(count):
            client = self.open("sync")
            client.say(b"SELECT INBOX")
            client.say(b"LOGOUT")
            client.socket.close()

    def select(self, user, count):
        client = self.open(user)
        client.say(b"SELECT INBOX")
        self.take(f"SELECT of {user[4:]}, warm", count, lambda: [client.say(b"SELECT INBOX") for _ in range(count)])
        client.say(b"LOGOUT")

    def sync(self, rounds):
        client = self.open("sync")
        client.say(b"SELECT INBOX")
        for _ in range(rounds):
            client.say(b"UID FETCH 1:* (%s)" % SYNC.encode())
        client.say(b"LOGOUT")

    def all(self):
        n = 10 if bench.QUICK else 1
        forget(self.mail, "sync")
        time.sleep(0.5)
        self.take(f"fresh sync of {SIZES[0]:,}, index lost", 1, lambda: self.sync(1))
        time.sleep(3)
        self.sync(1)
        self.take(f"fresh sync of {SIZES[0]:,}, warm", 20, lambda: self.sync(20))
        self.logins(20)
        self.take("LOGIN, SELECT, LOGOUT", 2000 // n, lambda: self.logins(2000 // n))
        for size in SIZES:
            self.select(f"list{size}", 3000000 // size // n)
        client = self.open("sync")
        client.say(b"SELECT INBOX")
        count = 30000 // n
        self.take("NOOP", count, lambda: [client.say(b"NOOP") for _ in range(count)])
        self.take("NOOP, 20 in a packet", 10 * count, lambda: [client.pipeline(b"NOOP", 20) for _ in range(count // 2)])
        count = 10000 // n
        status = b"STATUS INBOX (MESSAGES UIDNEXT UNSEEN)"
        self.take("STATUS", count, lambda: [client.say(status) for _ in range(count)])
        self.take("STATUS, 20 in a packet", 10 * count, lambda: [client.pipeline(status, 20) for _ in range(count // 2)])
        count = 2000 // n
        self.take("STORE of one flag", count, lambda: [client.say(b"STORE %d %cFLAGS.SILENT (\\Flagged)" % (1 + i % 100, b"+-"[i // 100 % 2]))
                                                      for i in range(count)])
        count = 100 // n
        self.take(f"SEARCH SUBJECT in {SIZES[0]:,}", count, lambda: [client.say(b"SEARCH SUBJECT \"nowhere%d\"" % i) for i in range(count)])
        self.take("FETCH of all bodies, per message", 5 * SIZES[0], lambda: [client.say(b"FETCH 1:* (BODY.PEEK[])") for _ in range(5)])
        self.take("SEARCH TEXT, a miss, per message", 5 * SIZES[0],
                  lambda: [client.say(b"SEARCH TEXT \"not to be found\"") for _ in range(5)])
        client.say(b"LOGOUT")
        client = self.open("append")
        count = 1000 // n
        self.take("APPEND of 4 KiB", count, lambda: [client.append(SMALL) for _ in range(count)])
        client.say(b"LOGOUT")
        return self.rows


BARS = {"LOGIN, SELECT, LOGOUT": 8, "NOOP": 5, "NOOP, 20 in a packet": 5, "STATUS": 8, "STATUS, 20 in a packet": 8, "STORE of one flag": 6, "FETCH of all bodies, per message": 4,
        "SEARCH TEXT, a miss, per message": 6, "APPEND of 4 KiB": 5}


def bar_of(name):
    for start, bar in (("SELECT of", 20), ("SEARCH SUBJECT", 8)):
        if name.startswith(start):
            return bar
    return BARS.get(name) or (3 if "lost" in name else 8)


def start_postern(work, more=""):
    """more: lines of the configuration."""
    hashed = subprocess.run(["openssl", "passwd", "-1", "bench"], check=True, capture_output=True, text=True).stdout.strip()
    users = ["sync", "append", *(f"list{size}" for size in SIZES)]
    (work / "users").write_text("".join(f"{user}:{hashed}\n" for user in users))
    port = bench.free_port()
    (work / "postern.conf").write_text(f'config_version = 1\nlisten = {{}}\nlisten_tls = {{}}\nimap_listen = {{"127.0.0.1:{port}"}}\n'
                                       f'imap_listen_tls = {{}}\nmail = "{work}/mail"\nusers = "{work}/users"\nplaintext = "loopback"\n'
                                       f'connections_per_address = 0\nconnections_per_user = 0\nlog = "{work}/postern.log"\nlog_level = "error"\n{more}')
    version = subprocess.run([bench.BUILD / "postern", "version"], capture_output=True, text=True).stdout.split("\n")[0]
    return bench.Server("postern", [bench.BUILD / "postern", "serve", "--config", work / "postern.conf"], port, port, version), port


def start_dovecot(work):
    """run.py's Dovecot, with IMAP beside POP3."""
    port = bench.free_port()
    config = work / "dovecot.conf"
    wrapped = subprocess.Popen

    def popen(command, **more):
        if command[0] == "dovecot" and "imap" not in config.read_text():
            text = config.read_text().replace("protocols = pop3", "protocols = pop3 imap").replace("maildir_stat_dirs = no", "maildir_stat_dirs = no\nmaildir_very_dirty_syncs = yes")
            config.write_text(text + f"service imap-login {{\n  service_count = 0\n  process_min_avail = 2\n  client_limit = 10000\n"
                              f"  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n"
                              "service imap {\n  service_count = 0\n  process_min_avail = 2\n  client_limit = 100\n}\n"
                              "mail_fsync = optimized\nnamespace inbox {\n  inbox = yes\n}\n")
        return wrapped(command, **more)
    bench.subprocess.Popen = popen
    try:
        server = bench.start_dovecot(work, work / "mail")
    finally:
        bench.subprocess.Popen = wrapped
    bench.wait_port(port)
    return server, port


def table(ours, theirs, versions):
    lines = [f"Machine: {bench.machine()}. {time.strftime('%Y-%m-%d')}. {versions[0]} and {versions[1]} (tuned), same mail, same run.", "",
             "| operation | Postern, CPU us | Dovecot, CPU us | ratio | bar |", "| --- | --: | --: | --: | --: |"]
    for name, us in ours.items():
        ratio = f"1/{theirs[name] / us:.1f}" if us else "below the clock's tick"
        lines.append(f"| {name} | {us:.0f} | {theirs[name]:.0f} | {ratio} | 1/{bar_of(name)} |")
    return "\n".join(lines) + "\n"


def main():
    if os.geteuid() != 0:
        sys.exit("imap: Dovecot starts as root only, and it must read the same mail: run this as root")
    bench.OUT.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-", dir=bench.OUT))
    os.chmod(work, 0o755)
    owner = pwd.getpwnam(bench.MAIL_USER)
    try:
        bench.certificate(work)
        realistic(work / "mail" / "sync", SIZES[0], owner.pw_uid, owner.pw_gid)
        realistic(work / "mail" / "append", 1, owner.pw_uid, owner.pw_gid)
        for size in SIZES:
            bench.make_maildir(work / "mail" / f"list{size}", size, 600, owner.pw_uid, owner.pw_gid)
        server, port = start_postern(work)
        ours, version = Meter(server, port, work / "mail").all(), server.version
        server.stop()
        forget(work / "mail", "append")
        server, port = start_dovecot(work)
        theirs = Meter(server, port, work / "mail").all()
        server.stop()
        text = table(ours, theirs, (version, server.version))
        (bench.OUT / "imap.md").write_text(text)
        print(text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
