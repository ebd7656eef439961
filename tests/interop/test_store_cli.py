#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""store_cli - what an administrator does with the store: put, import, export, fsck, rebuild, dump. What is
written is read by Python's mailbox module, and what that writes is read back."""
import json
import mailbox
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import POSTERN, Checks  # noqa: E402

checks = Checks()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-store-cli-"))
mail = folder / "mail"


def postern(*arguments, **more):
    return subprocess.run([POSTERN, *map(str, arguments), "--mail", str(mail)], capture_output=True, timeout=60, **more)


def dump(user):
    lines = [json.loads(line) for line in postern("index", "dump", user).stdout.splitlines()]
    return [line for line in lines if "uid" in line], {line["mailbox"]: line for line in lines if "id" in line}


def message(i, more=""):
    return f"Subject: {i}\r\nFrom: a@example.org\r\n{more}\r\nFrom the beginning\r\n>From here\r\nbody {i}\r\n\r\n".encode()


def putting():
    out = postern("put", "ann", "-", input=message(0).replace(b"\r\n", b"\n"))
    checks.check("put prints the UID", out.returncode == 0 and out.stdout == b"1\n", out)
    stream = b"".join(b"%d\n%s" % (len(message(i)), message(i)) for i in range(1, 6))
    out = postern("put", "ann", "--stream", input=stream)
    checks.check("a stream of five", out.returncode == 0 and out.stdout == b"2\n3\n4\n5\n6\n", out)
    out = postern("put", "ann", "--stream", input=b"100\nshort")
    checks.check("a stream that is cut off delivers nothing of it", out.returncode != 0 and out.stdout == b"", out)
    out = postern("put", "ann", "--stream", input=b"many\n")
    checks.check("a stream without a number", out.returncode == 65, out)
    messages, boxes = dump("ann")
    checks.check("six are there", len(messages) == 6 and boxes["INBOX"]["messages"] == 6, boxes)
    files = list((mail / "ann/new").glob(f"*,U={boxes['INBOX']['uid_validity']}-1"))
    checks.check("the UID is in the name", len(files) == 1, files)
    checks.check("stored with CRLF, as it is sent", files[0].read_bytes() == message(0), files[0].read_bytes())


