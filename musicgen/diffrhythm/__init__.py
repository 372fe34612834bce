"""DiffRhythm: whole songs by conditional flow matching, our own inference of the published weights."""
