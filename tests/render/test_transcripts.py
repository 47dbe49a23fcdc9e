"""A conversation as Markdown says what was said, whatever that looks like."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mmxcli.render.chat import markdown
from mmxcli.render.escape import visible
from mmxcli.state.conversations import Said, StoredConversation, Turn

TEXT = st.text(st.sampled_from("a1.)-+=*_`[]()<>&;#|~!\\:/ \n\x1b"), max_size=12) | st.text(max_size=12)
WORDS = TEXT.map(lambda text: f"{text}x").filter(lambda text: not text.isspace())
LOOKS = ("1. January", "- so", "---", "===", "&lt;b&gt;", "<script>", "# no", "2) b", "[a](b)", "![a](b)", "\\*", "`a`")


@given(texts=st.lists(st.sampled_from(LOOKS) | WORDS, min_size=3, max_size=3))
def test_text_stays_text(texts: list[str]) -> None:
    question, answer, quote = texts
    said = Said("b.txt", 0, 1, None, 1, quote, True)
    talk = StoredConversation("talk", ("b.txt",), "/", turns=(Turn(question, answer, True, "m", (said,)),))
    tokens = MarkdownIt("commonmark").parse("\n".join(markdown(talk)))
    blocks = [token.type for token in tokens if token.type.endswith("_open")]
    heading, paragraph = "heading_open", "paragraph_open"
    assert blocks == [heading, paragraph, heading, paragraph, "blockquote_open", paragraph, paragraph]
    shown = [token.children or [] for token in tokens if token.type == "inline"]
    assert {child.type for children in shown for child in children} <= {"text", "text_special"}
    told = ["".join(child.content for child in children) for children in shown]
    assert told[2:5] == [" ".join(visible(text).split()) for text in texts]
