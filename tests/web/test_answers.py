"""The library's pages: written, read, brought in from files and pages, put into a reply, read by everybody where the brand wishes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict
from sqlalchemy import func, select

from app.accounts.models import Brand
from app.factory import BODY_LIMIT
from app.kernel import http
from app.kernel.db import db
from community.answers import actions, bringing, importing, pages
from community.answers.models import Answer, Use, Version
from community.answers.recalls import begin_corrections
from community.moderation import actions as moderation
from community.replies.models import Reply
from community.replies.queries import draft_of, revision
from tests.stories import fresh, news, placed, told
from tests.web.conftest import Town, words

PAGE = """<html><head><title>Help</title><style>h2 {}</style></head><body><nav><h2>Menu</h2><p>Home, products, jobs and so on.</p></nav>
<h1>Questions</h1><h2>How do I <em>reset</em> it?</h2><p>Hold the button for ten&nbsp;seconds.</p><ul><li>Wait for the light</li></ul>
<h2>Why?</h2><script>alert(1)</script><p>&lt;b&gt;Because</b> it is so &amp; was always so.<p>Still.
<dl><dt>Where is it made?</dt><dd>In a small town by the river.</dd></dl><h2>Empty</h2>"""


def add(town: Town, title: str = "How do I reset the hub?", body: str = "Hold the small button for ten seconds.", **more: object) -> Answer:
    with db.transaction():
        return actions.add(town.brand, by=town.cleo, title=title, body=body, **{"lang": "en", **more})  # type: ignore[arg-type]


def stored() -> list[tuple[str, str]]:
    with db.transaction(read_only=True) as session:
        return [(title, body) for title, body in session.execute(select(Version.title, Version.body).order_by(Version.id))]


def test_an_answer_is_written_changed_and_compared(town: Town) -> None:
    cleo = town.browser("cleo")
    made = cleo.post("/answers", data={"title": "Where is the serial number?", "body": "Under the hub.", "lang": "en", "topic": "how_to"})
    assert made.status_code == 303
    url = made.location
    changed = {"title": "Where is the serial number?", "body": "On the back of the hub.", "why": "new model", "based_on": "1"}
    assert cleo.post(f"{url}/versions", data=changed).status_code == 303
    assert cleo.post(f"{url}/versions", data=changed).status_code == 409
    said = words(cleo.get(f"{url}?version=2"))
    assert "Version 2 against 1" in said
    assert "taken out: Under added: On the back of the hub." in said
    assert "On the back of the hub." in words(town.browser("ada").get("/answers?q=serial"))
    assert "serial" not in words(town.browser("kai").get("/answers"))
    assert town.browser("kai").get(url).status_code == 404


def test_a_refused_form_keeps_what_was_typed(town: Town) -> None:
    answer = town.browser("cleo").post("/answers", data={"title": "x" * 300, "body": "My careful words.", "topic": "how_to"})
    assert answer.status_code == 422
    assert "My careful words." in answer.text


def test_an_advocate_of_little_trust_reads_and_does_not_write(town: Town) -> None:
    ada = town.browser("ada")
    assert "New answer" not in words(ada.get("/answers"))
    assert ada.get("/answers/new").status_code == 403
    assert ada.post("/answers", data={"title": "A", "body": "B"}).status_code == 403


def test_suggestions_stand_beside_the_composer_and_go_in_without_a_script(town: Town) -> None:
    answer = add(town)
    task = told(town.brand, "How can I reset my hub?")
    ada = town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    assert f'data-suggest="/tasks/{task.id}/suggestions"' in ada.get(f"/tasks/{task.id}").text
    part = ada.get(f"/tasks/{task.id}/suggestions", headers={"X-Part": "true"})
    assert "<html" not in part.text and "Hold the small button" in part.text
    assert ada.post(f"/tasks/{task.id}/suggestions", data={"code": f"a{answer.id}.1"}).location == f"/tasks/{task.id}"
    assert ada.post(f"/tasks/{task.id}/suggestions", data={"code": "a999.1"}).status_code == 404
    with db.transaction(read_only=True) as session:
        draft = draft_of(town.ada, fresh(task))
        assert draft is not None
        assert revision(draft).text == "Hold the small button for ten seconds."
        assert session.scalar(select(func.count()).select_from(Use)) == 1


def test_what_the_script_inserted_is_told_with_the_reply(town: Town) -> None:
    answer = add(town)
    task = told(town.brand, "How can I reset my hub?")
    ada = town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    text = "Hello! Hold the small button for ten seconds. Then you are done."
    assert ada.post(f"/tasks/{task.id}/submit", data={"text": text, "voice": "own", "used": f"a{answer.id}.1 nonsense a999.1"}).status_code == 303
    with db.transaction(read_only=True) as session:
        assert [(use.answer_id, use.revision) for use in session.scalars(select(Use))] == [(answer.id, 1)]


def test_a_file_is_taken_in_line_by_line(town: Town) -> None:
    lines = [
        "question,answer,lang,topic",
        "Where?,There.,en,how_to",
        '"With, comma","Two\nlines",en,how_to',
        "Only one cell",
        "No topic?,Yes.,en,moon",
        ",empty,en,how_to",
        "Where?,There again.,en,how_to",
        "Where?,There.,,",
    ]
    said = brought(town, "\n".join(lines).encode())
    assert "added 2 known already 1 not taken 4" in said
    assert "Line 8 This question has another answer already." in said, "who mended the sheet hears that the library still says the old words"
    assert "Line 5 There are no words yet." in said
    assert stored() == [("Where?", "There."), ("With, comma", "Two\nlines")]
    assert "added 0 known already 3" in brought(town, "\n".join(lines).encode())
    for bad in (b"", b"a,b\n1,2", b"\xff\xfe\x00", b"title,body\n"):
        answer = town.browser("cleo").post("/answers/import/file", data={"file": (io.BytesIO(bad), "a.csv")})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert "Line 2 it is no CSV" in brought(town, b'title,body\n"never closed')
    assert town.browser("cleo").post("/answers/import/file", data={}).status_code == 400
    assert town.browser("ada").post("/answers/import/file", data={}).status_code == 403


def test_ten_thousand_lines_are_taken_in_by_the_worker_and_can_be_stopped(town: Town) -> None:
    """Red when a request holds less than a large file, or when a page waits for the lines."""
    padding = "Hold the small button and count. " * 8
    raw = ("title,body\n" + "".join(f"Question number {n}?,{padding}{n}\n" for n in range(10_000))).encode()
    assert len(raw) > BODY_LIMIT
    cleo = town.browser("cleo")
    began = cleo.post("/answers/import/file", data={"file": (io.BytesIO(raw), "many.csv")})
    assert began.status_code == 303
    where = began.headers["Location"]
    shown = cleo.get(where)
    assert "0 of 10,000 lines" in words(shown) and stored() == []
    watched = json.loads(unescape(re.findall(r'data-watch="([^"]+)"', shown.text)[0]))
    asked = ",".join(f"{name}:0" for name in watched)
    assert cleo.get(f"/changes?brand={town.brand.id}&since={asked}").status_code in (200, 204), "the page can ask how far it is"
    assert "many.csv" in words(cleo.get("/answers/import"))
    assert town.browser("ada").get(where).status_code == 403
    assert town.browser("kim").get(where).status_code == 404
    assert "Stopped after 0 of 10,000 lines" in words(cleo.post(f"{where}/stop", follow_redirects=True))
    bringing.carry_on(int(where.rsplit("/", 1)[1]))
    assert stored() == []
    assert cleo.post(f"{where}/stop").status_code == 409
    too_large = cleo.post("/answers/import/file", data={"file": (io.BytesIO(b"x" * (bringing.FILE_LIMIT + 20_000)), "huge.csv")})
    assert too_large.status_code == 413
    assert cleo.post("/answers", data={"title": "x", "body": "y" * 1_100_000}).status_code == 413, "other forms hold what they held"


def test_questions_of_a_page_are_plain_text() -> None:
    assert [(one.title, one.body) for one in pages.questions(PAGE)] == [
        ("How do I reset it?", "Hold the button for ten seconds.\nWait for the light"),
        ("Why?", "<b>Because it is so & was always so.\nStill."),
        ("Where is it made?", "In a small town by the river."),
    ]
    assert pages.questions("<h2>" * 5000 + "<p>" + "x" * 100_000) == []
    assert pages.questions("") == []


def brought(town: Town, raw: bytes) -> str:
    """What its page says once the worker has taken a file in."""
    cleo = town.browser("cleo")
    began = cleo.post("/answers/import/file", data={"file": (io.BytesIO(raw), "a.csv")})
    assert began.status_code == 303, words(began)
    where = began.headers["Location"]
    bringing.carry_on(int(where.rsplit("/", 1)[1]))
    return words(cleo.get(where))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_as_spreadsheets_write_it(town: Town, encoding: str, delimiter: str) -> None:
    lines = [["Question", "Answer", "Lang", ""], ["Où est la clé ?", "Sous l’évier, à gauche.", "fr", "", "", ""], ["Where, then?", "Here; or there."]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in line) for line in lines)
    assert "added 2" in brought(town, text.encode(encoding))
    assert stored() == [("Où est la clé ?", "Sous l’évier, à gauche."), ("Where, then?", "Here; or there.")]


def test_markup_and_formulas_are_words_and_nothing_else(town: Town) -> None:
    raw = (
        'title,body\n"<p>How do I <b>reset</b>&nbsp;it?</p>","<p>Hold the button.</p><ul><li>Wait &amp; see</li></ul><script>alert(1)</script>"\n'
        '"=HYPERLINK(""https://evil.example"")","+1 < 2 and 3 > 2"\n'
    )
    assert "added 2" in brought(town, raw.encode())
    assert stored() == [("How do I reset it?", "Hold the button.\nWait & see"), ('=HYPERLINK("https://evil.example")', "+1 < 2 and 3 > 2")]
    assert "<script>alert" not in town.browser("cleo").get("/answers").text


def test_a_long_file_comes_in_in_turns_and_says_all_that_is_wrong(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    known = []
    whole = importing.import_rows

    def counted(*given: Any, **more: Any) -> importing.Imported:
        known.append(db.session)
        return whole(*given, **more)

    monkeypatch.setattr(importing, "import_rows", counted)
    good = [f"Question {number}?,Answer {number}." for number in range(30)]
    said = brought(town, "\n".join(["title,body", *good, *["No answer?,"] * 60]).encode())
    assert "added 30 known already 0 not taken 60" in said
    assert said.count("There are no words yet.") == 60
    assert len({id(session) for session in known}) == len(known) == 5, "a transaction each"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A site that answers with the page, whatever is asked of it."""
    asked: list[str] = []

    class Client(http.OutboundClient):
        def request(self, method: str, url: str, **_: object) -> http.Answer:  # type: ignore[override]
            self.check_url(url)
            assert not db.in_transaction, "a slow site would make every writer wait"
            asked.append(url)
            if "moved" in url:
                to = {"moved-in": "http://127.0.0.1/secret", "moved-on": url}.get(url.rsplit("/", 1)[1], "/faq")
                return http.Answer(302, CaseInsensitiveDict({"location": to}), b"")
            coded = "latin" in url
            kind = "image/png" if "png" in url else f"text/html; charset={'ISO-8859-1' if coded else 'utf-8'}"
            return http.Answer(200, CaseInsensitiveDict({"content-type": kind}), PAGE.replace("river", "rivière").encode("latin-1" if coded else "utf-8"))

    monkeypatch.setattr(http, "_client", Client())
    yield asked


