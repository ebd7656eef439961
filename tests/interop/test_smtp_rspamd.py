#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_rspamd - a fake rspamd that says anything: what it is told, each of its actions, and one that is slow, closing, huge,
deep, chunked, or no rspamd at all; several filters in a row; settings that name none."""
import json
import smtplib
import socket
import subprocess
import threading
import time

from clients import no_verify
from harness import POSTERN, Checks, Server
from sent import HASH, SMALL, junk_of, mail_of, name_of

checks = Checks()
NAME = name_of("127.0.0.1")
OK = b"HTTP/1.1 200 OK\r\n"
FULL = {"action": "no action", "milter": {"add_headers": {"X-Top": {"value": "a\n b", "order": 0}, "X-End": "c", "X-Two": ["d", "e"]},
                                          "remove_headers": {"X-Gone": 0}}, "dkim-signature": "v=1; b=x"}


def sized(body):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body):
    body = json.dumps(body).encode()
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%c\r\n" % (1, octet) for octet in body) + b"0\r\n\r\n"


class Rspamd:
    """Listens, hears one request for each connection, and does with it what `answer(connection, request)` does."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(50)
        self.place = f"unix:{path}" if path else "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.reply, self.head, self.body, self.asked = sized({"action": "no action"}), b"", b"", 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        self.asked += 1
        with connection:
            try:
                if callable(self.reply):
                    self.reply(connection)
                    return
                self.hear(connection)
                connection.sendall(self.reply)
            except OSError:
                pass

    def hear(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536) or self.gone()
        head, body = data.split(b"\r\n\r\n", 1)
        length = int([line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")][0][16:])
        while len(body) < length:
            body += connection.recv(65536) or self.gone()
        self.head, self.body = head, body

    def gone(self):
        raise OSError("gone")

    def headers(self, name):
        return [line.split(b": ", 1)[1] for line in self.head.split(b"\r\n") if line.lower().startswith(name.encode() + b": ")]


def serve(filters, *settings):
    names = ", ".join(f'"{one}"' for one in filters)
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            "submission_listen_tls = {}", 'lmtp_listen = {"127.0.0.1:0"}', f"filter = {{{names}}}",
                            "filter_timeout = 3s", *settings], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")


def send(server, message=SMALL, to=("alice@example.org",), sender="ann@far.example"):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
        try:
            smtp.sendmail(sender, to, message)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code, error.smtp_error
        return 250, b""


def test_actions(place):
    rspamd = Rspamd(place)
    server = serve([f"rspamd:{rspamd.place}"])
    what = rspamd.place.split(":")[0]
    try:
        checks.check(f"{what}: taken", send(server, to=("alice@example.org", "bob@example.org"))[0] == 250)
        found = mail_of(server, "alice")
        checks.check(f"{what}: as it came", len(found) == 1 and found[0].endswith(SMALL), repr(found))
        checks.check(f"{what}: it sees what is stored", found[0].endswith(rspamd.body) and rspamd.body.startswith(b"Received: "),
                     repr(rspamd.body))
        checks.check(f"{what}: it is asked rightly", rspamd.head.startswith(b"POST /checkv2 HTTP/1.1\r\nHost: ") and
                     rspamd.headers("connection") == [b"close"], repr(rspamd.head))
        told = {name: rspamd.headers(name) for name in ("ip", "helo", "hostname", "from", "rcpt", "user", "deliver-to", "mta-name")}
        checks.check(f"{what}: it is told of the envelope", told == {
            "ip": [b"127.0.0.1"], "helo": [b"far.example"], "hostname": [NAME], "from": [b"ann@far.example"],
            "rcpt": [b"alice@example.org", b"bob@example.org"], "user": [], "deliver-to": [], "mta-name": [b"localhost"]}, str(told))
        checks.check(f"{what}: and of the id", rspamd.headers("queue-id")[0] in found[0], repr(rspamd.head))
        mail_of(server, "bob")

        rspamd.reply = chunked(FULL)
        checks.check(f"{what}: headers", send(server, SMALL.replace(b"To: ", b"X-Gone: 1\r\nx-gone: 2\r\nTo: "))[0] == 250)
        found = mail_of(server, "alice")
        whole = found[0] if found else b""
        checks.check(f"{what}: deliver-to, if it is one", rspamd.headers("deliver-to") == [b"alice"], repr(rspamd.head))
        checks.check(f"{what}: on top", b"Delivered-To: alice@example.org\r\nX-Top: a\r\n b\r\nReceived: " in whole, repr(whole))
        checks.check(f"{what}: at the end", b"\r\nX-End: c\r\nX-Two: d\r\nX-Two: e\r\nDKIM-Signature: v=1; b=x\r\n\r\n.dot\r\n" in whole,
                     repr(whole))
        checks.check(f"{what}: taken out", b"-gone" not in whole.lower(), repr(whole))

        rspamd.reply = sized({"action": "add header", "milter": {"add_headers": {"X-Spamd-Bar": "+++"}}})
        checks.check(f"{what}: add header", send(server)[0] == 250)
        found = junk_of(server)
        checks.check(f"{what}: into Junk, with X-Spam", len(found) == 1 and b"\r\nX-Spam: Yes\r\n" in found[0] and
                     b"\r\nX-Spamd-Bar: +++\r\n" in found[0] and not mail_of(server, "alice"), repr(found))
        rspamd.reply = sized({"action": "rewrite subject", "subject": "*** small"})
        checks.check(f"{what}: rewrite subject", send(server)[0] == 250)
        found = mail_of(server, "alice")
        checks.check(f"{what}: the subject, in its place", len(found) == 1 and
                     b"\r\nTo: alice@example.org\r\nSubject: *** small\r\nMessage-ID" in found[0], repr(found))
        rspamd.reply = sized({"action": "reject", "messages": {"smtp_message": "spam is not wanted\r\n250 here"}})
        checks.check(f"{what}: reject, with its words", send(server) == (554, b"5.7.1 spam is not wanted  250 here"), str(send(server)))
        for action, reply in (("reject", (554, b"5.7.1 spam message rejected")), ("greylist", (451, b"4.7.1 try again later")),
                              ("soft reject", (451, b"4.7.1 try again later")), ("discard", (250, b"")), ("quarantine", (250, b""))):
            rspamd.reply = sized({"action": action})
            checks.check(f"{what}: {action}", send(server) == reply)
        checks.check(f"{what}: one of these is in quarantine, none elsewhere", len(junk_of(server)) == 1 and not mail_of(server, "alice"))

        rspamd.reply = sized({"action": "no action"})
        large = SMALL + b"".join(b"%070d\r\n" % i for i in range(150000))
        checks.check(f"{what}: a large message", send(server, large)[0] == 250)
        found = mail_of(server, "alice")
        checks.check(f"{what}: is the same, here and there", len(found) == 1 and found[0].endswith(large) and rspamd.body.endswith(large))
        rspamd.reply = chunked(FULL)
        checks.check(f"{what}: a large message with headers", send(server, large)[0] == 250)
        found = mail_of(server, "alice")
        checks.check(f"{what}: has them", len(found) == 1 and found[0].endswith(large.split(b"\r\n\r\n", 1)[1]) and b"X-End: c" in found[0])
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=30) as lmtp:
            rspamd.reply = sized({"action": "reject"})
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail("")
            lmtp.rcpt("alice@example.org")
            lmtp.rcpt("bob@example.org")
            replies = [lmtp.data(SMALL)[0], lmtp.getreply()[0]]
        checks.check(f"{what}: LMTP: each is told", replies == [554, 554], str(replies))
        checks.check(f"{what}: nobody sent it", rspamd.headers("from") == [b"<>"], repr(rspamd.head))
        with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=30) as smtp:
            rspamd.reply = sized({"action": "no action"})
            smtp.starttls(context=no_verify())
            smtp.login("bob", "secret")
            smtp.sendmail("bob@example.org", ["alice@example.org"], SMALL.replace(b"far.example", b"example.org"))
        checks.check(f"{what}: a user", rspamd.headers("user") == [b"bob"] and rspamd.headers("tls-version")[0].startswith(b"TLSv1.3"),
                     repr(rspamd.head))
        log = "".join(server.log)
        checks.check(f"{what}: the log tells of refusals", "filtered " in log and "spam is not wanted" in log and "result=discarded" in log)
    finally:
        checks.check(f"{what}: the server ends well", server.stop() == 0)


