"""The packets of `sio` against vectors, and against the official parsers.

`vectors.py` reads the vectors, `layers.py` is what is tested, `oracle.py` the official parsers. `fuzz.py` looks for
disagreements; those that are meant are in `deviations.json`.
"""
