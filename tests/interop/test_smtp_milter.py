#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_milter - a fake milter that listens: what it is told and in which order, of whom, in one talk for a session, and what it
need not be told."""
import smtplib
import struct

from clients import no_verify
from harness import Checks, Server
from milters import ALL, NO, QUIET, RAW, SKIP, Milter, codes, packet, serve, talk
from sent import SMALL, mail_of, name_of

checks = Checks()
NAME = name_of("127.0.0.1")


def test_told(path):
    milter = Milter(path)
    server = serve([milter.place])
    try:
        checks.check("taken", codes(talk(server, ("alice@example.org", "bob@example.org"))) == [250] * 4)
        found = mail_of(server, "alice")
        checks.check("as it came", len(found) == 1 and found[0].endswith(SMALL), repr(found))
        mail_of(server, "bob")
        checks.check("in that order", milter.ended() == "OCHMRTLNBEQ", milter.letters())
        checks.check("options", milter.options == (6, ALL, 0x1FF7FF), str(milter.options))
        name, told = milter.datas("C")[0].split(b"\0", 1)
        checks.check("the client", name == (b"[127.0.0.1]" if NAME == b"unknown" else NAME) and told[:1] == b"4" and
                     told[3:] == b"127.0.0.1\0" and struct.unpack(">H", told[1:3])[0] > 0, repr((name, told)))
        checks.check("EHLO", milter.datas("H") == [b"far.example\0"])
        checks.check("MAIL and RCPT", milter.datas("M") == [b"<ann@far.example>\0"] and
                     milter.datas("R") == [b"<alice@example.org>\0", b"<bob@example.org>\0"], str(milter.heard))
        checks.check("the header, but our Received", milter.datas("L") == [
            b"From\0Ann <ann@far.example>\0", b"To\0alice@example.org\0", b"Subject\0small\0", b"Message-ID\0<1@far.example>\0",
            b"Date\0Sat, 21 Nov 2026 12:00:00 +0000\0"], str(milter.datas("L")))
        checks.check("the body", b"".join(milter.datas("B")) == SMALL.split(b"\r\n\r\n", 1)[1], repr(milter.datas("B")))
        wanted = {("C", "j"): b"localhost", ("C", "{client_addr}"): b"127.0.0.1", ("C", "{daemon_name}"): b"localhost",
                  ("C", "_"): NAME + b" [127.0.0.1]", ("M", "{mail_addr}"): b"ann@far.example", ("M", "{mail_host}"): b"far.example",
                  ("R", "{rcpt_addr}"): b"bob@example.org"}
        checks.check("macros", wanted.items() <= milter.macros.items() and ("M", "{auth_authen}") not in milter.macros and
                     milter.macros["M", "i"] == milter.macros["E", "i"] and milter.macros["M", "i"] in found[0], str(milter.macros))
        folded = SMALL.replace(b"Subject: small", b"Subject:  small\r\n\tand folded\r\nReceived: theirs")
        large = folded + b"".join(b"%070d\r\n" % i for i in range(20000))
        milter.steps = RAW
        checks.check("a large message", codes(talk(server, message=large)) == [250] * 3 and milter.ended() == "OCHMRTLNBEQ")
        found = mail_of(server, "alice")
        checks.check("is the same", len(found) == 1 and found[0].endswith(large))
        chunks = milter.datas("B")
        checks.check("in chunks", b"".join(chunks) == large.split(b"\r\n\r\n", 1)[1] and {len(one) for one in chunks[:-1]} == {65535})
        checks.check("values as they stand, where it wants them", b"Subject\0  small\n\tand folded\0" in milter.datas("L") and
                     b"Received\0 theirs\0" in milter.datas("L") and b"To\0 alice@example.org\0" in milter.datas("L"), str(milter.heard[:20]))
        milter.steps = 0
        checks.check("a message without a body", codes(talk(server, message=b"Subject: only\r\n")) == [250] * 3 and
                     milter.ended() == "OCHMRTLNEQ" and len(mail_of(server, "alice")) == 1, milter.letters())
        with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=30) as smtp:
            smtp.starttls(context=no_verify())
            smtp.login("bob", "secret")
            smtp.sendmail("bob@example.org", ["alice@example.org"], SMALL.replace(b"far.example", b"example.org"))
        wanted = {("H", "{tls_version}"): b"TLSv1.3", ("M", "{auth_authen}"): b"bob",
                  ("M", "{auth_type}"): b"PLAIN"}
        checks.check("macros of a user", wanted.items() <= milter.macros.items(), str(milter.macros))
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            milter.says = {"R": lambda _, data: packet("r" if b"bob" in data else "c")}
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail("")
            said = [lmtp.rcpt("alice@example.org")[0], lmtp.rcpt("bob@example.org")[0], lmtp.data(SMALL)[0]]
            said += [lmtp.mail("")[0], lmtp.rcpt("bob@example.org")[0], lmtp.rset()[0]]
        checks.check("LMTP, and one who is refused", said == [250, 554, 250, 250, 554, 250], str(said))
        checks.check("what does not come is aborted", milter.ended() == "OCHMRTLNBEMRAQ" and milter.datas("M") == [b"<>\0"] * 2,
                     milter.letters())
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_clients():
    """A proxy's client, with a name or without; none is looked up where that is off."""
    milter = Milter()
    server = serve([milter.place], "filter_names = no", 'smtp_trusted = {"127.0.0.1"}')
    try:
        for said, expected, macro in (("NAME=mx.far.example ADDR=192.0.2.9 PORT=4711", b"mx.far.example\x004\x12\x67192.0.2.9\0",
                                       b"mx.far.example [192.0.2.9]"),
                                      ("ADDR=" + "1" * 200 + " PORT=1", b"localhost\0U", b"localhost"),
                                      ("NAME=mx.far.example ADDR=192.0.2.9", b"mx.far.example\x004\0\x00192.0.2.9\0", b"mx.far.example [192.0.2.9]"),
                                      ("NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::9", b"[2001:db8::9]\x006\0\x002001:db8::9\0",
                                       b"unknown [2001:db8::9]")):
            with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
                smtp.ehlo()
                smtp.docmd("XCLIENT", said)
                smtp.ehlo()
                smtp.sendmail("ann@far.example", ["alice@example.org"], SMALL)
            checks.check(f"a client: {said}", milter.datas("C") == [expected] and milter.macros["C", "_"] == macro,
                         f"{milter.datas('C')} {milter.macros}")
    finally:
        server.stop()