def messages():
    """What an administrator does with single messages; searches and changes are IMAP's."""
    mailbox_of = lambda *words: postern("mailbox", *words)  # noqa: E731
    postern("put", "fay", "--stream", input=b"".join(b"%d\n%s" % (len(message(i)), message(i)) for i in range(6)))
    mailbox_of("create", "fay", "Entw\u00fcrfe/Alt")
    listed = postern("message", "list", "fay", "INBOX").stdout.decode().splitlines()
    checks.check("message list", len(listed) == 6 and listed[0].split("\t")[0] == "1" and listed[0].endswith("a@example.org\t0"), listed)
    told = json.loads(postern("message", "list", "fay", "INBOX", "--json").stdout)
    checks.check("message list as JSON", [one["uid"] for one in told] == list(range(1, 7)) and told[2]["subject"] == "2", told)
    got = postern("message", "get", "fay", "INBOX", "3")
    checks.check("message get", got.stdout == message(2), got)
    found = postern("message", "search", "fay", "INBOX", "or", "subject", "4", "text", '"body 2"')
    checks.check("message search", found.stdout == b"3\n5\n", found)
    checks.check("message flag", postern("message", "flag", "fay", "INBOX", "3,5", "+flagged", "+work", "-seen").returncode == 0)
    checks.check("message search by keyword", postern("message", "search", "fay", "INBOX", "keyword", "work").stdout == b"3\n5\n")
    checks.check("message list shows flags", postern("message", "list", "fay", "INBOX").stdout.splitlines()[2].split(b"\t")[1] == b"F")
    moved = postern("message", "move", "fay", "INBOX", "5", "Entw\u00fcrfe/Alt")
    checks.check("message move", moved.returncode == 0 and postern("message", "search", "fay", "Entw\u00fcrfe/Alt").stdout == b"1\n", moved)
    checks.check("message delete", postern("message", "delete", "fay", "INBOX", "3").returncode == 0)
    checks.check("message search of all", postern("message", "search", "fay", "INBOX").stdout == b"1\n2\n4\n6\n")
    postern("put", "gus", "--stream", input=b"".join(b"%d\n%s" % (len(message(i)), message(i)) for i in range(2500)))
    found = postern("message", "search", "gus", "INBOX", "body", '"body 24"')
    checks.check("message search in many", len(found.stdout.split()) == 111, found)
    for words, code in ((("search", "fay", "INBOX", "nonsense"), 64), (("move", "fay", "INBOX", "1", "Nowhere"), 65),
                        (("get", "fay", "INBOX", "77"), 67), (("list", "fay", "Nowhere"), 67), (("list", "nobody", "INBOX"), 67),
                        (("flag", "fay", "INBOX", "1", "seen"), 65), (("flag", "fay", "INBOX", "x", "+seen"), 65),
                        (("search", "fay", "INBOX", "all\r\nx uid expunge 1"), 64), (("search", "fay", "INBOX", *["all"] * 65), 64), (("list", "fay"), 64), (("burn", "fay"), 64)):
        out = postern("message", *words)
        checks.check(f"message {' '.join(words)!r}", out.returncode == code and out.stdout == b"", out)
    checks.check("annotate", mailbox_of("annotate", "fay", "INBOX", "/private/comment=a=b").returncode == 0)
    checks.check("metadata", mailbox_of("metadata", "fay", "INBOX").stdout == b"/private/comment\ta=b\n")
    checks.check("annotate the account", mailbox_of("annotate", "fay", ".", "/shared/admin=mailto:x").returncode == 0)
    checks.check("metadata as JSON", json.loads(mailbox_of("metadata", "fay", ".", "--json").stdout)
                 == [{"entry": "/shared/admin", "value": "mailto:x"}])
    checks.check("annotate: removed", mailbox_of("annotate", "fay", "INBOX", "/private/comment").returncode == 0
                 and mailbox_of("metadata", "fay", "INBOX").stdout == b"")
    for entry in ("bob=lrs", "bob=+i", "bob=-s", "-anyone=x", "carl=cd"):
        checks.check(f"acl-set {entry}", mailbox_of("acl-set", "fay", "INBOX", entry).returncode == 0)
    checks.check("acl", mailbox_of("acl", "fay", "INBOX").stdout == b"bob\tlri\n-anyone\tx\ncarl\tkxte\n")
    checks.check("acl-delete", mailbox_of("acl-delete", "fay", "INBOX", "carl").returncode == 0)
    checks.check("acl as JSON", json.loads(mailbox_of("acl", "fay", "INBOX", "--json").stdout)
                 == [{"identifier": "bob", "rights": "lri"}, {"identifier": "-anyone", "rights": "x"}])
    for entry, code in (("bob=lq", 65), ("bob", 65), ("=l", 65), ("-=l", 65), ("fay=l", 77), ("-fay=l", 77)):
        checks.check(f"acl-set {entry}", mailbox_of("acl-set", "fay", "INBOX", entry).returncode == code)
    checks.check("acl of no mailbox", mailbox_of("acl", "fay", "None").returncode == 67)
    checks.check("annotate: no such entry", mailbox_of("annotate", "fay", "INBOX", "comment=x").returncode == 65)


def exporting():
    for kind in ("maildir", "mbox", "eml"):
        out = postern("export", "ann", folder / f"out-{kind}", "--format", kind)
        checks.check(f"export {kind}", out.stdout == b"6 messages exported\n", out)
        again = postern("import", kind, folder / f"out-{kind}")
        checks.check(f"import {kind}", again.stdout == b"6 messages imported\n", again)
        bodies = sorted(path.read_bytes() for sub in ("new", "cur") for path in (mail / kind / sub).iterdir())
        if kind == "mbox":  # the Status fields stay
            bodies = [body.replace(b"Status: O\r\nX-Status: \r\n", b"") for body in bodies]
        checks.check(f"{kind}: the same octets came back", bodies == sorted(message(i) for i in range(6)), bodies[:1])
    for kind, reader in (("maildir", mailbox.Maildir), ("mbox", mailbox.mbox)):
        seen = sorted(each["Subject"] for each in reader(str(folder / f"out-{kind}"), create=False))
        checks.check(f"Python reads the {kind}", seen == [str(i) for i in range(6)], seen)
    out = postern("export", "ann", folder / "out-mbox", "--format", "mbox")
    checks.check("nothing is overwritten", out.returncode != 0, out)


