#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_server - what of SMTP's duties only a whole server can show: limits of connections, PROXY headers, TLS, the log, names, and
the commands that tell whose mail it is."""
import base64
import imaplib
import re
import select
import smtplib
import socket
import ssl
import subprocess
import time

from clients import no_verify
from harness import POSTERN, Checks, Server
from sent import HASH, MESSAGE, USERS, deliver, serve_smtp

checks = Checks()


def greeting(port, wait=10):
    """What is said at once, and the socket."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=wait)
    return (sock.recv(200) if select.select([sock], [], [], wait)[0] else b""), sock


def test_too_many(_):
    """A4: of an address."""
    server = serve_smtp("connections_per_address = 2")
    try:
        kept = [greeting(server.port("smtp")) for _ in range(2)]
        checks.check("two are welcome", all(said.startswith(b"220 ") for said, _ in kept), str(kept))
        said, third = greeting(server.port("smtp"))
        checks.check("the third is told", said.startswith(b"421 4.3.2 ") and third.recv(10) == b"", said)
        said, third = greeting(server.imap)
        checks.check("in IMAP's words too", said.startswith(b"* BYE "), said)
    finally:
        server.stop()


def test_crowded(_):
    """N1: where there are nearly as many as may be, a stranger who comes then has ten seconds for a command."""
    server = serve_smtp("connections_max = 8")
    try:
        early = [greeting(server.port("smtp"))[1] for _ in range(6)]
        late = greeting(server.port("smtp"))[1]
        late.settimeout(60)
        said = late.recv(200)
        checks.check("who comes late has little time", said.startswith(b"421 4.4.2 "), str(said))
        early[0].sendall(b"NOOP\r\n")
        said = early[0].recv(200)
        checks.check("who was there before has the usual", said.startswith(b"250 "), str(said))
    finally:
        server.stop()


def test_proxy(_):
    """A2: nothing is said before the header, and the client it names is the one that counts."""
    server = serve_smtp('proxy_trusted = {"127.0.0.0/8"}')
    try:
        said, sock = greeting(server.port("smtp"), 0.3)
        checks.check("silence before the header", said == b"", said)
        sock.sendall(b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 25\r\n")
        sock.settimeout(10)
        checks.check("then the greeting", sock.recv(100).startswith(b"220 "))
        sock.sendall(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n")
        while b"354" not in sock.recv(1000):
            pass
        sock.sendall(MESSAGE + b".\r\nQUIT\r\n")
        while sock.recv(1000):
            pass
        began = time.monotonic()
        said, sock = greeting(server.port("smtp"), 20)
        checks.check("who sends none is closed after five seconds", said == b"" and 4 < time.monotonic() - began < 9)
        text = next((server.mail / "alice" / "new").iterdir()).read_text()
        checks.check("S3: the trace has the client", "[192.0.2.77]" in text, text)
    finally:
        server.stop()


def test_tls(server):
    """A8 K4: what is offered by ALPN, and versions."""
    port = server.port("submissions")
    for protocols, good in ((["http/1.1"], False), (["smtp"], True), (["h2", "smtp"], True)):
        context = no_verify()
        context.set_alpn_protocols(protocols)
        try:
            with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)) as sock:
                ok = sock.recv(10).startswith(b"220 ")
        except (ssl.SSLError, ConnectionError):
            ok = False
        checks.check(f"ALPN {protocols}", ok == good)
    context = no_verify()
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)).close()
        checks.check("TLS 1.1 is refused", False)
    except (ssl.SSLError, ConnectionError):
        checks.check("TLS 1.1 is refused", True)
    # K9: who does not shake hands is not waited for
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.recv(1)
    checks.check("a handshake has a limit", time.monotonic() - began < 25)


