"""What the demo network remembers: an append-only log of posts in an SQLite file of its own, and what is still to be told."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

FILE = "demo-network.db"
WAITS = (0.5, 1, 2, 5, 10, 20, 30)
"""Seconds before each further try of a delivery; the last one goes on for ever, as the web may be down for long."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS post (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('customer', 'reply', 'deletion')),
        handle TEXT NOT NULL,
        name TEXT NOT NULL,
        followers INTEGER,
        text TEXT NOT NULL,
        in_reply_to TEXT,
        voice TEXT,
        key TEXT UNIQUE,
        at REAL NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS ix_post_parent ON post (in_reply_to)",
    """CREATE TABLE IF NOT EXISTS delivery (
        seq INTEGER PRIMARY KEY REFERENCES post (seq),
        body TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_at REAL NOT NULL DEFAULT 0,
        done_at REAL,
        note TEXT
    )""",
    "CREATE INDEX IF NOT EXISTS ix_delivery_due ON delivery (next_at) WHERE done_at IS NULL",
    "CREATE TRIGGER IF NOT EXISTS post_never_changes BEFORE UPDATE ON post BEGIN SELECT RAISE(ABORT, 'posts are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS post_never_goes BEFORE DELETE ON post BEGIN SELECT RAISE(ABORT, 'posts are append-only'); END",
)


@dataclass(slots=True)
class Post:
    """One post of the timeline, with what was said under it."""

    id: str
    kind: Literal["customer", "reply"]
    handle: str
    name: str
    text: str
    in_reply_to: str | None
    voice: str | None
    at: datetime
    gone: bool
    told: str
    """Whether Vouch has heard of it: `told`, `waiting`, `refused`, or "" where nothing is told."""
    below: list[Post] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Due:
    seq: int
    body: bytes
    attempts: int


