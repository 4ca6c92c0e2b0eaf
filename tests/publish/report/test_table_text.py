import re

from hypothesis import given
from hypothesis import strategies as st

from ledger.publish.report.table_text import LATEX, latex_text, markdown_text
from ledger.publish.text import visible

_BACK = {value: key for key, value in LATEX.items()}
_TOKEN = re.compile("|".join(map(re.escape, sorted(_BACK, key=len, reverse=True))))


@given(st.text(max_size=60))
def test_latex_text_is_inert_and_can_be_read_back(text: str) -> None:
    shown = latex_text(text)
    rest = _TOKEN.sub("", shown)
    assert not set(rest) & set("\\{}$&#%_^~<>|\"`'[]-\n")
    depth = 0
    for sign in re.sub(r"\\[{}]", "", shown):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert _TOKEN.sub(lambda found: _BACK[found[0]], shown) == visible(text).replace("\n", " ")


@given(st.text(alphabet="ab|*_`<>[]()#-+=1.&\\\n$~!: ", max_size=40))
def test_markdown_text_is_text(text: str) -> None:
    from markdown_it import MarkdownIt

    line = markdown_text(text)
    kinds = [token.type for token in MarkdownIt("commonmark").enable("table").parse(line)]
    assert kinds in ([], ["paragraph_open", "inline", "paragraph_close"])
    inline = [child for token in MarkdownIt().parse(line) for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "text_special"}
    assert "".join(child.content for child in inline) == " ".join(visible(text).split())
