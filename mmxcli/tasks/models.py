"""The models: which there are, what they need, and getting them."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.config import Settings
from mmxcli.errors import UsageError
from mmxcli.models.anatomy import QUANTS
from mmxcli.models.fields import Fields
from mmxcli.models.load import anatomy_of, load_model, prefers_float32
from mmxcli.models.registry import REGISTRY, SENTENCE_ENCODER
from mmxcli.models.weights import Installed, encoder_folder, installed, locate, locate_encoder
from mmxcli.reading.policy import Policy
from mmxcli.reading.progress import Note, Report, relay
from mmxcli.tasks.events import Event

if TYPE_CHECKING:
    from mmxcli.models.certificate import Certificate


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model. Sizes are in bytes: `bytes` those of the files here or, before they are, of what is
    fetched, `weight_bytes` those of the weights in memory by quantisation. What only its files tell is None until they
    are here. `memory` names the kind beyond the window."""

    name: str
    summary: str
    licence: str
    installed: bool
    path: Path | None
    bytes: int
    family: str | None = None
    memory: str | None = None
    trained_window: int | None = None
    state_bytes_fixed: int | None = None
    state_bytes_per_token: int | None = None
    parameters: int | None = None
    weight_bytes: dict[str, int] | None = None


MEMORIES = {
    "softmax": "full within the trained window, windowed beyond",
    "hybrid": "hybrid: recurrent layers of fixed size, softmax layers that grow",
    "recurrent": "recurrent: of fixed size",
}


def list_models(settings: Settings) -> list[ModelCard]:
    """The embedded models, here or not, then what else is in the weights folder."""
    here = {model.name: model for model in installed(settings.weights_folder)}
    names = [*REGISTRY, *(name for name in here if name not in REGISTRY)]
    return [_card(name, here[name].path if name in here else None, _bytes(name, here)) for name in names]


def show_model(settings: Settings, name: str) -> ModelCard:
    """The card of an embedded model, of one in the weights folder, or of a folder of weights; of the sentence encoder
    too, though it is none of the models. Fetches nothing.

    Raises UsageError for anything else."""
    if name == SENTENCE_ENCODER.name:
        return _encoder(encoder_folder(settings.weights_folder))
    for card in list_models(settings):
        if card.name == name:
            return card
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return _card(name, folder, _size(folder))
    raise UsageError(f"no model is called '{name}': see `mmx models list`, or name a folder of weights")


def pull_model(settings: Settings, name: str) -> Iterator[Event]:
    """Fetches and converts a model, or checks the one that is here. The sentence encoder too goes by its name."""
    if name == SENTENCE_ENCODER.name:
        yield from relay(
            lambda report: locate_encoder(settings.weights_folder, offline=settings.offline, on_progress=report)
        )
        return
    yield from relay(lambda report: locate(name, settings.weights_folder, offline=settings.offline, on_progress=report))


def check_model(settings: Settings, name: str) -> Generator[Event, None, "Certificate"]:
    """Fetches a model where it must be, tries it in the long form, and remembers the verdict, good or not.

    Raises DamagedError for weights that are not what the config says, ModelError for a family mmx does not run.
    """
    weights = yield from relay(
        lambda report: locate(name, settings.weights_folder, offline=settings.offline, on_progress=report)
    )
    yield Note(f"reading {weights.name} in one pass, and in pieces of many sizes")

    def work(_: Report) -> "Certificate":
        from mmxcli.models.trust import checked

        anatomy = anatomy_of(weights.path)
        widens = prefers_float32(Fields(weights.path))
        quant = Policy(settings, anatomy, _size(weights.path), widens=widens).quant
        model = load_model(weights.path, quant=quant, device=settings.device)
        return checked(model, anatomy, weights.identity, weights.name, settings.weights_folder, quant)

    return (yield from relay(work))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _bytes(name: str, here: dict[str, Installed]) -> int:
    return here[name].bytes if name in here else REGISTRY[name].bytes


def _encoder(folder: Path) -> ModelCard:
    entry, here = SENTENCE_ENCODER, folder.is_dir()
    size = _size(folder) if here else entry.bytes
    return ModelCard(entry.name, entry.summary, entry.licence, here, folder if here else None, size)


def _card(name: str, folder: Path | None, size: int) -> ModelCard:
    entry = REGISTRY.get(name)
    card = ModelCard(
        name=name,
        summary=entry.summary if entry else "your own",
        licence=entry.licence if entry else "see its publisher",
        installed=folder is not None,
        path=folder,
        bytes=size,
    )
    if folder is None or not (folder / "config.json").is_file():
        return card
    anatomy = anatomy_of(folder)
    return ModelCard(
        name=card.name,
        summary=card.summary,
        licence=card.licence,
        installed=True,
        path=folder,
        bytes=size,
        family=anatomy.family,
        memory=MEMORIES[anatomy.memory],
        trained_window=anatomy.trained_window,
        state_bytes_fixed=anatomy.state_bytes_fixed,
        state_bytes_per_token=anatomy.state_bytes_per_token,
        parameters=anatomy.parameters,
        weight_bytes={quant: anatomy.weight_bytes(quant) for quant in QUANTS},
    )