def test_a_page_is_shown_for_picking_before_anything_is_stored(town: Town, site: list[str]) -> None:
    cleo = town.browser("cleo")
    found = cleo.post("/answers/import/page", data={"url": "https://help.example/faq"})
    assert "3 found" in words(found)
    assert stored() == []
    picked = {"pick": ["1", "3"], "url": "https://help.example/faq", "topic": "how_to"}
    values = dict(re.findall(r'name="(title-\d+)" value="([^"]*)"', found.text))
    bodies = dict(re.findall(r'name="(body-\d+)"[^>]*>([^<]*)<', found.text))
    assert cleo.post("/answers/import/picked", data={**picked, **values, **bodies}).status_code == 303
    assert stored() == [
        ("How do I reset it?", "Hold the button for ten seconds.\nWait for the light"),
        ("Where is it made?", "In a small town by the rivière."),
    ]
    with db.transaction(read_only=True) as session:
        assert set(session.scalars(select(Answer.source))) == {"https://help.example/faq"}
    assert site == ["https://help.example/faq"]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://169.254.169.254/latest", "file:///etc/passwd", "http://[::1]/", "http://a:b@help.example/", "http://help.example:22/", "",
     "https://help.example/moved-in", "https://help.example/moved-on", "https://help.example/x.png"],
)  # fmt: skip
def test_a_page_that_may_not_or_cannot_be_read_is_refused_in_words(town: Town, site: list[str], url: str) -> None:
    answer = town.browser("cleo").post("/answers/import/page", data={"url": url})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert set(site) <= {url}
    assert town.browser("ada").post("/answers/import/page", data={"url": url}).status_code == 403


