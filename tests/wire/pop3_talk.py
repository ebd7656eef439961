# SPDX-License-Identifier: MIT
"""pop3_talk - a POP3 talk as the daemon can hold it: its lines, users and settings; what a socket cannot show is skipped."""
import re

SETUP = ("user", "mailbox:", "message", "message(lf)", "message(raw)", "arrive", "option", "tls", "read-only",
         "vanish", "read-most", "file-range")
UNSEEN = ("state:", "holds:", "is-user", "S(open)", "S(nothing)", "memory")  # true, but not on the wire
STEPS = ("C:", "C(raw):", "C(fill):", "C(b64):", "C(auth):", "S:", "S(has):", "S(body)", "S(b64):", "S(close)",
         "login", "tls-up", "again", "eof", "store:")
EXTENSIONS = {"uid_param": "UID-PARAM", "slee_wake": "SLEE-WAKE", "deli": "DELI", "qaut": "QAUT"}
PLAIN_KEYS = ("greeting", "implementation", "surrogate", "last", "expire_days")
# these show what is the engine's alone, or what an administrator set otherwise
OTHERWISE = {
    "stls/not-offered": "the server always has a certificate",
    "utf8/names-normalised": "the account file has the composed name only under its own spelling",
    "limits/idle-writing-stalls": "time",
}


class Skip(Exception):
    pass


def unescape(text):
    table = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
    return re.sub(rb"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))",
                  lambda m: bytes([int(m[1], 16)]) if m[1] else table[m[2]], text.encode())


class Talk:
    """A talk's lines, and the settings its server needs."""

    def __init__(self, path, number):
        self.name = f"{path.parent.name}/{path.stem}"
        self.number = number
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.users = {"alice": b"secret"}
        self.settings = {}
        self.words = []
        self.scan()

    def scan(self):
        until = None
        for line in self.lines:
            if until:
                until = None if line == until else until
                continue
            if not line or line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            if "<<" in line and word.startswith("message"):
                until = line.split("<<")[1]
            if word not in SETUP + UNSEEN + STEPS:
                raise Skip(word)
            if word.startswith("S:") and "STLS" in line:
                raise Skip("STLS as text")
            if "{digest" in line or "AGFsaWNl" in line:
                raise Skip("fixed credentials")
            self.note(word, rest)
        if self.name in OTHERWISE:
            raise Skip(OTHERWISE[self.name])

    def note(self, word, rest):
        if word == "user":
            name, password, *flags = rest.split(" ")
            if flags:
                raise Skip("master")
            self.users[name] = unescape(password)
        elif word == "read-only":
            self.settings["read_only"] = "yes"
        elif word == "option":
            self.note_option(*rest.split(" ", 1))

    def note_option(self, name, value):
        if name in PLAIN_KEYS:
            self.settings[name] = value
        elif name == "plaintext_without_tls":
            self.settings["plaintext"] = "always" if value == "yes" else "tls"
        elif name in EXTENSIONS and value == "no":
            have = self.settings.get("extensions", tuple(EXTENSIONS.values()))
            self.settings["extensions"] = tuple(e for e in have if e != EXTENSIONS[name])
        elif name != "tls_available":
            raise Skip(f"option {name}")

    def own(self, text):
        """The text with this talk's users in it."""
        for name in self.users:
            text = text.replace(name, f"{name}{self.number}")
        return text
