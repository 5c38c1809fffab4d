"""Outside posts as lines: what `mentions import`, the API and signed hooks all read.

A line is `{"id", "text", "author", "author_name", "followers", "posted_at", "in_reply_to", "lang", "url",
"channel", "by_brand", "raw"}`, of which `id` and `text` are required; `"deleted": true` beside an `id` says that
post is gone. Anything that can't be used names its field or line and a reason, and costs its neighbours nothing.
Pure and streaming: a file of any size needs the memory of one line.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from app.kernel import clock
from community.channels.base import Author, Incoming

TEXT_LIMIT = 100_000
"""Characters of one post."""
LINE_LIMIT = 1_000_000
"""Bytes of one line (in CSV: of one record), after unpacking."""
ID_LIMIT = 255
URL_LIMIT = 2_000
CHANNEL_LIMIT = 80
RAW_DEPTH = 20
"""How deep `raw` may nest: deeper says nothing a person would read and breaks readers that recurse."""
FOLLOWERS_LIMIT = 10**12
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""How far in the future a post may be dated: clocks and zones of exporters are off by hours, never by more."""
RECORD_LINES = 1_000
"""Lines one CSV record may span; a quote that is not closed by then is a mistake of its first line."""

COLUMNS = ("id", "text", "author", "author_name", "followers", "posted_at", "in_reply_to", "lang", "url", "channel", "by_brand", "deleted", "raw")


class BadPost(Exception):
    """One post that can't be used: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


class BadFile(Exception):
    """The file as a whole can't be read, in one sentence."""


@dataclass(frozen=True, slots=True)
class GoodLine:
    """`channel` is the name of the brand's channel it belongs to, if the line says so; `end` is how many bytes of the file are read."""

    number: int
    end: int
    post: Incoming
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class GoneLine:
    """The network says that this post was deleted."""

    number: int
    end: int
    ext_id: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    end: int
    reason: str


Line = GoodLine | GoneLine | BadLine


def read_lines(source: Path | BinaryIO, *, now: datetime | None = None) -> Iterator[Line]:
    """Each line of a JSONL or CSV file, packed with gzip or not; blank lines are passed over.

    A CSV file starts with its column names or is called so; all else is JSON lines. Raises BadFile (also
    OSError) when nothing of it can be read; a file that breaks off yields one BadLine at its end.
    """
    latest = (now or clock.now()) + AHEAD
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield from _read(stream, latest, ".csv" in source.suffixes)
    else:
        yield from _read(source, latest, False)


def incoming_from(obj: object, *, now: datetime | None = None) -> Incoming:
    """The plain post of one import line. Raises BadPost. A NUL or half a surrogate pair in a text, which no store
    keeps, becomes U+FFFD; all else is kept as it came."""
    return _incoming(_fields(obj), (now or clock.now()) + AHEAD)


def channel_of(obj: object) -> str | None:
    """The channel named by an import line. Raises BadPost."""
    return _channel(_fields(obj))


def gone_id(obj: object) -> str | None:
    """The id of the post that this line says is deleted; None when the line is a post."""
    fields = _fields(obj)
    return _id(fields, "id", required=True) if _flag(fields, "deleted") else None


