"""A real gunicorn process for tests, with our settings, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import requests

PATIENCE_S = 60
SETTINGS = "python:musicgen.web.gunicorn_settings"
RAIN: dict[str, Any] = {"prompt": "rain", "duration": 5}


class Server:
    """A gunicorn process on a free port, and the lines it logs.

    The listening socket is made here and handed over, so no port is lost to others, and a request that comes before
    the workers are up waits in the socket's queue.
    """

    def __init__(
        self, folder: Path, *flags: str, app: str = "tests.web.server_app:app", model: str = "tone", **settings: str
    ) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.is_threaded = "--worker-class=sync" not in flags
        environ = os.environ | {
            "OUTPUT_DIR": str(folder / "output"),
            "DATABASE_URL": f"sqlite:///{folder}/musicgen.sqlite",
            "MUSICGEN_MODEL": model,
            "MUSICGEN_DEVICE": "cpu",
            "MIN_FREE_DISK_MB": "0",
            **settings,
        }
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            self.address: tuple[str, int] = listener.getsockname()
            bind = f"--bind=fd://{listener.fileno()}"
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", SETTINGS, bind, *flags, app],
                cwd=Path(__file__).parents[1],
                env=environ,
                pass_fds=[listener.fileno()],
                stderr=subprocess.PIPE,
                text=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()

    def url(self, path: str) -> str:
        return f"http://{self.address[0]}:{self.address[1]}{path}"

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url(path), timeout=PATIENCE_S)

    def generate(self, **fields: str) -> requests.Response:
        return requests.post(self.url("/api/generate"), json=RAIN | fields, timeout=PATIENCE_S)

    def wait_for(self, text: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: any(text in line for line in self.lines), PATIENCE_S), self.lines

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self._reader.join(PATIENCE_S)
