# SPDX-License-Identifier: MIT
"""libmilter - a milter over the real library, for Debian's python3 (python3-milter): what the subject names, it does. Run with the
socket's path."""
import sys
import time

import Milter


class Look(Milter.Base):
    def __init__(self):
        self.client, self.messages, self.aborted = "", 0, 0

    def connect(self, name, family, address):
        self.client = f"{name} {address[0]} {self.getsymval('j')}"
        return Milter.CONTINUE

    def envfrom(self, path, *_):
        self.messages += 1
        self.subject, self.octets = "", 0
        self.told = [self.client, f"{path} {self.getsymval('i') is not None}"]
        return Milter.CONTINUE

    def envrcpt(self, path, *_):
        self.told.append(f"{path} {self.getsymval('{rcpt_addr}')}")
        if "bob" in path:
            self.setreply("550", "5.7.9", "no mail for 100%% of the bobs")
            return Milter.REJECT
        return Milter.CONTINUE

    def header(self, name, value):
        if name.lower() == "subject":
            self.subject = value
        return Milter.CONTINUE

    def eoh(self):
        return Milter.TEMPFAIL if self.subject == "later" else Milter.DISCARD if self.subject == "lost" else Milter.CONTINUE

    def body(self, chunk):
        self.octets += len(chunk)
        return Milter.CONTINUE

    def abort(self):
        self.aborted += 1
        return Milter.CONTINUE

    def eom(self):
        if self.subject == "reject":
            return Milter.REJECT
        if self.subject == "slow":
            for _ in range(4):
                time.sleep(1)
                self.progress()
        self.addheader("X-Told", "; ".join(self.told))
        self.addheader("X-Octets", str(self.octets), 0)
        self.addheader("X-Talk", f"{self.messages} {self.aborted}")
        if self.subject == "change":
            self.chgheader("Subject", 1, "changed")
            self.chgheader("Message-ID", 1, "")
            self.replacebody(b"another body\r\n" * 10000)
        if self.subject == "redirect":
            self.addrcpt("<bob@example.org>")
            self.delrcpt("<alice@example.org>")
            self.chgfrom("<new@far.example>")
        if self.subject == "hold":
            self.quarantine("held for a look")
        return Milter.CONTINUE


Milter.factory = Look
Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.QUARANTINE | Milter.ADDRCPT | Milter.DELRCPT |
                 Milter.CHGFROM)
Milter.runmilter("look", sys.argv[1], 20)