def loads(text: str | bytes) -> Any:
    """JSON as strict as what we store: no NaN or endless numbers, no key twice, no bottomless nesting. Raises BadPost.

    Bytes must be UTF-8.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadPost("", f"not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start})") from None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadPost("", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadPost("", "nested too deep") from None
    except ValueError as error:
        raise BadPost("", str(error)) from None


# Reading a file


def _read(stream: BinaryIO, latest: datetime, is_csv: bool) -> Iterator[Line]:
    packed = _Counted(stream)
    head = packed.peek(2)
    lines = _Lines(gzip.GzipFile(fileobj=packed) if head == b"\x1f\x8b" else packed, packed)
    try:
        first = lines.first()
    except (EOFError, OSError, zlib.error) as error:
        raise BadFile(f"The file can't be unpacked: {error}.") from None
    if first is None:
        return
    header = _columns(first)
    if is_csv and header is None:
        raise BadFile("The first line of a CSV file must name its columns, id and text among them, each once.")
    number = 1
    try:
        for line in _read_csv(lines, header, latest) if header else _read_jsonl(lines, latest):
            number = line.number + 1
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield BadLine(number, packed.position, f"the file breaks off here ({error})")


def _read_jsonl(lines: _Lines, latest: datetime) -> Iterator[Line]:
    for number, end, raw in lines:
        try:
            if raw is None:
                raise BadPost("", f"longer than {LINE_LIMIT:,} bytes")
            obj = loads(raw)
            yield _line(number, end, _fields(obj), latest)
        except BadPost as error:
            yield BadLine(number, end, str(error))


def _read_csv(lines: _Lines, header: tuple[list[str], str], latest: datetime) -> Iterator[Line]:
    waiting: deque[tuple[int, int, bytes | None]] = deque()
    source = iter(lines)
    next(source)

    def following() -> tuple[int, int, bytes | None] | None:
        return waiting.popleft() if waiting else next(source, None)

    while (start := following()) is not None:
        number, end, first = start
        record = first
        taken: list[tuple[int, int, bytes | None]] = []
        open_quote = first is not None and first.count(b'"') % 2 == 1
        while record is not None and open_quote and len(record) <= LINE_LIMIT and len(taken) < RECORD_LINES:
            more = following()
            if more is None:
                break
            taken.append(more)
            if more[2] is None:
                break
            record += more[2]
            open_quote ^= more[2].count(b'"') % 2 == 1
        try:
            if record is None or len(record) > LINE_LIMIT:
                raise BadPost("", f"longer than {LINE_LIMIT:,} bytes")
            if open_quote:
                raise BadPost("", "a quote is opened and never closed")
            yield _line(number, taken[-1][1] if taken else end, _record(record, header), latest)
        except BadPost as error:
            # An unclosed quote swallows what follows: only its first line is to blame, the others are read again.
            waiting.extendleft(reversed(taken))
            yield BadLine(number, end, str(error))


def _columns(line: bytes) -> tuple[list[str], str] | None:
    """Names and delimiter of a CSV header; None when the line is none."""
    try:
        text = line.decode("utf-8").strip("\r\n")
        delimiter = max(",;\t", key=text.count)
        names = [name.strip().lower() for name in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except (UnicodeDecodeError, csv.Error):
        return None
    known = [name for name in names if name in COLUMNS]
    return (names, delimiter) if {"id", "text"} <= set(known) and len(known) == len(set(known)) else None


def _record(record: bytes, header: tuple[list[str], str]) -> dict[str, Any]:
    names, delimiter = header
    try:
        text = record.decode("utf-8")
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError as error:
        raise BadPost("", f"not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start})") from None
    except csv.Error as error:
        raise BadPost("", f"not CSV: {error}") from None
    if len(cells) != len(names):
        raise BadPost("", f"{len(cells)} cells where the first line names {len(names)} columns")
    fields: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=True) if name in COLUMNS and (cell or name == "text")}
    for name, convert in _FROM_CELL.items():
        if name in fields:
            fields[name] = convert(fields[name])
    return fields


class _Counted(io.RawIOBase):
    """A byte stream that knows how far it was read, for progress, and can look ahead."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._ahead, self.position = stream, b"", 0

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._stream.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        ahead, self._ahead = self._ahead, b""
        if ahead and 0 <= size < len(ahead):
            ahead, self._ahead = ahead[:size], ahead[size:]
        got = ahead or self._stream.read(size)
        self.position += len(got)
        return got

    read1 = read

    def readable(self) -> bool:
        return True


