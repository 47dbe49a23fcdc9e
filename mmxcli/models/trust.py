"""The certificates that were issued on this machine: a checkpoint is tried once, and used only when it passed."""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

import torch

from mmxcli import __version__
from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.anatomy import Anatomy
from mmxcli.models.certificate import Certificate, certify
from mmxcli.models.files import write
from mmxcli.models.gpu import described
from mmxcli.models.runner import Model
from mmxcli.models.small_files import read_json

FILE = "certificates.json"


def trusted(
    model: Model, anatomy: Anatomy, identity: str, name: str, weights_folder: Path, quant: str = "none"
) -> Certificate:
    """The certificate of the checkpoint with this `identity`, issued now in its short form unless it is known.

    Raises ModelError when the model does not continue exactly: it must not be used.
    """
    key = _key(model, identity, quant)
    certificate = _known(weights_folder / FILE).get(key)
    if certificate is None:
        certificate = certify(model, anatomy, name, quant, short=True)
        if not certificate.exact and model.dtype != torch.float32:
            # With few bits, rounding alone may do that where experts are chosen by a hair: the long form can tell.
            certificate = certify(model, anatomy, name, quant)
        remember(certificate, key, weights_folder)
    if not certificate.good:
        raise ModelError(f"{name}: {why(certificate)}; `mmx models check` tells more")
    return certificate


def remember(certificate: Certificate, key: str, weights_folder: Path) -> None:
    """Keeps a verdict for later runs. Raises OSError."""
    known = {name: asdict(issued) for name, issued in _known(weights_folder / FILE).items()}
    write(weights_folder / FILE, [json.dumps(known | {key: asdict(certificate)}, indent=1).encode()])


def checked(
    model: Model, anatomy: Anatomy, identity: str, name: str, weights_folder: Path, quant: str = "none"
) -> Certificate:
    """The long form, tried now and remembered, good or not."""
    certificate = certify(model, anatomy, name, quant)
    remember(certificate, _key(model, identity, quant), weights_folder)
    return certificate


def why(certificate: Certificate) -> str:
    """What is wrong with it, in words."""
    if not certificate.finite:
        return "its weights give infinite logits, or none that are numbers"
    if not certificate.exact:
        return "read in pieces it is not where one pass leaves it"
    return "its state does not come back from disk as it was"


def _key(model: Model, identity: str, quant: str) -> str:
    """Of everything that the verdict depends on. Whoever else computes is part of it: libraries and processor."""
    from importlib.metadata import version

    libraries = (torch.__version__, version("transformers"), described(model.device))
    parts = [__version__, identity, str(model.dtype), quant, *libraries]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _known(file: Path) -> dict[str, Certificate]:
    """What is in the file; nothing when it cannot be understood: then models are tried again."""
    names = {field.name for field in fields(Certificate)}
    try:
        found = read_json(file)
        records = {key: value for key, value in found.items() if isinstance(value, dict) and set(value) == names}
        return {
            key: Certificate(**value | {"chunkings": tuple(map(tuple, value["chunkings"]))})
            for key, value in records.items()
        }
    except (OSError, DamagedError, TypeError):
        return {}
