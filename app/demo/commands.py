"""`flask demo-network`."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from werkzeug.serving import WSGIRequestHandler, make_server

from app.accounts.brands import brand_by_slug
from app.config import Config
from app.demo.connect import connect
from app.demo.server import make_network
from app.demo.store import Store
from app.demo.telling import Teller
from app.kernel.db import db
from app.kernel.errors import VouchError
from app.kernel.processes import port_is_free

HOST = "127.0.0.1"


@click.command("demo-network")
@click.option("--port", default=5001, show_default=True, type=click.IntRange(1, 65_535), help="Where it listens, on loopback.")
@click.option("--brand", "slug", default="northwind", show_default=True, help="The brand whose channel “demo” it speaks.")
@with_appcontext
def demo_network(port: int, slug: str) -> None:
    """A small public timeline to try Vouch on: post as a customer, see the vetted reply appear, answer it."""
    config: Config = current_app.config["VOUCH"]
    if config.env == "production":
        raise click.ClickException("The demo network is never part of a production start.")
    if not port_is_free(port):
        raise click.ClickException(f"Port {port} is in use: choose another one with --port.")
    try:
        with db.transaction():
            connect(config, brand_by_slug(slug), f"http://{HOST}:{port}/reply")
    except VouchError as error:
        raise click.ClickException(f"{error.message} Run “flask seed” first for the demo brands." if error.status == 404 else error.message) from None

    store = Store(config.data_dir)
    server = make_server(HOST, port, make_network(store, config.data_dir), threaded=True, request_handler=_Quiet)
    teller = Teller(store, config.data_dir)

    def stop(*_: Any) -> None:
        # shutdown waits for the loop that this very handler interrupts: ask from a thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    teller.start()
    click.echo(f"demo network on http://{HOST}:{port}")
    server.serve_forever()
    teller.stop()
    teller.join(timeout=6)
    server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """A page that asks every two seconds would fill the terminal."""