def test_session():
    """One talk for all messages of a session: client and options once, the name when it changes; and one that has gone in between."""
    milter = Milter()
    server = serve([milter.place], 'smtp_trusted = {"127.0.0.1"}')
    alice, talks = ["alice@example.org"], []
    listen = milter.talk
    milter.talk = lambda connection: (talks.append(1), listen(connection))[1]
    message = "MRTLNBE"

    def told(what, letters, more=True):
        checks.check(what, milter.letters() == letters and len(talks) == 1 and more, f"{milter.letters()} {len(talks)}")

    try:
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
            for _ in range(2):
                smtp.sendmail("ann@far.example", alice, SMALL)
            told("two messages", "OCH" + message * 2)
            checks.check("each with its macros", milter.macros["M", "i"].endswith(b".2") and milter.macros["E", "i"].endswith(b".2"),
                         str(milter.macros))
            smtp.mail("ann@far.example")
            smtp.rcpt(alice[0])
            smtp.rset()
            smtp.sendmail("ann@far.example", alice, SMALL)
            told("one is aborted", "OCH" + message * 2 + "MRA" + message)
            smtp.ehlo("far.example")
            smtp.sendmail("ann@far.example", alice, SMALL)
            told("the same name is not told again", "OCH" + message * 2 + "MRA" + message * 2)
            heard = milter.letters()
            smtp.ehlo("near.example")
            smtp.sendmail("ann@far.example", alice, SMALL)
            told("another name is", heard + "H" + message, milter.datas("H") == [b"far.example\0", b"near.example\0"])
            smtp.starttls(context=no_verify())
            smtp.sendmail("ann@far.example", alice, SMALL)
            told("and a name under TLS", heard + ("H" + message) * 2, milter.macros["H", "{tls_version}"] == b"TLSv1.3")
            heard = milter.letters()
            for letter, code, end in (("M", 554, "MA"), ("R", 554, "MRA"), ("T", 554, "MRTA"), ("E", 554, message)):
                milter.says = {letter: packet("r")}
                smtp.mail("ann@far.example")
                if letter != "M":
                    smtp.rcpt(alice[0])
                if letter in "TE":
                    smtp.data(SMALL)
                smtp.rset()
                milter.says = {}
                smtp.sendmail("ann@far.example", alice, SMALL)
                told(f"refused at {letter}, and the next one", heard + end + message)
                heard = milter.letters()
            milter.says = {"R": packet("a")}
            smtp.sendmail("ann@far.example", alice, SMALL)
            milter.says = {}
            smtp.sendmail("ann@far.example", alice, SMALL)
            told("accepted early, and the next one", heard + "MR" + message)
            milter.steps, milter.says = SKIP, {"E": lambda connection, _: (connection.sendall(packet("c")), connection.shutdown(2))[1]}
            checks.check("it goes after a message", smtp.sendmail("ann@far.example", alice, SMALL) == {})
            milter.says = {"B": packet("s")}
            for _ in range(2):
                smtp.sendmail("ann@far.example", alice, SMALL)
            checks.check("and is met again", len(talks) == 2 and milter.letters() == "OCH" + message * 2, milter.letters())
            milter.says = {"M": lambda connection, _: connection.shutdown(2)}
            checks.check("it goes at MAIL", smtp.mail("ann@far.example") == (451, b"4.7.1 the message could not be looked at") and
                         len(talks) == 3, str(len(talks)))
            milter.says = {}
        checks.check("all came", len(mail_of(server, "alice")) == 15)
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
            for letter, letters in (("C", "OCQ"), ("H", "OCHQ")):
                talks.clear()
                milter.says = {letter: packet("a")}
                smtp.sendmail("ann@far.example", alice, SMALL)
                smtp.sendmail("ann@far.example", alice, SMALL)
                checks.check(f"accept to {letter}: asked again", len(talks) == 2 and milter.ended() == letters, milter.letters())
            milter.says = {}
            smtp.sendmail("ann@far.example", alice, SMALL)
            talks.clear()
            smtp.ehlo()
            smtp.docmd("XCLIENT", "ADDR=192.0.2.9")
            smtp.ehlo()
            smtp.sendmail("ann@far.example", alice, SMALL)
            checks.check("another client is another talk", len(talks) == 1 and milter.letters() == "OCH" + message and
                         b"192.0.2.9" in milter.datas("C")[0], milter.letters())
        checks.check("which ends with the session", milter.ended().endswith("EQ"), milter.letters())
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_steps():
    milter = Milter()
    server = serve([milter.place])
    try:
        for letter, bit in NO.items():
            milter.steps = bit
            checks.check(f"not told of {letter}", codes(talk(server)) == [250] * 3 and
                         milter.ended() == "OCHMRTLNBEQ".replace(letter, ""), milter.letters())
        for letter, bit in QUIET.items():
            milter.steps = bit
            checks.check(f"no reply to {letter}", codes(talk(server)) == [250] * 3 and milter.ended() == "OCHMRTLNBEQ", milter.letters())
        milter.steps = sum(NO.values())
        checks.check("told of nothing", codes(talk(server)) == [250] * 3 and milter.ended() == "OEQ", milter.letters())
        milter.steps = sum(QUIET.values())
        checks.check("told of all without a reply", codes(talk(server)) == [250] * 3 and milter.ended() == "OCHMRTLNBEQ")
        milter.steps, milter.says = SKIP, {"B": packet("s")}
        large = SMALL + b"x" * 60 + b"\r\n" * 200000
        checks.check("no more of the body", codes(talk(server, message=large)) == [250] * 3 and milter.ended() == "OCHMRTLNBEQ" and
                     len(milter.datas("B")) == 1)
        milter.version, milter.steps, milter.says = 2, 0, {}
        checks.check("version 2", codes(talk(server)) == [250] * 3 and milter.ended() == "OCHMRLNBEQ", milter.letters())
        checks.check("all came", len(mail_of(server, "alice")) == 20)
    finally:
        server.stop()


checks.run("over TCP", test_told, None)
checks.run("over a unix socket", test_told, str(Server.make_folder() / "milter.sock"))
for function in (test_clients, test_session, test_steps):
    checks.run(function.__name__, function)
checks.finish()
