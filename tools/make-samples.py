#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make-samples - writes share/sample/*.eml: messages as awkward as real mail is.

The same bytes on every run: dates, boundaries and names are fixed. Each message is written out by
hand rather than by a library, since a library would repair what is meant to be odd.
"""
import base64
import os
import sys

CRLF = "\r\n"


def head(subject, number, sender="Ada Lovelace <ada@example.org>", extra=()):
    """The header fields most messages share."""
    fields = [
        f"From: {sender}",
        "To: demo@example.com",
        f"Subject: {subject}",
        f"Date: Mon, {1 + number % 28:02d} Jan 2024 09:{number % 60:02d}:00 +0000",
        f"Message-ID: <sample-{number:02d}@example.org>",
        "MIME-Version: 1.0",
    ]
    return CRLF.join(fields + list(extra)) + CRLF


def text(body, charset="us-ascii", encoding="7bit"):
    return [f"Content-Type: text/plain; charset={charset}", f"Content-Transfer-Encoding: {encoding}"], body


def mail(number, subject, body="", extra=(), kind=("Content-Type: text/plain; charset=us-ascii",), **more):
    return (head(subject, number, extra=tuple(kind) + tuple(extra), **more) + CRLF + body).encode("utf-8")


def lines(*rows):
    return CRLF.join(rows) + CRLF


def wrap64(data):
    coded = base64.b64encode(data).decode()
    return CRLF.join(coded[i:i + 76] for i in range(0, len(coded), 76)) + CRLF


def multipart(boundary, parts):
    out = ""
    for fields, body in parts:
        out += f"--{boundary}{CRLF}" + CRLF.join(fields) + CRLF + CRLF + body
        if not body.endswith(CRLF):
            out += CRLF
    return out + f"--{boundary}--{CRLF}"


def multi(number, subject, kind, parts, **more):
    boundary = f"=-sample-{number:02d}"
    fields = (f'Content-Type: multipart/{kind}; boundary="{boundary}"',)
    return mail(number, subject, multipart(boundary, parts), kind=fields, **more)


def noise(count):
    """Bytes that do not compress, the same each time (a 32-bit linear congruence)."""
    state, out = 12345, bytearray()
    while len(out) < count:
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return bytes(out)


def encoded_word(words, charset="utf-8"):
    return f"=?{charset}?B?{base64.b64encode(words.encode(charset)).decode()}?="


PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
HTML = lines("<!DOCTYPE html>", "<html><body>", "<h1>Hello</h1>", "<p>This is <b>bold</b>.</p>", "</body></html>")
INVITE = lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Sample//EN", "METHOD:REQUEST",
               "BEGIN:VEVENT", "UID:sample-meeting@example.org", "DTSTAMP:20240101T090000Z",
               "DTSTART:20240115T100000Z", "DTEND:20240115T110000Z", "SUMMARY:Planning",
               "ORGANIZER:mailto:ada@example.org", "ATTENDEE:mailto:demo@example.com",
               "END:VEVENT", "END:VCALENDAR")


def plain_samples():
    yield "plain", mail(1, "Welcome to Postern", lines(
        "Hello,", "", "this message is one of the samples that `postern dev` serves.",
        "Each of the others has something awkward about it.", "", "Yours,", "Ada"))
    yield "empty-subject", mail(2, "", lines("The subject is there, but empty."))
    yield "empty-body", mail(3, "No body at all")
    yield "no-header", (CRLF + lines("There is no header: the message begins with the empty line.")).encode()
    yield "header-only", head("No empty line after the header", 5).encode()
    yield "dot-first", (".this line is the first of the message and begins with a dot" + CRLF).encode()
    yield "lone-dots", mail(7, "Lone dots", lines("A line with one dot:", ".", "with two:", "..", "with three:",
                                                  "...", ".leading", "and at the end:", "."))
    yield "no-final-newline", mail(8, "No line end at the end", "The last line has no line end")
    yield "dot-at-end", mail(9, "A dot is the last octet", lines("It ends in a dot without a line end.") + ".")
    yield "lf-only", mail(10, "LF line ends", lines("This file was written", "on a system with LF line ends.",
                                                     ".dots", "too.")).replace(b"\r\n", b"\n")
    yield "mixed-line-ends", mail(11, "Mixed line ends", "CRLF here\r\nLF here\nCRLF again\r\n\nLF, empty line\n")
    yield "blank-lines", mail(12, "Blank lines", CRLF * 20)
    yield "long-lines", mail(13, "Very long lines", "x" * 998 + CRLF + "y" * 5000 + CRLF + "z" * 70000 + CRLF)
    yield "folded-header", mail(14, "a subject that is" + CRLF + "\tfolded over" + CRLF + "  three lines",
                                lines("See the header."))
    yield "format-flowed", mail(15, "format=flowed", lines(
        "This paragraph is one line to the reader, but it was ", "broken softly where a line ended in a space ",
        "(RFC 3676).", "", "> Quoted text flows ", "> as well.", "-- ", "The signature does not flow."),
        kind=("Content-Type: text/plain; charset=us-ascii; format=flowed",))
    yield "many-recipients", mail(16, "Many recipients", lines("To all of you."), extra=(
        "Cc: " + (", " + CRLF + " ").join(f'"Person {i}" <person{i}@example.net>' for i in range(1, 201)),))


def charset_samples():
    yield "utf8-encoded", mail(17, encoded_word("Grüße aus Köln — ☃"), lines("Schöne Grüße, ☃"),
                               kind=text("", "utf-8", "8bit")[0])
    yield "utf8-raw-header", mail(18, "Grüße, roh im Kopf (RFC 6532) ☃", lines("Nur der Kopf ist das Problem."),
                                  sender="Jürgen Müller <jürgen@example.org>", kind=text("", "utf-8", "8bit")[0])
    latin = mail(19, "=?iso-8859-1?Q?caf=E9?=", "\0", kind=text("", "iso-8859-1", "8bit")[0])
    yield "latin1", latin.replace(b"\0", "Un café crème, s'il vous plaît.\r\n".encode("latin-1"))
    japanese = mail(20, encoded_word("日本語の件名", "iso-2022-jp"), "\0", kind=text("", "iso-2022-jp")[0])
    yield "japanese", japanese.replace(b"\0", "これは試験です。\r\n".encode("iso-2022-jp"))
    yield "quoted-printable", mail(21, "Quoted-printable", lines(
        "A soft line break=", " joins this line.", "Caf=C3=A9, 50=25, a tab at the end:=09", "=2E a dot in disguise"),
        kind=text("", "utf-8", "quoted-printable")[0])
    yield "invalid-utf8", mail(22, "Broken UTF-8", "\0", kind=text("", "utf-8", "8bit")[0]).replace(
        b"\0", b"broken: \xc3\x28 \xff\xfe \xe2\x82\r\n")


def structure_samples():
    yield "alternative", multi(23, "Plain and HTML", "alternative", [
        text(lines("Hello", "", "This is bold.")),
        (["Content-Type: text/html; charset=us-ascii"], HTML)])
    yield "html-only", mail(24, "HTML only", HTML, kind=("Content-Type: text/html; charset=us-ascii",))
    yield "attachment", multi(25, "An attachment", "mixed", [
        text(lines("The report is attached.")),
        (["Content-Type: application/pdf; name=report.pdf", "Content-Transfer-Encoding: base64",
          "Content-Disposition: attachment; filename=report.pdf"], wrap64(b"%PDF-1.4\n" + noise(6000)))])
    yield "attachment-utf8-name", multi(26, "A file name in UTF-8", "mixed", [
        text(lines("See the file.")),
        (["Content-Type: text/csv", "Content-Disposition: attachment; filename*=utf-8''%C3%BCbersicht.csv"],
         lines("name,count", "apples,3"))])
    yield "inline-image", multi(27, "An inline image", "related", [
        (["Content-Type: text/html; charset=us-ascii"], '<p>A dot: <img src="cid:dot@example.org"></p>' + CRLF),
        (["Content-Type: image/gif", "Content-Transfer-Encoding: base64", "Content-ID: <dot@example.org>"],
         wrap64(PIXEL))])
    inner = mail(28, "The forwarded message", lines("I am inside.")).decode()
    yield "nested", multi(29, "Fwd: a message in a message", "mixed", [
        text(lines("Forwarded:")), (["Content-Type: message/rfc822"], inner)])
    yield "calendar", multi(30, "Invitation: Planning", "alternative", [
        text(lines("You are invited.")),
        (["Content-Type: text/calendar; charset=utf-8; method=REQUEST"], INVITE)])
    yield "unclosed-multipart", mail(31, "A multipart that never ends", lines(
        "--here", "Content-Type: text/plain", "", "The closing boundary is missing."),
        kind=("Content-Type: multipart/mixed; boundary=here",))
    yield "big", multi(32, "One mebibyte", "mixed", [
        text(lines("A large attachment.")),
        (["Content-Type: application/octet-stream; name=big.bin", "Content-Transfer-Encoding: base64"],
         wrap64(noise(766000)))])


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "share", "sample")
    os.makedirs(folder, exist_ok=True)
    samples = [*plain_samples(), *charset_samples(), *structure_samples()]
    for number, (name, content) in enumerate(samples, 1):
        with open(os.path.join(folder, f"{number:02d}-{name}.eml"), "wb") as out:
            out.write(content)
    print(f"{len(samples)} messages in {folder}")


if __name__ == "__main__":
    main()
