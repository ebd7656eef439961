# SPDX-License-Identifier: MIT
"""thunderbird - a headless Thunderbird with one account, driven through its remote control (Marionette): its own code is run in
its own process, so that what it sends and stores is what a user's would."""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

# what the snippets below share
PRELUDE = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.getAccount("account1").incomingServer;
const root = server.rootFolder;
const folder = name => name.split("/").reduce((where, one) => where.getChildNamed(one), root);
const header = (where, subject) => [...folder(where).messages].find(one => one.mime2DecodedSubject == subject);
const ended = begin => new Promise((resolve, reject) => begin({
  OnStartRunningUrl() {}, OnStopRunningUrl(url, code) { code ? reject(new Error("url: " + code)) : resolve(); },
  QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"])}));
const copied = begin => new Promise((resolve, reject) => begin({
  onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
  onStopCopy(code) { code ? reject(new Error("copy: " + code)) : resolve(); },
  QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"])}));
const updated = where => ended(listener => folder(where).QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, listener));
"""


class Thunderbird:
    """with Thunderbird(user, a port of IMAP or of the other kind, smtp) as bird: bird.run(a JavaScript function's body, its arguments...)."""

    def __init__(self, user, port, smtp, kind="imap"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-bird-"))
        self.user, self.incoming, self.smtp, self.kind, self.number = user, port, smtp, kind, 0
        self.process = self.sock = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, connects=True):
        self._write_settings(connects)
        self.process = subprocess.Popen(["thunderbird", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote",
                                         "--profile", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"})
        until = time.monotonic() + 60
        while not self.sock:
            try:
                self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.2)
        self._receive()
        self._command("WebDriver:NewSession", {})
        self._command("Marionette:SetContext", {"value": "chrome"})
        self._command("WebDriver:SetTimeouts", {"script": 60000})

    def stop(self):
        if self.sock:
            try:
                self._command("Marionette:Quit", {"flags": ["eForceQuit"]})
                self.process.wait(30)
            except (OSError, RuntimeError, subprocess.TimeoutExpired):
                pass
            self.sock.close()
            self.sock = None
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def run(self, script, *arguments):
        """What the function returns; RuntimeError with what it threw."""
        text = ("const done = arguments[arguments.length - 1]; const args = [...arguments];"
                "(async () => {" + PRELUDE + script + "})().then(value => done([null, value]), error => done([String(error), null]));")
        error, value = self._command("WebDriver:ExecuteAsyncScript", {"script": text, "args": list(arguments), "newSandbox": True,
                                                                    "sandbox": "system"})["value"]
        if error:
            raise RuntimeError(error)
        return value

    def _write_settings(self, connects):
        name, host = "mail.server.server1.", "127.0.0.1"
        values = {"mail.account.account1.identities": "id1", "mail.account.account1.server": "server1",
                  "mail.accountmanager.accounts": "account1", "mail.accountmanager.defaultaccount": "account1",
                  "mail.identity.id1.fullName": "A user", "mail.identity.id1.useremail": f"{self.user}@example.org",
                  "mail.identity.id1.smtpServer": "smtp1", "mail.identity.id1.fcc": True,
                  name + "type": self.kind, name + "hostname": host, name + "port": self.incoming, name + "userName": self.user,
                  name + "name": "test", name + "socketType": 2, name + "authMethod": 3,
                  name + "login_at_startup": connects, name + "offline_download": False,
                  name + "leave_on_server": True, name + "delete_mail_left_on_server": True, name + "check_new_mail": connects,
                  "mail.smtpservers": "smtp1", "mail.smtp.defaultserver": "smtp1", "mail.smtpserver.smtp1.hostname": host,
                  "mail.smtpserver.smtp1.port": self.smtp, "mail.smtpserver.smtp1.username": self.user,
                  "mail.smtpserver.smtp1.authMethod": 3, "mail.smtpserver.smtp1.try_ssl": 2,
                  "marionette.port": self.port, "mail.provider.suppress_dialog_on_startup": True,
                  "mail.rights.version": 1, "datareporting.policy.dataSubmissionEnabled": False,
                  "app.update.auto": False, "mailnews.start_page.enabled": False, "mail.spotlight.firstRunDone": True,
                  "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
                  "services.settings.server": "data:,", "app.donation.eoy.version.viewed": 999}
        (self.folder / "user.js").write_text("".join(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n"
                                                     for key, value in values.items()))

    def set_up(self, password, certificate):
        """What a user does once: keeps the password, and confirms that the certificate (DER in base64) is an exception."""
        self.start(connects=False)
        self.run("""const info = Components.Constructor("@mozilla.org/login-manager/loginInfo;1", Ci.nsILoginInfo, "init");
            for (const origin of [args[4], "smtp://127.0.0.1"])
              await Services.logins.addLoginAsync(new info(origin, null, origin, args[0], args[1], "", ""));
            const der = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).constructX509FromBase64(args[2]);
            for (const port of args[3])
              Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService)
                .rememberValidityOverride("127.0.0.1", port, {}, der, false);""", self.user, password, certificate,
                 [self.incoming, self.smtp], f"{'mailbox' if self.kind == 'pop3' else 'imap'}://127.0.0.1")
        self.stop()

    def _command(self, name, parameters):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters]).encode()
        self.sock.sendall(b"%d:%s" % (len(text), text))
        _, _, error, value = self._receive()
        if error:
            raise RuntimeError(f"{name}: {error['error']}: {error['message']}")
        return value

    def _receive(self):
        text = b""
        while b":" not in text:
            text += self._more()
        length, _, text = text.partition(b":")
        while len(text) < int(length):
            text += self._more()
        return json.loads(text)

    def _more(self):
        octets = self.sock.recv(65536)
        if not octets:
            raise OSError("Thunderbird has gone")
        return octets
