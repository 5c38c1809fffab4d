"""Makes the app, nothing else."""

from app.config import BadConfig
from app.factory import create_app

try:
    app = create_app()
except BadConfig as reason:
    raise SystemExit(f"Vouch cannot start: {reason}") from None