def test_log(server):
    """N7 K8: one line for a message."""
    with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=30) as smtp:
        smtp.starttls(context=no_verify())
        smtp.login("bob", "secret")
        smtp.sendmail("bob@example.org", ["alice@example.org", "bob@example.org"], MESSAGE)
    until = time.monotonic() + 10
    lines = []
    while not lines and time.monotonic() < until:
        lines = [line for line in server.log if " received " in line]
        time.sleep(0.02)
    line = lines[-1] if lines else ""
    checks.check("one line tells all", all(word in line for word in ('user="bob"', "protocol=ESMTPSA", "from=bob@example.org", "nrcpt=2",
                                                                    "result=saved", "octets=", " ms=", 'tls="TLSv1.3 ')) and
                 re.search(r" client=", line) is None, "".join(server.log[-5:]))
    found = re.search(r" id=([0-9a-f]{16}\.1) ", line)
    text = max((server.mail / "alice" / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns).read_text()
    checks.check("with the id that Received has", found and f"id {found[1]}" in text, line + text)


def lines_of(server, event, count, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until and sum(f" {event} " in line for line in server.log) < count:
        time.sleep(0.02)
    return [line for line in server.log if f" {event} " in line]


def test_refused(_):
    """N7 S3: who is refused stands in the log, with the client that a proxy named; and no peer can push the result out of the line."""
    server = serve_smtp('smtp_trusted = {"127.0.0.1"}')
    try:
        with socket.create_connection(("127.0.0.1", server.port("smtp")), timeout=20) as sock, sock.makefile("rb") as reader:
            def say(line):
                sock.sendall(line + b"\r\n")
                answer = reader.readline()
                while answer[3:4] == b"-":
                    answer = reader.readline()
                return answer[:3]
            reader.readline()
            long = "ö".encode() * 120
            codes = [say(b"EHLO x"), say(b"XCLIENT ADDR=192.0.2.9"), say(b"EHLO " + long), say(b"MAIL FROM:<%s@%s.example> SMTPUTF8" %
                     (long[:60], b".".join([long[:40]] * 2)))]
            codes += [say(b"RCPT TO:<nobody@example.org>"), say(b"RCPT TO:<x@far.example>"), say(b"RCPT TO:<alice@example.org>"), say(b"DATA")]
            codes.append(say(MESSAGE + b"."))
        checks.check("refused: the talk", codes == [b"250", b"220", b"250", b"250", b"550", b"550", b"250", b"354", b"250"], str(codes))
        lines = lines_of(server, "refused", 2)
        checks.check("refused: whom, and why", len(lines) == 2 and "to=nobody@example.org" in lines[0] and 'why="no such user here"' in lines[0] and
                     "to=x@far.example" in lines[1] and 'why="relaying denied"' in lines[1] and "peer=127.0.0.1:" in lines[0], str(lines))
        lines = lines_of(server, "received", 1)
        checks.check("refused: both addresses, and what came of it", len(lines) == 1 and " client=192.0.2.9 " in lines[0] and
                     " peer=127.0.0.1:" in lines[0] and " result=saved " in lines[0], str(lines))
    finally:
        server.stop()


def test_news(server):
    """P8 T1: who idles hears of a message at once; one store for all protocols."""
    with socket.create_connection(("127.0.0.1", server.imap), timeout=20) as sock:
        sock.sendall(b"a login alice secret\r\nb select inbox\r\nc idle\r\n")
        said = b""
        while b"+ " not in said:
            said += sock.recv(4096)
        began = time.monotonic()
        with smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=20) as lmtp:
            lmtp.sendmail("a@b.example", ["alice@example.org"], MESSAGE)
        said = b""
        while b"EXISTS" not in said:
            said += sock.recv(4096)
        checks.check("told within a second", time.monotonic() - began < 1, str(time.monotonic() - began))
    client = imaplib.IMAP4("127.0.0.1", server.imap)
    client.login("alice", "secret")
    count = int(client.select()[1][0])
    checks.check("the same octets", client.fetch(str(count), "(BODY.PEEK[TEXT])")[1][0][1] == b"body\r\n")


def test_tlsa(_):
    """K7: the records of DANE, as openssl computes them: of the present certificate, and of a next key in any form."""
    folder = Server.make_folder()

    def openssl(*arguments, data=None):
        return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True, cwd=folder, timeout=60).stdout

    def postern(*arguments):
        return subprocess.run([POSTERN, "tlsa", *map(str, arguments), "--config", str(folder / "postern.conf")], capture_output=True,
                              text=True, timeout=30)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "k.pem", "-out", "c.pem",
            "-subj", "/CN=mx.example.org")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "next.key", "-out", "next.pem", "-subj", "/CN=mx.example.org")
    openssl("pkey", "-in", "next.key", "-pubout", "-out", "next.pub")
    openssl("pkey", "-in", "next.key", "-aes128", "-passout", "pass:x", "-out", "locked.key")
    (folder / "chain.pem").write_bytes((folder / "c.pem").read_bytes() + (folder / "next.pem").read_bytes())
    (folder / "postern.conf").write_text(f'host = "mx.example.org"\ntls_cert = "{folder}/chain.pem"\ntls_key = "{folder}/k.pem"\n')
    want = []
    for name in ("c.pem", "next.pem"):
        public = openssl("x509", "-in", name, "-noout", "-pubkey")
        digest = openssl("dgst", "-sha256", "-r", data=openssl("pkey", "-pubin", "-outform", "DER", data=public)).split()[0].decode()
        want.append(f"_25._tcp.mx.example.org. IN TLSA 3 1 1 {digest}\n")
    got = postern()
    checks.check("tlsa: the present key, of the chain's first", got.stdout == want[0], str((got, want)))
    for name in ("next.pem", "next.key", "next.pub"):
        got = postern(folder / name)
        checks.check(f"tlsa: with {name}", got.stdout == want[0] + want[1], str((got, want)))
    for name, code in (("locked.key", 65), ("postern.conf", 65), ("none", 66)):
        got = postern(folder / name)
        checks.check(f"tlsa: {name}", got.returncode == code and got.stdout == want[0], str(got))
    (folder / "postern.conf").write_text('host = "mx.example.org"\n')
    checks.check("tlsa: no certificate", postern().returncode == 64)
    checks.check("tlsa: only a next one", postern(folder / "next.key").stdout == want[1])


