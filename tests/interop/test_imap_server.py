#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap_server - `postern serve` as Python's imaplib and a socket see it: all that a client does, and what the server adds to
the engine: TLS, compression, referrals, special mailboxes, users that change, a store that is only read."""
import imaplib
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import POSTERN, Checks, Server, samples, wire_form  # noqa: E402
from clients import no_verify  # noqa: E402

checks = Checks()
SAMPLES = samples()
WIRE = [wire_form(data) for _, data in SAMPLES]


# ---- parts of messages -------------------------------------------------------------------------
def test_partial(server):
    """Wherever a part begins and ends, also between CR and LF, however the lines end in the file."""
    forms = (b"Subject: crlf\r\n\r\none\r\n\r\ntwo\r\n", b"Subject: lf\n\none\n\ntwo\n",
             b"Subject: mixed\r\n\none\n\r\ntwo", b"Subject: cr\r\n\r\no\rne\r\r\ntwo\r\n")
    server.fill("alice", [(f"form{number}", form) for number, form in enumerate(forms)])
    imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    imap.login("alice", "secret")
    imap.select(readonly=True)
    for number, form in enumerate(forms):
        whole, wrong = wire_form(form), []
        for first in range(len(whole) + 2):
            for length in (1, 2, 3, 10, 100):
                part = imap.fetch(str(number + 1), f"(BODY.PEEK[]<{first}.{length}>)")[1][0]
                if (part[1] if isinstance(part, tuple) else b"") != whole[first:first + length]:
                    wrong.append((first, length))
        checks.check(f"parts of a message, {form[9:14]!r}", not wrong, str(wrong[:5]))
    imap.logout()


# ---- imaplib -----------------------------------------------------------------------------------
def test_imaplib(server):
    server.fill("alice", SAMPLES)
    imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    imap.starttls(no_verify())
    imap.login("alice", "secret")
    checks.check("imaplib: select", imap.select("INBOX")[1] == [str(len(SAMPLES)).encode()])
    for number, wire in enumerate(WIRE, 1):
        (head, body), *_ = imap.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])")[1]
        checks.check(f"imaplib: message {number}", body == wire)
        checks.check(f"imaplib: size {number}", int(re.search(rb"SIZE (\d+)", head)[1]) == len(wire), head)
        header = imap.fetch(str(number), "(BODY.PEEK[HEADER])")[1][0][1]
        text = imap.fetch(str(number), "(BODY.PEEK[TEXT])")[1][0][1]
        checks.check(f"imaplib: header and text {number}", header + text == wire)
    part = imap.fetch("1", "(BODY.PEEK[]<10.20>)")[1][0][1]
    checks.check("imaplib: partial", part == WIRE[0][10:30])
    checks.check("imaplib: past the end", imap.fetch("1", "(BODY.PEEK[]<99999999.20>)")[1][0][1] == b"")
    by_size = [int(number) for number in imap.sort("(SIZE)", "UTF-8", "ALL")[1][0].split()]
    checks.check("imaplib: sort", by_size == sorted(range(1, len(WIRE) + 1), key=lambda n: (len(WIRE[n - 1]), n)), by_size)
    for way in ("REFERENCES", "ORDEREDSUBJECT"):
        threads = imap.thread(way, "UTF-8", "ALL")[1][0]
        checks.check(f"imaplib: each message once in {way}",
                     sorted(map(int, re.findall(rb"\d+", threads))) == list(range(1, len(WIRE) + 1)), threads)
    imap.store("1:3", "+FLAGS", r"(\Deleted)")
    checks.check("imaplib: expunge", imap.expunge()[1] == [b"1", b"1", b"1"])
    checks.check("imaplib: three less", len(server.files("alice")) == len(SAMPLES) - 3)
    for name in ("Archive", "Entw&APw-rfe", "a/b"):
        checks.check(f"imaplib: create {name}", imap.create(f'"{name}"')[0] == "OK")
    checks.check("imaplib: list", sorted(re.search(rb'"/" "(.*)"', line)[1] for line in imap.list()[1])
                 == [b"Archive", b"Entw&APw-rfe", b"INBOX", b"a", b"a/b"])
    imap.append("Archive", r"(\Seen $Label)", imaplib.Time2Internaldate(1e9), b"Subject: kept\r\n\r\nbody\r\n")
    imap.select("Archive")
    flags = imap.fetch("1", "(FLAGS INTERNALDATE)")[1][0]
    checks.check("imaplib: appended", b"\\Seen" in flags and b"$Label" in flags and b"09-Sep-2001" in flags.replace(b" 9-", b"09-"), flags)
    checks.check("imaplib: search", imap.search(None, "KEYWORD", "$label", "SUBJECT", "KEPT")[1] == [b"1"])
    checks.check("imaplib: copy", imap.uid("COPY", "1", "INBOX")[0] == "OK")
    imap.logout()


def test_qresync(server):
    """SELECT with what the client knows (RFC 7162 3.2.5), by hand: what it is told has to do with those UIDs alone."""
    def raw(imap, name, *arguments):
        imap.untagged_responses.clear()
        kind, _ = imap._simple_command(name, *arguments)
        return kind, imap.untagged_responses
    imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    imap.login("alice", "secret")
    imap.enable("QRESYNC")
    imap.create("Known")
    for _ in range(6):
        imap.append("Known", None, None, b"Subject: x\r\n\r\nx\r\n")
    _, facts = raw(imap, "SELECT", "Known")
    validity, modseq = facts["UIDVALIDITY"][0].decode(), facts["HIGHESTMODSEQ"][0].decode()
    imap.state = "SELECTED"
    imap.store("2,4", "+FLAGS.SILENT", r"(\Deleted)")
    imap.expunge()
    imap.store("1", "+FLAGS.SILENT", r"(\Seen)")  # UID 1
    imap.store("4", "+FLAGS.SILENT", r"(\Seen)")  # UID 6
    far = str(int(modseq) + 10 ** 9)
    for since, known, vanished, changed in (
            (modseq, "", b"2,4", [b"1", b"6"]), (modseq, " 1:3", b"2", [b"1"]), (modseq, " 4:9", b"4", [b"6"]),
            (modseq, " 3,5", None, []), (modseq, " 1:2,4:6", b"2,4", [b"1", b"6"]), (far, " 1", None, []),
            (modseq, " 1:6 (1:3 1,2,3)", b"2,4", [b"1", b"6"]), (modseq, " (1,3 1,3)", b"2,4", [b"1", b"6"])):
        kind, told = raw(imap, "SELECT", f"Known (QRESYNC ({validity} {since}{known}))")
        got = [line.replace(b"(EARLIER) ", b"") for line in told.get("VANISHED", [])]
        uids = [re.search(rb"UID (\d+)", line)[1] for line in told.get("FETCH", [])]
        checks.check(f"qresync {since}{known}", kind == "OK" and got == ([vanished] if vanished else []) and uids == changed,
                     (got, uids))
    try:
        checks.check("qresync: a set with *", raw(imap, "SELECT", f"Known (QRESYNC ({validity} {modseq} *))") is None)
    except imaplib.IMAP4.error as refused:
        checks.check("qresync: a set with *", "BAD" in str(refused), refused)
    raw(imap, "SELECT", "Known")
    told = imap._simple_command("STORE", "1:4", "(UNCHANGEDSINCE 1)", "+FLAGS", r"(\Draft)")
    checks.check("qresync: modified", b"[MODIFIED 1:4]" in told[1][0], told)
    told = imap._simple_command("UID", "STORE", "1:6", "(UNCHANGEDSINCE 1)", "+FLAGS", r"(\Draft)")
    checks.check("qresync: modified by UID", b"[MODIFIED 1,3,5:6]" in told[1][0], told)
    imap.logout()


def test_referral(_):
    """A user whose account is on another server is told where, once he has shown who he is, and nobody else. I 2221:4.1-1 I 2221:4.1-2"""
    server = Server(users=("alice", "carol"), settings=("imap_referrals = yes",))
    try:
        lines = server.users.read_text().splitlines()
        server.users.write_text("".join(line + (":imap_referral=//carol;AUTH=*@other.example/" if line.startswith("carol") else "") + "\n"
                                        for line in lines))
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        for user, secret, want in (("alice", "secret", b" OK ["), ("carol", "wrong", b" NO [AUTHENTICATIONFAILED]"),
                                   ("carol", "secret", b" NO [REFERRAL imap://carol;AUTH=*@other.example/] ")):
            with socket.create_connection(("127.0.0.1", server.imap), 60) as sock, sock.makefile("rb") as lines:
                checks.check("referral: is offered", b" LOGIN-REFERRALS " in lines.readline())
                sock.sendall(f"a LOGIN {user} {secret}\r\nb SELECT INBOX\r\n".encode())
                got = lines.readline()
                checks.check(f"referral: {user} {secret}", got.startswith(b"a" + want), got)
                if want != b" OK [":
                    got = lines.readline()
                    checks.check(f"referral: {user} {secret} is not in", got.startswith(b"b BAD log in first"), got)
    finally:
        server.stop()


def handshake(server, port, newest=None, before=b""):
    """A TLS connection; of this version at most, behind what is said before in the clear."""
    context = no_verify()
    if newest:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    sock = socket.create_connection(("127.0.0.1", port), 60)
    if before:
        with sock.makefile("rb") as lines:
            lines.readline()
            sock.sendall(before)
            lines.readline()
    return context.wrap_socket(sock)


def test_tls(server):
    """I 11.1-1 I 11.2-1 I 6.2.1-3 I 11.7-5: versions of TLS, STARTTLS with a command behind it, and what the log has of a failure."""
    try:
        handshake(server, server.imaps, ssl.TLSVersion.TLSv1_1).close()
        checks.check("tls: 1.1 is refused", False)
    except (ssl.SSLError, ConnectionError):
        checks.check("tls: 1.1 is refused", True)
    with handshake(server, server.imaps, ssl.TLSVersion.TLSv1_2) as sock:
        checks.check("tls: 1.2 will do", sock.version() == "TLSv1.2" and sock.recv(100).startswith(b"* OK "), sock.version())
    with handshake(server, server.imaps) as sock:
        checks.check("tls: else 1.3", sock.version() == "TLSv1.3", sock.version())
    with handshake(server, server.imap, before=b"a STARTTLS\r\nb LOGIN alice secret\r\n") as sock, sock.makefile("rb") as lines:
        sock.sendall(b"c NOOP\r\nd SELECT INBOX\r\ne LOGIN alice wrong\r\n")
        got = [lines.readline() for _ in range(3)]
        checks.check("tls: what came behind STARTTLS is gone", got[0].startswith(b"c OK") and got[1].startswith(b"d BAD"), got)
        checks.check("tls: the login fails", got[2].startswith(b"e NO [AUTHENTICATIONFAILED]"), got)
    checks.check("tls: the failure is logged", any(" login-failed " in line and "alice" in line and "wrong" not in line
                                                   for line in server.log), server.log[-3:])


def test_special_and_without(_):
    """Mailboxes made on the first login, for who has none; extensions switched off, for all or for one."""
    server = Server(users=("alice", "carol"), settings=('special_mailboxes = {"Sent", "Papierkorb=Trash", "Entw\u00fcrfe=Drafts"}',
                                                        'imap_without = {"MOVE", "QRESYNC"}'))
    try:
        lines = server.users.read_text().splitlines()
        server.users.write_text("".join(line + (":imap_without=IDLE,SORT" if line.startswith("carol") else "") + "\n" for line in lines))
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        for user, missing in (("alice", {"MOVE", "QRESYNC"}), ("carol", {"MOVE", "QRESYNC", "IDLE", "SORT"})):
            imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
            imap.login(user, "secret")
            offered = set(imap.capability()[1][0].decode().split())
            checks.check(f"without: {user}", {"MOVE", "QRESYNC", "IDLE", "SORT"} - offered == missing, offered)
            got = sorted(imap.list()[1])
            checks.check(f"special: {user}", got == sorted([
                b'(\\HasNoChildren) "/" "INBOX"', b'(\\HasNoChildren \\Drafts) "/" "Entw&APw-rfe"',
                b'(\\HasNoChildren \\Trash) "/" "Papierkorb"', b'(\\HasNoChildren \\Sent) "/" "Sent"']), got)
            checks.check(f"special: {user} sees them", len(imap.lsub()[1]) == 3, imap.lsub()[1])
            imap.delete("Sent")
            imap.logout()
        imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
        imap.login("alice", "secret")
        checks.check("special: what was deleted stays so", len(imap.list()[1]) == 3, imap.list()[1])
        imap.logout()
    finally:
        server.stop()
    for line, why in (('imap_without = {"MOVES"}', 'no extension "MOVES"'), ('special_mailboxes = {"Spam=Spam"}', '"Spam=Spam" is not Archive')):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(line + "\n")
            file.flush()
            out = subprocess.run([POSTERN, "config", "check", "--config", file.name], capture_output=True, text=True, timeout=30)
        checks.check(f"refused: {line}", out.returncode == 78 and why in out.stderr, out)


class Compressed:
    """A connection that was told COMPRESS DEFLATE: zlib on both ways."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""
        self.say(b"a login alice secret", b"a")
        self.squeeze, self.expand = None, None
        self.say(b"b compress deflate", b"b")
        self.squeeze, self.expand = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)

    squeeze = expand = None

    def say(self, command, tag):
        octets = command + b"\r\n"
        if self.squeeze:
            octets = self.squeeze.compress(octets) + self.squeeze.flush(zlib.Z_SYNC_FLUSH)
        self.sock.sendall(octets)
        got = b""
        while not re.search(rb"(?m)^" + tag + rb" [^\n]*\n\Z", got):
            part = self.sock.recv(65536)
            if not part:
                raise EOFError(got[-200:])
            got += self.expand.decompress(part) if self.expand else part
        return got


