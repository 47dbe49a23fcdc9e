"""A model that is known by its config alone, and need not be here."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmxcli.errors import UsageError
from mmxcli.models.anatomy import Anatomy, Quant
from mmxcli.models.fields import Fields
from mmxcli.models.load import anatomy_of, prefers_float32
from mmxcli.models.minimax.config import MiniMaxConfig, is_minimax
from mmxcli.models.minimax.known import KNOWN
from mmxcli.models.registry import REGISTRY
from mmxcli.models.shape import Shape, foreign
from mmxcli.models.weights import installed

if TYPE_CHECKING:
    from mmxcli.models.runner import Model


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`config` is a Shape, a MiniMaxConfig, or transformers' own object. `dtype` names that of the weights as they
    are. `mapped`: they are read where they lie in their files, so that they need not fit into memory. `widens`: this
    processor computes them sooner in float32."""

    name: str
    config: Any
    anatomy: Anatomy
    dtype: str = "bfloat16"
    mapped: bool = True
    widens: bool = False

    @property
    def stored_bytes(self) -> int:
        """Of the weights as they are."""
        return self.anatomy.weight_bytes("none") * (2 if self.dtype == "float32" else 1)

    def dtype_in(self, quant: Quant) -> str:
        """That of the weights as `quant` keeps them, or of what is packed."""
        return "float32" if quant == "float32" else self.dtype

    @property
    def by_library(self) -> bool:
        """Whether transformers' classes compute it."""
        return not isinstance(self.config, Shape | MiniMaxConfig)

    @property
    def repeats(self) -> int:
        """The skeleton is one of so many equal parts, so that the largest model takes no longer than others."""
        return self.config.layers // self.config.period if isinstance(self.config, MiniMaxConfig) else 1

    def skeleton(self, quant: Quant) -> "Model":
        """The model, or a part of it that is repeated, with weights that have shapes and no contents."""
        import torch

        from mmxcli.models.skeleton import skeleton

        config = self.config
        if self.repeats > 1:
            config = replace(config, attention=config.attention[: config.period])
        model = skeleton(config, getattr(torch, self.dtype_in(quant)))
        if quant in {"int8", "nf4"}:
            with torch.device("meta"):
                model.pack(quant, model.device)
        return model


def find_blueprint(name: str, weights_folder: Path) -> Blueprint:
    """Of an embedded model, of one that MiniMax published, of one in `weights_folder`, or of a folder with a
    config.json. Fetches nothing.

    Raises UsageError for anything else, ModelError for a family that mmx does not run, DamagedError for a config that
    makes no sense.
    """
    shape = REGISTRY[name].shape if name in REGISTRY else None
    config = KNOWN.get(name.lower(), shape)
    if config is not None:
        return Blueprint(name, config, config.anatomy())
    here = (model.path for model in installed(weights_folder) if model.name == name)
    for folder in (*here, Path(name).expanduser()):
        if found := sorted(folder.glob("config.json")) or sorted(folder.glob("snapshots/*/config.json")):
            return read_blueprint(found[0].parent, name)
    known = ", ".join((*REGISTRY, *KNOWN))
    raise UsageError(f"no model is called '{name}': use {known}, or a folder with a config.json")


def read_blueprint(folder: Path, name: str) -> Blueprint:
    """From a folder's config.json. Raises what `find_blueprint` raises of a folder."""
    fields = Fields(folder)
    kept = fields.dtype or "bfloat16"
    dtype = "float32" if kept == "float32" else "bfloat16"  # float16 is converted when it is loaded
    if foreign(fields) is None:
        shape = Shape.read(folder)
        return Blueprint(name, shape, shape.anatomy(), dtype, mapped=kept == dtype)
    if is_minimax(fields):
        minimax = MiniMaxConfig.read(folder)
        return Blueprint(name, minimax, minimax.anatomy(), dtype, mapped=kept == dtype)
    from mmxcli.models.library.load import read_config

    config, anatomy = read_config(fields), anatomy_of(folder)
    return Blueprint(name, config, anatomy, dtype, mapped=False, widens=prefers_float32(fields))
