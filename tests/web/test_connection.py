"""Whether a client has hung up, on real sockets."""

import socket
import ssl
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from musicgen.web.connection import client_is_gone

PATIENCE_S = 60


def connection() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection: the server's and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return listener.accept()[0], client


def test_a_silent_client_is_there() -> None:
    server, client = connection()
    with server, client:
        assert not client_is_gone({"gunicorn.socket": server})


def test_a_client_that_sends_its_next_request_is_there_and_loses_nothing() -> None:
    server, client = connection()
    with server, client:
        client.sendall(b"GET")
        assert server.recv(1, socket.MSG_PEEK) == b"G"
        assert not client_is_gone({"gunicorn.socket": server})
        assert server.recv(3) == b"GET"


def test_a_closed_connection_is_noticed() -> None:
    server, client = connection()
    with server:
        client.close()
        server.recv(1, socket.MSG_PEEK)
        assert client_is_gone({"gunicorn.socket": server})


def test_a_broken_connection_is_noticed() -> None:
    server, client = connection()
    with server:
        # Lingering for zero seconds sends a reset.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert client_is_gone({"gunicorn.socket": server})


def test_the_development_server_tells_too() -> None:
    is_served, may_look, has_looked = (threading.Event() for _ in range(3))
    gone = []

    @Request.application
    def look(request: Request) -> Response:
        gone.append(client_is_gone(request.environ))
        is_served.set()
        may_look.wait(PATIENCE_S)
        gone.append(client_is_gone(request.environ))
        has_looked.set()
        return Response()

    server = make_server("127.0.0.1", 0, look, threaded=True)
    with ThreadPoolExecutor() as pool:
        pool.submit(server.serve_forever)
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert is_served.wait(PATIENCE_S)
        may_look.set()
        assert has_looked.wait(PATIENCE_S)
        server.shutdown()
    server.server_close()
    assert gone == [False, True]


def test_other_servers_give_no_answer() -> None:
    assert not client_is_gone({})
    assert not client_is_gone({"gunicorn.socket": object()})


def test_tls_gives_no_answer() -> None:
    server, client = connection()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with client, context.wrap_socket(server, server_side=True, do_handshake_on_connect=False) as wrapped:
        client.close()
        assert not client_is_gone({"gunicorn.socket": wrapped})