class _Lines:
    """The lines of a stream with their numbers, None in place of one that is too long: it is skipped, never held."""

    CHUNK = 1 << 18

    def __init__(self, stream: Any, counted: _Counted) -> None:
        self._stream, self._counted = stream, counted
        self._buffer, self._at = b"", 0
        self.number = 0
        self._pushed: tuple[int, int, bytes | None] | None = None

    def first(self) -> bytes | None:
        """The first line that is not blank, without taking it; b"" for one that is too long, None for an empty stream."""
        self._pushed = next(self._each(), None)
        return None if self._pushed is None else self._pushed[2] or b""

    def __iter__(self) -> Iterator[tuple[int, int, bytes | None]]:
        if self._pushed is not None:
            pushed, self._pushed = self._pushed, None
            yield pushed
        yield from self._each()

    def _each(self) -> Iterator[tuple[int, int, bytes | None]]:
        while True:
            line = self._next()
            if line == b"":
                return
            self.number += 1
            if self.number == 1 and line is not None:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line is None or line.strip():
                yield self.number, self._counted.position, line

    def _next(self) -> bytes | None:
        held = b""
        too_long = False
        while True:
            cut = self._buffer.find(b"\n", self._at)
            if cut >= 0:
                piece, self._at = self._buffer[self._at : cut + 1], cut + 1
                return None if too_long or len(held) + len(piece) > LINE_LIMIT else held + piece
            held += b"" if too_long else self._buffer[self._at :]
            too_long = too_long or len(held) > LINE_LIMIT
            if too_long:
                held = b""
            # read1: of a packed file that breaks off, what came before the break is handed out.
            self._buffer, self._at = self._stream.read1(self.CHUNK) or b"", 0
            if not self._buffer:
                return None if too_long else held


# Reading one line


def _line(number: int, end: int, fields: Mapping[str, Any], latest: datetime) -> Line:
    channel = _channel(fields)
    if _flag(fields, "deleted"):
        return GoneLine(number, end, _id(fields, "id", required=True) or "", channel)
    return GoodLine(number, end, _incoming(fields, latest), channel)


def _fields(obj: object) -> Mapping[str, Any]:
    if not isinstance(obj, dict):
        raise BadPost("", f"an object is expected, not {_name(obj)}")
    return obj


def _incoming(fields: Mapping[str, Any], latest: datetime) -> Incoming:
    ext_id = _id(fields, "id", required=True) or ""
    text = fields.get("text")
    if text is None:
        raise BadPost("text", "is missing")
    if not isinstance(text, str):
        raise BadPost("text", f"must be a text, not {_name(text)}")
    if not text:
        raise BadPost("text", "is empty")
    if len(text) > TEXT_LIMIT:
        raise BadPost("text", f"is longer than {TEXT_LIMIT:,} characters")
    author = _id(fields, "author")
    parent = _id(fields, "in_reply_to")
    raw = fields.get("raw")
    return Incoming(
        ext_id=ext_id,
        text=_storable(text),
        author=Author(author, author, _string(fields, "author_name", ID_LIMIT), None, _count(fields, "followers"), _flag(fields, "by_brand")),
        created_at=_moment(fields, "posted_at", latest),
        parent_ext_id=parent if parent != ext_id else None,
        lang=_language(fields),
        url=_url(fields),
        kind="reply" if parent and parent != ext_id else "mention",
        raw=_raw(raw) if raw is not None else {},
    )


