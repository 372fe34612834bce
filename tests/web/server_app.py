"""What gunicorn serves in `test_server`: settings from the environment, engines from `tone_engine`."""

from musicgen.app import create_app
from tests.tone_engine import CARDS

app = create_app({"ENGINE_CARDS": CARDS})
