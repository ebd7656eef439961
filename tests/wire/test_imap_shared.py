#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_imap_shared - mailboxes of others against the real server: a mailbox that is hidden answers to every command, by every
form of its name, exactly as one that does not exist; each right alone allows what RFC 4314 4 says and nothing else; and
several users at work in one mailbox from several event loops."""
import imaplib
import re
import socket
import subprocess
import sys
import threading
import time
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from harness import POSTERN, Checks, Server  # noqa: E402

checks = Checks()
MAIL = b"From: Ann\r\nSubject: plans\r\n\r\nthe secret plan\r\n"
SETTINGS = ['other_users = "Other"', 'shared_account = "public"', "threads = 4", "quota_mb = 8", "connections_per_user = 0",
            "connections_per_address = 0"]


class Session:
    """A connection, logged in; say() is one command, and all that is answered to it."""

    def __init__(self, server, user):
        self.sock = socket.create_connection(("127.0.0.1", server.imap), timeout=20)
        self.got = b""
        self.line()
        self.say(b"LOGIN %s secret" % user)

    def line(self):
        while b"\r\n" not in self.got:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"closed after {self.got!r}")
            self.got += data
        line, self.got = self.got.split(b"\r\n", 1)
        return line

    def say(self, command):
        """Literals that wait are sent when they are asked for."""
        parts = re.split(rb"(?<=[0-9]\})\r\n", command)
        lines = []
        self.sock.sendall(b"t " + parts.pop(0) + b"\r\n")
        while True:
            line = self.line()
            if line.startswith(b"+ ") and parts:
                self.sock.sendall(parts.pop(0) + b"\r\n")
            lines.append(line)
            if line.startswith(b"t "):
                return b"\n".join(lines)

    def good(self, command):
        answer = self.say(command)
        if not re.search(rb"^t OK", answer, re.M):
            raise ValueError(f"{command!r}: {answer!r}")
        return answer


def append(mailbox, flags=b""):
    return b"APPEND %s %s {%d+}\r\n%s" % (mailbox, flags or b"()", len(MAIL), MAIL)


# ---- a hidden mailbox ------------------------------------------------------------------------------------------------------

WAITS = b"{%d}\r\n%s" % (len(MAIL), MAIL)
COMMANDS = [
    b"SELECT @", b"EXAMINE @", b"SELECT @ (CONDSTORE)", b"SELECT @ (QRESYNC (1 1))", b"CREATE @", b"CREATE @ (USE (\\Sent))",
    b"STATUS @ (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ MAILBOXID)", b"STATUS @ (RECENT)", b"DELETE @",
    b"RENAME @ mine", b"RENAME own @", b"RENAME @ @", b"SUBSCRIBE @", b'LIST (SUBSCRIBED) "" @', b'LSUB "" @', b"UNSUBSCRIBE @",
    b'LIST "" @', b'LIST @ ""', b'LIST @ %', b'LIST "" (@ own) RETURN (SUBSCRIBED CHILDREN SPECIAL-USE MYRIGHTS STATUS (MESSAGES))',
    b'LIST "" @ RETURN (METADATA (/shared/comment))', b'LIST (SPECIAL-USE) "" @', b'LIST (SUBSCRIBED RECURSIVEMATCH) "" @',
    b'XLIST "" @', b"GETACL @", b"SETACL @ bob lrswipkxtea", b"SETACL @ bob +l", b"DELETEACL @ carl", b"LISTRIGHTS @ bob",
    b"MYRIGHTS @", b"GETQUOTAROOT @", b"GETQUOTA @", b"SETQUOTA @ (STORAGE 1)", b"GETMETADATA @ /shared/comment",
    b"GETMETADATA (DEPTH infinity) @ (/private /shared)", b"SETMETADATA @ (/shared/comment NIL)",
    b'SETMETADATA @ (/private/comment "x")', b"APPEND @ " + WAITS, append(b"@"), append(b"@", b"(\\Seen \\Deleted word)"),
    b'APPEND own CATENATE (URL "/#/;UID=1")', b'APPEND own CATENATE (URL "/#;UIDVALIDITY=1/;UID=1/;SECTION=TEXT")',
    b'APPEND @ CATENATE (TEXT {4+}\r\na\r\n\r)', b"ESEARCH IN (mailboxes @) RETURN (ALL COUNT) ALL",
    b"ESEARCH IN (subtree @) ALL", b"ESEARCH IN (subtree-one @ mailboxes own) RETURN (COUNT) ALL",
    b"NOTIFY SET STATUS (mailboxes @ (MessageNew MessageExpunge))",
    b"NOTIFY SET STATUS (subtree @ (MailboxName MessageNew MessageExpunge))",
]
SELECTED = [
    b"COPY 1 @", b"UID COPY 1:* @", b"MOVE 1 @", b"UID MOVE 1:* @", b"REPLACE 1 @ " + WAITS, b"UID REPLACE 1 @ {%d+}\r\n%s" % (len(MAIL), MAIL),
    b"SELECT @", b"STATUS @ (MESSAGES)", b"GETACL @", b"ESEARCH IN (selected mailboxes @) RETURN (COUNT) ALL", b"DELETE @",
    b'REPLACE 1 own CATENATE (URL "/#/;UID=1")',
]
# forms of a name: what is said of the hidden one, and of one that is not there
FORMS = [
    (b"Other/ann/Secret", b"Other/ann/Nobody"), (b'"Other/ann/Secret"', b'"Other/ann/Nobody"'),
    (b"{16+}\r\nOther/ann/Secret", b"{16+}\r\nOther/ann/Nobody"), (b"Other/ann/Secret/Sub", b"Other/ann/Nobody/Sub"),
    (b"Other/ann/INBOX", b"Other/eve/INBOX"), (b"Other/ann/inbox", b"Other/eve/inbox"), (b"Other/ann", b"Other/eve"),
    (b"Other/ann/", b"Other/eve/"), (b"Other/ann/Secret/", b"Other/ann/Nobody/"), (b"Other/ann//Secret", b"Other/ann//Nobody"),
    (b"Other/ann/../ann/Secret", b"Other/ann/../ann/Nobody"), (b"Other/./ann/Secret", b"Other/./ann/Nobody"),
    (b"Other/bob/../ann/Secret", b"Other/bob/../ann/Nobody"), (b"Other/ann/Secret/../INBOX", b"Other/ann/Nobody/../INBOX"),
    (b"Other/ann/.Secret", b"Other/ann/.Nobody"), (b"Other/ann.Secret", b"Other/ann.Nobody"), (b"Other/ANN/Secret", b"Other/ANN/Nobody"),
    (b"Other//ann/Secret", b"Other//ann/Nobody"), (b'"Other/ann/Geheimes F&APw-r mich"', b'"Other/ann/Gehaimes F&APw-r mich"'),
    (b"Shared/Secret", b"Shared/Nobody"), (b"Shared/INBOX", b"Shared/Nobox"), (b"Shared/../ann/Secret", b"Shared/../ann/Nobody"),
    (b"Other/public/Secret", b"Other/public/Nobody"), (b"Other/ann%/Secret", b"Other/ann%/Nobody"),
    (b"Other/ann/a//b", b"Other/eve/a//b"), (b"Other/ann/inbox/a", b"Other/eve/inbox/a"),
    (b"Other/ann/" + b"v" * 300, b"Other/eve/" + b"v" * 300),
]
ALIKE = [(b"Secret", b"Nobody"), (b"/eve", b"/ann"), (b"Geheimes", b"Gehaimes"), (b"Shared/INBOX", b"Shared/Nobox"),
         (b"NAME", b"NAME")]


def url_of(name):
    return re.sub(rb"^\{.*\}\r\n", b"", name.strip(b'"')).replace(b"%", b"%25").replace(b" ", b"%20")


def fill(command, name):
    return command.replace(b"@", name).replace(b"#", url_of(name))


def settle(answer):
    """Without what must differ: the names, and numbers that time makes."""
    for one, other in ALIKE:
        answer = answer.replace(one, other)
    return re.sub(rb"(UIDVALIDITY|APPENDUID|COPYUID|MODSEQ|UIDNEXT)[ (0-9:,]*", rb"\1", answer)


def world(server):
    ann = Session(server, b"ann")
    for name in (b"Secret", b"Secret/Sub", b'"Geheimes F&APw-r mich"'):
        ann.good(b"CREATE " + name)
        ann.good(append(name))
        ann.good(b"SETACL %s carl lrswipkxtea" % name)
    ann.good(append(b"INBOX"))
    ann.good(b'SETMETADATA Secret (/shared/comment "ours" /private/comment "mine")')
    public = Session(server, b"public")
    public.good(b"CREATE Secret")
    public.good(append(b"Secret"))
    bob = Session(server, b"bob")
    bob.good(b"CREATE own")
    for _ in range(2):
        bob.good(append(b"INBOX"))


def facts(server, user):
    one = Session(server, user)
    answer = one.good(b'LIST "" * RETURN (MYRIGHTS STATUS (MESSAGES UIDNEXT UNSEEN DELETED))')
    for name in (b"INBOX", b"Secret"):
        answer += one.say(b"GETACL " + name) + one.say(b"GETMETADATA (DEPTH infinity) %s (/private /shared)" % name)
    return answer


def hidden(server, user):
    """I 4314:6-1"""
    for real, control in FORMS:
        one, other = Session(server, user), Session(server, user)
        for selected, commands in ((False, COMMANDS), (True, SELECTED)):
            for command in commands:
                if selected:
                    one.good(b"SELECT INBOX"), other.good(b"SELECT INBOX")
                a, b = one.say(fill(command, real)), other.say(fill(command, control))
                checks.check(f"{user.decode()}: {command[:40]!r} of {real!r}", settle(a) == settle(b), f"\n  {a!r}\n  {b!r}")


def hidden_mailboxes(server):
    world(server)
    before = [facts(server, user) for user in (b"ann", b"public")]
    hidden(server, b"bob")
    after = [facts(server, user) for user in (b"ann", b"public")]
    checks.check("nothing of ann's was changed", before == after, f"\n  {before}\n  {after}")
    bob = Session(server, b"bob")
    checks.check("bob has what he had", b"(MESSAGES 2)" in bob.good(b"STATUS INBOX (MESSAGES)"))
    Session(server, b"eve2").good(b"SETACL INBOX bob lr")
    checks.check("eve2 shares", b"Other/eve2/INBOX" in bob.good(b'LIST "" *') and b"t OK" in bob.say(b"SELECT Other/eve2/INBOX"))
    bob.good(b"UNSELECT")
    subprocess.run([POSTERN, "user", "del", "eve2", "--users", str(server.users)], check=True)
    time.sleep(1.1)  # the file is looked at once a second
    checks.check("who is no user any more shares nothing", b"Other/eve2" not in bob.good(b'LIST "" *')
                 and b"NONEXISTENT" in bob.say(b"SELECT Other/eve2/INBOX"))
    checks.check("carl sees it", b"MESSAGES 1" in Session(server, b"carl").good(b"STATUS Other/ann/Secret (MESSAGES)"))


# ---- each right alone ------------------------------------------------------------------------------------------------------

BOX = b"Other/ann/Top/Box"
ALONE = [  # with which rights each alone
    (b'STATUS @ (MESSAGES)', "r"), (b"EXAMINE @", "r"), (b"SELECT @", "r"), (append(b"@"), "i"), (b"GETQUOTAROOT @", "r"),
    (b"CREATE @/New", "k"), (b"GETACL @", "a"), (b"LISTRIGHTS @ eve", "a"), (b"SETACL @ eve l", "a"), (b"DELETEACL @ eve", "a"),
    (b"MYRIGHTS @", "lrikxa"), (b"GETMETADATA @ /shared/comment", ""), (b'SETMETADATA @ (/shared/comment "x")', ""),
    (b"SUBSCRIBE @", "lrswipkxtea"), (b"UNSUBSCRIBE @", "lrswipkxtea"), (b'APPEND INBOX CATENATE (URL "/@/;UID=1")', "r"),
    (b"RENAME @ Other/ann/Top/Moved", "x"), (b"DELETE @", "x"),
]
READING = [  # in the selected mailbox, with r and each alone
    (b"STORE 1 +FLAGS (\\Seen)", "s"), (b"STORE 1 +FLAGS (\\Flagged word)", "w"), (b"STORE 1 +FLAGS (\\Deleted)", "t"),
    (b"STORE 1 FLAGS (\\Seen \\Flagged \\Deleted)", "swt"), (b"FETCH 1 BODY[]", "lrswipkxtea"), (b"SEARCH ALL", "lrswipkxtea"),
    (b"COPY 1 INBOX", "lrswipkxtea"), (b"MOVE 1 INBOX", ""), (b"EXPUNGE", "e"), (b"COPY 1 @", "i"), (b"CLOSE", "lrswipkxtea"),
]
KEPT = {"s": b"(\\Seen)", "w": b"(\\Answered \\Flagged \\Draft \\*)", "t": b"(\\Deleted)"}


class Matrix:
    """I 4314:3.5-1 I 4314:4-2 I 4314:4-3 I 4314:4-4 I 4314:4-5 I 4314:4-6 I 4314:4-7 I 4314:4-8 I 4314:4-9 I 4314:4-10"""

    def __init__(self, server):
        self.server = server
        self.ann, self.bob = Session(self.server, b"ann"), Session(self.server, b"bob")
        self.ann.good(b"CREATE Top")
        self.ann.good(b"SETACL Top bob lk")

    def fresh(self, rights):
        self.bob.say(b"UNSELECT")
        for name in (b"Top/Box/New", b"Top/Box", b"Top/Moved"):
            self.ann.say(b"DELETE " + name)
        self.ann.good(b"CREATE Top/Box")
        self.ann.good(append(b"Top/Box"))
        self.ann.good(append(b"Top/Box", b"(\\Deleted)"))
        self.ann.good(b"SETACL Top/Box bob " + rights.encode())

    def said(self, what, command, allowed, sees):
        answer = self.bob.say(command.replace(b"@", BOX))
        last = answer.split(b"\n")[-1]
        code = b"NOPERM" if sees or command.startswith(b"CREATE") else b"NONEXISTENT|TRYCREATE|BADURL"
        wanted = rb"t OK" if allowed else rb"t NO \[(%s|READ-ONLY|BADURL)" % code
        checks.check(f"{what}: {command[:40]!r}", re.match(wanted, last), answer)
        return answer

    def alone(self):
        for right in "lrswipkxtea":
            for sees in sorted({"l", ""} - ({"l"} if right == "l" else set())):
                both = right + sees
                self.fresh(both)
                for command, allowed in ALONE:
                    if command.startswith(b"DELETE ") and "x" in both:
                        self.fresh(both)  # it was renamed
                    good = any(letter in allowed for letter in both) or \
                        ("METADATA" in command.decode("latin-1") and "l" in both and right in "rswip")
                    self.said(f"with {both}", command, good, "l" in both)
                self.fresh(right + sees)
                listed = BOX in self.bob.good(b'LIST "" ' + BOX)
                checks.check(f"LIST with {right + sees}", listed == ("l" in right + sees))
                found = b"COUNT 2" in self.bob.good(b"ESEARCH IN (mailboxes %s) RETURN (COUNT) ALL" % BOX)
                checks.check(f"ESEARCH with {right + sees}", found == ("r" in right + sees))

    def reading(self):
        for right in "lrswipkxtea":
            for command, allowed in READING:
                self.fresh("lr" + right)
                answer = self.bob.good(b"SELECT " + BOX)
                checks.check(f"SELECT with lr{right}", (b"[READ-WRITE]" in answer) == (right in "ieswt"), answer)
                flags = re.search(rb"PERMANENTFLAGS (\(.*?\))\]", answer)[1]
                checks.check(f"PERMANENTFLAGS with lr{right}", flags == KEPT.get(right, b"()"), answer)
                self.said(f"selected with lr{right}", command, right in allowed, True)
                left = self.ann.good(b"STATUS Top/Box (MESSAGES UNSEEN)")
                gone = right == "e" and command in (b"EXPUNGE", b"CLOSE")
                seen = right == "s" and (b"BODY" in command or b"\\Seen" in command)
                more = right == "i" and command == b"COPY 1 @"
                messages = 3 if more else 1 if gone else 2
                checks.check(f"what {command!r} with lr{right} left",
                             b"(MESSAGES %d UNSEEN %d)" % (messages, messages - seen) in left, left)

    def together(self):
        self.fresh("lrte")
        self.bob.good(b"SELECT " + BOX)
        self.said("with lrte", b"MOVE 1 INBOX", True, True)
        self.fresh("lri")
        self.bob.good(b"SELECT INBOX")
        self.bob.good(b"STORE 1 +FLAGS (\\Seen \\Flagged \\Deleted word)")
        for rights, flags in (("lri", b"()"), ("lris", b"(\\Seen)"), ("lriw", b"(\\Flagged word)"), ("lrit", b"(\\Deleted)")):
            self.fresh(rights)
            self.bob.good(b"SELECT INBOX")
            self.bob.good(b"COPY 1 " + BOX)
            self.bob.good(append(BOX, b"(\\Seen \\Flagged \\Deleted word)"))
            self.ann.good(b"SELECT Top/Box")
            answer = self.ann.good(b"FETCH 3:4 FLAGS").replace(b" \\Recent", b"").replace(b"\\Recent", b"")
            self.ann.good(b"UNSELECT")
            checks.check(f"flags that {rights} lets in", answer.count(b"FLAGS " + flags) == 2, answer)

    def imaplib_speaks_it(self):
        ann = imaplib.IMAP4("127.0.0.1", self.server.imap)
        ann.login("ann", "secret")
        checks.check("imaplib: capability", b" ACL RIGHTS=texk " in ann.capability()[1][0])
        ann.create("Lib")
        checks.check("imaplib: setacl", ann.setacl("Lib", "bob", "lrs")[0] == "OK")
        checks.check("imaplib: getacl", ann.getacl("Lib")[1] == [b'"Lib" "ann" lrswipkxtecda "bob" lrs'], ann.getacl("Lib"))
        checks.check("imaplib: namespace", ann.namespace()[1] == [b'(("" "/")) (("Other/" "/")) (("Shared/" "/"))'], ann.namespace())
        bob = imaplib.IMAP4("127.0.0.1", self.server.imap)
        bob.login("bob", "secret")
        checks.check("imaplib: myrights", bob.myrights("Other/ann/Lib")[1] == [b'"Other/ann/Lib" lrs'], bob.myrights("Other/ann/Lib"))
        checks.check("imaplib: select", bob.select("Other/ann/Lib")[0] == "OK")
        bob.unselect()
        checks.check("imaplib: deleteacl", ann.deleteacl("Lib", "bob")[0] == "OK")
        checks.check("imaplib: myrights after", bob.myrights("Other/ann/Lib")[0] == "NO")

    def news(self):
        """IDLE in another's mailbox, whatever loop its owner is on."""
        self.fresh("lr")
        guests = [Session(self.server, b"bob") for _ in range(6)]
        for guest in guests:
            guest.good(b"SELECT " + BOX)
            guest.sock.sendall(b"t IDLE\r\n")
            guest.line()
        began = time.monotonic()
        self.ann.good(append(b"Top/Box"))
        told = [guest.line() for guest in guests]
        checks.check("all guests are told", told == [b"* 3 EXISTS"] * 6, told)
        checks.check("soon", time.monotonic() - began < 2)


