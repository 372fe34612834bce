"""What gunicorn and `flask` start from."""

from musicgen.app import create_app

app = create_app()
