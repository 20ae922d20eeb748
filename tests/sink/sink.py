"""An SMTP server that takes mail and keeps it: sink.py FOLDER TLS_FOLDER.

Prints the ports of STARTTLS, of TLS from the first byte, and of the clear. Each message becomes FOLDER/N.eml, and
N.json with its envelope and who was logged in. Addresses that begin with `reject` and `later` are refused for good and
for now; a message with `Subject: refuse` is refused as a whole. The user is alice, with alice-pw or the token token-1.
"""
import base64, itertools, json, os, ssl, sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, LoginPassword

folder, tls = sys.argv[1:3]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(tls + "/server.pem", tls + "/server.key")
numbers = itertools.count(1)


class Server(SMTP):
    async def auth_XOAUTH2(self, server, args):
        given = args[1] if len(args) > 1 else await self.challenge_auth("", encode_to_b64=False)
        if given is MISSING:
            return AuthResult(success=False)
        good = base64.b64decode(given) == b"user=alice\x01auth=Bearer token-1\x01\x01"
        return AuthResult(success=good, handled=False, auth_data="alice by token" if good else None)


def password(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"alice", b"alice-pw")
    return AuthResult(success=good, handled=False, auth_data="alice" if good else None)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("reject"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.3.0 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if b"\r\nSubject: refuse\r\n" in envelope.original_content:
            return "554 5.6.0 not such a message"
        number = next(numbers)
        about = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "user": session.auth_data, "tls": bool(session.ssl)}
        with open(f"{folder}/{number}.json", "w") as file:
            json.dump(about, file)
        with open(f"{folder}/{number}.part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(f"{folder}/{number}.part", f"{folder}/{number}.eml")
        return f"250 2.0.0 queued as {number}"


class Sink(Controller):
    def __init__(self, kind):
        self.kind = kind
        super().__init__(Handler(), hostname="127.0.0.1", port=0, ssl_context=context if kind == "tls" else None)

    def factory(self):
        starttls = self.kind == "starttls"
        return Server(
            self.handler, hostname="localhost", authenticator=password, auth_required=True,
            tls_context=context if starttls else None, require_starttls=starttls,
            auth_require_tls=False, data_size_limit=1_000_000, enable_SMTPUTF8=True,
        )

    # The port is chosen by the kernel, and it asks itself at that one whether it has begun.
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


ports = []
for kind in ["starttls", "tls", "clear"]:
    sink = Sink(kind)
    sink.start()
    ports.append(str(sink.port))
print("listening", *ports, flush=True)
sys.stdin.read()
