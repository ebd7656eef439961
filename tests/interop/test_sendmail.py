#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sendmail - `postern sendmail`, also by the name sendmail: what cron, mail(1), git and scripts give it, what arrives, and with
what status it ends."""
import email.message
import os
import pathlib
import pwd
import re
import socket
import subprocess
import tempfile
import threading
import time

import mtas
from harness import POSTERN, Checks, Server
from sent import HASH, body, mail_of

checks = Checks()
TEXT = b"From: Ann <ann@far.example>\nTo: alice@example.org\nSubject: s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <1@x>\n\nbody\n"
ME = pwd.getpwuid(os.getuid()).pw_name
DOMAIN = 'domains = {"example.org"}'


def serve(*settings):
    return Server(settings=[DOMAIN, 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}', "submission_listen_tls = {}",
                            'lmtp_listen = {"127.0.0.1:0"}', *settings], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")


def conf(server, *settings, where=None):
    path = server.folder / "shim.conf"
    path.write_text("\n".join([DOMAIN, 'host = "here.example"', f'submit = "{where or "127.0.0.1:%d" % server.port("smtp")}"', *settings]))
    return str(path)


def run(config, *arguments, text=TEXT, program=(POSTERN, "sendmail"), **more):
    return subprocess.run([*program, "-C", config, *arguments], input=text, capture_output=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "NAME": "Ann Öther", **more})


def test_arguments(server):
    """What becomes of the message, for each way in which programs ask."""
    config = conf(server)
    cases = (("a plain one", ["-f", "x@y.example", "alice@example.org"], TEXT, TEXT, "x@y.example", ["alice"]),
             ("-i", ["-i", "-fx@y.example", "--", "alice"], TEXT + b".\nmore\n", TEXT + b".\nmore\n", "x@y.example", ["alice"]),
             ("-oi", ["-oi", "-oem", "-f", "", "alice"], TEXT + b".\nmore\n", TEXT + b".\nmore\n", "", ["alice"]),
             ("a dot", ["-f", "<>", "alice"], TEXT + b".\nmore\n", TEXT, "", ["alice"]),
             ("a dot with CR", ["-f", "<>", "alice"], TEXT + b".\r\nmore\n", TEXT, "", ["alice"]),
             ("dots", ["-f", "<>", "alice"], TEXT + b"..\n.x\n ..\n.", TEXT + b"..\n.x\n ..\n", "", ["alice"]),
             ("no last line end", ["-f", "a@b.example", "alice"], TEXT + b"end", TEXT + b"end\n", "a@b.example", ["alice"]),
             ("CRLF", ["-f", "a@b.example", "alice"], TEXT.replace(b"\n", b"\r\n"), TEXT, "a@b.example", ["alice"]),
             ("8 bits", ["-f", "a@b.example", "alice"], TEXT + "Grüße\n".encode(), TEXT + "Grüße\n".encode(), "a@b.example", ["alice"]),
             ("what others have", ["-v", "-U", "-G", "-B8BITMIME", "-N", "never", "-R", "hdrs", "-Vabc", "-L", "tag", "-odi", "-em", "-f",
                                   "a@b.example", "alice"], TEXT, TEXT, "a@b.example", ["alice"]),
             ("two", ["-fa@b.example", "alice@example.org", "Bob <bob>, alice"], TEXT, TEXT, "a@b.example", ["alice", "bob"]),
             ("a line of an mbox", ["-fa@b.example", "alice"], b"From x Sat Nov 21\n" + TEXT, TEXT, "a@b.example", ["alice"]),
             ("-t", ["-t", "-f", "a@b.example"], TEXT.replace(b"Subject", b"Cc: x: bob@example.org;,\n \"a, b\" <alice@example.org>\nSubject"),
              None, "a@b.example", ["alice", "bob"]),
             ("-ti, Bcc", ["-ti", "-f", "a@b.example"], b"bCC: bob,\n alice\nSubject: s\nResent-Bcc-X: y\nBcc: alice@example.org\n\n.\nbcc: x\n",
              b"Subject: s\nResent-Bcc-X: y\n\n.\nbcc: x\n", "a@b.example", ["alice", "bob"]),
             ("-t, and one more", ["-t", "-f", "a@b.example", "bob"], TEXT, TEXT, "a@b.example", ["alice", "bob"]),
             ("-t, sent again", ["-t", "-f", "a@b.example"], b"Resent-To: bob\nResent-Bcc: alice\n" + TEXT.replace(b"alice", b"nobody"),
              b"Resent-To: bob\n" + TEXT.replace(b"alice", b"nobody"), "a@b.example", ["alice", "bob"]),
             ("Bcc without -t", ["-f", "a@b.example", "alice"], b"Bcc: secret@x\n" + TEXT, TEXT, "a@b.example", ["alice"]),
             ("no header", ["-f", "a@b.example", "alice"], b"only text\nX: y\n", b"\nonly text\nX: y\n", "a@b.example", ["alice"]),
             ("no text", ["-f", "a@b.example", "alice"], b"Subject: x", b"Subject: x\n\n", "a@b.example", ["alice"]),
             ("nothing", ["-f", "a@b.example", "alice"], b"", b"\n", "a@b.example", ["alice"]),
             ("a dot behind 64 KiB of a line", ["-f", "a@b.example", "alice"], TEXT + b"x" * 65536 + b".\nmore\n", TEXT + b"x" * 65536 + b".\nmore\n",
              "a@b.example", ["alice"]),
             ("From_ further down", ["-f", "a@b.example", "alice"], b"Subject: x\nFrom x Sat Nov 21\nTo: y\n", b"Subject: x\n\nFrom x Sat Nov 21\nTo: y\n",
              "a@b.example", ["alice"]),
             ("a bare text of dots", ["-f", "a@b.example", "alice"], b"Subject: x\n\n..a\n", b"Subject: x\n\n..a\n", "a@b.example", ["alice"]))
    for what, arguments, text, stored, sender, users in cases:
        got = run(config, *arguments, text=text)
        checks.check(f"{what}: 0 and nothing said", (got.returncode, got.stdout, got.stderr) == (0, b"", b""), str(got))
        for user in ("alice", "bob"):
            found = mail_of(server, user)
            if not checks.check(f"{what}: {user}", len(found) == (user in users), repr(found)) or not found:
                continue
            checks.check(f"{what}: its sender", found[0].startswith(f"Return-Path: <{sender}>\r\n".encode()), repr(found[0][:80]))
            if stored is not None:
                text = re.sub(rb"(?s)^Return-Path: .*?\r\nDelivered-To: .*?\r\nReceived: .*?\r\n(?![ \t])", b"", found[0])
                for name in ("From", "Date", "Message-ID"):  # those put in are compared elsewhere
                    if f"{name}:".encode() not in stored:
                        text = re.sub(rf"(?m)^{name}: .*\r\n".encode(), b"", text, count=1)
                checks.check(f"{what}: as it was", text == stored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), repr(text))


def head_of(server, user="alice"):
    found = mail_of(server, user)
    return email.message_from_bytes(found[0]) if len(found) == 1 else {}


def test_completed(server):
    """cron's way: a header of its own, or none at all."""
    config = conf(server)
    got = run(config, "-FCronDaemon", "-odi", "-oem", "-oi", "-t", text=b"To: alice\nSubject: Cron <root@x> true\n\nout\n")
    head = head_of(server)
    checks.check("cron", got.returncode == 0 and head["From"] == f'"CronDaemon" <{ME}@example.org>' and
                 re.fullmatch(r"<[0-9a-f.]+@here\.example>", head["Message-ID"]) and
                 re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}", head["Date"]), str((got, list(head.items()))))
    checks.check("cron: who runs it", head["Return-Path"] == f"<{ME}@example.org>")
    run(config, "alice", text=b"\nhere\n")
    head = head_of(server)
    checks.check("a name that is not ASCII", head["From"] == f"=?UTF-8?B?QW5uIMOWdGhlcg==?= <{ME}@example.org>", str(list(head.items())))
    run(config, "-F", 'A "b" \\ c\nX: y', "alice", text=b"\nhere\n")
    head = head_of(server)
    checks.check("quotes, and no line end", head["From"] == f'"A \\"b\\" \\\\ c X: y" <{ME}@example.org>', str(list(head.items())))
    run(config, "-f", "", "alice", text=b"\nhere\n")
    checks.check("no author is made up for the empty sender", head_of(server)["From"] is None)
    for sender, path in (('"a b"@y.example', b'<"a b"@y.example>'), ("ann", b"<ann@example.org>"), ("Ann <a@y.example>", b"<a@y.example>")):
        run(config, "-f", sender, "alice")
        checks.check(f"-f {sender}", mail_of(server, "alice")[0].startswith(b"Return-Path: " + path + b"\r\n"))


