"""How torch computes once a model was loaded."""

import os
import subprocess
import sys

ASKED = """
import os, torch
torch.set_num_threads(2)
from mmxcli.models.computing import CACHES, prepare
prepare()
tiny = torch.full((1_000_000,), 1e-30) * 1e-10  # by all threads
print(int(tiny.count_nonzero()), *(os.environ[name] for name in CACHES))
"""


def told(**more: str) -> list[str]:
    command = [sys.executable, "-c", ASKED]
    done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_vanishes_is_zero_in_every_thread_and_few_products_are_kept() -> None:
    assert told() == ["0", "128", "128"]


def test_who_sets_how_many_products_are_kept_is_heard() -> None:
    assert told(LRU_CACHE_CAPACITY="7")[2] == "7"
