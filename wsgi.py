"""What gunicorn and `flask` start from."""

import gc

from musicgen.app import create_app

# A song is tens of thousands of small objects that all live until it is written: look among them less often than at
# every 700th.
gc.set_threshold(250_000)

app = create_app()

gc.freeze()
