"""What gunicorn and `flask` start from."""

import gc

# Nearly everything that a start makes stays to the end. Looking for garbage among it takes a fifth of the start's time.
gc.disable()

from musicgen.app import create_app  # noqa: E402

app = create_app()

gc.freeze()
gc.enable()
# A song is tens of thousands of small objects that all live until it is written: look among them less often than at
# every 700th.
gc.set_threshold(50_000)
