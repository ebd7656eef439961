#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_delivery - a message into mailboxes: all of them or none, each for itself in LMTP, once however often it is sent, through
a pipe, onto a disk that is full."""
import imaplib
import smtplib
import socket
import subprocess
import time

from harness import POSTERN, Checks, Server
from sent import MESSAGE, USERS, deliver, serve_smtp

checks = Checks()


def test_gone(server):
    """P7: who is gone before 250 has sent its message."""
    before = len(list((server.mail / "bob").rglob("new/*")))
    with socket.create_connection(("127.0.0.1", server.port("smtp")), timeout=20) as sock:
        sock.sendall(b"HELO x\r\n")
        sock.recv(1000)
        sock.sendall(b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
        while b"354" not in sock.recv(1000):
            pass
        sock.sendall(MESSAGE + b".\r\n")
    until = time.monotonic() + 10
    while len(list((server.mail / "bob").rglob("new/*"))) == before and time.monotonic() < until:
        time.sleep(0.02)
    checks.check("the message stays", len(list((server.mail / "bob").rglob("new/*"))) == before + 1)


def test_own_limits(server):
    """F9: an account's own limits count before the message is sent as well, where the others have none."""
    def limits(*arguments):
        subprocess.run([POSTERN, "mailbox", "quota", "alice", "--config", str(server.folder / "postern.conf"), *arguments], check=True,
                       capture_output=True, timeout=30)

    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as smtp:
        smtp.sendmail("ann@far.example", ["alice@example.org"], MESSAGE)
        for arguments, code in (((), 250), (("--storage", "1"), 452), (("--storage", "100"), 250), (("--default",), 250)):
            limits(*arguments)
            smtp.ehlo()
            smtp.mail("ann@far.example", ["SIZE=3000"])
            told = [smtp.rcpt(f"{user}@example.org") for user in ("alice", "bob")]
            checks.check(f"alice has {' '.join(arguments) or 'none'}", [each[0] for each in told] == [code, 250], str(told))
            smtp.rset()


def test_all_or_nobody(_):
    """P3: a copy that fails behind one that was committed takes that one back, so that what is sent again is there once. The
    size is not announced, so that it is found out late."""
    server = serve_smtp("quota_mb = 1")
    try:
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as smtp:
            smtp.ehlo()
            smtp.sendmail("ann@far.example", ["bob@example.org"], MESSAGE + (b"x" * 70 + b"\r\n") * 14200)
            for what, message in (("small", MESSAGE + (b"x" * 70 + b"\r\n") * 900), ("large", MESSAGE + (b"x" * 70 + b"\r\n") * 3000)):
                smtp.mail("ann@far.example")
                told = [smtp.rcpt(f"{user}@example.org")[0] for user in ("alice", "bob", "postmaster")]
                checks.check(f"{what}: three are welcome", told == [250, 250, 250], str(told))
                code, text = smtp.data(message)
                checks.check(f"{what}: no room for one of them", code == 452 and b"4.2.2" in text, f"{code} {text}")
                for user, count in (("alice", 0), ("bob", 1), ("postmaster", 0)):
                    found = list((server.mail / user).glob("*/*,S=*"))
                    checks.check(f"{what}: what {user} has", len(found) == count, str(found))
    finally:
        server.stop()


def test_each_for_itself(_):
    """P4 Q3 Q7: in LMTP who can have it has it; an alias is answered with the worst of its mailboxes. Small ones, and such as are written
    as they come."""
    folder = Server.make_folder()
    (folder / "aliases").write_text("both: alice, bob\nother: bob, alice\n")
    server = Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}", "submission_listen_tls = {}",
                              'lmtp_listen = {"127.0.0.1:0"}', "quota_mb = 1", f'aliases = "{folder}/aliases"'], users=(), users_text=USERS,
                    folder=folder)
    names = ("alice", "nobody", "bob", "both", "alice", "other", "postmaster")
    try:
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            lmtp.ehlo()
            lmtp.sendmail("ann@far.example", ["bob@example.org"], MESSAGE + (b"x" * 70 + b"\r\n") * 14200)
            for what, lines in (("small", 900), ("large", 3000)):
                lmtp.mail("ann@far.example")
                told = [lmtp.rcpt(f"{name}@example.org")[0] for name in names]
                checks.check(f"each: {what}: who is there", told == [250, 550, 250, 250, 250, 250, 250], str(told))
                said = [lmtp.data(MESSAGE + (b"x" * 70 + b"\r\n") * lines)] + [lmtp.getreply() for _ in range(5)]
                expected = [(250, b"alice"), (452, b"bob"), (452, b"both"), (250, b"alice"), (452, b"other"), (250, b"postmaster")]
                checks.check(f"each: {what}: its own answer", [(code, text.split(b"<")[1].split(b"@")[0]) for code, text in said] == expected,
                             str(said))
                for user, count in (("alice", 1), ("bob", 1), ("postmaster", 1)):
                    found = list((server.mail / user).glob("*/*,S=*"))
                    checks.check(f"each: {what}: what {user} has", len(found) == count, str(found))
                    if user != "bob":
                        found[0].unlink()
    finally:
        server.stop()


