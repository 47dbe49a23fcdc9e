"""How torch computes once a model was loaded."""

import subprocess
import sys

ASKED = """
import torch
torch.set_num_threads(2)
from mmxcli.models.computing import prepare, without_denormals
prepare()
def tiny():  # by all threads
    return int((torch.full((1_000_000,), 1e-30) * 1e-10).count_nonzero())
with without_denormals():
    within = tiny()
print(within, 1e-300 * 1e-15 > 0)
"""


def test_what_vanishes_is_zero_in_every_thread_and_python_s_own_numbers_stay_what_they_are() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]
