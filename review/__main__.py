"""`python -m review`: what a change would do to the stacks, and what speaks against it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import FAILED, WRONG_USAGE, JsonOption, application, run

if TYPE_CHECKING:
    from review.report import Report

PROGRAM = "python -m review"
app = application(
    "Tell what a change would do to the stacks before anybody deploys it, without a credential. "
    "`python -m review --base main` is short for `python -m review changes --base main`."
)


_Markdown = Annotated[bool, typer.Option("--markdown", help="Print the comment of a pull request.")]
_Html = Annotated[bool, typer.Option("--html", help="Print a page that needs nothing else.")]
_Sarif = Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0 for code scanning.")]
_Output = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        file_okay=False,
        writable=True,
        help="Write review.json, review.md, review.html and review.sarif there as well.",
    ),
]


@app.command()
def changes(
    *,
    base: Annotated[str, typer.Option(metavar="REV", help="Revision to compare with, such as main.")],
    head: Annotated[
        str | None, typer.Option(metavar="REV", help="Revision to review; the working tree if left out.")
    ] = None,
    stack: Annotated[
        list[str] | None, typer.Option("--stack", help="Stack; those that the change can reach if left out.")
    ] = None,
    accept_loss: Annotated[
        list[str] | None,
        typer.Option(metavar="URN", help="What may be lost, with all that is below it; `all` for everything."),
    ] = None,
    stack_files_only: Annotated[
        bool, typer.Option("--stack-files-only", help="Take the head's stack files as data for the base's program.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Preview Azure by your own pulumi and credentials, not a sandbox.")
    ] = False,
    project: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder with Pulumi.yaml.")] = Path(),
    as_json: JsonOption = False,
    markdown: _Markdown = False,
    html: _Html = False,
    sarif: _Sarif = False,
    output: _Output = None,
) -> int:
    """Compare two revisions. Exit code 1 if a mandatory rule is broken, or a loss of data is not accepted."""
    form = _form(json=as_json, markdown=markdown, html=html, sarif=sarif)
    from review.compare import Request, review, to_stderr  # noqa: PLC0415 - `--help` needs none of it

    asked = Request(
        project=project.resolve(),
        base=base,
        head=head,
        stacks=tuple(stack or ()),
        accepted=frozenset(accept_loss or ()),
        stack_files_only=stack_files_only,
        live=live,
    )
    return _shown(review(asked, to_stderr), form, output)


@app.command()
def render(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON of a review.")],
    *,
    as_json: JsonOption = False,
    markdown: _Markdown = False,
    html: _Html = False,
    sarif: _Sarif = False,
    output: _Output = None,
) -> int:
    """Show a report that was made elsewhere. Exit code as of the review itself."""
    form = _form(json=as_json, markdown=markdown, html=html, sarif=sarif)
    from review.formats.document import MOST_BYTES, read_report  # noqa: PLC0415 - as above

    with file.open("rb") as document:
        report = read_report(document.read(MOST_BYTES + 1))
    return _shown(report, form, output)


def _form(**asked: bool) -> str:
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(f"say one form, not {' and '.join(chosen)}.", param_hint=f"--{chosen[1]}")
    return chosen[0] if chosen else "text"


def _shown(report: "Report", form: str, output: Path | None) -> int:
    """Print a report in one form, write all of them where that is asked; the exit code that the report is worth."""
    from review.formats import forms  # noqa: PLC0415 - as above

    typer.echo(forms.FORMS[form](report), nl=False)
    if output:
        forms.write_all(report, output)
    return FAILED if report.objects else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code: 0 nothing to object, 1 an objection, 2 the review cannot begin."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0].startswith("-") and words[0] not in ("--help", "--show-completion"):
        words = ["changes", *words]
    wrong = False

    def explain(error: Exception) -> str | None:
        nonlocal wrong
        from review.formats.document import DocumentError  # noqa: PLC0415 - nothing of it is needed to succeed
        from review.revisions import UsageError  # noqa: PLC0415

        wrong = isinstance(error, UsageError | DocumentError | OSError)
        return None if isinstance(error, OSError) or not wrong else str(error)

    code = run(app, PROGRAM, words, explain=explain)
    return WRONG_USAGE if wrong else code


if __name__ == "__main__":
    sys.exit(main())
