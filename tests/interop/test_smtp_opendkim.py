#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_smtp_opendkim - a real milter: OpenDKIM signs what a user sends, here and on its way to another server, where another OpenDKIM
verifies it; a message that was changed on the way is told from one that was not."""
import os
import shutil
import smtplib
import socket
import subprocess
import time

from clients import no_verify
from harness import Checks, Server
from sent import HASH, SMALL, mail_of

checks = Checks()
OPENDKIM = shutil.which("opendkim", path=os.environ.get("PATH", "") + ":/usr/sbin")
BASE = ["domains = {\"%s\"}", 'smtp_listen = {"127.0.0.1:0"}', "submission_listen_tls = {}", "lmtp_listen = {}"]


def wait_for_socket(path):
    for _ in range(200):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens at {path}")


class OpenDkim:
    def __init__(self, folder, name, settings):
        self.path = folder / name
        conf = folder / f"{name}.conf"
        conf.write_text("\n".join(["Syslog no", "RequireSafeKeys no", f"Socket local:{self.path}", "InternalHosts " + str(folder / "hosts"),
                                   *settings]) + "\n")
        (folder / "hosts").write_text("192.0.2.1\n")
        self.process = subprocess.Popen([OPENDKIM, "-f", "-x", str(conf)])
        wait_for_socket(self.path)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def key_make(folder):
    subprocess.run(["openssl", "genrsa", "-out", str(folder / "key"), "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", str(folder / "key"), "-pubout"], check=True, capture_output=True, text=True).stdout
    (folder / "keys").write_text("s._domainkey.example.org v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1]) + "\n")


def submit(server, message):
    with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=60) as smtp:
        smtp.starttls(context=no_verify())
        smtp.login("bob", "secret")
        smtp.sendmail("bob@example.org", ["alice@far.example", "alice@example.org"], message)


def test_signing(canonical):
    folder = Server.make_folder()
    key_make(folder)
    signer = OpenDkim(folder, "signer", ["Mode sv", "Domain example.org", "Selector s", f"KeyFile {folder / 'key'}",
                                         f"Canonicalization {canonical}"])
    verifier = OpenDkim(folder, "verifier", ["Mode v", f"TestPublicKeys {folder / 'keys'}", "AuthservID far.example",
                                             "AlwaysAddARHeader yes"])
    far = Server(settings=[BASE[0] % "far.example", *BASE[1:], "submission_listen = {}", f'filter = "milter:unix:{verifier.path}"'],
                 users=(), users_text=f"alice:{HASH}\n")
    near = Server(settings=[BASE[0] % "example.org", *BASE[1:], 'submission_listen = {"127.0.0.1:0"}',
                            f'filter = "milter:unix:{signer.path}"', f'smarthost = "127.0.0.1:{far.port("smtp")}"',
                            'smarthost_tls = "encrypt"'], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")
    message = SMALL.replace(b"ann@far.example", b"bob@example.org").replace(b"Subject: small", b"Subject:  small\r\n\tbut  folded")
    try:
        for what, text in (("small", message), ("large", message + b"".join(b"%070d \r\n" % i for i in range(50000)) + b"\r\n\r\n")):
            submit(near, text)
            here, there = mail_of(near, "alice"), mail_of(far, "alice")
            checks.check(f"{canonical}, {what}: signed here", len(here) == 1 and b"\r\nDKIM-Signature: v=1; a=rsa-sha256;" in here[0],
                         repr(here)[:1500])
            checks.check(f"{canonical}, {what}: signed there, and verified", len(there) == 1 and b"\r\nDKIM-Signature: " in there[0] and
                         b"Authentication-Results: far.example;" in there[0] and b"dkim=pass" in there[0], repr(there)[:1500])
            signed = there[0][there[0].index(b"DKIM-Signature: "):] if there else b""
            for how, changed in (("as it was", signed), ("changed", signed.replace(b"end\r\n", b"END\r\n", 1))):
                with smtplib.SMTP("127.0.0.1", far.port("smtp"), timeout=60) as smtp:
                    smtp.sendmail("bob@example.org", ["alice@far.example"], changed)
                found = mail_of(far, "alice")
                word = b"dkim=pass" if changed == signed else b"dkim=fail"
                checks.check(f"{canonical}, {what}: sent again {how}", len(found) == 1 and word in found[0] and
                             found[0].count(b"dkim=") == 1, repr(found)[:1500])
    finally:
        near.stop()
        far.stop()
        signer.stop()
        verifier.stop()


if not OPENDKIM:
    checks.skip("opendkim is not there", 12)
    checks.finish()
for one in ("simple/simple", "relaxed/relaxed"):
    checks.run(one, test_signing, one)
checks.finish()
