"""Makes the app, nothing else."""

from app.factory import create_app

app = create_app()
