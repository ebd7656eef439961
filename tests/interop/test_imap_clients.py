#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap_clients - real IMAP clients against `postern serve`: curl, imaplib, Mail::IMAPClient, Ruby's net/imap, mbsync and
offlineimap both ways, fetchmail, getmail, imapfilter, mutt and neomutt, imapflow. What they got is compared with the mail
on disk, what they changed with what is there then."""
import imaplib
import os
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
from clients import PROPER, check_getmail, check_mutt, compare_delivered, folder_of, no_verify, npm  # noqa: E402

checks = Checks()
SAMPLES = samples()
WIRE = [wire_form(data) for _, data in SAMPLES]


# ---- curl --------------------------------------------------------------------------------------
def curl(server, name, scheme, port, *options):
    base = ["curl", "-sS", "--max-time", "60", "-k", "-u", "alice:secret", *options]
    with tempfile.TemporaryDirectory() as out:
        urls = [part for n in range(len(WIRE))
                for part in ("-o", f"{out}/{n + 1}", f"{scheme}://127.0.0.1:{port}/INBOX;UID={n + 1}")]
        subprocess.run([*base, *urls], check=True)
        for number, wire in enumerate(WIRE):
            checks.check(f"curl {name}: message {number + 1} ({SAMPLES[number][0]})",
                         pathlib.Path(f"{out}/{number + 1}").read_bytes() == wire)


def test_curl(server):
    server.fill("alice", SAMPLES)
    curl(server, "plain", "imap", server.imap)
    curl(server, "STARTTLS", "imap", server.imap, "--ssl-reqd")
    curl(server, "TLS", "imaps", server.imaps)
    curl(server, "LOGIN", "imap", server.imap, "--login-options", "AUTH=LOGIN")
    curl(server, "PLAIN", "imaps", server.imaps, "--login-options", "AUTH=PLAIN")
    with tempfile.NamedTemporaryFile() as mail:
        mail.write(b"Subject: by curl\r\n\r\nbody\r\n")
        mail.flush()
        subprocess.run(["curl", "-sS", "-k", "-u", "alice:secret", "-T", mail.name, f"imaps://127.0.0.1:{server.imaps}/INBOX"],
                       check=True)
    checks.check("curl APPEND", len(server.files("alice")) == len(SAMPLES) + 1)


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


# ---- two that synchronise ----------------------------------------------------------------------
# mbsync skips a header without an empty line, offlineimap writes multiparts anew
SYNCED = [(name, data) for name, data in PROPER if name not in ("05-header-only", "30-unclosed-multipart")]


def contents(folder):
    """Of a Maildir: header and body of each message without what a synchroniser adds, and the last line's end."""
    return sorted(re.sub(rb"(?mi)^X-(TUID|OfflineIMAP)[^\n]*\n", b"", path.read_bytes().replace(b"\r\n", b"\n")).rstrip(b"\n")
                  for sub in ("cur", "new") for path in pathlib.Path(folder, sub).iterdir())


def by_owner(server):
    return contents(server.mail / "alice")


def synchronised(name, server, work, command, env):
    """Down, up, flags, deletion; and nothing moves when there is nothing to do."""
    local = pathlib.Path(work, "local/INBOX")

    def run(what):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)
        checks.check(f"{name}: {what}", done.returncode == 0, (done.stdout + done.stderr)[-600:])
        return done

    run("first")
    checks.check(f"{name}: all came down", contents(local) == by_owner(server),
                 f"{len(contents(local))} of {len(by_owner(server))}")
    before = sorted(path.name for path in server.files("alice"))
    run("second")
    checks.check(f"{name}: nothing moved", sorted(path.name for path in server.files("alice")) == before)
    (local / "new/1.local.test").write_bytes(b"Subject: from here\nMessage-ID: <here@test>\nFrom: a@b\n\nbody\n")
    gone = next(path for path in sorted((local / "cur").iterdir()) + sorted((local / "new").iterdir())
                if b"Welcome to Postern" in path.read_bytes())
    gone.unlink()
    run("both ways")
    there = by_owner(server)
    checks.check(f"{name}: one went up", any(b"Subject: from here" in each for each in there))
    checks.check(f"{name}: one was deleted there", not any(b"Welcome to Postern" in each for each in there))
    checks.check(f"{name}: the same on both sides", contents(local) == there)


def test_mbsync(server):
    server.fill("alice", SYNCED)
    with tempfile.TemporaryDirectory() as work:
        os.makedirs(f"{work}/local")
        pathlib.Path(work, "pem").write_text(ssl.get_server_certificate(("127.0.0.1", server.imaps)))
        pathlib.Path(work, "mbsyncrc").write_text(
            f"IMAPAccount there\nHost localhost\nPort {server.imaps}\nUser alice\nPass secret\nSSLType IMAPS\n"
            f"CertificateFile {work}/pem\nAuthMechs PLAIN\n\nIMAPStore far\nAccount there\n\nMaildirStore near\nPath {work}/local/\n"
            f"Inbox {work}/local/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Both\n"
            "Expunge Both\nSync All\nSyncState *\n")
        synchronised("mbsync", server, work, ["mbsync", "-c", f"{work}/mbsyncrc", "-a"], dict(os.environ, HOME=work))