def test_statuses(server):
    """Whoever is refused, nobody gets it; and the caller is told why."""
    config = conf(server)
    full = serve("quota_messages = 1")
    run(conf(full), "bob")
    nobody = server.folder / "none.conf"
    nobody.write_text(f'submit = "127.0.0.1:{mtas.free_port()}"\n')
    cases = (("no such user", config, ["alice", "nobody"], TEXT, 67, b"nobody@example.org: 550 5.1.1 "),
             ("elsewhere", config, ["alice", "x@far.example"], TEXT, 77, b"x@far.example: 550 5.7.1 "),
             ("no recipient", config, [], TEXT, 64, b"no recipients"), ("none in the header", config, ["-t"], b"To: x:;\n\nhi\n", 65, b"no recip"),
             ("NUL in an address", config, ["-t", "bob"], b'To: alice,\n "x\0y"@example.org\n\nhi\n', 65, b"header: is no address"),
             ("a bracket in a domain", config, ["alice", "x@[y> SIZE=1]"], TEXT, 65, b"is no address"),
             ("no address", config, ["alice", ""], TEXT, 65, b"no address"), ("a bad sender", config, ["-f", "a\nb", "alice"], TEXT, 64, b"sender"),
             ("a path for one", config, ["../../etc/passwd"], TEXT, 67, b"5.1.1"), ("a command for one", config, ["|/bin/sh"], TEXT, 67, b"5.1.1"),
             ("NUL", config, ["alice"], TEXT + b"a\0b\n", 65, b"the message: 554 5.6.0"),
             ("a header without an end", config, ["alice"], b"X: " + b"y" * 2000000, 65, b"message"),
             ("too large", config, ["alice"], TEXT + b"x" * 70 + b"\n" * (51 << 20), 65, b"5.3.4"),
             ("a full mailbox", conf(full), ["bob"], TEXT, 75, b"bob@example.org: 452 4.2.2"),
             ("nobody there", str(nobody), ["alice"], TEXT, 75, b"cannot be reached"),
             ("an unknown option", config, ["-Z", "alice"], TEXT, 64, b"-Z"), ("no value", config, ["-f"], TEXT, 64, b"-f"),
             ("-bs", config, ["-bs"], b"", 64, b"-bs is not there"), ("-bd", config, ["-bd", "-q30m"], b"", 64, b"-bd is not there"),
             ("-bv", config, ["-bv", "alice"], b"", 64, b"-bv is not there"), ("a setting", config, ["--submitt", "x", "alice"], TEXT, 64, b"submit"),
             ("a configuration that is not there", "/nonexistent", ["alice"], TEXT, 66, b""),
             ("a place that is none", config, ["--submit", "nowhere", "alice"], TEXT, 78, b"not HOST:PORT"),
             ("-q", config, ["-q"], b"", 0, b""), ("-q with a time", config, ["-q15m"], b"", 0, b""), ("-bi", config, ["-bi"], b"", 0, b""),
             ("-bm", config, ["-bm", "alice"], TEXT, 0, b""))
    try:
        for what, settings, arguments, text, code, said in cases:
            got = run(settings, *arguments, text=text)
            checks.check(f"{what}: {code}", got.returncode == code and said in got.stderr and not got.stdout, str(got)[-300:])
            checks.check(f"{what}: nobody got it", len(mail_of(server, "alice")) == (what == "-bm"))
        got = run(config, "-bp")
        checks.check("-bp", (got.returncode, got.stdout) == (0, b"Mail queue is empty\n"), str(got))
    finally:
        full.stop()