def test_compress(server):
    server.fill("alice", SAMPLES)
    tls = no_verify().wrap_socket(socket.create_connection(("127.0.0.1", server.imaps), timeout=60))
    for name, sock in (("plain", socket.create_connection(("127.0.0.1", server.imap), timeout=60)), ("TLS", tls)):
        with sock:
            client = Compressed(sock)
            client.say(b"c select inbox", b"c")
            got = client.say(b"d uid fetch 1:* body.peek[]", b"d")
            for number, wire in enumerate(WIRE):
                checks.check(f"compressed {name}: message {number + 1}", b"{%d}\r\n%s)\r\n" % (len(wire), wire) in got)
            big = b"x" * 3000000
            kind = client.say(b"e append inbox {%d+}\r\n%s" % (len(big), big), b"e")
            checks.check(f"compressed {name}: append", b"e OK [APPENDUID" in kind, kind[-100:])
            checks.check(f"compressed {name}: no way to end it", b"UNAUTHENTICATE" not in client.say(b"f capability", b"f"))
            checks.check(f"compressed {name}: once", b"g BAD" in client.say(b"g compress deflate", b"g"))
            got = client.say(b"h uid fetch * body.peek[]", b"h")
            checks.check(f"compressed {name}: what was appended", big in got)
            got = client.say(b"i uid store * +flags (\\Deleted)\r\nj expunge", b"j")
            checks.check(f"compressed {name}: pipelined", got.endswith(b"j OK done\r\n") and b"EXPUNGE" in got, got[-200:])
            checks.check(f"compressed {name}: bye", b"* BYE" in client.say(b"k logout", b"k"))