@pytest.mark.parametrize("url", ["https://help.example/moved", "https://help.example/latin"])
def test_a_page_that_moved_or_is_written_in_another_way_is_read(town: Town, site: list[str], url: str) -> None:
    found = town.browser("cleo").post("/answers/import/page", data={"url": url})
    assert found.status_code == 200
    assert "by the rivière" in found.text
    assert f'name="url" value="{site[-1]}"' in found.text, "the source is where it was found"
    assert len(site) == (2 if "moved" in url else 1)


def test_what_is_picked_is_taken_once_and_what_cannot_be_is_shown_again(town: Town) -> None:
    cleo = town.browser("cleo")
    add(town, "Where is it made?", "By the river.")
    picked = {
        "pick": ["1", "2", "3"], "url": "https://help.example/faq", "topic": "how_to", "title-1": "Where is it made?", "body-1": "By the river.",
        "title-2": "x" * 201, "body-2": "My careful words.", "title-3": "Why?", "body-3": "Because it is so.",
    }  # fmt: skip
    again = cleo.post("/answers/import/picked", data=picked)
    assert again.status_code == 422
    assert "1 added , 1 known already, 1 not taken: Number 2: The question holds at most 200 characters." in words(again)
    assert "My careful words." in again.text and "Because it is so." not in again.text
    assert len(stored()) == 2
    assert cleo.post("/answers/import/picked", data={"url": "x"}).status_code == 400


