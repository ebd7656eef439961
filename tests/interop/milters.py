# SPDX-License-Identifier: MIT
"""milters - a fake milter, which notes what it is told and says anything, and a server that asks it."""
import smtplib
import socket
import struct
import threading
import time

from harness import Server
from sent import HASH, SMALL

ADD, BODY, CHANGE, QUARANTINE, ALL, LISTS = 1, 2, 0x10, 0x20, 0xFF, 0x100
NO = {"C": 1, "H": 2, "M": 4, "R": 8, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200}
QUIET = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "N": 0x40000, "B": 0x80000}
SKIP, RAW = 0x400, 0x100000


def packet(letter, body=b""):
    return struct.pack(">I", len(body) + 1) + letter.encode() + body


def add(name, value):
    return packet("h", name + b"\0" + value + b"\0")


def insert(number, name, value):
    return packet("i", struct.pack(">I", number) + name + b"\0" + value + b"\0")


def change(number, name, value):
    return packet("m", struct.pack(">I", number) + name + b"\0" + value + b"\0")


class Milter:
    """`says` maps a command's letter to octets, or to a function of the connection and the command's data that returns octets, or
    None: then nothing is said. What is not in it gets "continue"."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(50)
        self.place = f"milter:unix:{path}" if path else "milter:inet:127.0.0.1:%d" % self.socket.getsockname()[1]
        self.says, self.heard, self.macros, self.options, self.seen = {}, [], {}, None, None
        self.version, self.actions, self.steps = 6, ALL, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    @staticmethod
    def take(connection, n):
        data = b""
        while len(data) < n:
            more = connection.recv(n - len(data))
            if not more:
                raise OSError("gone")
            data += more
        return data

    def talk(self, connection):
        heard, macros = [], {}
        self.heard, self.macros = heard, macros
        with connection:
            try:
                while True:
                    length, = struct.unpack(">I", self.take(connection, 4))
                    letter, data = self.take(connection, 1).decode(), self.take(connection, length - 1)
                    if letter == "D":
                        words = data[1:].split(b"\0")[:-1]
                        macros.update({(chr(data[0]), name.decode()): value for name, value in zip(words[::2], words[1::2])})
                        continue
                    heard.append((letter, data))
                    if letter == "Q":
                        return
                    self.answer(connection, letter, data)
            except OSError:
                pass

    def answer(self, connection, letter, data):
        if letter == "O":
            self.options = struct.unpack(">III", data)
            default = packet("O", struct.pack(">III", self.version, self.actions, self.steps))
        else:
            default = b"" if letter == "A" or self.steps & QUIET.get(letter, 0) else packet("c")
        said = self.says.get(letter, default)
        said = said(connection, data) if callable(said) else said
        if said:  # on a socket that was closed, sending nothing fails as well
            connection.sendall(said)

    def letters(self):
        """What was heard, repetitions once."""
        out = ""
        for letter, _ in self.heard:
            out += letter if not out.endswith(letter) else ""
        return out

    def datas(self, letter):
        return [data for one, data in self.heard if one == letter]

    def ended(self, seconds=5):
        """Waits until the talk is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not (self.heard and self.heard[-1][0] == "Q"):
            time.sleep(0.01)
        return self.letters()


def serve(filters, *settings):
    names = ", ".join(f'"{one}"' for one in filters)
    return Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                            "submission_listen_tls = {}", 'lmtp_listen = {"127.0.0.1:0"}', f"filter = {{{names}}}",
                            "filter_timeout = 2s", *settings], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")


def talk(server, to=("alice@example.org",), message=SMALL):
    """The replies to MAIL, each RCPT, and the message, as far as it came."""
    said = []
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="far.example") as smtp:
        smtp.ehlo()
        said.append(smtp.mail("ann@far.example"))
        if said[0][0] != 250:
            return said
        said += [smtp.rcpt(one) for one in to]
        if not any(code == 250 for code, _ in said[1:]):
            return said
        try:
            said.append(smtp.data(message))
        except smtplib.SMTPDataError as error:
            said.append((error.smtp_code, error.smtp_error))
    return said


def codes(said):
    return [code for code, _ in said]
