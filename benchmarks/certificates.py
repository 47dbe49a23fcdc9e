"""The certificate of every family, on tiny checkpoints with random weights: the table in docs/models.md.

    python benchmarks/certificates.py

Each family's checkpoint is made from its config by transformers' own class (tests/tiny.py) and tried in float32 and in
bfloat16 by the long form of `mmx models check`. MiniMax's is made in the publisher's layout.
"""

import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from tiny import FAMILIES, make_model
from tiny_families import LIBRARY_FAMILIES
from tiny_minimax import make_original

from mmxcli.models.certificate import Certificate, certify
from mmxcli.models.load import anatomy_of, load_model


def main() -> None:
    print("| family | memory | float32: largest difference | bfloat16: distance, times one pass | resumed |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for family in (*FAMILIES, *LIBRARY_FAMILIES):
            row(make_model(Path(folder) / family, family), family)
        row(make_original(Path(folder) / "minimax"), "minimax")


def row(folder: Path, family: str) -> None:
    exact, narrow = (
        certify(load_model(folder, dtype), anatomy_of(folder), family) for dtype in (torch.float32, torch.bfloat16)
    )
    verdicts = "bit for bit" if exact.resume_bitwise and narrow.resume_bitwise else "**no**"
    print(
        f"| `{family}` | {exact.memory} | {shown(exact)} | {narrow.spread:.2f}{failed(narrow)} | {verdicts} |",
        flush=True,
    )


def shown(certificate: Certificate) -> str:
    return f"{certificate.max_logit_diff:.1e}{failed(certificate)}"


def failed(certificate: Certificate) -> str:
    return "" if certificate.exact else " (fails)"


if __name__ == "__main__":
    main()