def trickle(connection):
    for octet in OK:
        connection.sendall(bytes([octet]))
        time.sleep(0.4)
    time.sleep(5)


def early(connection):
    """Answers before it has heard all, and hears no more."""
    connection.recv(100)
    connection.sendall(sized({"action": "reject"}))
    connection.shutdown(socket.SHUT_WR)
    time.sleep(4)


def flood(connection):
    for _ in range(200):
        connection.sendall(OK + b"X: y\r\n" * 20000)


def test_hostile():
    rspamd = Rspamd()
    server = serve([f"rspamd:{rspamd.place}"])
    lenient = serve([f"rspamd:{rspamd.place}"], "filter_optional = yes")
    good = {"action": "no action"}
    replies = {
        "closes": b"", "says nothing of use": b"hello\r\n", "is cut": sized(good)[:-3], "is cut in its header": OK,
        "has no action": sized({}), "has an unknown action": sized({"action": "dance"}), "has a number as action": sized({"action": 5}),
        "is a list": sized([good]), "is no JSON": sized(b"no action"), "is JSON and more": sized(b'{"action": "no action"} x'),
        "is no UTF-8": sized(b'{"action": "no action", "subject": "\xff"}'), "is deep": sized(b'{"action": ' + b"[" * 100000),
        "is an error": sized(good).replace(b"200 OK", b"500 Oops"), "is sent elsewhere": sized(good).replace(b"200 OK", b"302 Found"),
        "is huge": OK + b"Content-Length: 99999999999\r\n\r\n", "is huge without a size": OK + b"\r\n" + b" " * 3000000,
        "is compressed": sized(good).replace(b"OK\r\n", b"OK\r\nContent-Encoding: zstd\r\n"),
        "has bad chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "has chunks for ever": OK + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1;" + b"x" * 4000 + b"\r\n \r\n" * 1, "floods": flood, "trickles": trickle,
        "has a header of two lines' name": sized(dict(good, milter={"add_headers": {"A\r\nB": "c"}})),
        "has a header that is a number": sized(dict(good, milter={"add_headers": {"A": 5}})),
        "removes by a word": sized(dict(good, milter={"remove_headers": {"A": "x"}})),
        "has too many headers": sized(dict(good, milter={"add_headers": {f"A{i}": "c" for i in range(3000)}})),
    }
    try:
        for what, reply in replies.items():
            rspamd.reply = reply
            began = time.monotonic()
            checks.check(f"a reply that {what}", send(server) == (451, b"4.7.1 the message could not be looked at"), str(send(server)))
            checks.check(f"a reply that {what} is not waited for", time.monotonic() - began < 12)
        rspamd.reply = early
        large = SMALL + b"x" * 70 + b"\r\n" * 3000000
        checks.check("who answers early is heard, or not waited for", send(server, large)[0] in (554, 451))
        checks.check("nothing of these is there", not mail_of(server, "alice") and not junk_of(server))
        for what in ("closes", "is no JSON", "has a header of two lines' name"):
            rspamd.reply = replies[what]
            checks.check(f"optional: {what}", send(lenient)[0] == 250)
            found = mail_of(lenient, "alice")
            checks.check(f"optional: {what}: as it came", len(found) == 1 and found[0].endswith(SMALL), repr(found))
        rspamd.reply = sized(dict(good, milter={"add_headers": {"X-A": "b\r\n\r\nbody\r\nX-C: d"}}))
        checks.check("a header with more in it is taken", send(server)[0] == 250)
        found = mail_of(server, "alice")
        checks.check("and is one", len(found) == 1 and b"\r\nX-A: b\r\n\tbody\r\n\tX-C: d\r\n\r\n.dot" in found[0], repr(found))
        checks.check("the log tells of failures", "filter-failed" in "".join(server.log))
        rspamd.socket.shutdown(socket.SHUT_RDWR)
        rspamd.socket.close()
        checks.check("one that is not there", send(server)[0] == 451)
        checks.check("optional: one that is not there", send(lenient)[0] == 250)
    finally:
        checks.check("the server ends well", server.stop() == 0)
        lenient.stop()


