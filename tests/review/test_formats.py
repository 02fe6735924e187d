"""The forms of a report: below every limit, harmless whatever text it holds, and the same after a round trip."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import groupby

import jsonschema
import pytest
from markdown_it import MarkdownIt

from review.formats.document import DocumentError, read_report, schema, to_json
from review.formats.html import html
from review.formats.markdown import MARKER, markdown
from review.formats.sarif import LOSS, MOST_RUNS, category, sarif
from review.formats.text import text
from review.model import Change, Loss, Violation
from review.report import Report, StackReview
from settings.plan import Place
from tests.conftest import ROOT
from tests.review.samples import HOSTILE, report, stack_review

GITHUBS = 65_536
SARIF_SCHEMA = json.loads((ROOT / "tests" / "policies" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
PLACE = Place("Pulumi.dev.yaml", "azureml-platform:department.teams[0]", 7, 9, "written")
BROKEN = Violation("new", "rule", "", "high", "mandatory", "urn:c", None, "", "message", "", "", "", PLACE)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    VOID = ("meta", "br", "img")

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.opened: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(comment: str) -> tuple[Page, list[str]]:
    """A comment as GitHub would show it, and the texts that GitHub searches for names to mention."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(comment)
    inline = [child for token in tokens if token.children for child in token.children]
    assert not [one for one in inline if one.type in ("link_open", "image", "s_open")]
    texts = [one.content for one in inline if one.type == "text"]
    html_ = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(comment)
    return Page(html_), texts


def test_no_text_breaks_the_comment_or_notifies_anybody() -> None:
    comment = markdown(report(text=HOSTILE))
    page, texts = rendered(comment)
    assert set(page.tags) <= {
        "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary", "ul", "li", "strong",
        "em", "sub", "br",
    }  # fmt: skip
    assert page.opened == [] and page.tags.count("details") == 1
    assert page.attributes in ([], [("open", None)])
    seen = " ".join(texts) + re.sub(r"<code>.*?</code>", "", " ".join(re.findall(r"<su[bm].*", comment)))
    assert not re.search(r"@\w|#\d|://\w|\bwww\.|\bGH-\d", seen)
    assert not UNSEEN.search(comment)
    assert "49" not in page.text  # no template was carried out
    for is_table, lines in groupby(comment.splitlines(), key=lambda line: line.startswith("|")):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert not is_table or len(columns) == 1


def test_no_text_breaks_the_page() -> None:
    page = Page(html(report(text=HOSTILE)))
    assert page.opened == []
    assert not {"script", "img", "iframe", "link", "form"} & set(page.tags)
    assert all(value and value.startswith("#stack-") for name, value in page.attributes if name in ("href", "src"))
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text  # shown, not run
    assert not UNSEEN.search(page.text)


def test_no_text_reaches_the_terminal_as_a_command() -> None:
    shown = text(report(text=HOSTILE))
    assert not UNSEEN.search(shown) and "red" in shown
    assert not [line for line in shown.splitlines() if line.startswith(("#", "- item"))]


@pytest.mark.parametrize(("stacks", "rows", "length"), [(1, 2, 0), (3, 900, 0), (300, 2, 0), (300, 2, 100)])
def test_a_comment_is_always_one_that_github_takes(stacks: int, rows: int, length: int) -> None:
    comment = markdown(report(stacks, HOSTILE, rows, length))
    assert len(comment) < GITHUBS
    assert comment.startswith(MARKER) and comment.count(MARKER) == 1
    assert ("is cut" in comment or "more: the page" in comment) == (stacks > 1)
    rendered(comment)


def test_a_comment_that_is_cut_keeps_the_details_of_what_is_objected_to() -> None:
    quiet = tuple(replace(stack_review(f"a{i}", rows=30), violations=(), changes=()) for i in range(100))
    comment = markdown(Report("main", "topic", "base", False, (*quiet, stack_review("z"))))
    assert comment.index("<summary><code>z</code>") < comment.index("<summary><code>a") and "is cut" in comment
    assert len(comment) < GITHUBS


@pytest.mark.parametrize("stacks", [1, MOST_RUNS, 300])
def test_sarif_has_at_most_20_runs_each_with_a_category_of_its_own(stacks: int) -> None:
    log = sarif(report(stacks))
    jsonschema.Draft4Validator(SARIF_SCHEMA).validate(log)
    categories = [run["automationDetails"]["id"] for run in log["runs"]]
    assert len(categories) == len(set(categories)) <= MOST_RUNS
    results = [result for run in log["runs"] for result in run["results"]]
    assert len(results) == stacks * 4  # two violations and two losses each; nothing that is fixed
    marks = {(result["ruleId"], result["partialFingerprints"]["resourceProperty/v1"]) for result in results}
    assert len(marks) == len(results)
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in results if result["ruleId"] != LOSS]
    assert regions == [{"startLine": 7, "startColumn": 9}] * stacks * 2


def test_costs_that_differ_without_a_change_are_told() -> None:
    costs = stack_review("dev", "data").costs
    assert costs
    unknown, other = (replace(costs.approximate[0], name="old", price_of=region) for region in ("", "eastus"))
    costs = replace(costs, unpriced_before=(unknown,), approximate=(other,))
    stack = StackReview("dev", "Pulumi.dev.yaml", "same", costs=costs)
    made = Report("main", "topic", "base", False, (stack,))
    assert "US dollars a month" in markdown(made)
    for shown in (text(made), Page(markdown(made)).text.replace("\\", ""), Page(html(made)).text):
        assert "data (old) at the base" in shown and "at the price of eastus: data" in shown


def test_a_line_that_only_the_base_has_is_told_so() -> None:
    gone, fixed = (
        Change("deleted", "urn:a", "t", "a", None, loss=Loss("it"), place=PLACE),
        replace(BROKEN, state="fixed"),
    )
    stays = Change("replaced", "urn:b", "t", "b", None, loss=Loss("it"), place=PLACE)
    stack = StackReview("dev", "Pulumi.dev.yaml", "changed", (gone, stays), (BROKEN, fixed), (fixed,))
    made = Report("main", "topic", "base", False, (stack,))
    for shown in (Page(markdown(made)).text, Page(html(made)).text):
        assert (shown.count("yaml:7:9"), shown.count("yaml:7:9 at the base")) == (5, 2)
    assert text(made).count("yaml:7:9 at the base") == 1
    lines = [
        one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in sarif(made)["runs"][0]["results"]
    ]
    assert lines == [7, 1, 7]


def test_a_stack_keeps_its_category_whatever_else_there_is() -> None:
    assert category("dev", 300) == category("dev", 21) != category("dev", 20) == "review/dev/"


def test_json_comes_back_as_it_was_and_keeps_to_its_schema() -> None:
    made = report(3, HOSTILE)
    assert read_report(to_json(made).encode()) == made
    jsonschema.Draft202012Validator(json.loads(schema())).validate(json.loads(to_json(made)))
    assert (ROOT / "docs" / "review.schema.json").read_text() == schema()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "Input should be"),
        (b'{"version": 2, "base": 1}', "base"),
        (b"{" * 100_000, "Invalid JSON"),
        (b" " * 20_000_001, "at most 20000000"),
    ],
)
def test_a_document_that_is_no_report_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_report(document)
