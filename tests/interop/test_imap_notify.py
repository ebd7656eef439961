#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap_notify - NOTIFY against `postern serve`: whoever changes something, another client, another process of ours or a
program that knows nothing of us, the one who asked is told by himself, soon; and when nothing happens nothing is done."""
import imaplib
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import POSTERN, Checks, Server  # noqa: E402

checks = Checks()
WAIT = 30
MAIL = b"Subject: news\r\n\r\nbody\r\n"
EVENTS = "(MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange)"


class Client:
    """A client that only listens once it has said what it wants to hear."""

    def __init__(self, port, *commands):
        self.sock, self.data = socket.create_connection(("127.0.0.1", port), timeout=WAIT), b""
        for number, command in enumerate(("LOGIN alice secret", *commands)):
            self.sock.sendall(f"{number} {command}\r\n".encode())
            while not (line := self.line()).startswith(f"{number} ".encode()):
                pass
            if b" OK" not in line:
                raise RuntimeError(f"{command}: {line!r}")

    def line(self):
        while b"\r\n" not in self.data:
            piece = self.sock.recv(65536)
            if not piece:
                raise RuntimeError("the server hung up")
            self.data += piece
        line, _, self.data = self.data.partition(b"\r\n")
        return line

    def hears(self, what, name):
        """A line with this comes without a word of ours."""
        until, lines = time.monotonic() + WAIT, []
        while time.monotonic() < until:
            if b"\r\n" in self.data or select.select([self.sock], [], [], 0.1)[0]:
                lines.append(self.line())
                if what in lines[-1]:
                    break
        checks.check(name, bool(lines) and what in lines[-1], lines)

    def is_silent(self, seconds):
        time.sleep(seconds)
        return not self.data and not select.select([self.sock], [], [], 0)[0]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def postern(server, *arguments, data=None):
    subprocess.run([POSTERN, *arguments, "--mail", str(server.mail)], input=data, check=True, stdout=subprocess.DEVNULL)


def drop(server, folder, name):
    """As an MTA does that knows of us nothing but the Maildir."""
    (folder / "tmp" / name).write_bytes(MAIL)
    (folder / "tmp" / name).rename(folder / "new" / name)


def test_other_mailboxes(server):
    """All of the account, with INBOX not selected."""
    with imaplib.IMAP4("127.0.0.1", server.imap) as other:
        other.login("alice", "secret")
        other.create("Lists")
        client = Client(server.imap, f"NOTIFY SET (personal {EVENTS})")
        other.append("Lists", None, None, MAIL)
        client.hears(b'* STATUS "Lists" (MESSAGES 1 UIDNEXT 2', "another client appends")
        other.create("Made")
        client.hears(b'"/" "Made"', "another client makes a mailbox")
        other.append("Made", None, None, MAIL)
        client.hears(b'* STATUS "Made" (MESSAGES 1', "a mailbox that was made later is watched too")
    drop(server, server.mail / "alice" / ".Lists", "1700000000.M1P1.elsewhere")
    client.hears(b'* STATUS "Lists" (MESSAGES 2 UIDNEXT 3', "a file is dropped into a Maildir")
    drop(server, server.mail / "alice", "1700000001.M1P1.elsewhere")
    client.hears(b'* STATUS "INBOX" (MESSAGES 1', "and into INBOX")
    next((server.mail / "alice" / ".Lists").rglob("*.elsewhere*")).unlink()
    client.hears(b'* STATUS "Lists" (MESSAGES 1 UIDNEXT 3', "a file is removed")
    postern(server, "put", "alice", data=MAIL)
    client.hears(b'* STATUS "INBOX" (MESSAGES 2', "another process of ours delivers")
    postern(server, "mailbox", "create", "alice", "By/Hand")
    client.hears(b'"/" "By/Hand"', "it makes a mailbox")
    postern(server, "mailbox", "subscribe", "alice", "By/Hand")
    client.hears(b'\\Subscribed) "/" "By/Hand"', "it subscribes to it")
    postern(server, "mailbox", "annotate", "alice", "By/Hand", "/shared/comment=x")
    client.hears(b'* METADATA "By/Hand" /shared/comment', "it annotates it")
    postern(server, "mailbox", "rename", "alice", "By/Hand", "Renamed")
    client.hears(b'"/" "Renamed" ("OLDNAME" ("By/Hand"))', "it renames it")
    postern(server, "mailbox", "delete", "alice", "Renamed")
    client.hears(b'\\NonExistent', "it removes it")
    client.is_silent(3)
    client.data = b""
    while select.select([client.sock], [], [], 0)[0]:
        client.sock.recv(65536)
    before = cpu_seconds(server.process.pid)
    checks.check("nothing is told when nothing happens", client.is_silent(3), client.data)
    used = cpu_seconds(server.process.pid) - before
    checks.check("nothing is done when nothing happens", used < 0.1, used)
    client.sock.close()


def test_selected(server):
    """The selected mailbox, and many who watch at once."""
    items = "(selected (MessageNew (uid body.peek[header.fields (subject)]) MessageExpunge FlagChange))"
    clients = [Client(server.imap, "SELECT INBOX", f"NOTIFY SET {items} (personal {EVENTS})") for _ in range(20)]
    drop(server, server.mail / "alice", "1700000002.M1P1.elsewhere")
    for number, client in enumerate(clients):
        client.hears(b"Subject: news", f"client {number} gets the header of the new message")
    (path,) = (server.mail / "alice").glob("*/1700000002*")
    path.rename(server.mail / "alice" / "cur" / "1700000002.M1P1.elsewhere:2,F")
    for number, client in enumerate(clients):
        client.hears(b"\\Flagged", f"client {number} hears of the flag")
    for client in clients[1:]:
        client.sock.close()
    drop(server, server.mail / "alice", "1700000003.M1P1.elsewhere")
    clients[0].hears(b"Subject: news", "the last one goes on hearing")
    clients[0].sock.close()


def test_descriptors(_):
    """Who waits takes the server one descriptor, his connection: in IDLE, and for all of the account. A server of its
    own: from another, clients of before may still be going."""
    server = Server()
    waits = (("SELECT INBOX", f"NOTIFY SET (selected (MessageNew MessageExpunge)) (personal {EVENTS})"), ("SELECT INBOX",))
    clients, before = [], None
    for number in range(17):
        clients.append(Client(server.imap, *waits[number % 2]))
        if number % 2:
            clients[-1].sock.sendall(b"i IDLE\r\n")
            clients[-1].hears(b"+ idling", f"client {number} waits")
        before = before or len(os.listdir(f"/proc/{server.process.pid}/fd"))
    more = len(os.listdir(f"/proc/{server.process.pid}/fd")) - before
    checks.check("16 that wait take 16 descriptors", more == 16, more)
    for client in clients:
        client.sock.close()
    checks.check("their server ends well", server.stop() == 0, "".join(server.log[-5:]))


checks.run_with(Server(), globals())
