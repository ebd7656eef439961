#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_libmilter - Sendmail's own library at the other end (libmilter, by Debian's python3-milter): what it agrees on, each kind
of verdict and all it may do to a message."""
import pathlib
import smtplib
import socket
import subprocess
import time

from harness import Checks, Server
from sent import HASH, SMALL, mail_of

checks = Checks()
PYTHON = "/usr/bin/python3"


def send(server, subject, to=("alice@example.org",), more=b""):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
        try:
            refused = smtp.sendmail("ann@far.example", to, SMALL.replace(b"Subject: small", b"Subject: " + subject) + more)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        return (250, refused) if refused else 250


def test_all():
    folder = Server.make_folder()
    place = folder / "milter.sock"
    program = pathlib.Path(__file__).with_name("libmilter.py")
    milter = subprocess.Popen([PYTHON, str(program), f"unix:{place}"])
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(place)) == 0:
                break
        time.sleep(0.05)
    server = Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                              "submission_listen_tls = {}", "lmtp_listen = {}", f'filter = "milter:unix:{place}"',
                              "filter_timeout = 3s"], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")
    try:
        checks.check("taken", send(server, b"plain") == 250)
        found = mail_of(server, "alice")
        head, _, body = found[0].partition(b"\r\n\r\n")
        checks.check("told of all", b" 127.0.0.1 localhost; <ann@far.example> True; <alice@example.org> alice@example.org" in
                     head.replace(b"\r\n\t", b" "), repr(head))
        checks.check("of the body as well", b"\r\nX-Octets: %d\r\n" % len(body) in found[0], repr(found[0]))
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
            for subject, talk in ((b"plain", b"1 0"), (b"", b""), (b"later", b""), (b"plain", b"4 1"), (b"reject", b""), (b"plain", b"6 1")):
                smtp.ehlo()
                said = [smtp.mail("ann@far.example")[0], smtp.rcpt("alice@example.org")[0]]
                if subject:
                    said.append(smtp.data(SMALL.replace(b"Subject: small", b"Subject: " + subject))[0])
                smtp.rset()
                expected = [250, 250] + {b"plain": [250], b"later": [451], b"reject": [554], b"": []}[subject]
                found = mail_of(server, "alice")
                checks.check(f"many in a session: {subject} {talk}", said == expected and len(found) == (talk != b"") and
                             (not talk or b"\r\nX-Talk: %s\r\n" % talk in found[0]), f"{said} {found}")
        large = b"".join(b"%070d\r\n" % i for i in range(30000))
        checks.check("a large one", send(server, b"plain", more=large) == 250)
        found = mail_of(server, "alice")
        checks.check("a large one is the same", found[0].endswith(large) and b"X-Octets: %d\r\n" % len(found[0].split(b"\r\n\r\n", 1)[1]) in
                     found[0], repr(found[0][:1000]))
        checks.check("reject", send(server, b"reject") == 554)
        checks.check("tempfail", send(server, b"later") == 451)
        checks.check("discard", send(server, b"lost") == 250 and not mail_of(server, "alice"))
        checks.check("progress", send(server, b"slow") == 250 and len(mail_of(server, "alice")) == 1)
        said = send(server, b"plain", ("alice@example.org", "bob@example.org"))
        checks.check("a recipient, with words", said == (250, {"bob@example.org": (550, b"5.7.9 no mail for 100% of the bobs")}), str(said))
        checks.check("the other one has it", len(mail_of(server, "alice")) == 1 and not mail_of(server, "bob"))
        checks.check("change", send(server, b"change") == 250)
        found = mail_of(server, "alice")
        checks.check("what was changed", b"\r\nSubject: changed\r\nDate:" in found[0] and b"Message-ID" not in found[0] and
                     found[0].endswith(b"\r\n\r\n" + b"another body\r\n" * 10000), repr(found[0][:1000]))
        checks.check("redirect", send(server, b"redirect") == 250 and not mail_of(server, "alice"))
        found = mail_of(server, "bob")
        checks.check("who has it, and from whom", len(found) == 1 and
                     found[0].startswith(b"Return-Path: <new@far.example>\r\nDelivered-To: bob@example.org\r\n"), repr(found))
        checks.check("quarantine", send(server, b"hold") == 250 and not mail_of(server, "alice"))
        junk = [path.read_bytes() for path in (server.mail / "alice" / ".Junk" / "new").iterdir()]
        checks.check("what is held", len(junk) == 1 and b"\r\nX-Quarantine: held for a look\r\n" in junk[0], repr(junk))
    finally:
        server.stop()
        milter.kill()
        milter.wait()


if subprocess.run([PYTHON, "-c", "import Milter"], capture_output=True).returncode:
    checks.skip("python3-milter is not there", 23)
    checks.finish()
checks.run("libmilter", test_all)
checks.finish()
