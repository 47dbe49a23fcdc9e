"""Questions about which files there are."""

import pytest
from indexes import write

from mmxcli.recall.files import listed
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.select import select
from mmxcli.sources.segment import Segment
from mmxcli.sources.tree import tree_of

MANY = [f"big/module_{number}.py" for number in range(200)]
PATHS = [
    "README.md",
    "setup.py",
    "src/parsers/json.py",
    "src/parsers/xml.py",
    "tests/parsers/x.py",
    "a/Makefile",
    *MANY,
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> RecallIndex:
    tree = tree_of("work/repo", PATHS)
    texts = [part.text for part in tree.segments() if isinstance(part, Segment)]
    documents = {"work/repo/src/parsers/json.py": ["def files():\n    return 'json.py'\n"], tree.name: texts}
    return RecallIndex(write(tmp_path_factory.mktemp("index") / "index", documents))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which files are there in src/parsers?", "2 files: json.py, xml.py"),
        ("How many files are in the src folder?", "1 folder: parsers (2 files)"),
        ("List the files in `a/`.", "1 file: Makefile"),
        (
            "What folders are in the repository?",
            "4 folders: a (1 file), big (200 files), src (2 files), tests (1 file)",
        ),
        ("Which files are in big?", f"200 files: {', '.join(sorted(name[4:] for name in MANY))}"),
    ],
)
def test_the_tree_answers(index: RecallIndex, question: str, text: str) -> None:
    found = listed(index, question)
    assert found and found.text == text
    quoted = " ".join(index.text(found.source, *span) for span in found.spans)
    assert all(name in quoted for name in text.partition(": ")[2].split(", "))
    assert all(end - start <= 300 for start, end in found.spans)


@pytest.mark.parametrize(
    "question",
    [
        "Which files are there in parsers?",  # there are two such folders
        "Which files are in docs?",
        "What is in setup.py?",
        "Which functions read the files in the cache when the disk is full?",
    ],
)
def test_the_tree_does_not_answer(index: RecallIndex, question: str) -> None:
    assert listed(index, question) is None


def test_only_questions_about_files_recall_the_tree(index: RecallIndex) -> None:
    def recalled(question: str) -> set[str]:
        return {hit.passage.source.rpartition("/")[2] for hit in select(index, question, 8)}

    assert recalled("What does json.py return?") == {"json.py"}
    assert " (tree)" in recalled("Which file is json.py?")