def test_explain(server):
    """R5: whose address it is, as RCPT would say."""
    for address, code, said in (("alice@example.org", 0, "alice\tINBOX\n"), ("Bob+x@EXAMPLE.org", 0, "bob\tx\n"),
                                ("nobody@example.org", 67, ""), ("x@elsewhere.example", 67, ""), ("<", 65, "")):
        got = subprocess.run([POSTERN, "explain", address, "--config", str(server.folder / "postern.conf")], capture_output=True,
                             text=True, timeout=30)
        checks.check(f"explain {address}", (got.returncode, got.stdout) == (code, said), str(got))


def test_idna(_):
    """E2: a domain by A-labels and by U-labels is one: for RCPT, who owns a sender, explain and deliver."""
    ascii_form, unicode_form = "xn--bcher-kva.example", "bücher.example"
    server = Server(settings=[f'domains = {{"{unicode_form}"}}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                              "submission_listen_tls = {}", 'lmtp_listen = {"127.0.0.1:0"}'], users=(),
                    users_text=f"ann@{unicode_form}:{HASH}\nbob@{ascii_form}:{HASH}\n")
    try:
        for user, own in (("ann", unicode_form), ("bob", ascii_form)):
            for form in (ascii_form, ascii_form.upper(), unicode_form, "BÜCHER.example"):
                options = [] if form.isascii() else ["SMTPUTF8"]
                address = f"{user}@{form}"
                with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as smtp:
                    smtp.sendmail("a@b.example", [address], MESSAGE, options)
                with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=30) as smtp:
                    smtp.starttls(context=no_verify())
                    smtp.command_encoding = "utf-8"
                    smtp.ehlo()
                    smtp.docmd("AUTH PLAIN " + base64.b64encode(f"\0{user}@{own}\0secret".encode()).decode())
                    checks.check(f"IDNA: {user}@{own} sends as {address}", smtp.mail(address, options)[0] == 250)
                    smtp.rset()
                    checks.check("IDNA: and as nobody else", smtp.mail(f"other@{form}", options)[0] == 553)
                got = subprocess.run([POSTERN, "explain", address, "--config", str(server.folder / "postern.conf")], capture_output=True,
                                     text=True, timeout=30)
                checks.check(f"IDNA: explain {address}", got.stdout == f"{user}@{own}\tINBOX\n", str(got))
                got = deliver(server, "-d", address)
                checks.check(f"IDNA: deliver -d {address}", got.returncode == 0, str(got))
        counts = {path.name: len(list(path.rglob("new/*"))) for path in server.mail.iterdir()}
        checks.check("IDNA: all in one mailbox each", sorted(counts.values()) == [8, 8], str(counts))
    finally:
        server.stop()


def test_aliases(_):
    """R3: a file that is broken keeps the server from starting, and says where."""
    for text, why in (("team alice\n", ":1: NAME: TARGET"), ("a: bob\n\nb: x@elsewhere.example\n", ":3: a target is in no local domain"),
                      ("a: bob\nA: alice\n", ":2: this alias is there already"), ("a: ,\n", ":1: an alias has a target")):
        folder = Server.make_folder()
        (folder / "aliases").write_text(text)
        try:
            Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', "submission_listen = {}",
                             "submission_listen_tls = {}", "lmtp_listen = {}", f'aliases = "{folder}/aliases"'], users=(),
                   users_text=USERS, folder=folder).stop()
            checks.check(f"aliases: {text!r}", False, "it started")
        except RuntimeError as error:
            checks.check(f"aliases: {text!r}", why in str(error), str(error)[-400:])


def test_dev(_):
    """`postern dev` takes mail for anybody, and anybody reads it."""
    process = subprocess.Popen([POSTERN, "dev", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        ports = {}
        for line in process.stdout:
            if match := re.match(r"  (\w+) +127\.0\.0\.1:(\d+)", line):
                ports[match[1]] = int(match[2])
            if line.startswith("Ctrl-C"):
                break
        with smtplib.SMTP("127.0.0.1", ports["SMTP"], timeout=30) as smtp:
            smtp.sendmail("a@b.example", ["New.Person@x.example", "other+tag@y.example", "alone"], MESSAGE)
            smtp.login("anybody", "postern")
            smtp.sendmail("whoever@z.example", ["new.person@else.example"], MESSAGE)
        with smtplib.SMTP("127.0.0.1", ports["SMTP"], timeout=30) as smtp:
            smtp.starttls(context=no_verify())
            smtp.sendmail("", ["alone@x.example"], MESSAGE)
        with smtplib.LMTP("127.0.0.1", ports["LMTP"], timeout=30) as lmtp:
            lmtp.sendmail("a@b.example", ["other@y.example"], MESSAGE)
        for user, count in (("new.person", 2), ("New.Person@x.example", 2), ("other", 2), ("alone", 2), ("nobody", 0)):
            client = imaplib.IMAP4("127.0.0.1", ports["IMAP"])
            client.login(user, "postern")
            checks.check(f"dev: {user} has {count}", client.select()[1] == [b"%d" % count])
            client.logout()
    finally:
        process.terminate()
        checks.check("dev ends well", process.wait(30) == 0)


checks.run_with(serve_smtp(), globals())
