"""Talking to a system behind a signed webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from app.kernel import clock
from app.kernel.http import Answer, BadUrl, NoAnswer, NotSent, Refused, outbound
from app.kernel.signing import EVENT_ID, SIGNATURE, Unsigned, sign, verify
from community.channels import packs
from community.channels.base import (
    Attempt,
    BadSignature,
    Batch,
    Capabilities,
    Connection,
    Forbidden,
    Incoming,
    Invalid,
    Outgoing,
    Sender,
    Sent,
    Transient,
    Unknown,
    Verdict,
)
from community.channels.webhook import mapping


class WebhookChannel:
    """Settings: `reply_url` (none: heard only), `max_length`, `read_back_lag` (seconds). Secrets: `signing`, newest first."""

    def __init__(self, connection: Connection) -> None:
        self._pack = packs.load("webhook")
        settings = connection.settings
        self._reply_url: str | None = None if connection.listen_only else settings.get("reply_url")
        self._max_length = int(settings.get("max_length") or self._pack.max_length)
        self._secrets: Sequence[str] = connection.secrets["signing"]
        lag = settings.get("read_back_lag")
        self._lag = self._pack.read_back_lag if lag is None else timedelta(seconds=lag)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            listen=frozenset({"webhook", "import"}),
            reply="api" if self._reply_url else "by_hand",
            reply_window=self._pack.window,
            can_delete=False,
            can_edit=False,
            can_like=False,
            can_hide=False,
            threads="tree",
            supports_media=False,
            needs_user_auth=False,
            per_advocate_auth=False,
            idempotency="key",
            rewards_allowed=self._pack.rewards != "nothing",
            disclosure_field=self._pack.disclosure_field,
            max_length=self._max_length,
            read_back_lag=self._lag,
        )

    def length(self, text: str) -> int:
        return packs.length(self._pack, text)

    def poll(self, cursor: str | None, limit: int) -> Batch:
        """Nothing to fetch: posts are delivered to us."""
        return Batch(posts=(), cursor=cursor)

    def stream(self, cursor: str | None) -> Iterator[Batch]:
        return iter(())

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Batch:
        now = clock.now()
        try:
            verify(self._secrets, header(headers, SIGNATURE), body, now)
        except Unsigned as error:
            raise BadSignature(str(error)) from None
        return mapping.read_delivery(body, now)

    def may_reply(self, m: Incoming, sender: Sender, now: datetime) -> Verdict:
        return packs.verdict(self._pack, m, sender, now, connected=self._reply_url is not None)

    def prepare(self, m: Incoming, text: str, sender: Sender) -> Outgoing:
        whole = packs.with_disclosure(text, packs.disclosure(self._pack, sender, m.lang), self._pack.folds_after)
        return Outgoing(in_reply_to=m.ext_id, text=whole, voice=sender.voice, account=sender.handle, reply_ref=m.reply_ref)

    def reply(self, o: Outgoing, attempt: Attempt) -> Sent:
        if not o.text.strip():
            raise Invalid("The reply is empty.", field="text")
        if self.length(o.text) > self._max_length:
            raise Invalid(f"The reply is longer than {self._max_length:,} characters.", field="text")
        answer = self._call("POST", mapping.write_reply(o, attempt.key), attempt)
        if not 200 <= answer.status < 300:
            raise mapping.error_for(answer, clock.now())
        return mapping.read_sent(answer, attempt.key)

    def find_reply(self, o: Outgoing, attempt: Attempt) -> Sent | None:
        try:
            answer = self._call("GET", b"", attempt)
        except (Invalid, Forbidden) as error:
            raise Unknown(f"The network can't be asked whether the reply landed. {error.detail}") from None
        now = clock.now()
        if answer.status == 200:
            return mapping.read_sent(answer, attempt.key)
        if answer.status == 404:
            sure_at = (attempt.last_at or attempt.first_at) + self._lag
            if now >= sure_at:
                return None
            raise Unknown("The network does not show the reply yet, and may be late.", ask_again_at=sure_at, http_status=404)
        refusal = mapping.error_for(answer, now)
        # The look-up was refused, not the reply: whatever it says, the reply's fate is as open as before.
        raise Unknown(
            f"The network could not say whether the reply landed. {refusal.detail}",
            ask_again_at=getattr(refusal, "retry_at", None),
            http_status=answer.status,
            raw=answer.text,
        )

    def follow_ups(self, sent_ids: Sequence[str], cursor: str | None) -> Batch:
        """Answers to our replies are delivered like any post."""
        return Batch(posts=(), cursor=cursor)

    def delete(self, ext_id: str) -> None:
        raise Forbidden("A webhook has no way to take a reply back: ask whoever runs the system behind it.", reason="policy")

    def _call(self, method: str, body: bytes, attempt: Attempt) -> Answer:
        if self._reply_url is None:
            raise Forbidden("No reply_url is set for this channel: place the reply by hand.", reason="policy")
        headers = {SIGNATURE: sign(self._secrets, body, clock.now())}
        try:
            if method == "GET":
                return outbound().request("GET", self._reply_url, headers=headers, params={"idempotency_key": attempt.key})
            headers |= {"Content-Type": "application/json", "Idempotency-Key": attempt.key, EVENT_ID: f"{attempt.key}-{attempt.number}"}
            return outbound().request(method, self._reply_url, headers=headers, body=body, begin_by=attempt.begin_by)
        except (BadUrl, Refused) as error:
            raise Invalid(f"The channel's reply_url can't be called. {error}", field="reply_url") from None
        except NotSent as error:
            raise Transient(str(error)) from None
        except NoAnswer as error:
            raise Unknown(str(error), ask_again_at=clock.now()) from None


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value without regard to case, whatever mapping holds it."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)
