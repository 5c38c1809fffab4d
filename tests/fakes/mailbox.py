"""A mail server on loopback that keeps what it is handed, and can refuse as real ones do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from pydantic import SecretStr

from app.config import Config
from app.notices import mail


@dataclass
class Mailbox:
    """`letters` as they arrived, oldest first. `refusals`: answers to the next RCPT (or, with `at_data`, to the next message), used up one by one."""

    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    at_data: list[str] = field(default_factory=list)
    silence: float = 0.0
    """Seconds it waits after it took a message, before it says so."""
    url: str = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.at_data:
            return self.at_data.pop(0)
        self.raw.append(envelope.content)
        self.letters.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        if self.silence:
            time.sleep(self.silence)
        return "250 kept"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if address in str(letter["To"])]

    def settings(self) -> dict[str, Any]:
        """What makes an installation hand its mail in here."""
        return {"smtp_url": SecretStr(self.url), "mail_from": "Vouch <vouch@northwind.example>"}


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        box.url = f"smtp://127.0.0.1:{port}"
        yield box
    finally:
        controller.stop()


@contextmanager
def mailing(config: Config) -> Iterator[Mailbox]:
    """The running installation mails into this box; before and after it mails nothing."""
    with open_mailbox() as box:
        mail.init(config.model_copy(update=box.settings()))
        yield box
        mail.init(config)


def plain(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html(letter: EmailMessage) -> str:
    part = letter.get_body(("html",))
    assert part is not None
    return str(part.get_content())
