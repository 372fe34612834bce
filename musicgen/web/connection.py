"""Whether the client still listens. Knows the plain sockets of gunicorn and of Flask's development server.

Other servers, and TLS, give no answer.
"""

import socket
import ssl
from collections.abc import Mapping
from typing import Any


def client_is_gone(environ: Mapping[str, Any]) -> bool:
    """Say whether the client of this WSGI request has hung up; False where it cannot be known."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    # A TLS socket cannot be peeked into.
    if not isinstance(connection, socket.socket) or isinstance(connection, ssl.SSLSocket):
        return False
    try:
        # No bytes at all is how a closed connection reads; bytes are the client's next request.
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