def test_in_a_row():
    first, second = Rspamd(), Rspamd()
    folder = Server.make_folder()
    program = folder / "look"
    program.write_text("#!/bin/sh\necho X-Program: saw\ncat > " + str(folder / "seen") + "\n")
    program.chmod(0o755)
    server = serve([f"rspamd:{first.place}", program, f"rspamd:{second.place}"], "filter_junk = \"\"")
    try:
        first.reply = sized({"action": "add header"})
        checks.check("three filters", send(server)[0] == 250)
        found = mail_of(server, "alice")
        checks.check("each sees what those before it wrote", second.body.startswith(b"X-Program: saw\r\nX-Spam: Yes\r\nReceived: ") and
                     (folder / "seen").read_bytes().startswith(b"X-Spam: Yes\r\nReceived: "), repr(second.body))
        checks.check("spam stays where it belongs, without a mailbox for it", len(found) == 1 and found[0].endswith(second.body), repr(found))
        asked = second.asked
        first.reply = sized({"action": "reject"})
        checks.check("one refuses", send(server)[0] == 554)
        checks.check("the others are not asked", second.asked == asked)
    finally:
        server.stop()


def test_again():
    """What an MTA sends again is recognised, whatever a filter writes into it."""
    rspamd = Rspamd()
    server = serve([f"rspamd:{rspamd.place}"], "deduplicate = yes")
    try:
        for number in range(3):
            rspamd.reply = sized(dict(FULL, milter={"add_headers": {"X-Number": str(number)}}))
            checks.check("taken again", send(server, b"Received: by mta.example id 4711\r\n" + SMALL)[0] == 250)
            checks.check("taken each time", send(server, SMALL)[0] == 250)
        checks.check("what was sent again is there once", len(mail_of(server, "alice")) == 4)
    finally:
        server.stop()


