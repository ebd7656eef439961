#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_relay - users' mail for others goes to a smarthost while they wait (L7 H4): another Postern, Postfix, and servers that
refuse, lie, stall and go. What the smarthost says is what the user hears; nothing is kept, nothing is sent twice."""
import smtplib
import socket
import subprocess
import threading
import time

import mtas
from clients import no_verify
from harness import Checks, Server
from sent import EIGHT, HASH, SMALL, arrived, mail_of, wait_for

checks = Checks()


def serve(domain, *settings):
    return Server(settings=[f'domains = {{"{domain}"}}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            'submission_listen_tls = {}', "lmtp_listen = {}", "message_mb = 64", *settings], users=(),
                  users_text=f"alice:{HASH}\nbob:{HASH}\n")


def ours(smarthost, *settings):
    return serve("example.org", f'smarthost = "{smarthost}"', *settings)


def client(server):
    smtp = smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=120)
    smtp.starttls(context=no_verify())
    smtp.login("alice", "secret")
    return smtp


def refused(function, *arguments):
    """The code and text that a refusal has."""
    try:
        function(*arguments)
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        return error.smtp_code, error.smtp_error
    return 250, b""


def test_postern():
    far = serve("far.example")
    near = ours(f"127.0.0.1:{far.port('smtp')}", 'smarthost_tls = "encrypt"')
    try:
        with client(near) as smtp:
            smtp.sendmail("alice@example.org", ["bob@far.example"], SMALL)
            arrived("relay", checks, far, "bob", SMALL)
            smtp.sendmail("alice@example.org", ["bob@far.example", "bob@example.org", "alice@far.example"], EIGHT, ["BODY=8BITMIME"])
            found = arrived("relay, here and there", checks, far, "bob", EIGHT)
            checks.check("relay: TLS, and two stations", b"with ESMTPS id" in found and found.count(b"\r\nReceived: ") == 2, found[:900])
            arrived("relay, here and there", checks, far, "alice", EIGHT)
            arrived("relay, here and there", checks, near, "bob", EIGHT)
            some = smtp.sendmail("alice@example.org", ["nobody@far.example", "bob@far.example"], SMALL)
            checks.check("relay: what the smarthost says of a recipient", some == {"nobody@far.example": (550, b"5.1.1 no such user here")},
                         str(some))
            arrived("relay, one refused", checks, far, "bob", SMALL)
            large = SMALL + b"".join(b"%070d\r\n" % i for i in range(50 * 1024 * 1024 // 72))
            smtp.sendmail("alice@example.org", ["bob@far.example", "bob@example.org"], large)
            for server in (far, near):
                arrived("relay, 50 MiB", checks, server, "bob", large)
            code, text = smtp.docmd("MAIL FROM:<bob@example.org>")
            checks.check("relay: nobody sends in another's name", code == 553, str((code, text)))
        with smtplib.SMTP("127.0.0.1", near.port("smtp"), timeout=30) as smtp:
            checks.check("relay: not for strangers", refused(smtp.sendmail, "x@y.example", ["bob@far.example"], SMALL)[0] == 550)
    finally:
        near.stop()
        far.stop()


def test_only_users():
    """F2 Q4: no other port leads outside, not even for who is known there."""
    far = serve("far.example")
    near = ours(f"127.0.0.1:{far.port('smtp')}", 'smarthost_tls = "encrypt"', 'smtp_trusted = {"127.0.0.1"}', 'lmtp_listen = {"127.0.0.1:0"}')
    try:
        for role, kind in (("smtp", smtplib.SMTP), ("lmtp", smtplib.LMTP)):
            with kind("127.0.0.1", near.port(role), timeout=30) as smtp:
                smtp.ehlo_or_helo_if_needed()
                said = smtp.docmd("XCLIENT", "ADDR=192.0.2.9 LOGIN=alice")[0]
                smtp.ehlo("x") if role == "smtp" else smtp.docmd("LHLO", "x")
                said = [said, smtp.mail("alice@example.org")[0], smtp.rcpt("bob@far.example")[0], smtp.rcpt("bob@example.org")[0]]
                checks.check(f"relay: not by {role}, for a user either", said == [220, 250, 550, 250], str(said))
        with smtplib.SMTP("127.0.0.1", near.port("submission"), timeout=30) as smtp:
            smtp.starttls(context=no_verify())
            checks.check("relay: not before the login", smtp.docmd("MAIL FROM:<alice@example.org>")[0] != 250)
    finally:
        near.stop()
        far.stop()


def test_login_and_certificates():
    far = serve("far.example", "any_sender = yes")
    place = f"localhost:{far.port('submission')}"
    login = far.folder / "login"
    login.write_text("bob:secret\n")
    wrong = far.folder / "wrong"
    wrong.write_text("bob:wrong\n")
    got = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", place, "-servername", "localhost"], input=b"QUIT\n",
                         capture_output=True, timeout=30).stdout
    ca = far.folder / "ca.pem"
    ca.write_bytes(got[got.index(b"-----BEGIN"):got.index(b"-----END CERTIFICATE-----") + 26])
    cases = (("a login", ['smarthost_tls = "encrypt"', f'smarthost_login = "{login}"'], 250),
             ("a wrong password", ['smarthost_tls = "encrypt"', f'smarthost_login = "{wrong}"'], 451),
             ("no login", ['smarthost_tls = "encrypt"'], 530),
             ("a certificate nobody knows", [f'smarthost_login = "{login}"'], 451),
             ("one that is known", [f'smarthost_login = "{login}"', f'smarthost_ca = "{ca}"'], 250))
    try:
        for what, settings, code in cases:
            near = ours(place, *settings)
            try:
                with client(near) as smtp:
                    got = refused(smtp.sendmail, "alice@example.org", ["bob@far.example"], SMALL)
                    checks.check(f"relay, {what}", got[0] == code, str(got))
                if code == 250:
                    arrived(f"relay, {what}", checks, far, "bob", SMALL)
            finally:
                near.stop()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        str(far.folder / "k.pem"), "-out", str(far.folder / "c.pem"), "-days", "2", "-subj", "/CN=other.example"],
                       check=True, capture_output=True)
        other = serve("far.example", f'tls_cert = "{far.folder}/c.pem"', f'tls_key = "{far.folder}/k.pem"')
        near = ours(f"localhost:{other.port('smtp')}", f'smarthost_ca = "{far.folder}/c.pem"')
        with client(near) as smtp:
            got = refused(smtp.sendmail, "alice@example.org", ["bob@far.example"], SMALL)
            checks.check("relay, a certificate of another name", got[0] == 451, str(got))
        near.stop()
        other.stop()
    finally:
        far.stop()


def test_postfix():
    near = None
    mx = serve("example.org")
    try:
        with mtas.Postfix(f"smtp:{mx.port('smtp')}") as mta:
            if not mta.ready:
                checks.skip(f"Postfix cannot run here: {mta.why}")
                return
            near = serve("near.example", f'smarthost = "127.0.0.1:{mta.port}"', 'smarthost_tls = "none"', "any_sender = yes")
            with client(near) as smtp:
                smtp.sendmail("alice@near.example", ["bob@example.org"], EIGHT, ["BODY=8BITMIME"])
            arrived("relay by Postfix", checks, mx, "bob", EIGHT)
    finally:
        mx.stop()
        if near:
            near.stop()


class Script(threading.Thread):
    """A server that says what it is told to, by the first word of what it hears; None: it hangs up."""

    def __init__(self, greeting=b"220 x", **replies):
        super().__init__(daemon=True)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port, self.greeting = self.sock.getsockname()[1], greeting
        self.replies = {b"EHLO": b"250 x", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go", b".": b"250 2.0.0 queued as 7",
                        **{word.upper().encode() if word != "end" else b".": reply for word, reply in replies.items()}}
        self.heard = []
        self.start()

    def run(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with sock, sock.makefile("rb") as reader:
                if not self.say(sock, self.greeting):
                    continue
                try:
                    self.talk(sock, reader)
                except ConnectionError:
                    pass

    def talk(self, sock, reader):
        content = False
        for line in reader:
            self.heard.append(line)
            word = line.strip().split(b" ")[0]
            if content and word != b".":
                continue
            content = word == b"DATA" and self.replies[b"DATA"].startswith(b"354")
            if not self.say(sock, self.replies.get(word, b"250 ok")):
                break

    @staticmethod
    def say(sock, text):
        try:
            if text:
                sock.sendall(text + b"\r\n")
        except OSError:
            return False
        return text is not None


def test_scripts():
    cases = (("all well", {}, 250, b""), ("greeted by 554", {"greeting": b"554 5.7.1 no"}, 451, b"no"),
             ("greeted by 421", {"greeting": b"421 later"}, 451, b"later"), ("hung up on", {"greeting": None}, 451, b""),
             ("garbage", {"greeting": b"SSH-2.0-x"}, 451, b""), ("MAIL refused", {"mail": b"553 5.1.8 who"}, 553, b"5.1.8 who"),
             ("RCPT refused for now", {"rcpt": b"450 4.2.1 busy"}, 450, b"4.2.1 busy"), ("RCPT: it hangs up", {"rcpt": None}, 451, b""),
             ("RCPT: 421", {"rcpt": b"421 4.3.2 down"}, 451, b"down"),
             ("DATA refused", {"data": b"554 5.5.1 no"}, 554, b"5.5.1 no"), ("DATA: 250 is no 354", {"data": b"250 what"}, 451, b""),
             ("the message refused", {"end": b"554 5.7.1 spam\r\n"}, 554, b"5.7.1 spam"),
             ("the message: it hangs up", {"end": None}, 451, b""), ("a reply without a text", {"end": b"250"}, 250, b""),
             ("a reply that would be two", {"rcpt": b"550 x\ry"}, 550, b"x y"))
    for what, replies, code, text in cases:
        script = Script(**replies)
        near = ours(f"127.0.0.1:{script.port}", 'smarthost_tls = "none"')
        try:
            # bob is here: he gets it only if the smarthost takes it as well
            to = ["x@far.example"] + ["bob@example.org"] * (not {"greeting", "mail", "rcpt"} & set(replies))
            with client(near) as smtp:
                got = refused(smtp.sendmail, "alice@example.org", to, SMALL)
                checks.check(f"relay, {what}: {code}", got[0] == code and text in got[1], str(got))
                checks.check(f"relay, {what}: the session goes on", smtp.noop()[0] == 250)
            checks.check(f"relay, {what}: here", len(mail_of(near, "bob")) == (code == 250 and len(to) == 2))
        finally:
            near.stop()
            script.sock.close()


def test_utf8():
    """Who writes to or as somebody beyond ASCII: told so, where the other server takes it, and that it does not, where not."""
    for what, ehlo, code in (("one that takes it", b"250-x\r\n250 SMTPUTF8", 250), ("one that does not", b"250 x", 550)):
        script = Script(ehlo=ehlo)
        near = ours(f"127.0.0.1:{script.port}", 'smarthost_tls = "none"')
        try:
            with client(near) as smtp:
                smtp.mail("alice@example.org", ["SMTPUTF8"])
                sock, text = smtp.sock, "RCPT TO:<grüße@far.example>\r\n".encode()
                sock.sendall(text)
                got = smtp.getreply()
                checks.check(f"relay, SMTPUTF8, {what}", got[0] == code and (code == 250 or got[1] == b"5.6.7 the other server does not take SMTPUTF8") and
                             (text in script.heard) == (code == 250), f"{got} {script.heard}")
        finally:
            near.stop()
            script.sock.close()


def test_verify():
    """VRFY of an address elsewhere says what RCPT would, and asks nobody."""
    far = Script()
    near = ours(f"127.0.0.1:{far.port}", 'smarthost_tls = "none"', "smtp_verify = yes")
    try:
        with client(near) as smtp:
            code, text = smtp.verify("bob@far.example")
            checks.check("VRFY of an address elsewhere", code == 252 and not far.heard, f"{code} {text} {far.heard}")
    finally:
        near.stop()


def test_unreachable():
    near = ours(f"127.0.0.1:{mtas.free_port()}")
    try:
        with client(near) as smtp:
            got = refused(smtp.sendmail, "alice@example.org", ["x@far.example"], SMALL)
            checks.check("relay: it cannot be reached", got == (451, b"4.4.2 the other server cannot be reached"), str(got))
    finally:
        near.stop()


def test_without_tls():
    script = Script()
    near = ours(f"127.0.0.1:{script.port}")
    try:
        with client(near) as smtp:
            got = refused(smtp.sendmail, "alice@example.org", ["x@far.example"], SMALL)
            checks.check("relay: one that does not offer TLS", got == (451, b"4.4.2 the server does not offer TLS"), str(got))
    finally:
        near.stop()
        script.sock.close()


def test_others_go_on():
    """A smarthost that stalls keeps nobody else waiting."""
    script = Script(rcpt=b"")
    near = ours(f"127.0.0.1:{script.port}", 'smarthost_tls = "none"', "workers = 1", "threads = 1")
    try:
        stalled = [socket.create_connection(("127.0.0.1", near.port("submission"))) for _ in range(5)]
        for sock in stalled:
            sock.sendall(b"EHLO x\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<x@far.example>\r\n")
        time.sleep(0.5)
        began = time.monotonic()
        with client(near) as smtp:
            smtp.sendmail("alice@example.org", ["bob@example.org"], SMALL)
        checks.check("relay: others go on", time.monotonic() - began < 5)
        checks.check("relay: theirs is there", len(wait_for(near, "bob")) == 1)
        for sock in stalled:
            sock.close()
        script.sock.close()
    finally:
        near.process.kill()  # it would wait for those that stall
        near.stop()


checks.run_tests(globals())
checks.finish()
