"""How DiffRhythm counts time: in frames of its sound codec; and how long a song may be.

Standard library only, for the card and for what refuses a bad request.
"""

SAMPLE_RATE = 44_100  # Hz
SAMPLES_PER_FRAME = 2048  # so 21.5 frames a second
BASE_MAX_FRAMES, LONG_MAX_FRAMES = 2048, 6144  # of the two networks
LONGEST_S = 285  # whole seconds: the long network makes at most 6144 frames, 285.3 s
