#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""search_index - `postern serve` with `search_index = yes`: searches find the same before there is an index, with it, when
mail came since, when it is damaged or removed under the server, and when somebody else holds it. A build without the index
says so."""
import imaplib
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import POSTERN, Checks, Server  # noqa: E402

checks = Checks()
WORDS = ("lighthouse", "Grüße", "gruesse", "sand")


def mail(i):
    return f"Subject: number {i}\nContent-Type: text/plain; charset=utf-8\n\n{WORDS[i % 4]} {'GRÜSSE' if i % 5 == 0 else ''}\n".encode()


def search(client, word):
    client.literal = word.encode()
    kind, data = client.uid("SEARCH", "CHARSET", "UTF-8", "TEXT")
    return data[0].decode().split() if kind == "OK" else kind


def look(client, when, count):
    """Letters without case; ß is no ss (i;unicode-casemap knows titlecase only)."""
    for word in ("lighthouse", "GHTHOU", "grüße", "RÜSS", "nowhere", "sa", "x" * 300):
        found = search(client, word)
        wanted = [str(i + 1) for i in range(count) if word.lower() in mail(i).decode().lower()]
        checks.check(f"{when}: {word[:20]}", found == wanted, f"found {found}, not {wanted}")


def deliver(server, first, count):
    for i in range(first, first + count):
        subprocess.run([POSTERN, "put", "alice", "--mail", server.mail], input=mail(i), check=True, capture_output=True)


def rounds(server, client):
    index = server.mail / "alice" / "postern" / "text"
    look(client, "first", 30)
    checks.check("the index is there", index.exists())
    checks.check("it is its owner's alone", stat.S_IMODE(index.stat().st_mode) == 0o600, oct(index.stat().st_mode))
    look(client, "again", 30)
    deliver(server, 30, 10)
    client.noop()
    look(client, "with new mail", 40)
    index.write_bytes(b"no database" * 1000)
    look(client, "damaged", 40)
    index.unlink()
    look(client, "removed", 40)
    checks.check("it is made anew", index.exists())
    other = sqlite3.connect(index, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    deliver(server, 40, 5)
    client.noop()
    look(client, "held by another", 45)
    other.execute("COMMIT")
    other.close()
    look(client, "let go", 45)
    index.unlink()
    target = server.folder / "elsewhere"
    target.write_bytes(b"not to be touched")
    os.symlink(target, index)
    look(client, "a link", 45)
    checks.check("what the link leads to is not touched", target.read_bytes() == b"not to be touched")
    index.unlink()
    done = subprocess.run([POSTERN, "index", "text", "alice", "--mail", server.mail], capture_output=True, text=True)
    checks.check("postern index text", done.returncode == 0 and index.exists(), done.stderr)
    look(client, "made by hand", 45)


def is_built():
    folder = Server.make_folder()
    (folder / "postern.conf").write_text("config_version = 1\nsearch_index = yes\n")
    done = subprocess.run([POSTERN, "config", "check", "--config", folder / "postern.conf"], capture_output=True, text=True)
    if done.returncode == 0:
        return True
    checks.check("without it the configuration is refused", "POSTERN_FTS" in done.stderr + done.stdout, done.stderr)
    return False


def main():
    if is_built():
        server = Server(["search_index = yes"])
        try:
            deliver(server, 0, 30)
            client = imaplib.IMAP4("127.0.0.1", server.imap)
            client.login("alice", "secret")
            client.select()
            rounds(server, client)
            client.logout()
        finally:
            server.stop()
    checks.finish()


main()
