#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_milter_says - a fake milter that says anything: each of its replies at each command, all it may do to a message, and one that
is slow, closing, or breaks the protocol."""
import smtplib
import struct
import time

from clients import no_verify
from harness import Checks, Server
from milters import ALL, BODY, CHANGE, LISTS, RAW, Milter, add, change, codes, insert, packet, serve, talk
from sent import HASH, SMALL, junk_of, mail_of

checks = Checks()


def test_replies():
    milter = Milter()
    server = serve([milter.place])
    refused = packet("y", b"571 5.7.9 no %%s of yours\r\n571 more\0")
    both = ("alice@example.org", "bob@example.org")
    try:
        for letter in "CHMRTLNBE":
            early = {"C": 1, "H": 1, "M": 1, "R": 3}.get(letter, 4)
            for what, said, end in (("reject", packet("r"), (554, b"5.7.1 refused")), ("tempfail", packet("t"), (451, b"4.7.1 not now")),
                                    ("a reply", refused, (571, b"5.7.9 no %s of yours")),
                                    ("a bare reply", packet("y", b"450\0"), (450, b"4.7.1 refused")),
                                    ("going away", packet("4"), (451, b"4.7.1 not now"))):
                milter.says = {letter: said}
                got = talk(server, both)
                ok = len(got) == early and got[-1] == end and (letter != "R" or got[1] == end)
                checks.check(f"{what} to {letter}", ok, str(got))
            milter.says = {letter: packet("a")}
            checks.check(f"accept to {letter}", codes(talk(server)) == [250] * 3 and len(mail_of(server, "alice")) == 1 and
                         milter.ended().endswith(letter + "Q"), milter.letters())
            if letter not in "CH":
                milter.says = {letter: packet("d")}
                checks.check(f"discard to {letter}", codes(talk(server, both)) == [250] * 4 and not mail_of(server, "alice") and
                             not mail_of(server, "bob"))
        milter.says = {"R": lambda _, data: packet("r" if b"bob" in data else "c")}
        checks.check("one of two is refused", codes(talk(server, both)) == [250, 250, 554, 250] and len(mail_of(server, "alice")) == 1 and
                     not mail_of(server, "bob"))
        checks.check("and the message is told of with the other", milter.ended() == "OCHMRTLNBEQ")

        def slowly(connection, _):
            for _ in range(4):
                time.sleep(1)
                connection.sendall(packet("p"))
            return packet("c")

        milter.says = {"E": slowly}
        checks.check("one that needs time, and says so", codes(talk(server)) == [250] * 3 and len(mail_of(server, "alice")) == 1)
        checks.check("the log tells of refusals", sum("filtered " in line for line in server.log) > 40)
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_wishes():
    milter = Milter()
    server = serve([milter.place])
    end = packet("c")

    def get(wishes, message=SMALL):
        milter.says = {"E": wishes + end}
        got = talk(server, message=message)
        found = mail_of(server, "alice") + junk_of(server)
        checks.check(f"{wishes[:20]}: taken", codes(got) == [250] * 3 and len(found) == 1, f"{got} {len(found)}")
        return found[0] if found else b""

    try:
        checks.check("added", b"+0000\r\nX-A: b\r\nX-C: d\r\n\te\r\n\r\n.dot" in get(add(b"X-A", b"b") + add(b"X-C", b"d\n\te")))
        checks.check("put in first", b"Delivered-To: alice@example.org\r\nX-A: b\r\nReceived: " in get(insert(0, b"X-A", b"b")))
        whole = get(insert(1, b"X-A", b"b"))
        checks.check("put in behind our Received", b"\r\nX-A: b\r\nFrom: Ann" in whole, repr(whole))
        checks.check("put in last", b"+0000\r\nX-A: b\r\n\r\n.dot" in get(insert(1000, b"X-A", b"b")))
        checks.check("changed", b"\r\nTo: alice@example.org\r\nsubject: large\r\nMessage" in get(change(1, b"subject", b"large")))
        checks.check("taken out", b"subject" not in get(change(1, b"subject", b"")).lower())
        checks.check("changed, but not there", b"\r\nX-A: b\r\n\r\n.dot" in get(change(3, b"X-A", b"b")))
        theirs = b"Received: theirs\r\n" + SMALL
        whole = get(change(1, b"Received", b"changed"), theirs)
        checks.check("of Received the first is not ours", whole.count(b"Received: ") == 2 and b"Received: theirs" not in whole and
                     b"\r\nReceived: changed\r\nFrom" in whole, repr(whole))
        checks.check("another body", get(packet("b", b"new\nbody\r") + packet("b", b"\nend")).endswith(b"\r\n\r\nnew\r\nbody\r\nend\r\n"))
        large = b"".join(b"%070d\r\n" % i for i in range(10000))
        whole = get(b"".join(packet("b", large[at:at + 65535]) for at in range(0, len(large), 65535)) + add(b"X-A", b"b"))
        checks.check("another large body", whole.endswith(b"\r\nX-A: b\r\n\r\n" + large))
        milter.steps = RAW
        checks.check("values as they stand", b"\r\nX-A:b\r\nX-C:  d\r\n\r\n" in get(add(b"X-A", b"b") + add(b"X-C", b"  d")))
        milter.steps = 0
        whole = get(add(b"X-A", b"b\r\n\r\nbody\nTo: bob"))
        checks.check("no field ends the header", b"\r\nX-A: b\r\n\tbody\r\n\tTo: bob\r\n\r\n.dot" in whole, repr(whole))
        milter.says = {"E": packet("q", b"looks bad\0") + end}
        checks.check("quarantine", codes(talk(server)) == [250] * 3)
        found = junk_of(server)
        checks.check("is Junk, with a reason", len(found) == 1 and b"\r\nX-Quarantine: looks bad\r\n" in found[0] and
                     not mail_of(server, "alice"), repr(found))
        milter.says = {"E": add(b"X-A", b"b") + packet("r")}
        checks.check("a wish, and a refusal", talk(server)[-1][0] == 554 and not mail_of(server, "alice"))
    finally:
        server.stop()


def test_envelope():
    milter, second = Milter(), Milter()
    server = serve([milter.place, second.place])
    alice, bob = "alice@example.org", "bob@example.org"

    def get(what, wishes, to, counts):
        milter.says = {"E": b"".join(wishes) + packet("c")}
        got = talk(server, to)
        found = [mail_of(server, user) for user in ("alice", "bob")]
        checks.check(what, codes(got) == [250] * (2 + len(to)) and [len(one) for one in found] == counts, f"{got} {found}")
        return found[0] + found[1]

    more, less = (lambda who: packet("+", b"<%s>\0" % who.encode())), (lambda who: packet("-", b"<%s>\0" % who.encode()))
    try:
        found = get("one more", [more(bob)], (alice,), [1, 1])
        checks.check("each is told for whom", b"Delivered-To: bob@example.org\r\n" in found[1], repr(found))
        get("one more, who has it", [more(alice)], (alice,), [1, 0])
        get("one more with parameters", [packet("2", b"bob@example.org\0NOTIFY=NEVER\0")], (alice,), [1, 1])
        get("one less", [less("Bob@Example.org")], (alice, bob), [1, 0])
        get("one less, who was not there", [less("c@d.example")], (alice, bob), [1, 1])
        get("one less, who was named twice", [less(bob)], (bob, alice, bob), [1, 0])
        get("another one", [less(alice), more(bob)], (alice,), [0, 1])
        get("more and less", [more(bob), less(bob)], (alice,), [1, 0])
        get("nobody", [less(alice), less(bob)], (alice, bob), [0, 0])
        found = get("another sender", [packet("e", b"<new@far.example>\0AUTH=<>\0")], (alice,), [1, 0])
        checks.check("is in Return-Path", found[0].startswith(b"Return-Path: <new@far.example>\r\n"), repr(found))
        found = get("no sender", [packet("e", b"<>\0")], (alice,), [1, 0])
        checks.check("is in Return-Path as well", found[0].startswith(b"Return-Path: <>\r\n"), repr(found))
        milter.says = {"E": less(alice) + more(bob) + packet("c")}
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail("")
            said = [lmtp.rcpt(alice)[0], lmtp.rcpt("alice+x@example.org")[0], lmtp.data(SMALL)[0], lmtp.getreply()[0], lmtp.noop()[0]]
        checks.check("LMTP: a reply for each that was named", said == [250] * 5, str(said))
        checks.check("LMTP: who has it", [len(mail_of(server, user)) for user in ("alice", "bob")] == [1, 1])
    finally:
        checks.check("the server ends well", server.stop() == 0)


def forever(octets):
    def say(connection, _):
        connection.settimeout(1)
        try:
            while True:
                connection.sendall(octets)
        except OSError:
            return b""
    return say


def trickle(octets):
    def say(connection, _):
        for octet in octets * 10:
            connection.sendall(bytes([octet]))
            time.sleep(0.5)
    return say


def test_hostile():
    milter = Milter()
    server, lenient = serve([milter.place]), serve([milter.place], "filter_optional = yes", "message_mb = 1")
    failure = (451, b"4.7.1 the message could not be looked at")
    options = lambda version, actions, steps: packet("O", struct.pack(">III", version, actions, steps))  # noqa: E731
    talks = {
        "a version too old": ("O", options(1, 0, 0)), "a version too new": ("O", options(7, 0, 0)),
        "more steps than offered": ("O", options(6, ALL, 0x800)),
        "short options": ("O", packet("O", b"\0\0\0\6")), "another reply to options": ("O", packet("c")), "no octet": ("O", b"\0\0\0\0"),
        "a packet that is too large": ("C", b"\x7f\xff\xff\xffc"), "options twice": ("C", options(6, 0, 0)),
        "an unknown letter": ("H", packet("Z")), "continue and more": ("M", packet("c", b"x")), "a wish too early": ("M", add(b"A", b"b")),
        "two replies": ("H", packet("c") * 2), "skip at the wrong time": ("M", packet("s")), "skip that was not agreed on": ("B", packet("s")),
        "discard at connect": ("C", packet("d")), "a reply without a code": ("M", packet("y", b"no\0")), "a reply of 250": ("M", packet("y", b"250 ok\0")),
        "a reply without its end": ("M", packet("y", b"550 no")), "a reply with more": ("M", packet("y", b"550 no\0x\0")),
        "a field without a value": ("E", packet("h", b"A\0")), "a field without its end": ("E", packet("h", b"A\0b")),
        "a field without a name": ("E", add(b"", b"b")), "a field with two lines' name": ("E", add(b"A\r\nB", b"b")),
        "a field without a number": ("E", packet("i", b"A\0b\0")), "a recipient who is nobody": ("E", packet("+", b"<nobody@example.org>\0") + packet("c")),
        "a recipient elsewhere": ("E", packet("+", b"<bob@far.example>\0") + packet("c")),
        "a recipient and nobody": ("E", packet("+", b"<bob@example.org>\0") + packet("+", b"<>\0") + packet("c")),
        "a recipient who is no address": ("E", packet("+", b"<a b@example.org>\0") + packet("c")),
        "a recipient of two lines": ("E", packet("+", b"bob\n+bob@example.org\0") + packet("c")),
        "a recipient without its end": ("E", packet("+", b"<bob@example.org>")),
        "a recipient and more": ("E", packet("+", b"<bob@example.org>\0NOTIFY=NEVER\0")),
        "no recipient less": ("E", packet("-", b"\0") + packet("c")),
        "a sender who is no address": ("E", packet("e", b"<a\r\nX: y>\0") + packet("c")),
        "recipients without end": ("E", forever(packet("+", b"<bob@example.org>\0"))),
        "fields without end": ("E", forever(add(b"A", b"b"))), "large fields without end": ("E", forever(add(b"A", b"b" * 60000))),
        "a body without end": ("E", forever(packet("b", b"x" * 65535))), "progress without end": ("E", forever(packet("p"))),
        "nothing": ("N", None), "octets now and then": ("L", trickle(packet("p"))), "half a reply": ("B", b"\0\0\0"),
        "a quarantine without its end": ("E", packet("q", b"x")),
    }
    try:
        milter.actions = ALL | LISTS
        checks.check("one that names all that it could do", codes(talk(server)) == [250] * 3 and len(mail_of(server, "alice")) == 1)
        for what, (letter, said) in talks.items():
            milter.says = {letter: said}
            began = time.monotonic()
            got = talk(server)
            took = time.monotonic() - began
            checks.check(f"{what}: a failure", got[-1] == failure and len(got) == (1 if letter in "OCHM" else 3), f"{got}")
            checks.check(f"{what}: not waited for", took < 20, str(took))
        for letter in "OCHMRTLNBE":
            def close(connection, _):
                connection.shutdown(2)
            milter.says = {letter: close}
            checks.check(f"it closes at {letter}", talk(server)[-1] == failure)
            checks.check(f"it closes at {letter}, optional", codes(talk(lenient)) == [250] * 3)
        milter.says = {}
        for what, actions, wish in (("add", BODY, add(b"A", b"b")), ("put in", CHANGE, insert(0, b"A", b"b")), ("change", BODY, change(1, b"A", b"b")),
                                    ("write", CHANGE, packet("b", b"x")), ("hold", CHANGE, packet("q", b"x\0")), ("give more", CHANGE, packet("+", b"bob@example.org\0")),
                                    ("give less", CHANGE, packet("-", b"alice@example.org\0")), ("rename", CHANGE, packet("e", b"\0"))):
            milter.actions, milter.says = actions, {"E": wish + packet("c")}
            checks.check(f"it may not {what}", talk(server)[-1] == failure)
        checks.check("nothing of these is there", not mail_of(server, "alice") and not junk_of(server))
        found = mail_of(lenient, "alice")
        checks.check("optional: all is there, as it came", len(found) == 10 and all(one.endswith(SMALL) for one in found))
        milter.socket.shutdown(2)
        milter.socket.close()
        checks.check("it is not there", talk(server) == [failure])
        checks.check("it is not there, optional", codes(talk(lenient)) == [250] * 3)
        checks.check("the log tells of it", any("filter-failed" in line and milter.place in line for line in server.log))
    finally:
        checks.check("the server ends well", server.stop() == 0)
        lenient.stop()


def test_handed_on():
    milter = Milter()
    far = Server(settings=['domains = {"far.example"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                           "submission_listen_tls = {}", "lmtp_listen = {}"], users=(), users_text=f"alice:{HASH}\n")
    near = serve([milter.place], f'smarthost = "127.0.0.1:{far.port("smtp")}"', 'smarthost_tls = "encrypt"')
    large = SMALL + b"x" * 70 + b"\r\n" * 100000

    def send(message, to=("alice@far.example",)):
        with smtplib.SMTP("127.0.0.1", near.port("submission"), timeout=30) as smtp:
            smtp.starttls(context=no_verify())
            smtp.login("bob", "secret")
            try:
                smtp.sendmail("bob@example.org", to, message)
            except smtplib.SMTPResponseException as error:
                return error.smtp_code
            except smtplib.SMTPRecipientsRefused as error:
                return list(error.recipients.values())[0][0]
        return 250

    try:
        milter.says = {"E": insert(1, b"X-A", b"b") + packet("b", b"signed\r\n") + packet("c")}
        checks.check("to here and elsewhere", send(large, ("alice@far.example", "bob@example.org")) == 250)
        for what, found in (("here", mail_of(near, "bob")), ("elsewhere", mail_of(far, "alice"))):
            checks.check(f"{what}: changed", len(found) == 1 and b"\r\nX-A: b\r\nFrom: " in found[0] and found[0].endswith(b"\r\n\r\nsigned\r\n"),
                         repr(found)[:500])
        for letter in "MRE":
            milter.says = {letter: packet("r")}
            checks.check(f"refused at {letter}", send(SMALL) == 554)
        for what, wish in (("one more", packet("+", b"bob@example.org\0")), ("one less", packet("-", b"alice@far.example\0")),
                           ("another sender", packet("e", b"\0"))):
            milter.says = {"E": wish + packet("c")}
            checks.check(f"{what}, but the other server was told", send(SMALL) == 451)
        milter.says = {"E": packet("d")}
        checks.check("thrown away", send(SMALL) == 250)
        checks.check("nothing of these went out", not mail_of(far, "alice"))
    finally:
        near.stop()
        far.stop()


for function in (test_replies, test_wishes, test_envelope, test_hostile, test_handed_on):
    checks.run(function.__name__, function)
checks.finish()
