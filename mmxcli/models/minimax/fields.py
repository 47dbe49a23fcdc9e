"""The values in a config.json, where one thing may stand under several names."""

from pathlib import Path
from reprlib import repr as shown  # on one line, and short, whatever the value is
from typing import Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.checkpoint import read_json

LARGEST = 1e15  # no size or constant of a model comes near it


class Fields:
    """What config.json says, by name; what it says about rotary embeddings also as `rope_parameters.NAME`."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelError where there is no config.json, DamagedError for one that is no JSON."""
        self.path = folder / "config.json"
        if not self.path.is_file():
            raise ModelError(f"{folder} has no config.json: it is not a model folder")
        self.values = read_json(self.path)
        rotary = self.values.get("rope_parameters") or self.values.get("rope_scaling") or {}
        if not isinstance(rotary, dict):
            raise self.odd(f"rope_parameters is {shown(rotary)}")
        self.values |= {f"rope_parameters.{name}": value for name, value in rotary.items()}

    def odd(self, what: str) -> DamagedError:
        """The error for a config that makes no sense."""
        return DamagedError(f"{self.path}: {what}; get the model again")

    def value(self, *names: str) -> Any:
        """What stands under these names, None where nothing does. Raises DamagedError where two of them differ."""
        found = {name: self.values[name] for name in names if self.values.get(name) is not None}
        first = next(iter(found), "")
        for name, value in found.items():
            if value != found[first]:
                raise self.odd(f"{first} is {shown(found[first])}, but {name} is {shown(value)}")
        return found.get(first)

    def number(self, *names: str, default: float | None = None) -> float:
        """A number above zero. Raises DamagedError for any other value, and for none where there is no default."""
        value = self.value(*names)
        value = default if value is None else value
        if value is None:
            raise self.odd(f"{names[0]} is missing")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LARGEST:
            raise self.odd(f"{names[0]} is {shown(value)}")
        return float(value)

    def whole(self, *names: str, default: int | None = None) -> int:
        """As `number`, without a fraction."""
        value = self.number(*names, default=default)
        if not value.is_integer():
            raise self.odd(f"{names[0]} is {shown(value)}")
        return int(value)