def test_names(server):
    """A link of the name is all that programs want."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))
    config = conf(server)
    for name in ("sendmail", "mailq", "newaliases"):
        (folder / name).symlink_to(POSTERN)
    got = run(config, "-i", "alice", program=(str(folder / "sendmail"),))
    checks.check("as sendmail", got.returncode == 0 and len(mail_of(server, "alice")) == 1, str(got))
    got = run(config, "-i", "nobody", program=("sendmail",), PATH=f"{folder}:{os.environ['PATH']}")
    checks.check("as mailq", subprocess.run([folder / "mailq"], capture_output=True, timeout=30).stdout == b"Mail queue is empty\n")
    checks.check("as newaliases", subprocess.run([folder / "newaliases"], capture_output=True, timeout=30).returncode == 0)
    message = email.message.EmailMessage()
    message["To"], message["Bcc"], message["Subject"] = "alice@example.org", "bob@example.org", "of Python"
    message.set_content("Grüße\n.\nend\n", cte="8bit")
    process = subprocess.Popen([folder / "sendmail", "-C", config, "-t", "-oi"], stdin=subprocess.PIPE)
    process.communicate(message.as_bytes(), timeout=30)
    checks.check("of Python", process.returncode == 0 and body(mail_of(server, "alice")[0]) == "Grüße\r\n.\r\nend\r\n".encode())
    found = mail_of(server, "bob")
    checks.check("of Python: Bcc", len(found) == 1 and b"bob" not in found[0].split(b"\r\nReceived", 1)[1])


def test_large_and_slow(server):
    config = conf(server)
    large = TEXT + b"".join(b"%070d\n" % i for i in range(600000))
    got = run(config, "-i", "alice", text=large)
    found = mail_of(server, "alice")
    checks.check("42 MB", got.returncode == 0 and len(found) == 1 and body(found[0]) == body(large.replace(b"\n", b"\r\n")), str(got))
    got = run(config, "-i", "alice", text=TEXT + b"x" * 5000000)
    checks.check("one line of 5 MB", got.returncode == 0 and body(mail_of(server, "alice")[0]) == b"body\r\n" + b"x" * 5000000 + b"\r\n")
    # a job of cron's writes for hours: no server waits for it
    process = subprocess.Popen([POSTERN, "sendmail", "-C", config, "alice"], stdin=subprocess.PIPE)
    process.stdin.write(TEXT)
    process.stdin.flush()
    time.sleep(0.5)
    checks.check("it does not connect before all is there", not any("received" in line and "octets=0" in line for line in server.log) and
                 process.poll() is None and not mail_of(server, "alice"))
    connections = subprocess.run(["ls", "-l", f"/proc/{process.pid}/fd"], capture_output=True, text=True).stdout.count("socket:")
    checks.check("it holds no connection", connections == 0)
    process.kill()  # and one that is killed has sent nothing
    process.wait()
    process.stdin.close()
    time.sleep(0.3)
    checks.check("killed: nothing is there", not mail_of(server, "alice"))


def test_places(server):
    """Submission with a login, LMTP with a reply for each, sockets; and servers that say no where they may."""
    login = server.folder / "login"
    login.write_text("bob:secret\n")
    place = f"127.0.0.1:{server.port('submission')}"
    got = run(conf(server, 'submit_tls = "encrypt"', f'submit_login = "{login}"', where=place), "-f", "bob", "alice")
    checks.check("submission", got.returncode == 0 and b"with ESMTPSA id" in mail_of(server, "alice")[0], str(got))
    got = run(conf(server, 'submit_tls = "encrypt"', f'submit_login = "{login}"', where=place), "-f", "alice", "alice")
    checks.check("submission: not one's own name", got.returncode == 77 and b"5.7.1" in got.stderr, str(got))
    login.write_text("bob:wrong\n")
    got = run(conf(server, 'submit_tls = "encrypt"', f'submit_login = "{login}"', where=place), "-f", "bob", "alice")
    checks.check("submission: a wrong password", got.returncode == 75 and b"wrong" not in got.stderr.lower().replace(b"wrong name", b""), str(got))
    got = run(conf(server, 'submit_login = "/nonexistent"', where=place), "-f", "bob", "alice")
    checks.check("submission: no file with a login", got.returncode == 78, str(got))
    got = run(conf(server, where=f"lmtp:127.0.0.1:{server.port('lmtp')}"), "-f", "x@y.example", "alice", "bob", "alice+x")
    checks.check("LMTP", got.returncode == 0 and [len(mail_of(server, user)) for user in ("alice", "bob")] == [2, 1], str(got))
    path = f"{server.folder}/socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def hear(reader):
        try:
            return reader.readline()
        except OSError:
            return b""

    heard = []

    def talk(replies):
        heard.clear()
        sock, _ = listener.accept()
        with sock, sock.makefile("rb") as reader:
            sock.sendall(b"220 x\r\n")
            content = False
            for line in iter(lambda: hear(reader), b""):
                heard.append(line.strip())
                word = line.strip().split(b" ")[0]
                if content and word != b".":
                    continue
                content = word == b"DATA"
                try:
                    sock.sendall(replies.get(word, b"250 2.0.0 ok\r\n"))
                except OSError:
                    return

    for what, where, replies, code, said in (
            ("a socket", path, {b"DATA": b"354 go\r\n"}, 0, b""),
            ("LMTP on a socket, one of two fails", f"lmtp:{path}",
             {b"DATA": b"354 go\r\n", b".": b"250 2.0.0 a\r\n452 4.2.2 b is full\r\n"}, 75, b"bob@example.org: 452 4.2.2 b is full"),
            ("LMTP on a socket, the first of two fails", f"lmtp:{path}",
             {b"DATA": b"354 go\r\n", b".": b"452 4.2.2 a is full\r\n250 2.0.0 b\r\n"}, 75, b"alice@example.org: 452 4.2.2 a is full"),
            ("LMTP, it goes after the first", f"lmtp:{path}", {b"DATA": b"354 go\r\n", b".": b"250 2.0.0 a\r\n421 4.3.2 down\r\n"}, 75, b"bob"),
            ("no DATA", path, {b"DATA": b"554 5.5.1 no\r\n"}, 76, b"the message: 554 5.5.1 no"),
            ("250 is no 354", path, {b"DATA": b"250 what\r\n"}, 76, b"the message: 250"),
            ("MAIL refused", path, {b"MAIL": b"553 5.1.8 who\r\n"}, 67, b"the sender: 553 5.1.8 who"),
            ("no such host", path, {b"RCPT": b"550 5.1.2 who\r\n"}, 68, b"alice@example.org: 550 5.1.2 who"),
            ("refused without a reason", path, {b"DATA": b"354 go\r\n", b".": b"554 no\r\n"}, 69, b"the message: 554 no"),
            ("EHLO refused", path, {b"EHLO": b"554 5.7.1 no\r\n"}, 75, b"no")):
        thread = threading.Thread(target=talk, args=(replies,), daemon=True)
        thread.start()
        got = run(conf(server, where=where), "-f", "x@y.example", "alice", "bob")
        checks.check(f"{what}: {code}", got.returncode == code and said in got.stderr, str(got))
        thread.join(10)
    offers = {b"EHLO": b"250-x\r\n250-8BITMIME\r\n250-SIZE\r\n250 SMTPUTF8\r\n", b"DATA": b"354 go\r\n"}
    for what, replies, text, to, code, words in (
            ("plain text", offers, TEXT, "alice", 0, []), ("8 bits", offers, TEXT + "ö\n".encode(), "alice", 0, [b"BODY=8BITMIME"]),
            ("an address in UTF-8", offers, TEXT, "ö@example.org", 0, [b"SMTPUTF8"]),
            ("one to a server without SMTPUTF8", {b"DATA": b"354 go\r\n"}, TEXT, "ö@example.org", 65, [])):
        thread = threading.Thread(target=talk, args=(replies,), daemon=True)
        thread.start()
        got = run(conf(server, where=path), "-f", "x@y.example", to, text=text)
        thread.join(10)
        said = [word for line in heard if line.startswith(b"MAIL") for word in line.split()[2:] if not word.startswith(b"SIZE=")]
        checks.check(f"what is said of {what}", got.returncode == code and said == words, f"{got} {heard}")
    listener.close()


def test_mail(server):
    """mail(1) of Debian."""
    folder = mtas.unpack("bsd-mailx", "liblockfile1")
    program = next(folder.glob("usr/bin/bsd-mailx"), None) if folder else None
    if not program:
        checks.skip("bsd-mailx cannot be had")
        return
    shim = server.folder / "sendmail"
    shim.write_text(f'#!/bin/sh\nexec {POSTERN} sendmail -C {conf(server)} "$@"\n')
    shim.chmod(0o755)
    rc = server.folder / "mailrc"
    rc.write_text(f"set sendmail={shim}\nset quiet\n")
    libraries = ":".join({str(path.parent) for path in folder.glob("usr/lib/*/*.so*")})
    got = subprocess.run([program, "-n", "-s", "of mail", "-b", "bob", "-a", "X-Test: y", "alice"], input=b"Gr\n.x\n..\nend\n", timeout=30,
                         capture_output=True, env={"PATH": os.environ["PATH"], "MAILRC": str(rc), "HOME": str(server.folder), "USER": "root",
                                                   "LD_LIBRARY_PATH": libraries})
    until, found = time.monotonic() + 20, []  # it does not wait for its sendmail
    while not found and time.monotonic() < until:
        found = mail_of(server, "alice")
        time.sleep(0.1)
    checks.check("mail(1)", len(found) == 1 and body(found[0]) == b"Gr\r\n.x\r\n..\r\nend\r\n" and b"\r\nSubject: of mail\r\n" in found[0],
                 str((got, found)))
    checks.check("mail(1): bcc", len(mail_of(server, "bob")) == 1 and b"bob" not in found[0])


def test_git(server):
    """git send-email of Debian."""
    folder = mtas.unpack("git-email", "libemail-valid-perl", "libmailtools-perl")
    program = next(folder.glob("usr/lib/git-core/git-send-email"), None) if folder else None
    if not program:
        checks.skip("git-email cannot be had")
        return
    shim = server.folder / "sendmail"
    shim.write_text(f'#!/bin/sh\nexec {POSTERN} sendmail -C {conf(server)} "$@"\n')
    shim.chmod(0o755)
    patch = server.folder / "0001-x.patch"
    patch.write_bytes(b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@far.example>\n"
                      b"Date: Sat, 21 Nov 2026 12:00:00 +0000\nSubject: [PATCH] x\n\nwhy\n---\n x | 1 +\n\n+.\n+..\n-- \n2.39\n")
    perl = f"{folder}/usr/share/perl5"
    got = subprocess.run([program, "--from=ann@far.example", "--to=alice@example.org", "--cc=bob@example.org", "--suppress-cc=all",
                          f"--smtp-server={shim}", "--confirm=never", "--quiet", str(patch)], capture_output=True, timeout=60,
                         env={"PATH": f"{program.parent}:/usr/lib/git-core:{os.environ['PATH']}", "PERL5LIB": perl, "HOME": str(server.folder),
                              **{f"GIT_{who}_{what}": "ann@far.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}},
                         cwd=server.folder)
    found = mail_of(server, "alice")
    checks.check("git send-email", got.returncode == 0 and len(found) == 1 and
                 b"\r\n+.\r\n+..\r\n" in body(found[0]) and b"why\r\n" in found[0] and
                 b"\r\nSubject: [PATCH] x\r\n" in found[0] and len(mail_of(server, "bob")) == 1, str((got, found)))


checks.run_with(serve(), globals())
