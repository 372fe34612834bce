"""The application factory: settings -> extensions -> blueprints -> commands.

Importing it, or making an app, loads neither torch nor an engine: workers, migrations and `flask --help` start fast.
"""

import gc

# What an import makes stays to the end. Looking for garbage among it takes a fifth of a start, and once more as long at
# the exit of a short command.
_collected = gc.isenabled()
gc.disable()

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402

from musicgen import cli, database  # noqa: E402
from musicgen.config import load_config  # noqa: E402
from musicgen.music_model import music_model  # noqa: E402
from musicgen.web import cross_origin, documentation, error_handlers, headers  # noqa: E402

gc.freeze()
if _collected:
    gc.enable()


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make an app from the environment's settings; `config` overrides them.

    Raises:
        ValueError: a setting has a value that makes no sense.
    """
    app = Flask(__name__, instance_relative_config=True, template_folder="web/templates", static_folder="web/static")
    app.config.from_mapping(load_config())
    app.config.from_mapping(config or {})
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_BODY_BYTES"]
    # Fields come in the order in which the schemas have them.
    app.json.sort_keys = False  # type: ignore[attr-defined]

    database.init_app(app)
    music_model.init_app(app)
    headers.init_app(app)
    cross_origin.init_app(app)
    documentation.init_app(app)
    error_handlers.init_app(app)
    cli.init_app(app)
    return app