def _id(fields: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """An outside id: a word that is compared exactly. Whole numbers are taken as the words they are."""
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**ID_LIMIT:
            raise BadPost(name, f"is longer than {ID_LIMIT} characters")
        value = str(value)
    if value is None or value == "":
        if required:
            raise BadPost(name, "is missing" if value is None else "is empty")
        return None
    if not isinstance(value, str):
        raise BadPost(name, f"must be a text, not {_name(value)}")
    if len(value) > ID_LIMIT:
        raise BadPost(name, f"is longer than {ID_LIMIT} characters")
    if not value.strip() or _UNFIT_FOR_IDS.search(value):
        raise BadPost(name, "holds characters that no id can hold")
    return value


def _string(fields: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadPost(name, f"must be a text, not {_name(value)}")
    if len(value) > limit:
        raise BadPost(name, f"is longer than {limit:,} characters")
    return _storable(value).strip() or None


def _channel(fields: Mapping[str, Any]) -> str | None:
    name = _string(fields, "channel", CHANNEL_LIMIT)
    if name is not None and not name.isprintable():
        raise BadPost("channel", "holds characters that can't be seen")
    return name


def _count(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadPost(name, f"must be a whole number, not {_name(value)}")
    if not 0 <= value <= FOLLOWERS_LIMIT:
        raise BadPost(name, f"must lie between 0 and {FOLLOWERS_LIMIT:,}")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise BadPost(name, f"must be true or false, not {_name(value)}")
    return value


def _moment(fields: Mapping[str, Any], name: str, latest: datetime) -> datetime | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadPost(name, f"must be a time as ISO 8601, not {_name(value)}")
    try:
        # Python knows no leap second; the second before it is the nearest truth.
        moment = datetime.fromisoformat(_LEAP_SECOND.sub(r"\g<1>59", value.strip()) if ":60" in value else value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadPost(name, "is not a time as ISO 8601, such as 2026-03-01T09:30:00Z") from None
    if not EARLIEST <= moment <= latest:
        raise BadPost(name, f"lies before {EARLIEST.year}" if moment < EARLIEST else "lies in the future")
    return moment


def _language(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("lang")
    if value is not None and not isinstance(value, str):
        raise BadPost("lang", f"must be a language tag, not {_name(value)}")
    return value if value and _LANGUAGE.fullmatch(value) else None


def _url(fields: Mapping[str, Any]) -> str | None:
    value = _string(fields, "url", URL_LIMIT)
    if value is not None and not _WEB_ADDRESS.fullmatch(value):
        raise BadPost("url", "must start with http:// or https://")
    return value


def _raw(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise BadPost("raw", f"must be an object, not {_name(raw)}")
    # Walked without recursion, so that depth is refused before it can hurt.
    todo: list[tuple[Any, int]] = [(raw, 1)]
    mend = False
    while todo:
        value, depth = todo.pop()
        if isinstance(value, str):
            mend = mend or _UNSTORABLE.search(value) is not None
        elif isinstance(value, (dict, list)):
            if depth > RAW_DEPTH:
                raise BadPost("raw", f"is nested deeper than {RAW_DEPTH}")
            if isinstance(value, dict):
                todo.extend((key, depth) for key in value)
                value = list(value.values())
            todo.extend((child, depth + 1) for child in value)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**ID_LIMIT:
            raise BadPost("raw", f"holds a number longer than {ID_LIMIT} digits")
    return _mended(raw) if mend else raw


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(key): _mended(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_mended(child) for child in value]
    return value


def _storable(text: str) -> str:
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)


def _name(value: object) -> str:
    return _NAMES.get(type(value), "that")


_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNFIT_FOR_IDS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LEAP_SECOND = re.compile(r"(:[0-5]\d:)60")
_LANGUAGE = re.compile(r"(?=.{2,16}$)[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f\x7f\\]+", re.IGNORECASE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {_storable(twice)[:40]!r} stands twice")
    return made


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 4_000:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)


def _cell_count(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,13}", cell):
        raise BadPost("followers", "must be a whole number")
    return int(cell)


def _cell_flag(name: str) -> Any:
    def convert(cell: str) -> bool:
        word = cell.strip().lower()
        if word not in ("true", "false", "1", "0", "yes", "no"):
            raise BadPost(name, "must be true or false")
        return word in ("true", "1", "yes")

    return convert


_FROM_CELL = {"followers": _cell_count, "by_brand": _cell_flag("by_brand"), "deleted": _cell_flag("deleted"), "raw": loads}