def test_taken_back_is_not_there(_):
    """P3: what was taken back is no duplicate when the MTA sends it again, though duplicates are recognised."""
    server = serve_smtp("quota_mb = 1", "deduplicate = yes")
    message = b"Received: from x by mx.far.example id 4711\r\n" + MESSAGE + (b"x" * 70 + b"\r\n") * 800
    try:
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as smtp:
            smtp.ehlo()
            smtp.sendmail("ann@far.example", ["bob@example.org"], MESSAGE + (b"x" * 70 + b"\r\n") * 14200)
            for people, code in ((("alice", "bob"), 452), (("alice",), 250), (("alice",), 250)):
                smtp.mail("ann@far.example")
                for user in people:
                    smtp.rcpt(f"{user}@example.org")
                got, text = smtp.data(message)
                checks.check(f"sent to {len(people)}", got == code, f"{got} {text}")
        found = list((server.mail / "alice").glob("*/*,S=*"))
        checks.check("it came when it was sent again, once", len(found) == 1, str(found))
    finally:
        server.stop()


def newest(server, user):
    return max((server.mail / user).rglob("new/*"), key=lambda path: path.stat().st_mtime_ns).read_bytes()


def test_deliver(server):
    """T3 O7: the pipe: exit codes, and what is stored."""
    got = deliver(server, "-d", "alice", "-f", "a@b.example", "-a", "list@example.org", text=b"From a Sat\nSubject: p\n\n.\nno end")
    checks.check("deliver: 0", got.returncode == 0 and not got.stdout, str(got))
    text = newest(server, "alice")
    checks.check("deliver: what is stored", text == b"Return-Path: <a@b.example>\r\nDelivered-To: alice\r\n"
                 b"X-Original-To: list@example.org\r\nSubject: p\r\n\r\n.\r\nno end\r\n", repr(text))
    for what, arguments, text, code, said in (
            ("no such user", ["-d", "nobody"], MESSAGE, 67, b"5.1.1 "), ("a path", ["-d", "../evil"], MESSAGE, 67, b"5.1.1 "),
            ("no -d", ["-f", "x"], MESSAGE, 75, b"4.3.5 "), ("a bad option", ["-d", "alice", "-Z"], MESSAGE, 75, b"4.3.5 "),
            ("a bad setting", ["-d", "alice", "-o", "nonsense=1"], MESSAGE, 75, b"4.3.5 "),
            ("NUL", ["-d", "alice"], b"a\0b", 69, b"5.6.0 "), ("refused with -e", ["-d", "alice", "-e"], b"a\0b", 77, b""),
            ("far too large", ["-d", "alice", "-o", "message_mb=1"], b"\n" * 3000000, 69, b"5.3.4 "),
            ("a header in an option", ["-d", "alice", "-a", "x\ny: z"], MESSAGE, 75, b"4.3.5 ")):
        got = deliver(server, *arguments, text=text)
        checks.check(f"deliver: {what}", got.returncode == code and got.stdout.startswith(said), str(got))
    got = deliver(server, "-d", "alice", "-f", "MAILER-DAEMON")
    checks.check("deliver: what Postfix calls the empty sender", newest(server, "alice").startswith(b"Return-Path: <>\r\n"), str(got))
    got = deliver(server, "-d", "bob@example.org", "-m", "Lists")
    checks.check("deliver: a mailbox that is not there is INBOX", got.returncode == 0 and b"body" in newest(server, "bob"))
    got = deliver(server, "-d", "bob", "-m", "Lists", "-o", "detail_create=yes")
    checks.check("deliver: or it is made", got.returncode == 0 and len(list((server.mail / "bob" / ".Lists" / "new").iterdir())) == 1)


