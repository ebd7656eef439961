#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""idle - many IMAP sessions that wait in IDLE, plain and under TLS: memory and descriptors of the whole server per session, and
how long until the last watcher of a mailbox has heard of a new message. No peer: most cannot hold so many. Results:
build/bench/idle.md."""
import os
import pathlib
import resource
import selectors
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as bench  # noqa: E402

COUNT, USERS, MESSAGES, ROUNDS = (200, 10, 100, 5) if bench.QUICK else (10000, 100, 1000, 20)
COUNT = min(COUNT, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)  # one descriptor each, on either side


def start(work):
    port, tls = bench.free_port(), bench.free_port()
    hashed = subprocess.run(["openssl", "passwd", "-1", "bench"], check=True, capture_output=True, text=True).stdout.strip()
    (work / "users").write_text("".join(f"user{i}:{hashed}\n" for i in range(USERS)))
    (work / "postern.conf").write_text(f'''config_version = 1
listen = {{}}
listen_tls = {{}}
imap_listen = {{"127.0.0.1:{port}"}}
imap_listen_tls = {{"127.0.0.1:{tls}"}}
tls_cert = "{work}/cert.pem"
tls_key = "{work}/key.pem"
mail = "{work}/mail"
users = "{work}/users"
plaintext = "loopback"
connections_per_address = 0
connections_per_user = 0
log = "{work}/postern.log"
log_level = "error"
''')
    server = bench.Server("postern", [bench.BUILD / "postern", "serve", "--config", work / "postern.conf"], port, tls, "")
    return server, port, tls


def until(sock, end):
    got = b""
    while end not in got:
        part = sock.recv(65536)
        if not part:
            sys.exit(f"idle: closed after {got[-200:]!r}")
        got += part


def open_one(port, context, user):
    sock = socket.create_connection(("127.0.0.1", port), 60)
    if context:
        sock = context.wrap_socket(sock)
    sock.sendall(f"a login user{user} bench\r\nb select inbox\r\nc idle\r\n".encode())
    until(sock, b"+ idling\r\n")
    return sock


def put(work, user):
    """One message; when that was on disk."""
    subprocess.run([bench.BUILD / "postern", "put", f"user{user}", "--mail", work / "mail"], input=b"Subject: news\r\n\r\nnew\r\n",
                   check=True, stdout=subprocess.DEVNULL)
    return time.monotonic()


def news(work, sessions, user):
    """Seconds until all of the user's sessions were told: since the command that delivers ended; its last step is to sync."""
    mine = [sock for i, sock in enumerate(sessions) if i % USERS == user]
    waiting = set(mine)
    with selectors.DefaultSelector() as selector:
        for sock in mine:
            selector.register(sock, selectors.EVENT_READ)
        done = put(work, user)
        while waiting:
            ready = selector.select(30)
            if not ready:
                sys.exit(f"idle: {len(waiting)} of {len(mine)} were never told")
            for key, _ in ready:
                if b" EXISTS\r\n" in key.fileobj.recv(65536):
                    waiting.discard(key.fileobj)
    return time.monotonic() - done, len(mine)


def descriptors(pid):
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in bench.tree(pid))


def measure(work, server, port, context):
    before, open_before = bench.memory_kib(server.process.pid), descriptors(server.process.pid)
    sessions = [open_one(port, context, i % USERS) for i in range(COUNT)]
    time.sleep(1)
    kib = (bench.memory_kib(server.process.pid) - before) / COUNT
    each = (descriptors(server.process.pid) - open_before) / COUNT
    times = sorted(news(work, sessions, i % USERS)[0] for i in range(ROUNDS))
    for sock in sessions:
        sock.close()
    time.sleep(2)
    return kib, each, times[len(times) // 2] * 1000, times[-1] * 1000


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-idle-"))
    try:
        bench.certificate(work)
        for i in range(USERS):
            bench.make_maildir(work / "mail" / f"user{i}", MESSAGES, 100, os.getuid(), os.getgid())
        server, port, tls = start(work)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            open_one(port, None, 0).close()
            rows = [("plain", *measure(work, server, port, None)), ("TLS", *measure(work, server, tls, context))]
        finally:
            server.stop()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = [f"{COUNT} sessions in IDLE, {USERS} mailboxes of {MESSAGES} messages each.", "",
             "| | KiB a session | descriptors | news to all watchers of a mailbox, ms: half of the times | at most |",
             "| --- | --- | --- | --- | --- |"]
    lines += [f"| {name} | {kib:.1f} | {each:.2f} | {half:.1f} | {most:.1f} |" for name, kib, each, half, most in rows]
    bench.OUT.mkdir(parents=True, exist_ok=True)
    if not bench.QUICK:
        (bench.OUT / "idle.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
