"""The web process: gunicorn mis.wsgi:app."""

from mis.app import create_app

app = create_app()
