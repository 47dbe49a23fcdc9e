"""What sections say that are called by a version, a date or a number."""

import pytest
from indexes import opened

from mmxcli.recall.history import asks_about_a_section, history

CHANGES = """Version 2.1.0
-------------

Released 2024-03-05

-   Add ``--colour``. It takes a name.
-   Fix the index of empty
    files.

Version 2.0.1
-------------

Released 2023-11-30

-   Fix a crash when the disk is full.

Version 2.0.0
-------------

Released 2023-10-01

-   Remove the export to CSV.
-   Add an index.
"""
MARKDOWN = (
    "# Changelog\n\n## [1.10.0] - 2024-01-02\n\n### Added\n\n- Sails.\n\n### Fixed\n\n- A leak.\n\n"
    "## [1.1.0]\n\n- Oars.\n"
)
PLAIN = "mmx (1.2-1) unstable\n\n  * New upstream release.\n  * Sails are blue.\n\nmmx (1.1-1) unstable\n\n  * Oars.\n"
NOVEL = "".join(
    f"CHAPTER {number}\n\nThe {what} came to the harbour of Husvik before the winter. "
    f"Everybody in Husvik looked at the {what} for a long time and said nothing.\n\n"
    for number, what in (("I", "whale"), ("II", "bishop"), ("III", "circus"))
)


@pytest.mark.parametrize(
    ("text", "question", "title", "item"),
    [
        (CHANGES, "What changed in 2.0.1?", "Version 2.0.1", "Fix a crash when the disk is full."),
        (CHANGES, "What was removed in version 2.0?", "Version 2.0.0", "Remove the export to CSV."),
        (CHANGES, "What changed about the index in 2.1.0?", "Version 2.1.0", "Fix the index of empty files."),
        (CHANGES, "What changed on 30 November 2023?", "Version 2.0.1", "Fix a crash when the disk is full."),
        (CHANGES, "What was fixed in 2024?", "Version 2.1.0", "Fix the index of empty files."),
        (MARKDOWN, "What was added in 1.10.0?", "[1.10.0] - 2024-01-02", "Sails."),
        (MARKDOWN, "What is new in v1.1.0?", "[1.1.0]", "Oars."),
        (PLAIN, "What changed in 1.1-1?", "mmx (1.1-1) unstable", "Oars."),
    ],
)
def test_the_items_of_a_section_are_told(text: str, question: str, title: str, item: str) -> None:
    with opened({"CHANGES.rst": [text]}) as index:
        found = history(index, question, 8)
        assert found and found.text == f"{title}: 1 item\n- {item} [1]"
        assert [" ".join(index.text(*span).split()) for span in found.spans] == [item]


def test_versions_between_two_are_all_told() -> None:
    with opened({"CHANGES.rst": [CHANGES]}) as index:
        found = history(index, "What changed between 2.0.0 and 2.1.0?", 2)
        assert found and found.text.split("\n")[0] == "Version 2.1.0: 2 items"
        since = history(index, "What changed since 2.0.0?", 8)
        assert since and [line for line in since.text.split("\n") if "item" in line] == [
            "Version 2.1.0: 2 items",
            "Version 2.0.1: 1 item",
        ]


def test_a_version_that_is_not_there_among_others_is_refused() -> None:
    with opened({"CHANGES.rst": [CHANGES]}) as index:
        assert history(index, "What changed in 9.9.9?", 8) == ("", (), True)
    with opened({"novel.txt": [NOVEL]}) as index:
        assert history(index, "What changed in 9.9.9?", 8) is None


def test_what_happens_in_a_chapter_is_told_in_its_words() -> None:
    with opened({"novel.txt": [NOVEL]}) as index:
        found = history(index, "What happens in chapter 2?", 8)
        assert found and found.text.startswith("CHAPTER II:\n- The bishop came to the harbour")
        assert "whale" not in found.text
        about = history(index, "What happens to the circus in chapter 3?", 8)
        assert about and "circus came" in about.text
        assert history(index, "What happens to the whale in chapter 3?", 8) is None


def test_of_several_documents_those_are_looked_at_that_tell_of_changes() -> None:
    with opened({"docs/guide.md": [MARKDOWN], "CHANGES.rst": [CHANGES]}) as index:
        assert history(index, "What changed in 1.1.0?", 8) == ("", (), True)


@pytest.mark.parametrize(
    "question",
    [
        "On what date was version 8.1.3 released?",
        "In chapter 3, what new ship is met?",
        "What exit code does click 8.1.7 set?",
        "What changed?",
        "In what year did Haydn write the mass?",
    ],
)
def test_other_questions_are_not_about_a_section(question: str) -> None:
    assert not asks_about_a_section(question)
