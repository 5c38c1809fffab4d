"""Reading lines: every bad one named, none of its neighbours lost, any text survived."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.channels import importing
from community.channels.importing import BadFile, BadLine, BadPost, GoneLine, GoodLine, incoming_from, read_lines

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def lines(data: bytes) -> list[importing.Line]:
    return list(read_lines(io.BytesIO(data), now=NOW))


def good(data: bytes) -> list[str]:
    return [line.post.ext_id for line in lines(data) if isinstance(line, GoodLine)]


def bad(data: bytes) -> list[tuple[int, str]]:
    return [(line.number, line.reason) for line in lines(data) if isinstance(line, BadLine)]


def row(**fields: Any) -> bytes:
    return json.dumps({"id": "x", "text": "hello", **fields}).encode()


BAD_ROWS = {
    "no json": b"hello there",
    "cut": b'{"id": "x", "text": "he',
    "two values": b'{"id": "x", "text": "a"} {"id": "y", "text": "b"}',
    "list": b'[{"id": "x", "text": "a"}]',
    "number": b"7",
    "null": b"null",
    "string": b'"id"',
    "binary": bytes(range(128, 256)),
    "latin-1": '{"id": "x", "text": "grüße"}'.encode("latin-1"),
    "utf-16": '{"id": "x", "text": "a"}'.encode("utf-16-le").replace(b"\n", b""),
    "raw NUL": b'{"id": "x", "text": "a\x00b"}',
    "raw tab": b'{"id": "x", "text": "a\tb"}',
    "key twice": b'{"id": "x", "id": "y", "text": "a"}',
    "key twice inside": b'{"id": "x", "text": "a", "raw": {"a": 1, "a": 2}}',
    "NaN": b'{"id": "x", "text": "a", "followers": NaN}',
    "Infinity": b'{"id": "x", "text": "a", "followers": -Infinity}',
    "endless float": b'{"id": "x", "text": "a", "raw": {"n": 1e999}}',
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep raw": b'{"id": "x", "text": "a", "raw": {"a": ' + b"[" * 50 + b"]" * 50 + b"}}",
    "id of 5,000 digits": b'{"id": ' + b"9" * 5_000 + b', "text": "a"}',
    "id of 300 digits": b'{"id": ' + b"9" * 300 + b', "text": "a"}',
    "number of 400 digits in raw": b'{"id": "x", "text": "a", "raw": {"n": ' + b"9" * 400 + b"}}",
    "no id": b'{"text": "a"}',
    "no text": b'{"id": "x"}',
    "null id": row(id=None),
    "empty id": row(id=""),
    "blank id": row(id="  "),
    "list id": row(id=["x"]),
    "true id": row(id=True),
    "float id": row(id=1.5),
    "long id": row(id="x" * 256),
    "NUL id": row(id="a\x00b"),
    "newline id": row(id="a\nb"),
    "surrogate id": row(id="a\ud800"),
    "null text": row(text=None),
    "empty text": row(text=""),
    "number text": row(text=7),
    "list text": row(text=["a"]),
    "long text": row(text="x" * 100_001),
    "long line": row(text="a", raw={"x": "y" * 1_000_000}),
    "author object": row(author={"name": "x"}),
    "author long": row(author="x" * 256),
    "author_name number": row(author_name=7),
    "followers text": row(followers="many"),
    "followers half": row(followers=1.5),
    "followers negative": row(followers=-1),
    "followers huge": row(followers=10**13),
    "followers true": row(followers=True),
    "posted_at number": row(posted_at=1_700_000_000),
    "posted_at words": row(posted_at="yesterday"),
    "posted_at 30 February": row(posted_at="2026-02-30T00:00:00Z"),
    "posted_at year 1": row(posted_at="0001-01-01T00:00:00+14:00"),
    "posted_at year 9999": row(posted_at="9999-12-31T23:59:59-14:00"),
    "posted_at 1970": row(posted_at="1970-01-01T00:00:00Z"),
    "posted_at next week": row(posted_at="2026-03-09T00:00:00Z"),
    "posted_at hour 25": row(posted_at="2026-03-01T25:00:00Z"),
    "posted_at long": row(posted_at="2" * 10_000),
    "in_reply_to list": row(in_reply_to=[]),
    "in_reply_to NUL": row(in_reply_to="\x00"),
    "lang number": row(lang=1),
    "url script": row(url="javascript:alert(1)"),
    "url data": row(url="data:text/html,x"),
    "url relative": row(url="/r/abc"),
    "url spaces": row(url="https://example.com/a b"),
    "url long": row(url="https://example.com/" + "x" * 2_000),
    "url number": row(url=1),
    "channel number": row(channel=1),
    "channel long": row(channel="x" * 81),
    "by_brand text": row(by_brand="yes"),
    "by_brand number": row(by_brand=1),
    "raw text": row(raw="x"),
    "raw list": row(raw=[1]),
    "deleted text": row(deleted="yes"),
    "deleted without id": b'{"deleted": true}',
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_line_is_named_wherever_it_stands(name: str) -> None:
    neighbours = [row(id=f"n-{n}") for n in range(99)]
    # Long ones at three places only: what they cost is reading, and reading is the same everywhere.
    places = (1, 50, 100) if len(BAD_ROWS[name]) > 10_000 else range(1, 101)
    for place in places:
        batch = [*neighbours[: place - 1], BAD_ROWS[name], *neighbours[place - 1 :]]
        read = lines(b"\n".join(batch))

        assert [line.number for line in read if isinstance(line, BadLine)] == [place]
        assert [line.post.ext_id for line in read if isinstance(line, GoodLine)] == [f"n-{n}" for n in range(99)]
        [reason] = [line.reason for line in read if isinstance(line, BadLine)]
        assert 5 < len(reason) < 200, "a reason a person can read"
        assert reason.isprintable()


BAD_RECORDS = {
    "cells missing": b"x",
    "cells too many": b"x,a,1,2,3,4,5",
    "quote never closed": b'x,"a,1,',
    "quote in the middle": b'x,a"b,1,',
    "quote then words": b'x,"a"b,1,',
    "no id": b",a,1,",
    "no text": b"x,,1,",
    "followers": b"x,a,many,",
    "not utf-8": b"x,gr\xfc\xdfe,1,",
    "raw is no json": b"x,a,1,{",
    "raw is a list": b"x,a,1,[]",
    "long": b"x," + b"a" * 1_000_001 + b",1,",
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_bad_csv_record_is_named_wherever_it_stands(name: str) -> None:
    neighbours = [b"n-%d,hello,7," % n for n in range(99)]
    for place in (1, 50, 100) if len(BAD_RECORDS[name]) > 10_000 else range(1, 101):
        batch = [b"id,text,followers,raw", *neighbours[: place - 1], BAD_RECORDS[name], *neighbours[place - 1 :]]
        read = lines(b"\r\n".join(batch))

        assert [line.number for line in read if isinstance(line, BadLine)] == [place + 1]
        assert [line.post.ext_id for line in read if isinstance(line, GoodLine)] == [f"n-{n}" for n in range(99)]


def test_a_whole_line_becomes_a_post() -> None:
    [line] = lines(
        row(
            author="kettle",
            author_name=" Kettle & Cat ",
            followers=12.0,
            posted_at="2026-03-01T10:00:00+02:00",
            in_reply_to=41,
            lang="zh-Hant",
            url="https://example.com/1",
            channel="demo",
            by_brand=True,
            raw={"a": [1, {"b": None}]},
            role="owner",
        )
    )
    assert isinstance(line, GoodLine)
    assert line.channel == "demo"
    post = line.post
    assert (post.author.handle, post.author.ext_id, post.author.name, post.author.followers, post.author.is_ours) == (
        "kettle",
        "kettle",
        "Kettle & Cat",
        12,
        True,
    )
    assert post.created_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert (post.parent_ext_id, post.kind, post.lang, post.url, post.raw) == ("41", "reply", "zh-Hant", "https://example.com/1", {"a": [1, {"b": None}]})


def test_only_id_and_text_are_needed_and_whole_numbers_are_ids() -> None:
    post = incoming_from({"id": 12, "text": "a", "author": None, "posted_at": None, "raw": None, "in_reply_to": 12}, now=NOW)
    assert (post.ext_id, post.parent_ext_id, post.kind, post.created_at) == ("12", None, "mention", None)


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-29T00:00:00+00:00", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-03-02T23:00:00Z", datetime(2026, 3, 2, 23, tzinfo=UTC)),
    ],
)
def test_times_are_understood(word: str, moment: datetime) -> None:
    assert incoming_from({"id": "1", "text": "a", "posted_at": word}, now=NOW).created_at == moment


def test_a_deleted_post_is_told() -> None:
    [line] = lines(b'{"id": "7", "deleted": true, "channel": "demo"}')
    assert isinstance(line, GoneLine)
    assert (line.ext_id, line.channel) == ("7", "demo")


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=300))
def test_any_text_is_survived_and_what_can_be_stored_is_kept(text: str) -> None:
    [line] = lines(json.dumps({"id": "1", "text": text, "author_name": text[:200], "raw": {text: [text]}}).encode())
    assert isinstance(line, GoodLine)
    line.post.text.encode()
    json.dumps(line.post.raw, ensure_ascii=False).encode()
    assert len(line.post.text) == len(text)
    assert all(kept == came or (kept == "\ufffd" and (came == "\x00" or "\ud800" <= came <= "\udfff")) for kept, came in zip(line.post.text, text, strict=True))


NASTY = [
    "\u202egnirts",
    "a\u200bb",
    "e" + "\u0301" * 500,
    "é",
    "e\u0301",
    "👩‍👩‍👧‍👦" * 50,
    "x" * 279 + "👍"[:1],
    "\ufeffx",
    "\U0010ffff",
    "<script>",
    "=1+1",
    "\x01\x7f\x85\u2028",
]


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:10]))
def test_odd_texts_come_out_as_they_went_in(text: str) -> None:
    for data in (json.dumps({"id": "1", "text": text}).encode(), json.dumps({"id": "1", "text": text}, ensure_ascii=False).encode()):
        [line] = lines(data)
        assert isinstance(line, GoodLine)
        assert line.post.text == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(importing.COLUMNS), json_values))
def test_any_object_is_a_post_or_a_reason(fields: dict[str, Any]) -> None:
    try:
        incoming_from(fields, now=NOW).text.encode()
        importing.channel_of(fields)
        importing.gone_id(fields)
    except BadPost as error:
        assert error.reason


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_survived(data: bytes) -> None:
    for start in (b"", b"id,text,raw\n", b"\x1f\x8b", b"\xef\xbb\xbf"):
        try:
            lines(start + data)
            assert start or good(b"{}\n" + data + b"\n" + row(id="last"))[-1] == "last"
        except BadFile as error:
            assert str(error).endswith(".")


def test_csv_with_quotes_line_breaks_and_a_byte_order_mark() -> None:
    data = '\ufeffid;text;by_brand;unknown\r\n1;"a; ""quoted""\r\nsecond line";yes;x\r\n\r\n2;b;;\r\n'.encode()
    [first, second] = lines(data)
    assert isinstance(first, GoodLine)
    assert isinstance(second, GoodLine)
    assert (first.post.text, first.post.author.is_ours) == ('a; "quoted"\r\nsecond line', True)
    assert (second.number, second.post.ext_id, second.post.author.is_ours) == (5, "2", False)


def test_a_jsonl_file_may_start_with_a_bad_line_but_a_csv_file_not(tmp_path: Path) -> None:
    assert bad(b"# comment\n" + row())[0][0] == 1
    file = tmp_path / "posts.csv"
    file.write_bytes(b"1,hello\n")
    with pytest.raises(BadFile, match="name its columns"):
        list(read_lines(file))
    file.write_bytes(b"id,text,id\n1,a,2\n")
    with pytest.raises(BadFile):
        list(read_lines(file))


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_holds_nothing(data: bytes) -> None:
    assert lines(data) == []


def test_gzip_is_read_and_a_cut_file_says_where() -> None:
    whole = gzip.compress(b"\n".join(row(id=f"n-{n}", raw={"n": hash(str(n))}) for n in range(2_000)))
    assert len(good(whole)) == 2_000
    read = lines(whole[: len(whole) // 2])
    assert isinstance(read[-1], BadLine)
    assert "breaks off" in read[-1].reason
    assert all(isinstance(line, GoodLine) for line in read[:-1])


def test_progress_ends_at_the_size_of_the_file() -> None:
    data = gzip.compress(b"\n".join(row(id=f"n-{n}") for n in range(5_000)))
    ends = [line.end for line in lines(data)]
    assert ends == sorted(ends)
    assert ends[-1] == len(data)


def test_a_bomb_of_one_line_costs_neither_memory_nor_patience() -> None:
    bomb = gzip.compress(b'{"id": "x", "text": "' + b"a" * 200_000_000 + b'"}\n' + row(id="after"))
    tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    started = time.monotonic()
    read = lines(bomb)
    spent, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(line) for line in read] == [BadLine, GoodLine]
    assert peak - before < 20_000_000
    assert spent < 20


def test_a_stray_quote_costs_its_line_even_far_from_the_next_one() -> None:
    data = [b"id,text", b'1,"open', *[b"%d,x" % n for n in range(2, 3_000)], b'3000,"fine"', b"3001,y"]
    assert bad(b"\n".join(data)) == [(2, "a quote is opened and never closed")]
    assert len(good(b"\n".join(data))) == 3_000


def test_a_future_post_within_a_day_is_taken() -> None:
    assert incoming_from({"id": "1", "text": "a", "posted_at": (NOW + timedelta(hours=23)).isoformat()}, now=NOW).created_at is not None