def importing():
    box = mailbox.mbox(str(folder / "made"))
    for i in range(3):
        each = mailbox.mboxMessage(message(i).replace(b"\r\n", b"\n"))
        each.set_flags(("", "RO", "ROA")[i])
        box.add(each)
    box.flush()
    out = postern("import", "carl", folder / "made", "--mailbox", "Old/Mail")
    checks.check("import of an mbox by Python", out.stdout == b"3 messages imported\n", out)
    messages, boxes = dump("carl")
    checks.check("with its flags", [each["flags"] for each in messages] == ["", "S", "SR"], messages)
    checks.check("into the mailbox that was asked for", boxes["Old/Mail"]["messages"] == 3, boxes)
    checks.check("which lies as Maildir++", (mail / "carl/.Old.Mail/cur").is_dir())


def checking():
    out = postern("fsck", "ann")
    checks.check("fsck: all is well", out.returncode == 0 and out.stdout == b"", out)
    before, boxes = dump("ann")
    (mail / "ann/new/1700000000.foreign").write_bytes(message(7))
    gone = sorted((mail / "ann/new").iterdir())[1]
    gone.unlink()
    out = postern("fsck", "ann", "--json")
    faults = {fault["fault"] for fault in json.loads(out.stdout)}
    checks.check("fsck finds both", out.returncode == 1 and faults == {"a record without a file", "a file without a record"}, out)
    out = postern("fsck", "--repair")
    checks.check("fsck --repair", out.returncode == 0 and b"ann: mended" in out.stdout, out)
    checks.check("and then all is well", postern("fsck").returncode == 0)
    index = mail / "ann/postern/index"
    index.write_bytes(b"not an index")
    out = postern("fsck", "ann")
    checks.check("fsck finds a lost index", out.returncode == 1 and b"missing or cannot be read" in out.stdout, out)
    uids = {each["unique_id"]: each["uid"] for each in before}
    after, now = dump("ann")
    same = [each for each in after if each["unique_id"] in uids]
    checks.check("UIDs of ours outlive it", len(same) == 5 and all(uids[each["unique_id"]] == each["uid"] for each in same), after)
    checks.check("and so does the uid validity", now["INBOX"]["uid_validity"] == boxes["INBOX"]["uid_validity"])
    out = postern("mailbox", "rebuild", "ann")
    after, _ = dump("ann")
    same = [each for each in after if each["unique_id"] in uids]
    checks.check("rebuild keeps them, too", out.returncode == 0 and all(uids[each["unique_id"]] == each["uid"] for each in same), after)


def coming_from_dovecot():
    box = mail / "dora"
    for sub in ("cur", "new", "tmp"):
        (box / sub).mkdir(parents=True)
    (box / "cur/1700000001.M1P1.host,S=90,W=95:2,Sa").write_bytes(message(1))
    (box / "cur/1700000002.M2P1.host:2,").write_bytes(message(2))
    (box / "new/1700000003.M3P1.host").write_bytes(message(3))
    (box / "dovecot-keywords").write_text("0 $Forwarded\n1 work\n")
    (box / "dovecot-uidlist").write_text("3 V1600000000 N120 G0123456789abcdef\n"
                                         "17 :1700000001.M1P1.host,S=90,W=95\n"
                                         "119 Pits.own :1700000002.M2P1.host\n")
    messages, boxes = dump("dora")
    checks.check("UIDs of Dovecot stay", [each["uid"] for each in messages] == [17, 119, 120], messages)
    checks.check("and its uid validity", boxes["INBOX"]["uid_validity"] == 1600000000, boxes)
    checks.check("keywords by its letters", messages[0]["keywords"] == ["$Forwarded"], messages[0])
    checks.check("a unique-id of its own", messages[1]["unique_id"] == "its.own", messages[1])
    out = postern("mailbox", "import-uidl", "dora")
    messages, _ = dump("dora")
    checks.check("import-uidl", out.stdout == b"2 unique-ids taken over\n" and messages[0]["unique_id"] == "000000115F5E1000", messages)
    out = postern("mailbox", "import-uidl", "dora", "--format", "%v.%u")
    checks.check("import-uidl with a format", dump("dora")[0][0]["unique_id"] == "1600000000.17", out)
    checks.check("a bad format", postern("mailbox", "import-uidl", "dora", "--format", "%q").returncode == 65)