def test_again(_):
    """What an MTA sends again is there once; what a program sends twice, twice."""
    server = serve_smtp("deduplicate = yes")
    traced = b"Received: by mta.example id 4711\r\n" + MESSAGE
    large = traced + b"x" * 70 + b"\r\n" * 50000
    try:
        for what, protocol, port in (("SMTP", smtplib.SMTP, server.port("smtp")), ("LMTP", smtplib.LMTP, server.port("lmtp"))):
            before = [len(list((server.mail / user).rglob("new/*"))) for user in ("alice", "bob")]
            for message, sender in ((traced, "a@b.example"), (traced, "a@b.example"), (traced, "c@b.example"), (MESSAGE, "a@b.example"),
                                    (MESSAGE, "a@b.example"), (large, "a@b.example"), (large, "a@b.example")):
                with protocol("127.0.0.1", port, timeout=30) as smtp:
                    smtp.sendmail(sender, ["alice@example.org", "bob@example.org"], message + what.encode() + b"\r\n")
                    if what == "LMTP":
                        smtp.getreply()
            after = [len(list((server.mail / user).rglob("new/*"))) for user in ("alice", "bob")]
            checks.check(f"again by {what}: six of seven", [b - a for a, b in zip(before, after)] == [6, 6], str((before, after)))
        checks.check("again: the log tells", sum(" duplicate " in line for line in server.log) == 4, "".join(server.log)[-500:])
    finally:
        checks.check("again: the server ends well", server.stop() == 0)


def test_disk(_):
    """D6 D12: below the reserve nothing is taken, and said so before it is sent, in each protocol's words."""
    folder = Server.make_folder()
    (folder / "mail").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder / "mail")], capture_output=True).returncode:
        checks.skip("no tmpfs can be mounted here")
        return
    server = Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                              "submission_listen_tls = {}", 'lmtp_listen = {"127.0.0.1:0"}', "disk_reserve_mb = 4"], users=(),
                    users_text=USERS, folder=folder)
    smtp = smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30)
    imap = imaplib.IMAP4("127.0.0.1", server.imap)
    imap.login("alice", "secret")
    imap.create("Copies")
    imap.create("Trash")

    def append(size):
        kind, text = imap.append("INBOX", None, None, b"x" * size)
        return kind == "OK" or text[0]

    def mail(*options):
        smtp.ehlo_or_helo_if_needed()
        code, text = smtp.mail("a@b.example", options)
        smtp.rset()
        return code, text
    try:
        checks.check("disk: room", mail()[0] == 250 and append(1000) is True and deliver(server, "-d", "alice").returncode == 0)
        checks.check("disk: what fits", mail("SIZE=3000000")[0] == 250)
        checks.check("disk: what does not fit", mail("SIZE=5000000") == (452, b"4.3.1 the disk is nearly full"), str(mail("SIZE=5000000")))
        checks.check("disk: what does not fit, in IMAP", b"[UNAVAILABLE]" in append(5000000) and append(1000) is True)
        checks.check("disk: what fits, COPY", imap.select()[0] == "OK" and imap.copy("1:3", "Copies")[0] == "OK")
        imap.select("Copies")
        imap.store("1:3", "+FLAGS", "\\Deleted")
        imap.expunge()
        imap.unselect()
        (server.mail / "filler").write_bytes(b"x" * (4 << 20))
        time.sleep(1.1)
        said = mail()
        checks.check("disk: nearly full", said == (452, b"4.3.1 the disk is nearly full"), str(said))
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            checks.check("disk: nearly full, LMTP", lmtp.mail("a@b.example")[0] == 452)
        checks.check("disk: nearly full, IMAP", b"[UNAVAILABLE]" in append(10))
        imap.select()
        said = imap.copy("1", "Copies")
        checks.check("disk: nearly full, COPY", said[0] == "NO" and b"[UNAVAILABLE]" in said[1][0] and
                     b" 0)" in imap.status("Copies", "(MESSAGES)")[1][0], str(said))
        said = imap._simple_command("MOVE", "1", "Trash")
        checks.check("disk: nearly full, MOVE", said[0] == "OK" and b" 1)" in imap.status("Trash", "(MESSAGES)")[1][0], str(said))
        got = deliver(server, "-d", "alice")
        checks.check("disk: nearly full, deliver", got.returncode == 75 and got.stdout.startswith(b"4.3.1 "), str(got))
        checks.check("disk: reading goes on", imap.select()[1] == [b"2"] and imap.store("1", "+FLAGS", "\\Deleted")[0] == "OK" and
                     imap.expunge()[0] == "OK")
        (server.mail / "filler").unlink()
        time.sleep(1.1)
        checks.check("disk: room again", mail()[0] == 250 and append(10) is True and deliver(server, "-d", "alice").returncode == 0)
        smtp.close()
        imap.logout()
    finally:
        checks.check("disk: the server ends well", server.stop() == 0)
        subprocess.run(["umount", str(folder / "mail")], check=True)


checks.run_with(serve_smtp(), globals())
