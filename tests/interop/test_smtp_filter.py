#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_filter - a program sees each message before it is taken: what it is told, what its verdicts come to, and programs that
are slow, deaf, talkative or broken."""
import hashlib
import smtplib
import time

from clients import no_verify
from harness import Checks, Server
from sent import HASH, SMALL, mail_of

checks = Checks()
SCRIPT = r"""#!/usr/bin/env python3
import hashlib, os, sys, time
data = sys.stdin.buffer.read()
open("{folder}/seen", "w").write(repr([hashlib.sha1(data).hexdigest(), len(data), {{k: os.environ.get(k) for k in
    ("MAIL_FROM", "RCPT_TO", "EHLO_DOMAIN", "REMOTE_ADDR", "AUTH_AS", "PROTOCOL")}}, sorted(os.environ), os.listdir("/proc/self/fd")]))
if b"Subject: spam" in data: print("this is spam\nmore"); sys.exit(20)
if b"Subject: later" in data: sys.exit(75)
if b"Subject: crash" in data: os.kill(os.getpid(), 9)
if b"Subject: slow" in data: os.system("sleep 60")
if b"Subject: junk" in data: print("X-Spam: yes\nX-Postern-Mailbox: Junk\r\nno header here\nX-\x01: bad")
if b"Subject: plain" in data: print("X-Seen: 1\nX-Text: two words")
if b"Subject: talk" in data: sys.stdout.write("X-Much: " + "y" * 300000)
"""


def serve(script=SCRIPT, *settings):
    folder = Server.make_folder()
    program = folder / "filter"
    program.write_text(script.format(folder=folder) if script is SCRIPT else script)
    program.chmod(0o755)
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            "submission_listen_tls = {}", 'lmtp_listen = {"127.0.0.1:0"}', f'filter = "{program}"', "filter_timeout = 3s",
                            *settings], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n", folder=folder)


def text(subject, more=b""):
    return SMALL.replace(b"Subject: small", b"Subject: " + subject) + more


def send(server, message, to=("alice@example.org",)):
    """The code and text of the end."""
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
        try:
            smtp.sendmail("ann@far.example", to, message)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code, error.smtp_error
        return 250, b""


def test_verdicts():
    server = serve()
    try:
        checks.check("taken", send(server, text(b"plain"), ("alice@example.org", "bob@example.org"))[0] == 250)
        seen = eval((server.folder / "seen").read_text())
        found = mail_of(server, "alice")
        checks.check("its headers are put before it", len(found) == 1 and b"Delivered-To: alice@example.org\r\nX-Seen: 1\r\nX-Text: two words\r\n"
                     b"Received: from " in found[0], repr(found)[:400])
        checks.check("in all copies", b"\r\nX-Seen: 1\r\n" in mail_of(server, "bob")[0])
        whole = found[0][found[0].index(b"Received: "):]
        checks.check("it sees what is stored", seen[0] == hashlib.sha1(whole).hexdigest() and seen[1] == len(whole), str(seen))
        checks.check("it is told of the envelope", seen[2]["MAIL_FROM"] == "ann@far.example" and
                     seen[2]["RCPT_TO"] == "alice@example.org bob@example.org" and seen[2]["REMOTE_ADDR"] == "127.0.0.1" and
                     seen[2]["PROTOCOL"] == "ESMTP" and seen[2]["AUTH_AS"] == "", str(seen[2]))
        checks.check("and given nothing of ours", len(seen[3]) <= 10 and len(seen[4]) <= 5, str(seen[3:]))
        checks.check("refused for good", send(server, text(b"spam")) == (554, b"5.7.1 this is spam"))
        checks.check("refused for now", send(server, text(b"later")) == (451, b"4.7.1 not now"))
        checks.check("one that crashes", send(server, text(b"crash")) == (451, b"4.7.1 the message could not be looked at"))
        began = time.monotonic()
        checks.check("one that is late", send(server, text(b"slow"))[0] == 451)
        checks.check("is not waited for", 2 < time.monotonic() - began < 20)
        checks.check("nothing of these is there", not mail_of(server, "alice"))
        checks.check("filed", send(server, text(b"junk"))[0] == 250)
        junk = [path.read_bytes() for path in (server.mail / "alice" / ".Junk" / "new").iterdir()]
        checks.check("into that mailbox, with its header and no other", len(junk) == 1 and b"X-Spam: yes\r\nReceived:" in junk[0] and
                     b"X-Postern" not in junk[0] and b"no header" not in junk[0], repr(junk)[:500])
        checks.check("and not into INBOX", not mail_of(server, "alice"))
        checks.check("one that talks too much", send(server, text(b"talk"))[0] == 250 and len(mail_of(server, "alice")) == 1)
        large = text(b"plain", b"".join(b"%070d\r\n" % i for i in range(200000)))
        checks.check("a large message", send(server, large)[0] == 250)
        found = mail_of(server, "alice")
        checks.check("is the same", len(found) == 1 and found[0].endswith(large.split(b"\r\n\r\n", 1)[1]))
        seen = eval((server.folder / "seen").read_text())
        checks.check("and was seen whole", seen[1] == len(found[0][found[0].index(b"Received: "):]), str(seen[:2]))
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail("ann@far.example")
            lmtp.rcpt("alice@example.org")
            lmtp.rcpt("bob@example.org")
            replies = [lmtp.data(text(b"spam")), lmtp.getreply()]
        checks.check("LMTP: each is told", replies == [(554, b"5.7.1 <alice@example.org> this is spam"),
                                                      (554, b"5.7.1 <bob@example.org> this is spam")], str(replies))
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_programs():
    large = text(b"x", b"y" * 70 + b"\r\n" * 200000)
    for what, script, settings, code in (("deaf", "#!/bin/sh\nexit 0\n", (), 250), ("broken", "no program at all", (), 451),
                                         ("broken, and done without", "no program at all", ("filter_optional = yes",), 250),
                                         ("refusing unheard", "#!/bin/sh\necho no thanks; exit 20\n", (), 554)):
        server = serve(script, *settings)
        try:
            checks.check(f"a program that is {what}", send(server, large)[0] == code)
            checks.check(f"a program that is {what}: what is there", len(mail_of(server, "alice")) == (code == 250))
        finally:
            server.stop()


def test_relayed():
    far = Server(settings=['domains = {"far.example"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                           "submission_listen_tls = {}", "lmtp_listen = {}"], users=(), users_text=f"alice:{HASH}\n")
    near = serve(SCRIPT, f'smarthost = "127.0.0.1:{far.port("smtp")}"', 'smarthost_tls = "encrypt"')
    try:
        with smtplib.SMTP("127.0.0.1", near.port("submission"), timeout=30) as smtp:
            smtp.starttls(context=no_verify())
            smtp.login("bob", "secret")
            smtp.sendmail("bob@example.org", ["alice@far.example"], text(b"fine"))
            checks.check("handed on", len(mail_of(far, "alice")) == 1)
            try:
                smtp.sendmail("bob@example.org", ["alice@far.example", "alice@example.org"], text(b"spam"))
                code = 250
            except smtplib.SMTPResponseException as error:
                code = error.smtp_code
            checks.check("spam of a user's is refused", code == 554)
        checks.check("and handed to nobody", not mail_of(far, "alice") and not mail_of(near, "alice"))
    finally:
        near.stop()
        far.stop()


for function in (test_verdicts, test_programs, test_relayed):
    checks.run(function.__name__, function)
checks.finish()
