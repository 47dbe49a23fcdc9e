import re

import pytest

from mmxcli.models.registry import DEFAULT, REGISTRY, Entry, HubFile, Wheels


def test_the_default_is_an_embedded_model() -> None:
    assert DEFAULT in REGISTRY


@pytest.mark.parametrize("entry", REGISTRY.values(), ids=REGISTRY)
def test_an_entry_says_which_bytes_it_is_and_where_they_may_come_from(entry: Entry) -> None:
    assert REGISTRY[entry.name] is entry
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert re.fullmatch(r"[\w.-]+\.gguf", entry.file)
    assert [type(source) for source in entry.sources] == [HubFile, Wheels]
    wheels = entry.sources[1]
    assert isinstance(wheels, Wheels)
    for requirement, member in wheels.members:
        name = re.fullmatch(r"([\w-]+)==\d+\.\d+\.\d+", requirement)
        assert name
        assert member.split("/")[0] == name[1].replace("-", "_")
    assert len(set(wheels.members)) == len(wheels.members)