def quota(server):
    """Counted for the owner, told to nobody else."""
    ann, bob = Session(server, b"ann"), Session(server, b"bob")
    ann.good(b"SETACL INBOX bob lri")
    for _ in range(2):
        bob.good(append(b"Other/ann/INBOX"))
    answer = bob.say(append(b"Other/ann/INBOX"))
    checks.check("over the owner's quota", b"NO [OVERQUOTA]" in answer, answer)
    checks.check("it is the owner's", b"MESSAGE 2 2" in ann.good(b"GETQUOTAROOT INBOX"))
    bob.good(append(b"INBOX"))
    checks.check("and not the guest's", b"MESSAGE 1 2" in bob.good(b"GETQUOTAROOT INBOX"))
    answer = bob.good(b"GETQUOTAROOT Other/ann/INBOX")
    checks.check("a guest is not told", b"* QUOTA " not in answer, answer)
    bob.good(b"SELECT INBOX")
    answer = bob.say(b"COPY 1 Other/ann/INBOX")
    checks.check("a copy counts as well", b"NO [OVERQUOTA]" in answer, answer)


# ---- several at once -------------------------------------------------------------------------------------------------------


def at_once(server):
    ann = Session(server, b"ann")
    ann.good(b"CREATE Team")
    ann.good(b"SETACL Team anyone lrswipkxtea")
    errors, until = [], time.monotonic() + 4
    appended = [0] * 6

    def work(number):
        user = (b"ann", b"bob", b"carl")[number % 3]
        team = b"Team" if user == b"ann" else b"Other/ann/Team"
        try:
            one, at = Session(server, user), 0
            one.good(b"SELECT " + team)
            while time.monotonic() < until:
                one.good(append(team, b"(kw%d)" % number))
                appended[number] += 1
                one.good(b"UID STORE 1:* +FLAGS (\\Seen)")
                one.good(b"COPY * INBOX")
                one.good(b'LIST "" * RETURN (MYRIGHTS STATUS (MESSAGES))')
                one.good(b"SETACL %s user%d lr" % (team, number))
                one.good(b"GETACL " + team)
                one.good(b'SETMETADATA %s (/shared/comment "%d")' % (team, at))
                at += 1
        except (ConnectionError, ValueError, OSError) as error:
            errors.append(f"{user}: {error}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checks.check("all could work", not errors, errors)
    answer = ann.good(b"STATUS Team (MESSAGES)")
    checks.check("every message is there", b"(MESSAGES %d)" % sum(appended) in answer, (answer, appended))
    acl = ann.good(b"GETACL Team")
    checks.check("no change of rights was lost", all(b'"user%d" lr' % number in acl for number in range(6)), acl)


def rights(server):
    matrix = Matrix(server)
    for part in (matrix.alone, matrix.reading, matrix.together, matrix.imaplib_speaks_it, matrix.news):
        checks.run(part.__name__, part)


def on_a_server(part, users, *more):
    server = Server(users=users, settings=[*SETTINGS, *more])
    checks.run(part.__name__, part, server)
    checks.check(f"the server ends well after {part.__name__}", server.stop() == 0)


def main():
    on_a_server(hidden_mailboxes, ("ann", "bob", "carl", "eve2", "public"))
    on_a_server(rights, ("ann", "bob"))
    on_a_server(quota, ("ann", "bob"), "quota_messages = 2")
    on_a_server(at_once, ("ann", "bob", "carl"))
    checks.finish()


main()