def test_offlineimap(server):
    server.fill("alice", SYNCED)
    with tempfile.TemporaryDirectory() as work:
        os.makedirs(f"{work}/local")
        pathlib.Path(work, "rc").write_text(
            f"[general]\naccounts = a\nmetadata = {work}/meta\nui = quiet\n[Account a]\nlocalrepository = l\n"
            f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {work}/local\n[Repository r]\ntype = IMAP\n"
            f"remotehost = 127.0.0.1\nremoteport = {server.imap}\nremoteuser = alice\nremotepass = secret\nssl = no\n"
            "starttls = no\nauth_mechanisms = PLAIN\n")
        synchronised("offlineimap", server, work, ["offlineimap", "-c", f"{work}/rc", "-o"], dict(os.environ, HOME=work))


# ---- two that fetch ----------------------------------------------------------------------------
def test_fetchmail(server):
    for name, port, options in (("plain", server.imap, "sslproto ''"), ("starttls", server.imap, "sslproto 'TLS1.2+' no sslcertck"),
                                ("tls", server.imaps, "ssl no sslcertck")):
        server.fill("alice", PROPER)
        with tempfile.TemporaryDirectory() as work:
            os.makedirs(f"{work}/out")
            conf = pathlib.Path(work, "fetchmailrc")
            conf.write_text(f"poll 127.0.0.1 protocol IMAP port {port}\n  user alice password secret {options}\n"
                            f"  no keep no rewrite fetchall\n  mda \"sh -c 'cat > {work}/out/$$'\"\n")
            conf.chmod(0o600)
            got = subprocess.run(["fetchmail", "-s", "-f", str(conf), "--pidfile", f"{work}/pid"],
                                 env=dict(os.environ, FETCHMAILHOME=work, HOME=work), capture_output=True, text=True, timeout=120)
            checks.check(f"fetchmail {name}: exit", got.returncode == 0, got.stderr)
            compare_delivered(checks, f"fetchmail {name}", PROPER, folder_of(f"{work}/out"), breaks_long_lines=True)
        checks.check(f"fetchmail {name}: deleted", not server.files("alice"))


def test_getmail(server):
    check_getmail(checks, server, "plain", "SimpleIMAPRetriever", server.imap)
    check_getmail(checks, server, "tls", "SimpleIMAPSSLRetriever", server.imaps)


# ---- scripts in other languages ----------------------------------------------------------------
PERL = r"""
use Mail::IMAPClient; use strict;
my ($port, $out) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => "127.0.0.1", Port => $port, User => "alice", Password => "secret", Uid => 1)
    or die "no login: $@";
$imap->select("INBOX") or die $imap->LastError;
for my $uid ($imap->messages) { open my $file, ">", "$out/$uid" or die; print $file $imap->message_string($uid); }
$imap->create("Perl") or die $imap->LastError;
my @found = $imap->search(HEADER => Subject => \$imap->Quote("welcome")) or die "not found";
$imap->move("Perl", \@found) or die $imap->LastError;
$imap->select("Perl") or die; my @moved = $imap->messages; print scalar(@moved), "\n";
my $structure = $imap->get_bodystructure($moved[0]) or die "no structure"; print $structure->bodytype, "\n";
$imap->logout;
"""
RUBY = r"""
require "net/imap"
imap = Net::IMAP.new("127.0.0.1", port: ARGV[0].to_i)
imap.login("alice", "secret")
imap.select("INBOX")
imap.uid_fetch(1..-1, ["UID", "BODY.PEEK[]", "ENVELOPE", "BODYSTRUCTURE"]).each do |one|
  File.binwrite("#{ARGV[1]}/#{one.attr["UID"]}", one.attr["BODY[]"])
end
imap.store(1, "+FLAGS", [:Flagged, "ruby"])
puts imap.search(["FLAGGED", "KEYWORD", "ruby"]).inspect
puts imap.status("INBOX", ["MESSAGES", "UIDNEXT"]).keys.sort.inspect
imap.logout
"""


def fetched(name, out):
    for number, wire in enumerate(WIRE, 1):
        path = pathlib.Path(out, str(number))
        checks.check(f"{name}: message {number}", path.exists() and path.read_bytes() == wire)


