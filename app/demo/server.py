"""The demo network's pages and its side of the webhook channel."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.demo.connect import load
from app.demo.store import Store
from app.kernel.signing import SIGNATURE, Unsigned, verify

TEXT_LIMIT = 2_000
"""Characters of a customer's post."""
REPLY_LIMIT = 5_000
BODY_LIMIT = 100_000
HANDLE = re.compile(r"[A-Za-z0-9_]{2,30}")

CUSTOMERS = {
    "kettle_and_cat": ("Kettle & Cat", 212),
    "tess_onair": ("Tessa B", 1_840),
    "harbour_hal": ("Hal Osei", 96),
    "priya_plays": ("Priya R", 430),
    "lin_yt": ("林雨婷", 77),
    "grumpy_greg": ("Greg Miller", 15),
    "newsdesk_nora": ("Nora Blake", 48_200),
}
"""Handle to name and followers. Invented people."""

IDEAS = {
    "a question": "Hi @northwind, how do I change the channel my hub uses for 5 GHz? Can't find it in the app.",
    "an angry one": "@northwind THIRD evening without internet and your hotline hangs up on me. Absolutely useless, I am so done with you!!",
    "a technical one": "@northwind since firmware 4.2.1 my hub 6 reboots every night at 03:00, log says kernel panic in wlan0. Anyone else?",
    "thanks": "Shout-out to @northwind, the new hub was delivered a day early and was up in five minutes. Lovely!",
    "中文": "@northwind 我的路由器每天晚上都会断线，请问怎么设置信道？谢谢",
}
ANSWERS = {
    "Thanks": "Thank you so much, that solved it!",
    "Still stuck": "I tried that, but it still doesn't work. What else can I do?",
    "Angrier": "This is a joke. I did all of that already and it STILL does not work. I want this fixed NOW!",
}


def make_network(store: Store, folder: Path) -> Flask:
    """The application; credentials are read from `folder` whenever they are needed."""
    app = Flask("demo_network", root_path=str(Path(__file__).parent))
    app.config.update(MAX_CONTENT_LENGTH=BODY_LIMIT, MAX_FORM_MEMORY_SIZE=BODY_LIMIT)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["ago"] = _ago
    app.before_request(_only_from_here)
    app.after_request(_harden)

    def page(**more: Any) -> str:
        way = load(folder)
        return render_template(
            "timeline.html",
            threads=more.pop("threads", None) or store.threads(),
            brand=way.brand if way else None,
            customers=CUSTOMERS,
            ideas=IDEAS,
            answers=ANSWERS,
            handle=_cookie_handle(),
            version=store.version(),
            **more,
        )

    @app.get("/")
    def timeline() -> str:
        answering = request.args.get("answer", "")
        words = ANSWERS.get(request.args.get("with", ""), "") if answering else IDEAS.get(request.args.get("try", ""), "")
        return page(answering=answering, words=words, alone=False)

    @app.get("/posts/<ext_id>")
    def thread(ext_id: str) -> str:
        found = store.thread_of(ext_id)
        if found is None:
            abort(404, "There is no such post here.")
        return page(threads=[found], answering="", words="", alone=True)

    @app.get("/state")
    def state() -> ResponseReturnValue:
        return {"version": store.version()}

    @app.post("/posts")
    def say() -> ResponseReturnValue:
        handle = request.form.get("other", "").strip().removeprefix("@") or request.form.get("handle", "")
        text = request.form.get("text", "").replace("\r\n", "\n").strip()
        if not HANDLE.fullmatch(handle):
            abort(400, "A handle has 2 to 30 letters, digits or underscores.")
        if not 1 <= len(text) <= TEXT_LIMIT:
            abort(400, f"A post has 1 to {TEXT_LIMIT:,} characters.")
        name, followers = CUSTOMERS.get(handle, (handle, None))
        ext_id = store.say(handle, name, text, followers=followers, in_reply_to=request.form.get("in_reply_to") or None)
        answer = make_response(redirect(f"{url_for('timeline')}#{ext_id}", 303))
        answer.set_cookie("handle", handle, max_age=86_400, httponly=True, samesite="Lax")
        return answer

    @app.post("/posts/<ext_id>/delete")
    def remove(ext_id: str) -> ResponseReturnValue:
        if not store.remove(ext_id):
            abort(404, "There is no such post to delete.")
        return redirect(url_for("timeline"), 303)

    @app.post("/reply")
    def take_reply() -> ResponseReturnValue:
        body = request.get_data()
        way = _signed_by_vouch(folder, body)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        words = _reply_words(content)
        if words is None:
            return {"error": "idempotency_key, in_reply_to, text, voice and account are expected, each a text"}, 422
        if words["idempotency_key"] != request.headers.get("Idempotency-Key"):
            return {"error": "the Idempotency-Key header and the body differ"}, 422
        name = way if words["voice"] == "brand" else words["account"]
        published = store.reply(words["idempotency_key"], words["in_reply_to"], words["text"], words["voice"], words["account"] or name, name)
        if published is None:
            return {"error": "its author has deleted the post"}, 410
        ext_id, is_new = published
        return _where(ext_id), 201 if is_new else 200

    @app.get("/reply")
    def look_up() -> ResponseReturnValue:
        _signed_by_vouch(folder, b"")
        ext_id = store.reply_of(request.args.get("idempotency_key", ""))
        return _where(ext_id) if ext_id else ({"error": "no such reply"}, 404)

    @app.errorhandler(400)
    @app.errorhandler(403)
    @app.errorhandler(404)
    @app.errorhandler(413)
    def refuse(error: Any) -> ResponseReturnValue:
        return render_template("refused.html", words=error.description), error.code

    return app


def _where(ext_id: str) -> dict[str, str]:
    return {"id": ext_id, "url": url_for("thread", ext_id=ext_id, _external=True)}


def _signed_by_vouch(folder: Path, body: bytes) -> str:
    """The brand's name, if Vouch signed this."""
    way = load(folder)
    if way is None:
        abort(make_response({"error": "nobody has introduced Vouch to this network yet"}, 401))
    try:
        verify([way.secret], request.headers.get(SIGNATURE), body, datetime.now(UTC))
    except Unsigned as error:
        abort(make_response({"error": str(error)}, 401))
    return way.brand


def _reply_words(content: Any) -> dict[str, str] | None:
    names = ("idempotency_key", "in_reply_to", "text", "voice", "account")
    if not isinstance(content, dict) or any(not isinstance(content.get(name), str) for name in names):
        return None
    words = {name: content[name] for name in names}
    try:
        json.dumps(words, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return None
    fits = words["idempotency_key"] and words["in_reply_to"] and 1 <= len(words["text"]) <= REPLY_LIMIT and words["voice"] in ("brand", "own")
    return words if fits else None


def _only_from_here() -> None:
    """On loopback every page of every site can reach us: only this network's own pages may post, and only under its own name."""
    if request.host.rpartition(":")[0] not in ("127.0.0.1", "localhost", "[::1]"):
        abort(403, "The demo network is reached on loopback only.")
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin != f"http://{request.host}":
        abort(403, "This form came from another site.")


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


_POLICY = "; ".join(
    ("default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self'")
    + ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'")
)


def _cookie_handle() -> str:
    handle = request.cookies.get("handle", "")
    return handle if HANDLE.fullmatch(handle) else next(iter(CUSTOMERS))


def _ago(moment: datetime) -> str:
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return "now"