def test_public_answers_are_read_without_a_session_where_the_brand_wishes(town: Town) -> None:
    shown, hidden = add(town, public=True), add(town, "An inner matter", "Ask Tess <tess@northwind.example>.")
    nobody = town.browser("ada").application.test_client()
    url = f"/a/northwind/{shown.id}-how-do-i-reset-the-hub"
    assert nobody.get(url).status_code == 404
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {"public_answers": True}
    answer = nobody.get(url)
    assert answer.status_code == 200
    assert "Hold the small button" in answer.text and "Cleo" not in answer.text and "Lindqvist" not in answer.text
    assert answer.headers["Cache-Control"] == "private, max-age=300", "a reader who holds a cookie"
    without = town.browser("ada").application.test_client().get(url)
    assert without.headers["Cache-Control"] == "public, max-age=300"
    assert without.headers["Vary"] == "Cookie"
    assert "Set-Cookie" not in without.headers
    assert nobody.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert nobody.get(f"/a/northwind/{shown.id}-wrong").location == url
    assert nobody.get(f"/a/northwind/{hidden.id}-an-inner-matter").status_code == 404
    assert nobody.get(f"/a/kestrel/{shown.id}-how-do-i-reset-the-hub").status_code == 404
    index = nobody.get("/a/northwind/")
    assert url in index.text and "inner matter" not in index.text
    with db.transaction():
        actions.expire(fresh(shown), by=town.cleo)
    assert nobody.get(url).status_code == 404


