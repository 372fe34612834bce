"""How gunicorn serves musicgen: `gunicorn -c python:musicgen.web.gunicorn_settings wsgi:app`.

WEB_CONCURRENCY, which gunicorn reads itself, sets the number of workers. The default of 1 is right for one machine's
worth of work: a generation uses every core, and each worker keeps an engine of its own in memory. Command line flags
win over this file.
"""

import sys
from typing import Any

from musicgen.config import load_config

_config = load_config()
# Those who listen to a stream, or fetch a file, at the speed of a player: each holds a thread until the end. A thread
# that is not needed is not started.
_LISTENERS = 32
# Requests that answer at once and must find a thread while generations and listeners hold the others.
_SPARE_THREADS = 4
# How long a thread that makes music may keep Python from others that come back from waiting, which a request does
# dozens of times. With Python's own 5 ms the answers beside a generation take two to three times as long.
_SWITCH_INTERVAL_S = 0.001

# This machine only, as long as everybody who reaches the port may generate and delete: a proxy in front decides who
# does, or `--bind 0.0.0.0:8000` lets the network in.
bind = f"127.0.0.1:{_config['PORT']}"
# One process, many threads: a worker can list and deliver tracks while one of its threads generates.
worker_class = "gthread"
# One generates, MAX_WAITING wait in line, and the rest stay free for everything else.
threads = 1 + _config["MAX_WAITING"] + _LISTENERS + _SPARE_THREADS
# Each worker imports the app after the fork: torch's threads and database connections do not survive one.
preload_app = False
# A gthread worker reports in while its threads work, so this ends only a process that hangs. With the sync class it
# would be the longest possible generation.
timeout = 600
# A stopping worker lets its generations finish for so many seconds.
graceful_timeout = 60
# Longer than browsers and proxies pause between the calls of one page.
keepalive = 15
# Nobody steers the server but its supervisor; the socket would be one more door.
control_socket_disable = True

accesslog = "-"
# The one line of a request; %(M)s are milliseconds until the last byte was sent.
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s bytes %(M)s ms request_id=%({x-request-id}o)s'
logconfig_dict: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    # Gunicorn's own loggers reach the root's handler instead of having more of their own.
    "loggers": {
        # Says at every migration which of its parts it loads.
        "alembic.runtime.plugins": {"level": "WARNING"},
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "INFO", "handlers": [], "propagate": True},
    },
}


def post_fork(_server: object, _worker: object) -> None:
    """Prepare a worker that has just begun."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