class Store:
    """One file; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        self._local = threading.local()
        with self._write() as line:
            for statement in _SCHEMA:
                line.execute(statement)

    def say(self, handle: str, name: str, text: str, *, followers: int | None = None, in_reply_to: str | None = None) -> str:
        """A customer posts; Vouch will be told. Returns the post's id."""
        name_ = _new_id()
        told: dict[str, Any] = {
            "id": name_,
            "text": text,
            "author": handle,
            "author_name": name,
            "posted_at": datetime.now(UTC).isoformat(),
            "in_reply_to": in_reply_to,
        }
        if followers is not None:
            told["followers"] = followers
        with self._write() as line:
            seq = _append(line, id=name_, kind="customer", handle=handle, name=name, followers=followers, text=text, in_reply_to=in_reply_to)
            _tell(line, seq, told)
        return name_

    def remove(self, ext_id: str) -> bool:
        """The author deletes a post; Vouch will be told. False if there is none to delete."""
        with self._write() as line:
            found = line.execute("SELECT handle, name FROM post WHERE id = ? AND kind = 'customer'", (ext_id,)).fetchone()
            if found is None or _is_gone(line, ext_id):
                return False
            seq = _append(line, id=f"{ext_id}-deleted", kind="deletion", handle=found[0], name=found[1], text="", in_reply_to=ext_id)
            _tell(line, seq, {"id": ext_id, "deleted": True})
        return True

    def reply(self, key: str, in_reply_to: str, text: str, voice: str, account: str, name: str) -> tuple[str, bool] | None:
        """Publish a reply under a post, once per key: its id, and whether it is new. None when the post was deleted."""
        with self._write() as line:
            known = line.execute("SELECT id FROM post WHERE key = ?", (key,)).fetchone()
            if known is not None:
                return str(known[0]), False
            if _is_gone(line, in_reply_to):
                return None
            ext_id = _new_id()
            _append(line, id=ext_id, kind="reply", handle=account, name=name, text=text, in_reply_to=in_reply_to, voice=voice, key=key)
            return ext_id, True

    def reply_of(self, key: str) -> str | None:
        """The id of the reply published for this key."""
        with self._read() as line:
            found = line.execute("SELECT id FROM post WHERE key = ?", (key,)).fetchone()
            return None if found is None else str(found[0])

    def plant(self, posts: Iterable[Mapping[str, Any]]) -> None:
        """Let posts have been here all along, as seeds want it: `id`, `handle`, `name`, `text`, `at` (aware), and for
        an answer `in_reply_to`, for one of the brand's `voice`. Nobody is told; what is here already stays."""
        with self._write() as line:
            for post in posts:
                if line.execute("SELECT 1 FROM post WHERE id = ?", (post["id"],)).fetchone() is None:
                    _append(
                        line,
                        id=post["id"],
                        kind="reply" if post.get("voice") else "customer",
                        handle=post["handle"],
                        name=post["name"],
                        text=post["text"],
                        in_reply_to=post.get("in_reply_to"),
                        voice=post.get("voice"),
                        at=post["at"].timestamp(),
                    )

    def version(self) -> int:
        """Grows whenever the timeline looks different."""
        with self._read() as line:
            seq, done = line.execute("SELECT (SELECT coalesce(max(seq), 0) FROM post), (SELECT count(*) FROM delivery WHERE done_at IS NOT NULL)").fetchone()
            return int(seq) + int(done)

    def threads(self, limit: int = 40) -> list[Post]:
        """The newest conversations, most recent activity first."""
        tops = self._build()
        return sorted(tops, key=_latest, reverse=True)[:limit]

    def thread_of(self, ext_id: str) -> Post | None:
        """The whole conversation a post stands in."""
        return next((top for top in self._build() if ext_id in _ids(top)), None)

    def due(self, now: float, limit: int = 20) -> list[Due]:
        """What is to be told now, oldest first."""
        with self._read() as line:
            rows = line.execute("SELECT seq, body, attempts FROM delivery WHERE done_at IS NULL AND next_at <= ? ORDER BY seq LIMIT ?", (now, limit))
            return [Due(seq, body.encode(), attempts) for seq, body, attempts in rows]

    def told(self, due: Due, note: str | None = None) -> None:
        """It is told; with a note it was refused for good."""
        with self._write() as line:
            line.execute("UPDATE delivery SET done_at = ?, attempts = attempts + 1, note = ? WHERE seq = ?", (time.time(), note, due.seq))

    def put_off(self, due: Due, note: str) -> None:
        wait = WAITS[min(due.attempts, len(WAITS) - 1)]
        with self._write() as line:
            line.execute("UPDATE delivery SET attempts = attempts + 1, next_at = ?, note = ? WHERE seq = ?", (time.time() + wait, note[:300], due.seq))

    def hurry(self) -> None:
        """Try everything again at once: the way to Vouch has changed."""
        with self._write() as line:
            line.execute("UPDATE delivery SET next_at = 0 WHERE done_at IS NULL")

    def _build(self) -> list[Post]:
        with self._read() as line:
            rows = line.execute(
                "SELECT p.id, p.kind, p.handle, p.name, p.text, p.in_reply_to, p.voice, p.at, d.done_at, d.note, d.seq"
                " FROM post p LEFT JOIN delivery d ON d.seq = p.seq ORDER BY p.seq"
            ).fetchall()
        gone = {row[5] for row in rows if row[1] == "deletion"}
        posts: dict[str, Post] = {}
        for id_, kind, handle, name, text, parent, voice, at, done, note, told_seq in rows:
            if kind != "deletion":
                told = "" if told_seq is None else "waiting" if done is None else "refused" if note else "told"
                posts[id_] = Post(id_, kind, handle, name, "" if id_ in gone else text, parent, voice, datetime.fromtimestamp(at, UTC), id_ in gone, told)
        tops = []
        for post in posts.values():
            above = posts.get(post.in_reply_to or "")
            if above is not None and above is not post:
                above.below.append(post)
            else:
                tops.append(post)
        return tops

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        yield self._line()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        line = self._line()
        line.execute("BEGIN IMMEDIATE")
        try:
            yield line
        except BaseException:
            line.rollback()
            raise
        line.commit()

    def _line(self) -> sqlite3.Connection:
        line: sqlite3.Connection | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            line.execute("PRAGMA journal_mode=WAL")
            line.execute("PRAGMA synchronous=NORMAL")
        return line


def _append(line: sqlite3.Connection, **columns: Any) -> int:
    columns.setdefault("at", time.time())
    names = ("id", "kind", "handle", "name", "followers", "text", "in_reply_to", "voice", "key", "at")
    cursor = line.execute(
        "INSERT INTO post (id, kind, handle, name, followers, text, in_reply_to, voice, key, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [columns.get(name) for name in names],
    )
    return int(cursor.lastrowid or 0)


def _tell(line: sqlite3.Connection, seq: int, told: Mapping[str, Any]) -> None:
    line.execute("INSERT INTO delivery (seq, body) VALUES (?, ?)", (seq, json.dumps(told)))


def _is_gone(line: sqlite3.Connection, ext_id: str) -> bool:
    return line.execute("SELECT 1 FROM post WHERE kind = 'deletion' AND in_reply_to = ?", (ext_id,)).fetchone() is not None


def _new_id() -> str:
    return f"dn-{secrets.token_hex(6)}"


def _latest(top: Post) -> datetime:
    return max([top.at, *(_latest(post) for post in top.below)])


def _ids(top: Post) -> set[str]:
    return {top.id, *(name for post in top.below for name in _ids(post))}
