"""Links lead to hosts on the brand's list, however they are written."""

from __future__ import annotations

import pytest

from community.moderation.checks.links import host_of, is_listed, links_in

ALLOW = ["help.northwind.example", "https://northwind.example/shop"]


@pytest.mark.parametrize(
    "text",
    [
        "See https://evil.example/x", "see HTTPS://EVIL.EXAMPLE", "www.evil.example",
        "go to bit.ly/3xyz", "evil.com", "evil.com/help?x=1", "h\u200bttps://evil.example",
        "https://northwind.example@evil.example/", "https://evil.example\\.northwind.example/",
        "https://northwind.example.evil.example", "ftp://northwind.example/x",
        "ｈｔｔｐｓ：／／ｅｖｉｌ．ｃｏｍ", "https://еvil.example", "javascript://northwind.example/%0aalert(1)",
        "notnorthwind.example", "//evil.com/x", "https://[::1", "看 https://evil.example。",
        "tg://resolve?domain=x", "join discord.gg/abc", "my page: home.site/x", "https:/evil.com",
    ],
)  # fmt: skip
def test_a_foreign_link_is_found(text: str) -> None:
    found = list(links_in(text))
    assert found
    assert not any(is_listed(host, ALLOW) for _, _, host in found)


@pytest.mark.parametrize(
    "text",
    [
        "See https://northwind.example/help.",
        "(https://help.northwind.example/a?b=c)",
        "northwind.example",
        "https://NORTHWIND.example./x",
        "http://de.northwind.example",
    ],
)
def test_what_is_on_the_list_is_let_through(text: str) -> None:
    found = list(links_in(text))
    assert len(found) == 1
    assert all(is_listed(host, ALLOW) for _, _, host in found)


@pytest.mark.parametrize(
    "text",
    [
        "Version 7.12.1 has it.", "Wait a bit.It takes long.", "restart it.in the menu",
        "e.g. the hub, i.e. the box", "write to me@home.example", "3.5mm, 2.4 GHz",
        "9:58 and 10:14", "node.js runs", "Settings/Wi-Fi/Channel",
        "file.txt", "and/or", "10.0.0.1", "see above:below",
    ],
)  # fmt: skip
def test_no_link_is_seen_where_there_is_none(text: str) -> None:
    assert list(links_in(text)) == []


def test_a_host_is_what_a_browser_would_make_of_it() -> None:
    assert host_of("https://bücher.example/x") == "xn--bcher-kva.example"
    assert host_of("https://user:pw@evil.example:8080/") == "evil.example"
    assert host_of("https://evil.example\\@northwind.example") == ""


def test_a_long_host_with_a_wrong_sign_at_its_end_is_weighed_at_once() -> None:
    """Red (it does not end) with a pattern that tries every way to split the host."""
    assert host_of(f"https://{'a' * 60}_x") == ""
    assert host_of(f"https://{'a.' * 1000}com") == ""
