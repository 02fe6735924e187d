"""Reads an endpoint's answer, and exits with 1 if it is not a probability for each customer of the request.

python -m jobs invoke highspenders request.json | python smoke.py request.json
"""

import json
import sys
from pathlib import Path


def check(request: object, answer: object) -> str | None:
    """Return what is wrong with an answer; None if nothing is."""
    asked = request["data"] if isinstance(request, dict) else []
    scores = answer.get("scores") if isinstance(answer, dict) else None
    if not isinstance(scores, list) or len(scores) != len(asked):
        return f"{len(asked)} scores were asked for, and the answer is {answer}"
    wrong = [score for score in scores if not (isinstance(score, float | int) and 0 <= score <= 1)]
    return f"{wrong[0]} is no probability" if wrong else None


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its argument
        sys.exit(__doc__)
    try:
        problem = check(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), json.load(sys.stdin))
    except (OSError, ValueError) as error:
        problem = f"request or answer is no JSON: {error}"
    if problem:
        sys.exit(problem)
    sys.stdout.write("the answer is as it should be\n")
