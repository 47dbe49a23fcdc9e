from pathlib import Path

import gguf as reference
import numpy as np
import pytest
import tiny_gguf
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.errors import MmxError, ModelError
from mmxcli.models import gguf


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_reads_what_the_gguf_package_reads(tmp_path: Path, family: str) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", family)
    ours, theirs = gguf.read(path), reference.GGUFReader(path)
    data = path.read_bytes()
    for key, field in theirs.fields.items():
        if not key.startswith("GGUF."):
            assert ours.metadata[key] == field.contents()
    assert list(ours.tensors) == [tensor.name for tensor in theirs.tensors]
    for tensor in theirs.tensors:
        found = ours.tensors[tensor.name]
        assert found.shape == tuple(reversed([int(length) for length in tensor.shape]))
        assert found.kind == tensor.tensor_type
        assert data[found.start : found.start + found.size] == np.ascontiguousarray(tensor.data).tobytes()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf").read_bytes()


@given(cut=st.integers(0, 1 << 20))
def test_a_file_cut_anywhere_is_one_clear_line(tiny: bytes, tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.gguf"
    path.write_bytes(tiny[: cut % len(tiny)])
    with pytest.raises(MmxError, match=r"cut\.gguf: not a GGUF file, or cut short") as caught:
        gguf.read(path)
    assert "\n" not in str(caught.value)


@given(st.data())
def test_a_changed_byte_never_gives_anything_but_a_model_or_an_error(
    tiny: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    changed = bytearray(tiny)
    for at in data.draw(st.lists(st.integers(0, 12000), min_size=1, max_size=4)):
        changed[at] = data.draw(st.integers(0, 255))
    path.write_bytes(changed)
    try:
        found = gguf.read(path)
    except MmxError:
        return
    assert all(tensor.start + tensor.size <= len(tiny) for tensor in found.tensors.values())


def test_a_version_to_come_is_named(tiny: bytes, tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(tiny[:4] + (4).to_bytes(4, "little") + tiny[8:])
    with pytest.raises(ModelError, match="GGUF version 4"):
        gguf.read(path)
