"""GitHub's REST API, as far as publishing needs it.

Source: docs.github.com/rest. Texts of answers reach no log: they can hold what a pull request's author wrote.
"""

import os
from collections.abc import Iterator
from typing import Any, Final

import requests

_TIMEOUT_SECONDS: Final = 60
_PAGE: Final = 100


class GitHubError(Exception):
    """GitHub refused a request; the text says which, with the status."""

    def __init__(self, method: str, path: str, status: int) -> None:
        super().__init__(f"GitHub answered {method} {path} with status {status}")
        self.status = status


class GitHub:
    """The API of one repository.

    Args:
        repository: The repository, as owner/name.
        token: A token of the workflow's run.
        url: The API's address.
    """

    def __init__(self, repository: str, token: str, url: str) -> None:
        self._root = f"{url}/repos/{repository}"
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

    @classmethod
    def of_workflow(cls) -> "GitHub":
        """The API of the repository in which a workflow runs, by its variables."""
        url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"], url)

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """One request below the repository; the answer's JSON, or None where it has none.

        Raises:
            GitHubError: It is refused.
        """
        answer = self._session.request(method, f"{self._root}{path}", json=body, params=query, timeout=_TIMEOUT_SECONDS)
        if not answer.ok:
            raise GitHubError(method, path, answer.status_code)
        return answer.json() if answer.content else None

    def pages(self, path: str, key: str | None = None, **query: str) -> Iterator[Any]:
        """The entries of a list, page by page.

        Args:
            path: The list, below the repository.
            key: Where a page's answer has the entries; None if it is them.
            query: Parameters.

        Raises:
            GitHubError: It is refused.
        """
        page = 1
        while True:
            found = self.send("GET", path, per_page=str(_PAGE), page=str(page), **query)
            entries = found[key] if key else found
            yield from entries
            if len(entries) < _PAGE:
                return
            page += 1

    def download(self, path: str, most: int) -> bytes | None:
        """A file's content; None if it is larger than allowed.

        Raises:
            GitHubError: It is refused.
        """
        with self._session.get(f"{self._root}{path}", timeout=_TIMEOUT_SECONDS, stream=True) as answer:
            if not answer.ok:
                raise GitHubError("GET", path, answer.status_code)
            content = bytearray()
            for chunk in answer.iter_content(1 << 16):
                content += chunk
                if len(content) > most:
                    return None
            return bytes(content)
