"""A channel: how one kind of network is heard and answered.

An adapter takes and returns the plain types below, never rows. Its `mapping.py` is pure; the network's
rules (length, who may reply, window, rewards) stand in its policy pack `pack.toml`, not in code.
Errors say whether trying again could help; map them by code and body, never by status alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

Outcome = Literal["posted", "queued", "unknown"]
Voice = Literal["brand", "own"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of channel can do. Lengths, windows, rewards and disclosure come from its policy pack."""

    listen: frozenset[Literal["stream", "poll", "webhook", "import"]]
    reply: Literal["api", "api_if_summoned", "window", "by_hand", "none"]
    reply_window: timedelta | None
    can_delete: bool
    can_edit: bool
    can_like: bool
    can_hide: bool
    threads: Literal["tree", "one_level", "flat", "none"]
    supports_media: bool
    needs_user_auth: bool
    per_advocate_auth: bool
    idempotency: Literal["client_id", "key", "none"]
    rewards_allowed: bool
    disclosure_field: str | None
    max_length: int | None
    read_back_lag: timedelta = timedelta(0)
    """How long after a request its post may still be missing from what the network shows; until then a missing post proves nothing."""


@dataclass(frozen=True, slots=True)
class Author:
    """The outside person who wrote a post. Ids are opaque strings."""

    ext_id: str | None
    handle: str | None
    name: str | None = None
    url: str | None = None
    followers: int | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    kind: str
    url: str
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One outside post, normalised, immutable; intake makes the Mention row of it."""

    ext_id: str
    text: str
    author: Author
    created_at: datetime | None = None
    thread_id: str | None = None
    parent_ext_id: str | None = None
    lang: str | None = None
    url: str | None = None
    kind: Literal["mention", "reply", "keyword", "comment", "message", "review", "article"] = "mention"
    private: bool = False
    summons: frozenset[str] = frozenset()
    media: tuple[Media, ...] = ()
    reply_ref: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    edited_from: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    remaining: int | None
    resets_at: datetime | None
    scope: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll or delivery brought. `cursor` is stored in the same transaction as `posts`."""

    posts: Sequence[Incoming]
    gone: Sequence[str] = ()
    cursor: str | None = None
    more: bool = False
    budget: Budget | None = None
    bad: Sequence[tuple[int, str]] = ()
    """Posts of the delivery that could not be used: their place in it, from 1, and why. They cost the others nothing."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose voice speaks: the brand's account, or an advocate's own."""

    voice: Voice
    handle: str
    brand_name: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this sender reply to this post? `rule` quotes the network's rule for `by_hand` and `no`."""

    verdict: Literal["allowed", "by_hand", "no"]
    rule: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Exactly what will be published. What `prepare` gives is what is shown, reviewed and approved."""

    in_reply_to: str
    text: str
    voice: Voice
    account: str
    reply_ref: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """`key` is stable over retries of one posting; `number` grows and is no other try's; `first_at` is when the first try began,
    `last_at` when the latest one did (none: there was only the first). After the monotonic moment `begin_by` no
    request may leave any more: by then another worker may have taken over."""

    key: str
    number: int
    first_at: datetime
    last_at: datetime | None = None
    begin_by: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    outcome: Outcome
    ext_id: str | None
    url: str | None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """What an adapter is built from: one account's settings and opened secrets. Its `repr` shows no secret."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    listen_only: bool = False


class Channel(Protocol):
    """One connected account on one kind of network."""

    def capabilities(self) -> Capabilities: ...

    def length(self, text: str) -> int:
        """The channel's own counting."""
        ...

    def poll(self, cursor: str | None, limit: int) -> Batch:
        """Posts since the cursor, oldest first; safe to repeat."""
        ...

    def stream(self, cursor: str | None) -> Iterator[Batch]: ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Batch:
        """Verify first; raises BadSignature, Invalid."""
        ...

    def may_reply(self, m: Incoming, sender: Sender, now: datetime) -> Verdict:
        """Pure, no network. The resolver asks it for each possible sender."""
        ...

    def prepare(self, m: Incoming, text: str, sender: Sender) -> Outgoing:
        """Pure. Adds @names and disclosure; the result is what is approved."""
        ...

    def reply(self, o: Outgoing, attempt: Attempt) -> Sent: ...

    def find_reply(self, o: Outgoing, attempt: Attempt) -> Sent | None:
        """Did it land? None only when its absence is proved: the listing was complete and the read-back lag since
        the latest try is over. Else Unknown with `ask_again_at`."""
        ...

    def follow_ups(self, sent_ids: Sequence[str], cursor: str | None) -> Batch: ...

    def delete(self, ext_id: str) -> None: ...


class ChannelError(Exception):
    """Base of all. `detail` is a sentence a moderator can act on; `raw` never holds secrets."""

    def __init__(self, detail: str, *, http_status: int | None = None, raw: str = "") -> None:
        super().__init__(detail)
        self.detail, self.http_status, self.raw = detail, http_status, raw[:2000]


class RateLimited(ChannelError):
    """Wait until `retry_at` (None: back off by ourselves)."""

    def __init__(self, detail: str, *, retry_at: datetime | None, scope: str = "account", http_status: int | None = None, raw: str = "") -> None:
        super().__init__(detail, http_status=http_status, raw=raw)
        self.retry_at, self.scope = retry_at, scope


class Transient(ChannelError):
    """5xx that the network vouches did nothing, or failed before sending: trying again is safe and could help."""


class Unknown(ChannelError):
    """Sent, but no answer we can trust: ask `find_reply` before anything else, from `ask_again_at` on where it is known."""

    def __init__(self, detail: str, *, ask_again_at: datetime | None = None, http_status: int | None = None, raw: str = "") -> None:
        super().__init__(detail, http_status=http_status, raw=raw)
        self.ask_again_at = ask_again_at


class AuthExpired(ChannelError):
    """Refresh, then pause the account."""


class Forbidden(ChannelError):
    """Permanent for this reply: by hand, or close."""

    def __init__(
        self,
        detail: str,
        *,
        reason: Literal["not_summoned", "window_over", "blocked", "comments_off", "policy", "scope"],
        http_status: int | None = None,
        raw: str = "",
    ) -> None:
        super().__init__(detail, http_status=http_status, raw=raw)
        self.reason = reason


class Gone(ChannelError):
    """The mention was deleted."""


class Duplicate(ChannelError):
    """The network says it has this already: `find_reply`; found is success."""


class Invalid(ChannelError):
    """Too long, empty, malformed: `field` names what."""

    def __init__(self, detail: str, *, field: str = "", http_status: int | None = None, raw: str = "") -> None:
        super().__init__(detail, http_status=http_status, raw=raw)
        self.field = field


class OutOfCredit(ChannelError):
    """Pause the channel and tell an admin."""


class BadSignature(ChannelError):
    """A delivery that nobody with our secret signed, or too long ago."""
