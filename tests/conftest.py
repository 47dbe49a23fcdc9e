"""What tests of every floor share."""

import atexit
import os
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from platformdirs import user_cache_path
from tiny import make_model

from mmxcli.config import Settings
from mmxcli.models import weights
from mmxcli.models.weights import locate, locate_encoder

# Compiled once, and not for each test's own folder of weights.
os.environ.setdefault("NUMBA_CACHE_DIR", str(user_cache_path("mmx-tests", ensure_exists=True) / "compiled"))
# Tiny models gain nothing from threads, and lose much where the machine has other work.
os.environ["OMP_NUM_THREADS"] = "1"  # for what mmx sets itself (models/threads.py), and in processes of their own
torch.set_num_threads(1)
# How long an example takes says how busy the machine is; what takes how long is for benchmarks/.
settings.register_profile("mmx", deadline=None)
settings.load_profile("mmx")
# A shell that starts the tests in the background has them ignore Ctrl-C, and so would what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nothing here meets a process that somebody keeps warm.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="mmx-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's question fetches the sentence encoder."""
    monkeypatch.setattr(weights, "SENTENCE_ENCODER", replace(weights.SENTENCE_ENCODER, sources=()))


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """Where the embedded models' real weights stay between test runs."""
    return Path(os.environ.get("MMX_TEST_WEIGHTS") or user_cache_path("mmx-tests") / "weights")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of three layers in float32 with random weights."""
    return make_model(tmp_path_factory.mktemp("tiny") / "llama")


@pytest.fixture
def settings(tmp_path: Path, tiny_folder: Path) -> Settings:
    """Settings whose every file is in a folder of this test's own, with the tiny model."""
    home, weights = tmp_path / "home", tmp_path / "weights"
    return Settings(home=home, weights=weights, model=str(tiny_folder), window=64, chunk=16, checkpoint_tokens=64)


@pytest.fixture(scope="session")
def real_encoder(weights_folder: Path) -> Path:
    """The folder of the sentence encoder's real weights, beside those of the models."""
    return locate_encoder(weights_folder)


@pytest.fixture(scope="session", params=["smollm2-135m", "qwen2.5-coder-0.5b"])
def real_model(request: pytest.FixtureRequest, weights_folder: Path) -> Path:
    """The folder of an embedded model's real weights; fetched where it is not there yet."""
    return locate(request.param, weights_folder).path
