"""How large a promise's test runs: short in `./run test`, full by `./run promises` (ROUNDS and SEED from its environment)."""

from __future__ import annotations

import os
import random

FULL = os.environ.get("VOUCH_PROMISES") == "full"
SEED = int(os.environ.get("VOUCH_PROMISES_SEED") or (random.SystemRandom().randrange(10**9) if FULL else 1))
"""The short run throws the same dice each time, so that it fails for what was changed; the full one throws new ones and prints them."""


def rounds(short: int, full: int) -> int:
    """How many rounds to play now; ROUNDS overrides the full number."""
    return int(os.environ.get("VOUCH_PROMISES_ROUNDS") or full) if FULL else short


def dice() -> random.Random:
    """Chance that can be repeated: the seed is printed with a failure."""
    print(f"seed {SEED}: run again with SEED={SEED} ./run promises")
    return random.Random(SEED)
