"""`flask generate "prompt"` and its sisters: the service on the command line.

Owns options, exit codes (0 done, 1 failed, 2 bad input, 130 Ctrl-C, 143 SIGTERM) and what goes to which stream: results
to stdout, everything else to stderr. The rules for a request are those of HTTP, from the same schema.
"""

from typing import Any

import click
from flask import Flask

from musicgen.cli.generating import generate, understand
from musicgen.cli.looking_after import tracks
from musicgen.cli.models import models
from musicgen.cli.styles import styles
from musicgen.database import MIGRATIONS_DIR, db


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (generate, understand, styles, tracks, models, MigrationCommands(app)):
        app.cli.add_command(command)


class MigrationCommands(click.Command):
    """`flask db`: Flask-Migrate's commands, imported when one is used, as Alembic would slow every other one down."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Look at or change the schema of the database; the server does so by itself.")
        self._app = app

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Hand over to Flask-Migrate."""
        import flask_migrate.cli

        flask_migrate.Migrate(self._app, db, directory=MIGRATIONS_DIR)
        context: click.Context = flask_migrate.cli.db.make_context(info_name, args, parent, **extra)
        return context
