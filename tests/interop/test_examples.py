#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_examples - every program of examples/ is started and driven by a real client (poplib, curl)."""
import contextlib
import imaplib
import pathlib
import poplib
import re
import shutil
import smtplib
import subprocess
import tempfile
import threading
import time

from harness import BUILD, Checks, samples, wire_form

checks = Checks()
poplib._MAXLINE = 1 << 20  # the sample mail has long lines
SANITIZED = b"__asan_init" in (BUILD / "postern").read_bytes()


@contextlib.contextmanager
def example(name, *arguments, wrap=()):
    """The running example: its port and what it prints afterwards."""
    process = subprocess.Popen([*wrap, str(BUILD / "examples" / f"example-{name}"), *map(str, arguments)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        yield int(re.fullmatch(r"listening 127\.0\.0\.1:(\d+)\n", line)[1]), process
        checks.check(f"{name} still runs", process.poll() is None)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
        process.stderr.close()


@contextlib.contextmanager
def eml_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-examples-"))
    try:
        for name, data in samples():
            (folder / f"{name}.eml").write_bytes(data)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def login_again(port):
    """After a connection was cut off: its lock is there until the other side has noticed."""
    until = time.monotonic() + 20
    while True:
        try:
            return login(port)
        except poplib.error_proto as error:
            if b"[IN-USE]" not in error.args[0] or time.monotonic() > until:
                raise
            time.sleep(0.02)


def login(port):
    client = poplib.POP3("127.0.0.1", port, timeout=60)
    client.utf8()  # else a header in UTF-8 comes as a surrogate
    client.user("demo")
    client.pass_("postern")
    return client


def reads_samples(name, port):
    """Every sample comes over octet for octet; the unique-ids are the file names."""
    client = login(port)
    uids = [line.split(b" ", 1)[1].decode() for line in client.uidl()[1]]
    by_uid = {f"{stem}.eml": wire_form(data) for stem, data in samples()}
    checks.check(f"{name} lists the folder", sorted(uids) == sorted(by_uid), uids)
    for number, uid in enumerate(uids, 1):
        got = b"".join(line + b"\r\n" for line in client.retr(number)[1])
        checks.check(f"{name} {uid}", got == by_uid.get(uid), f"{len(got)} octets")
    checks.check(f"{name} STAT", client.stat() == (len(by_uid), sum(map(len, by_uid.values()))), client.stat())
    client.quit()


def deletes(name, port, folder):
    """DELE and QUIT delete the file; a connection cut off deletes nothing (R26)."""
    before = sorted(path.name for path in folder.glob("*.eml"))
    client = login(port)
    client.dele(1)
    client.close()
    client = login_again(port)
    checks.check(f"{name} keeps what was only marked", client.stat()[0] == len(before), client.stat())
    client.dele(2)
    client.quit()
    checks.check(f"{name} deletes", sorted(path.name for path in folder.glob("*.eml")) == before[:1] + before[2:])


def wrong_password(name, port):
    try:
        client = poplib.POP3("127.0.0.1", port, timeout=60)
        client.user("demo")
        client.pass_("wrong")
        checks.check(f"{name} refuses a wrong password", False)
    except poplib.error_proto as error:
        checks.check(f"{name} refuses a wrong password", b"[AUTH]" in error.args[0], error)


def many_at_once(name, port):
    """Eight clients read everything at the same time."""
    threads = [threading.Thread(target=checks.run, args=(name, reads_samples, name, port)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def curl_lists(name, port, count):
    out = subprocess.run(["curl", "-sS", "--max-time", "60", f"pop3://demo:postern@127.0.0.1:{port}/"],
                         capture_output=True, text=True)
    checks.check(f"{name} by curl", len(out.stdout.splitlines()) == count, out.stderr)


def test_eml_folder():
    with eml_folder() as folder, example("eml-folder", folder) as (port, _):
        reads_samples("eml-folder", port)
        curl_lists("eml-folder", port, len(samples()))
        deletes("eml-folder", port, folder)
        wrong_password("eml-folder", port)


def test_epoll_loop():
    with eml_folder() as folder, example("epoll-loop", folder) as (port, _):
        reads_samples("epoll-loop", port)
        first = login(port)  # holds the lock: others are told so
        try:
            login(port)
            checks.check("epoll-loop locks", False)
        except poplib.error_proto as error:
            checks.check("epoll-loop locks", b"[IN-USE]" in error.args[0], error)
        first.quit()
        curl_lists("epoll-loop", port, len(samples()))
        deletes("epoll-loop", port, folder)
        wrong_password("epoll-loop", port)


def test_threads():
    with eml_folder() as folder, example("threads", folder) as (port, _):
        many_at_once("threads", port)
        curl_lists("threads", port, len(samples()))
        wrong_password("threads", port)
        client = login(port)
        try:
            client.dele(1)
            checks.check("threads is read-only", False)
        except poplib.error_proto as error:
            checks.check("threads is read-only", b"[READ-ONLY]" in error.args[0], error)
        client.quit()


def test_custom_command():
    with example("custom-command") as (port, _):
        client = login(port)
        checks.check("the capability is there", client.capa().get("XCOUNT") == ["EXACT"], client.capa())
        checks.check("XCOUNT", client._shortcmd("XCOUNT").endswith(b"3 letters are left"))
        client.dele(2)
        checks.check("DELE has deleted", client._shortcmd("XCOUNT").endswith(b"2 letters are left"))
        client.rset()
        try:
            client.retr(2)
            checks.check("RSET brings nothing back", False)
        except poplib.error_proto:
            checks.check("RSET brings nothing back", True)
        client.close()
        client = login_again(port)  # without QUIT it is gone all the same
        checks.check("it is gone for the next", client.stat()[0] == 2, client.stat())
        checks.check("gamma is read", client.retr(2)[1][0] == b"Subject: third")
        client.quit()


def test_live_mailbox():
    with example("live-mailbox", 0, 50) as (port, _):
        client = login(port)
        news, quiet = 0, 0
        known = client.stat()[0]
        for _ in range(10):
            client._shortcmd("SLEE")
            time.sleep(0.12)
            answer = client._shortcmd("WAKE")
            count = client.stat()[0]
            news += b"[ACTIVITY/NEW]" in answer
            quiet += b"[ACTIVITY/NONE]" in answer
            checks.check("WAKE tells the truth", (b"[ACTIVITY/NEW]" in answer) == (count > known), (answer, known, count))
            known = count
        checks.check("something came", news > 0, (news, quiet))
        uid = client.uidl(known).split()[2]
        later = b"tick-%d" % (int(uid.split(b"-")[1]) + 1)
        time.sleep(0.3)
        got = client._longcmd("RETR UID:" + later.decode())[1]  # it came after the listing
        checks.check("UID-PARAM finds what came later", b"Subject: tick" in got[1], got)
        client.quit()


def test_static_memory():
    """What a session takes is given back; valgrind counts the calls of malloc: none."""
    report = pathlib.Path(tempfile.mkdtemp(prefix="postern-examples-")) / "valgrind"
    wrap = [] if SANITIZED else ["valgrind", "--error-exitcode=9", f"--log-file={report}"]
    with example("static-memory", wrap=wrap) as (port, process):
        for _ in range(3):
            client = poplib.POP3("127.0.0.1", port, timeout=60)
            client.user("anybody")
            client.pass_("anything")
            checks.check("static-memory STAT", client.stat() == (2, 96), client.stat())
            got = client.retr(2)[1]
            checks.check("static-memory RETR", got == [b"Subject: dots", b"", b".", b"..", b"end"], got)
            client.quit()
            most, left = re.fullmatch(r"most (\d+) left (\d+)\n", process.stdout.readline()).groups()
            checks.check("all is given back", left == "0", left)
            checks.check("64 KiB are enough", 0 < int(most) < 65536, most)
    if SANITIZED:
        checks.skipped += 1  # the sanitizer's own allocations are in the way
    else:
        checks.check("no allocation at all", "total heap usage: 0 allocs" in report.read_text(), report.read_text())
    shutil.rmtree(report.parent)


def imap_login(port):
    client = imaplib.IMAP4("127.0.0.1", port, timeout=60)
    client.login("demo", "postern")
    return client


def fetched(client, what, item):
    """What FETCH answers, as one text."""
    answer = client.fetch(what, item)[1]
    return b" ".join(b" ".join(piece) if isinstance(piece, tuple) else piece or b"" for piece in answer)


def test_smtp_sink():
    with tempfile.TemporaryDirectory() as folder, example("smtp-sink", 0, folder) as (port, process):
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
            for name, data in samples():
                if b"\0" in data:
                    continue
                data = wire_form(data)
                smtp.sendmail("ann@example.org", ["bob@example.org", "carol@example.org"], data)
                path = pathlib.Path(process.stdout.readline().rstrip("\n"))
                wanted = re.sub(rb"\r\n|\r", b"\r\n", data)
                got = path.read_bytes()
                checks.check(f"smtp-sink keeps {name}", got.startswith(b"Received: from ") and
                             (got.endswith(wanted) or b"\nReturn-Path:" in b"\n" + wanted), got[:300])
            smtp.docmd("MAIL FROM:<a@b.example>")
            smtp.docmd("RCPT TO:<a@b.example>")
            smtp.docmd("DATA")
            smtp.sock.sendall(b"half")
        until, whole = time.monotonic() + 20, sum(b"\0" not in data for _, data in samples())
        while len(list(pathlib.Path(folder).iterdir())) != whole and time.monotonic() < until:
            time.sleep(0.02)
        checks.check("smtp-sink keeps no half", len(list(pathlib.Path(folder).iterdir())) == whole)


def test_imap_memory():
    with example("imap-memory") as (port, _):
        client, other = imap_login(port), imap_login(port)
        checks.check("what cannot be kept is not offered",
                     not {"CONDSTORE", "QRESYNC", "MOVE", "QUOTA", "OBJECTID"} & set(client.capabilities), client.capabilities)
        checks.check("imap-memory lists", client.list()[1] == [b'(\\HasNoChildren) "/" "INBOX"'], client.list()[1])
        checks.check("imap-memory counts", client.status("INBOX", "(MESSAGES UNSEEN UIDNEXT)")[1]
                     == [b'"INBOX" (MESSAGES 1 UIDNEXT 2 UNSEEN 1)'])
        checks.check("imap-memory selects", client.select()[1] == [b"1"] and other.select()[1] == [b"1"])
        number = 1
        for name, data in samples():
            if b"\0" in data:  # APPEND takes none
                data = data.replace(b"\0", b"")
            kind, answer = client.append("INBOX", "(\\Flagged)", None, wire_form(data))
            if not wire_form(data).partition(b"\r\n\r\n")[0].isascii():  # this one wants UTF8=ACCEPT
                checks.check(f"imap-memory refuses {name}", kind == "NO" and b"[CANNOT]" in answer[0], answer)
                continue
            number += 1
            checks.check(f"imap-memory append {name}", kind == "OK" and b"APPENDUID 1 %d" % number in answer[0], answer)
            body = client.uid("FETCH", str(number), "(RFC822.SIZE BODY.PEEK[])")[1][0]
            checks.check(f"imap-memory reads {name}", body[1] == wire_form(data), len(body[1]))
            size = int(re.search(rb"RFC822.SIZE (\d+)", body[0])[1])
            checks.check(f"imap-memory size of {name}", size == len(body[1]), size)
            structure = client.uid("FETCH", str(number), "(ENVELOPE BODYSTRUCTURE)")
            checks.check(f"imap-memory structure of {name}", structure[0] == "OK", structure)
        other.noop()
        checks.check("the other hears of new ones", other.untagged_responses["EXISTS"][-1] == b"%d" % number)
        checks.check("the other sees flags", b"\\Flagged" in fetched(other, "2", "(FLAGS)"))
        client.store("2", "+FLAGS", "(\\Deleted \\Seen nice)")
        checks.check("flags are kept, words are not", b"FLAGS (\\Seen \\Flagged \\Deleted)" in fetched(client, "2", "(FLAGS)"))
        checks.check("imap-memory searches", client.search(None, "DELETED")[1] == [b"2"] and
                     client.search(None, "TEXT", '"This is an array"')[1] == [b"1"])
        checks.check("imap-memory expunges", client.expunge()[1] == [b"2"])
        kind, answer = client.copy("1", "INBOX")
        checks.check("imap-memory has no copy", kind == "NO" and b"[CANNOT]" in answer[0], answer)
        kind, answer = client.select("Nothing")
        checks.check("imap-memory has one mailbox", kind == "NO" and b"[NONEXISTENT]" in answer[0], answer)
        kind, answer = client.append("Nothing", None, None, b"x")
        checks.check("imap-memory appends to it alone", kind == "NO" and b"[TRYCREATE]" in answer[0], answer)
        kind, answer = client.create("More")
        checks.check("imap-memory makes none", kind == "NO" and b"[CANNOT]" in answer[0], answer)
        out = subprocess.run(["curl", "-sS", "--max-time", "60", f"imap://demo:postern@127.0.0.1:{port}/INBOX;UID=1"],
                             capture_output=True)
        checks.check("imap-memory by curl", out.stdout == b"Subject: hello\r\n\r\nThis is an array.\r\n", out)
        client.logout()
        other.logout()


def test_tickets():
    with example("tickets") as (port, process):
        imap_port = int(process.stdout.readline().rsplit(":", 1)[1])
        client = imap_login(imap_port)
        names = [line.split(b'"/" ')[1] for line in client.list()[1]]
        checks.check("tickets: queues are mailboxes", names == [b'"INBOX"', b'"Sales"', b'"Support"'], names)
        counts = client._simple_command("LIST", '""', "*", "RETURN", "(STATUS (MESSAGES))")[0]
        checks.check("tickets: all counts at once", counts == "OK" and client.untagged_responses["STATUS"]
                     == [b'"INBOX" (MESSAGES 3)', b'"Sales" (MESSAGES 0)', b'"Support" (MESSAGES 0)'], client.untagged_responses)
        client.select()
        client.store("1", "+FLAGS", "\\Flagged")
        pop = login(port)
        checks.check("tickets: POP3 shows INBOX", pop.stat()[0] == 3 and pop.uidl()[1][2] == b"3 1.3", pop.uidl())
        checks.check("tickets: one text for both", b"\r\n".join(pop.retr(1)[1]) + b"\r\n" == client.fetch("1", "BODY.PEEK[]")[1][0][1])
        pop.dele(3)
        pop.quit()
        client.noop()
        checks.check("tickets: closed over POP3", client.untagged_responses["EXPUNGE"] == [b"3"], client.untagged_responses)
        kind, answer = client._simple_command("MOVE", "2", "Sales")
        checks.check("tickets: another queue", kind == "OK" and client.untagged_responses["COPYUID"] == [b"1 2 1"],
                     (answer, client.untagged_responses))
        checks.check("tickets: not two at once", client.copy("1", "Sales")[0] == "NO")
        checks.check("tickets: counted there", client.status("Sales", "(MESSAGES UIDNEXT)")[1] == [b'"Sales" (MESSAGES 1 UIDNEXT 2)'])
        other = imap_login(imap_port)
        other.select()
        checks.check("tickets: the flag is the record's", b"\\Flagged" in fetched(other, "1", "(FLAGS)"))
        envelope = fetched(other, "1", "(ENVELOPE)")
        checks.check("tickets: envelope", b"the printer is on fire" in envelope and b'"ann" "example.org"' in envelope, envelope)
        client.logout()
        other.logout()


for function in (test_eml_folder, test_epoll_loop, test_threads, test_custom_command, test_live_mailbox,
                 test_static_memory, test_imap_memory, test_tickets, test_smtp_sink):
    checks.run(function.__name__, function)
checks.finish()
