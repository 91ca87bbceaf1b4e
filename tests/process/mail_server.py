"""A mail server on loopback for a test, by Debian's aiosmtpd: nothing before STARTTLS, and only with name and password.

Takes the folder with its certificate; says its port; each message becomes a file there, its envelope in front.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder = pathlib.Path(sys.argv[1])


class Keeper:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        known = [f"Encrypted: {session.ssl is not None}", f"Authenticated: {session.authenticated}"]
        known += [f"From: {envelope.mail_from}"] + [f"To: {to}" for to in envelope.rcpt_tos]
        part = folder / "mail.part"
        part.write_bytes("\n".join(known).encode() + b"\n--\n" + envelope.content)
        part.rename(folder / f"mail-{self.count}")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, shown):
    # "Handled" would be that the refusal was sent already.
    return AuthResult(success=(shown.login, shown.password) == (b"shop", b"a lamp by the window"), handled=False)


async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "smtp.pem", folder / "smtp.key")
    keeper = Keeper()

    def protocol():
        return SMTP(
            keeper,
            hostname="localhost",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    (folder / "port.part").write_text(str(server.sockets[0].getsockname()[1]))
    (folder / "port.part").rename(folder / "port")
    await server.serve_forever()


asyncio.run(main())