def test_perl(server):
    server.fill("alice", SAMPLES)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["perl", "-e", PERL, str(server.imap), out], capture_output=True, text=True, timeout=120)
        checks.check("Mail::IMAPClient: exit", got.returncode == 0, got.stderr)
        checks.check("Mail::IMAPClient: moved", got.stdout.split() == ["1", "TEXT"], got.stdout)
        fetched("Mail::IMAPClient", out)


def test_ruby(server):
    server.fill("alice", SAMPLES)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["ruby", "-e", RUBY, str(server.imap), out], capture_output=True, text=True, timeout=120)
        checks.check("net/imap: exit", got.returncode == 0, got.stderr)
        checks.check("net/imap: search and status", got.stdout.split("\n")[:2] == ["[1]", '["MESSAGES", "UIDNEXT"]'], got.stdout)
        fetched("net/imap", out)


IMAPFLOW = "imapflow@1.0.188"
NODE = r"""
import { ImapFlow } from "imapflow";
import fs from "fs";
const [port, out] = process.argv.slice(2);
const client = new ImapFlow({ host: "127.0.0.1", port: Number(port), secure: true, tls: { rejectUnauthorized: false },
    auth: { user: "alice", pass: "secret" }, logger: false, qresync: true });
await client.connect();
let lock = await client.getMailboxLock("INBOX");
for await (const message of client.fetch("1:*", { uid: true, source: true, envelope: true, bodyStructure: true, flags: true }))
    fs.writeFileSync(`${out}/${message.uid}`, message.source);
await client.messageFlagsAdd({ uid: "2" }, ["\\Seen", "node"], { uid: true });
const seen = await client.search({ seen: true, keyword: "node" }, { uid: true });
await client.mailboxCreate("Node/Below");
await client.append("Node/Below", "Subject: by node\r\n\r\nbody\r\n", ["\\Seen"]);
const moved = await client.messageMove("2", "Node/Below", { uid: true });
lock.release();
const status = await client.status("Node/Below", { messages: true, uidNext: true, highestModseq: true });
console.log(JSON.stringify([seen, status.messages, moved.uidMap.get(2), client.enabled.has("QRESYNC"),
    (await client.list()).map(box => box.path).sort()]));
await client.logout();
"""


def test_imapflow(server):
    folder = npm(IMAPFLOW)
    server.fill("alice", SAMPLES)
    (folder / "imap.mjs").write_text(NODE)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["node", str(folder / "imap.mjs"), str(server.imaps), out], capture_output=True, text=True, timeout=120)
        checks.check("imapflow: exit", got.returncode == 0, got.stderr[-600:])
        checks.check("imapflow: what it found", got.stdout.strip() == '[[2],2,2,true,["INBOX","Node","Node/Below"]]', got.stdout)
        fetched("imapflow", out)


# ---- imapfilter, mutt --------------------------------------------------------------------------
def test_imapfilter(server):
    server.fill("alice", PROPER)
    with tempfile.TemporaryDirectory() as work:
        pathlib.Path(work, "config.lua").write_text(
            f"options.timeout = 60\noptions.create = true\noptions.starttls = false\na = IMAP {{ server = '127.0.0.1', port = {server.imap}, username = 'alice',"
            " password = 'secret' }\nr = a.INBOX:contain_subject('Welcome')\nr:move_messages(a['Filed'])\n"
            "print('moved ' .. #r)\na.INBOX:is_unseen():mark_flagged()\n")
        got = subprocess.run(["imapfilter", "-c", f"{work}/config.lua"], capture_output=True, text=True, timeout=120,
                             env=dict(os.environ, HOME=work))
        checks.check("imapfilter: exit", got.returncode == 0 and "moved 1" in got.stdout, got.stdout + got.stderr)
    filed = list((server.mail / "alice/.Filed").glob("*/*"))
    checks.check("imapfilter: filed", sum("postern" not in str(path.parent.name) for path in filed) == 1, filed)
    checks.check("imapfilter: flagged", all(path.name.endswith("F") for path in server.files("alice")),
                 [path.name for path in server.files("alice")][:3])


def test_mutt(server):
    check_mutt(checks, server, "imap", "mutt", f"imap://alice@127.0.0.1:{server.imap}/INBOX", ["ssl_starttls=no", "imap_authenticators=login"])
    check_mutt(checks, server, "imap", "mutt", f"imaps://alice@127.0.0.1:{server.imaps}/INBOX", [])
    check_mutt(checks, server, "imap", "neomutt", f"imap://alice@127.0.0.1:{server.imap}/INBOX", ["ssl_starttls=yes", "ssl_force_tls=yes"])


def main():
    tests = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__[5:] not in wanted:
            continue
        server = Server()
        try:
            checks.run(test.__name__, test, server)
        finally:
            ended = server.stop()
        checks.check(f"{test.__name__}: the server ends well", ended == 0, f"{ended}\n" + "".join(server.log)[-1500:] if ended else "")
    checks.finish()


main()
