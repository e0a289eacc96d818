"""A private SMTP server that does what a test tells it to do wrong.

    server.py FOLDER [--sign-in USER PASSWORD] [--starttls CERTIFICATE KEY | --tls CERTIFICATE KEY]

`--starttls` offers TLS, `--tls` begins with it; both name PEM files. It listens on a free port and prints `listening PORT`. Each accepted message becomes a JSON file in FOLDER before it is answered, so
what was accepted is known whatever becomes of client and server. Each step that a client reaches is a line
`step NAME [ADDRESS]`, printed before it is answered; NAME is CONNECT, AUTH (a user and a password came), MAIL, RCPT, DATA (asked
for leave to send the content), CONTENT (it is all there, and not accepted) or ACCEPTED (accepted, not answered). Over TLS a step's
name ends with `+TLS`.

Standard input takes faults, each answered by a line `fault set`:

    fault STEP TIMES WHAT [ADDRESS]

At STEP, the next TIMES times (0: always), and only for recipients that contain ADDRESS, WHAT happens instead: `close` (the
connection ends without a word), `hang` (no answer ever), `wait:SECONDS` (then goes on), or a reply of which `_` are spaces
(`451_later`). It ends with its standard input.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

parser = argparse.ArgumentParser()
parser.add_argument("folder")
for option in ("--sign-in", "--starttls", "--tls"):
    parser.add_argument(option, nargs=2, default=[])
ARGUMENTS = parser.parse_args()
FOLDER = ARGUMENTS.folder
CREDENTIALS = [text.encode() for text in ARGUMENTS.sign_in]


class Fault:
    def __init__(self, step, times, what, address=""):
        self.step, self.what, self.address = step, what, address
        self.left = int(times) or float("inf")


faults = []
accepted = 0


def say(line):
    print(line, flush=True)


class Server(SMTP):
    async def reach(self, step, address=""):
        """Says that a step is reached; answers the reply that a fault wants, or nothing."""
        protected = "+TLS" if self.transport and self.transport.get_extra_info("ssl_object") else ""
        say(f"step {step}{protected} {address}".rstrip())
        for fault in faults:
            if fault.step == step and fault.left > 0 and fault.address in address:
                fault.left -= 1
                if fault.what == "close":
                    self.transport.abort()
                    await asyncio.sleep(3600)
                elif fault.what == "hang":
                    await asyncio.sleep(3600)
                elif fault.what.startswith("wait:"):
                    await asyncio.sleep(float(fault.what.removeprefix("wait:")))
                else:
                    return fault.what.replace("_", " ")
        return None

    def recipients(self):
        return ",".join(self.envelope.rcpt_tos)

    async def push(self, status):
        if not hasattr(self, "greeted"):
            self.greeted = True
            status = await self.reach("CONNECT") or status
        await super().push(status)

    async def smtp_DATA(self, arg):
        refused = await self.reach("DATA", self.recipients())
        if refused:
            await self.push(refused)
            return
        await super().smtp_DATA(arg)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        refused = await server.reach("MAIL")
        if refused:
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = await server.reach("RCPT", address)
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global accepted
        refused = await server.reach("CONTENT", server.recipients())
        if refused:
            return refused
        accepted += 1
        number = accepted
        keep(f"{FOLDER}/{number:06}.json", envelope)
        return await server.reach("ACCEPTED", server.recipients()) or f"250 queued as {number}"


def keep(path, envelope):
    """Writes a message as a reader sees it, all or nothing."""
    message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    read = {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": plain and plain.get_content().replace("\r\n", "\n"),
        "html": html and html.get_content().replace("\r\n", "\n"),
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "raw": envelope.original_content.decode("utf-8", "replace"),
    }
    with open(path + ".part", "w") as file:
        json.dump(read, file)
    os.rename(path + ".part", path)


def authenticate(server, session, envelope, mechanism, data):
    say("step AUTH+TLS" if server.transport.get_extra_info("ssl_object") else "step AUTH")
    right = isinstance(data, LoginPassword) and [data.login, data.password] == CREDENTIALS
    return AuthResult(success=right, handled=False)


def protection(files):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


async def main():
    loop = asyncio.get_running_loop()
    options = {"hostname": "mail.test", "enable_SMTPUTF8": True}
    if CREDENTIALS:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    if ARGUMENTS.starttls:
        options["tls_context"] = protection(ARGUMENTS.starttls)
    wrapped = protection(ARGUMENTS.tls) if ARGUMENTS.tls else None
    server = await loop.create_server(lambda: Server(Handler(), **options), "127.0.0.1", 0, ssl=wrapped)
    say(f"listening {server.sockets[0].getsockname()[1]}")
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        faults.append(Fault(*line.decode().split()[1:]))
        say("fault set")


asyncio.run(main())