def changing():
    """What an IMAP client can do to mailboxes."""
    postern("put", "erin", input=message(1))
    for arguments in (("create", "erin", "Bin", "--use", "trash"), ("create", "erin", "a/b"), ("rename", "erin", "a", "x"),
                      ("subscribe", "erin", "x/b")):
        checks.check(f"mailbox {' '.join(arguments)}", postern("mailbox", *arguments).returncode == 0)
    boxes = {each["name"]: each for each in json.loads(postern("mailbox", "folders", "erin", "--json").stdout)}
    checks.check("mailbox folders", sorted(boxes) == ["Bin", "INBOX", "x", "x/b"], boxes)
    checks.check("as they were made", boxes["Bin"]["use"] == "trash" and boxes["x/b"]["subscribed"] and boxes["INBOX"]["messages"] == 1, boxes)
    quota = json.loads(postern("mailbox", "quota", "erin", "--json").stdout)
    checks.check("mailbox quota", quota["messages"] == 1 and quota["bytes_max"] == 0, quota)
    for arguments, bytes_max, messages_max in ((("--storage", "12", "--messages", "3"), 12288, 3), ((), 12288, 3), (("--messages", "4"), 0, 4),
                                               (("--default",), 0, 0)):
        quota = json.loads(postern("mailbox", "quota", "erin", "--json", *arguments).stdout)
        checks.check(f"mailbox quota {' '.join(arguments)}", (quota["bytes_max"], quota["messages_max"]) == (bytes_max, messages_max), quota)
    quota = json.loads(postern("mailbox", "quota", "erin", "--json", "--mailboxes", "4").stdout)
    checks.check("mailbox quota --mailboxes", (quota["mailboxes"], quota["mailboxes_max"]) == (4, 4), quota)
    checks.check("one mailbox too many", postern("mailbox", "create", "erin", "more").returncode != 0)
    postern("mailbox", "quota", "erin", "--default")
    for arguments in (("--storage", "x"), ("--mailboxes", "x"), ("--messages", "-1"), ("--default", "--messages", "1")):
        checks.check(f"not {' '.join(arguments)}", postern("mailbox", "quota", "erin", *arguments).returncode != 0)
    postern("mailbox", "quota", "erin", "--messages", "1")
    checks.check("a limit of his own", postern("put", "erin", input=message(2)).returncode != 0)
    postern("mailbox", "quota", "erin", "--default")
    checks.check("and gone", postern("put", "erin", input=message(2)).returncode == 0)
    checks.check("mailbox delete", postern("mailbox", "delete", "erin", "x/b").returncode == 0)
    checks.check("one less", b"x/b" not in postern("mailbox", "folders", "erin").stdout)
    checks.check("not twice", postern("mailbox", "delete", "erin", "x/b").returncode != 0)
    checks.check("no such use", postern("mailbox", "create", "erin", "y", "--use", "nothing").returncode != 0)


def refusing():
    for arguments in (("index",), ("index", "dump"), ("import", "x"), ("export",), ("mailbox", "rebuild"), ("mailbox", "x"), ("mailbox", "create", "x")):
        checks.check(f"{' '.join(arguments)}: usage", postern(*arguments).returncode == 64)
    checks.check("no such account", postern("fsck", "nobody").returncode == 67)
    checks.check("a user who would be a path", postern("fsck", "../mail").returncode == 67)


try:
    for part in (putting, exporting, importing, checking, coming_from_dovecot, changing, messages, refusing):
        part()
finally:
    shutil.rmtree(folder, ignore_errors=True)
checks.finish()