def test_clients():
    """A proxy's client, with a name or without; none is looked up where that is off."""
    rspamd = Rspamd()
    server = serve([f"rspamd:{rspamd.place}"], "filter_names = no", 'smtp_trusted = {"127.0.0.1"}')
    try:
        for said, expected in (("", (b"127.0.0.1", b"unknown", b"far.example")),
                               ("NAME=mx.far.example ADDR=192.0.2.9", (b"192.0.2.9", b"mx.far.example", b"far.example")),
                               ("NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::9", (b"2001:db8::9", b"unknown", b"far.example"))):
            with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
                if said:
                    smtp.ehlo()
                    smtp.docmd("XCLIENT", said)
                smtp.ehlo()
                smtp.mail("ann@far.example")
                smtp.rcpt("alice@example.org")
                smtp.data(SMALL)
            told = tuple(rspamd.headers(name)[0] for name in ("ip", "hostname", "helo"))
            checks.check(f"a client: {said}", told == expected, str(told))
    finally:
        server.stop()


def slow(connection):
    time.sleep(1)
    connection.sendall(sized({"action": "no action"}))


def test_many():
    """Many messages wait for a slow one at once; some of their senders are gone before it answers."""
    rspamd = Rspamd()
    server = serve([f"rspamd:{rspamd.place}"], "connections_per_address = 200", "filter_timeout = 60s")
    rspamd.reply = slow
    threads, codes = [], []
    try:
        began = time.monotonic()
        for _ in range(100):
            threads.append(threading.Thread(target=lambda: codes.append(send(server)[0])))
            threads[-1].start()
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", server.port("smtp")), timeout=30) as gone:
                with gone.makefile("rb") as said:
                    for line in (b"", b"HELO far.example\r\n", b"MAIL FROM:<ann@far.example>\r\n", b"RCPT TO:<bob@example.org>\r\n",
                                 b"DATA\r\n"):
                        gone.sendall(line)
                        said.readline()
                gone.sendall(SMALL.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        began_login = time.monotonic()
        mail_of(server, "alice")
        checks.check("who reads does not wait", time.monotonic() - began_login < 5)
        for thread in threads:
            thread.join()
        checks.check("all are taken", codes == [250] * 100, str(codes))
        checks.check("many at once", time.monotonic() - began < 30, str(time.monotonic() - began))
        checks.check("and one more", send(server)[0] == 250)
    finally:
        checks.check("the server ends well", server.stop() == 0)


def test_nonsense():
    folder = Server.make_folder()
    conf = folder / "postern.conf"
    for value in ("rspamd:", "rspamd:127.0.0.1:1", "rspamd:http://", "rspamd:http://127.0.0.1", "rspamd:http://127.0.0.1:99999",
                  "rspamd:http://127.0.0.1:0", "rspamd:https://127.0.0.1:1", "rspamd:unix:x", "rspamd:http://a b:1", "http://127.0.0.1:1",
                  "no/such/program", "/no/such/program", 'x", "y', "/bin/cat" + '", "/bin/cat' * 8):
        conf.write_text("\n".join(("config_version = 1", "listen = {}", "listen_tls = {}", "imap_listen = {}", "imap_listen_tls = {}",
                                   'domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                                   "submission_listen_tls = {}", "lmtp_listen = {}", f'mail = "{folder}"', f'users = "{folder}/users"',
                                   f'filter = {{"{value}"}}')) + "\n")
        (folder / "users").write_text(f"alice:{HASH}\n")
        run = subprocess.run([POSTERN, "serve", "--config", str(conf)], capture_output=True, text=True, timeout=30)
        checks.check(f"not started with {value}", run.returncode == 78 and "filter" in run.stderr, f"{run.returncode} {run.stderr}")


checks.run("over TCP", test_actions, None)
checks.run("over a unix socket", test_actions, str(Server.make_folder() / "rspamd.sock"))
for function in (test_hostile, test_in_a_row, test_again, test_clients, test_many, test_nonsense):
    checks.run(function.__name__, function)
checks.finish()
