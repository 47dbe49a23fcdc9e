"""Models from the Hugging Face hub: safetensors, JSON and templates only, so no pickle and no code."""

from pathlib import Path
from typing import Any

from mmxcli.errors import ModelError
from mmxcli.models.background import in_background
from mmxcli.models.checkpoint import check_files
from mmxcli.models.files import OnProgress

_WANTED: dict[str, Any] = {
    "allow_patterns": ["*.safetensors", "*.json", "*.jinja"],
    "ignore_patterns": ["*/*", "consolidated*"],  # copies in other layouts
}


def snapshot(name: str, cache: Path, *, offline: bool, on_progress: OnProgress | None = None) -> Path:
    """The folder of the model `name` ("org/name"), from Hugging Face's own cache or from `cache`, to which it
    is downloaded when neither has it whole. `on_progress` counts bytes.

    Raises ModelError when it is not here and `offline`, or the hub does not give it.
    """
    from huggingface_hub import errors, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    for place in (None, cache):
        try:
            folder = Path(snapshot_download(name, cache_dir=place, local_files_only=True, **_WANTED))
            check_files(folder)
            return folder
        except (errors.LocalEntryNotFoundError, ModelError):
            continue
    if offline:
        raise ModelError(f"{name}: is not on this machine; run without --offline: mmx models pull {name}")
    disable_progress_bars()
    broken: tuple[type[Exception], ...] = (OSError, errors.HTTPError)  # type: ignore[attr-defined]
    download: dict[str, Any] = {"repo_id": name, "cache_dir": cache, **_WANTED}
    blobs = cache / f"models--{name.replace('/', '--')}" / "blobs"
    try:
        files = snapshot_download(dry_run=True, **download)
        total = sum(file.file_size for file in files)

        def report() -> None:
            done = sum(path.stat().st_size for path in blobs.glob("*") if path.exists())
            if on_progress:
                on_progress("fetch", min(done, total), total, "bytes")

        folder = Path(in_background(lambda: snapshot_download(**download), report))
        report()
    except errors.GatedRepoError as error:
        raise ModelError(f"{name}: its owner asks for consent on the hub first; then set HF_TOKEN") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(f"{name}: the hub has no such model") from error
    except broken as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{name}: cannot be downloaded from the hub ({reason})") from error
    return folder