def test_unauthenticate(_):
    """Two users, one connection: each sees what is his."""
    server = Server(users=("alice", "carol"))
    try:
        unauthenticate(server)
    finally:
        server.stop()


def unauthenticate(server):
    server.fill("alice", SAMPLES)
    server.fill("carol", [])
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    imaplib.Commands["UNAUTHENTICATE"] = ("AUTH", "SELECTED")
    counts = {}
    for user in ("alice", "carol", "alice"):
        client.login(user, "secret")
        counts.setdefault(user, []).append(client.select()[1][0])
        checks.check(f"unauthenticate: {user}", client._simple_command("UNAUTHENTICATE")[0] == "OK")
        client.state = "NONAUTH"
    checks.check("unauthenticate: each his own", counts["carol"] == [b"0"] and counts["alice"] == [b"%d" % len(WIRE)] * 2, counts)
    client.shutdown()


def test_read_only(_):
    """A server that serves and never writes: all that would change something is refused, and nothing did."""
    server = Server(settings=("read_only = yes",))
    try:
        server.fill("alice", SAMPLES[:1])
        before = server.files("alice")
        imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
        imap.login("alice", "secret")
        imap.is_readonly = True  # else imaplib takes the code of SELECT for a change and raises
        kind, told = imap._simple_command("SELECT", "INBOX")
        checks.check("read-only: select", kind == "OK" and b"[READ-ONLY]" in told[0], told)
        imap.state = "SELECTED"
        for command in (("CREATE", "x"), ("DELETE", "x"), ("RENAME", "x", "y"), ("SUBSCRIBE", "x"), ("STORE", "1", "+FLAGS", r"(\Seen)"),
                        ("COPY", "1", "INBOX"), ("MOVE", "1", "INBOX"), ("APPEND", "INBOX", "{5+}\r\nabcde")):
            kind, told = imap._simple_command(*command)
            checks.check(f"read-only: {command[0]}", kind == "NO", told)
        checks.check("read-only: fetch", imap.fetch("1", "(RFC822)")[1][0][1] == WIRE[0])
        checks.check("read-only: nothing changed", server.files("alice") == before)
        imap.logout()
        checks.check("read-only: server ends with 0", server.stop() == 0)
    finally:
        server.stop()


checks.run_each(Server, globals())