def test_everybody_looks_for_a_public_answer_by_words_and_language(town: Town) -> None:
    """Red when inner answers are found too, or an answer that is gone asks the public to sign in."""
    shown = add(town, public=True)
    add(town, "How do I reset the secret hub?", "With the master key.")
    add(town, "Wie setze ich den Hub zurück?", "Halten Sie den kleinen Knopf zehn Sekunden lang.", public=True, lang="de")
    nobody = town.browser("ada").application.test_client()
    assert nobody.get("/a/northwind/?q=hub").status_code == 404, "the brand shows none"
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {"public_answers": True}
    found = nobody.get("/a/northwind/?q=can+you+tell+me+how+to+reset+a+hub")
    assert "How do I reset the hub?" in words(found) and "secret" not in words(found) and "noindex" in found.text
    assert "Nothing here fits these words" in words(nobody.get("/a/northwind/?q=zebra<b>"))
    german = words(nobody.get("/a/northwind/?lang=de"))
    assert "Wie setze ich" in german and "How do I reset" not in german
    assert nobody.get("/a/northwind/?lang=<b>&q=%00").status_code == 200
    with db.transaction():
        actions.expire(fresh(shown), by=town.cleo)
    gone = nobody.get(f"/a/northwind/{shown.id}-how-do-i-reset-the-hub")
    assert gone.status_code == 404
    assert "This answer is not here any more" in words(gone) and "/login" not in gone.text and "q=how+do+i+reset+the+hub" in gone.text


def test_a_recall_is_opened_and_followed_on_its_pages(town: Town) -> None:
    answer = add(town)
    task = told(town.brand, "How can I reset my hub?")
    ada, cleo = town.browser("ada"), town.browser("cleo")
    ada.post(f"/tasks/{task.id}/claim")
    text = "Hello! Hold the small button for ten seconds. Then you are done."
    ada.post(f"/tasks/{task.id}/submit", data={"text": text, "voice": "own", "used": f"a{answer.id}.1"})
    with db.transaction() as session:
        reply = session.scalars(select(Reply).where(Reply.task_id == task.id)).one()
        posting = moderation.approve(reply, by=town.cleo, revision=reply.revision)
    placed(posting, town.ada)
    news()
    cleo.post(f"/answers/{answer.id}/versions", data={"title": "How do I reset the hub?", "body": "Turn the key twice.", "based_on": "1"})
    assert "1 posted reply rests on earlier words" in words(cleo.get(f"/answers/{answer.id}"))
    weighed = cleo.get(f"/answers/{answer.id}/recall")
    assert "Then you are done." in weighed.text
    opened = cleo.post(f"/answers/{answer.id}/recall", data={"fact": "It is a key now.", "urgency": "high", "reply": [str(reply.id)]})
    assert opened.status_code == 303
    assert "It is a key now." in words(cleo.get(opened.location))
    assert f'href="{opened.location}"' in cleo.get(f"/answers/{answer.id}").text, "who keeps the answer sees how far it is"
    begin_corrections()
    assert "What we said there holds no longer" in words(ada.get("/desk"))
    assert town.browser("ada").get(opened.location).status_code == 403
