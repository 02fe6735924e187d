"""The memory of the local Azure: JSON documents by kind and key, in one SQLite file.

SQLite in WAL mode: what was answered survives the process being killed. All access is from the gateway's event loop,
and a handler that writes several documents does so in one `transaction`.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

Document = dict[str, Any]
INDEXES = (
    ("resource", "type", "by_type"),
    ("mlRun", "parentRunId", "runs_by_parent"),
    ("mlRun", "experimentId", "runs_by_experiment"),
)
"""Kinds of documents with a member by which they are found, and the index's name."""

_REST = "substr(found.key, length(:prefix) + 1)"
_CUT = f"instr({_REST}, :delimiter)"
_FOLDED = f"""
WITH RECURSIVE found(key) AS (
  SELECT (SELECT key FROM documents WHERE kind = :kind AND key >= :start AND key < :stop ORDER BY key LIMIT 1)
  UNION ALL
  SELECT (
    SELECT key FROM documents WHERE kind = :kind AND key < :stop AND key > CASE {_CUT}
      WHEN 0 THEN found.key
      ELSE substr(found.key, 1, length(:prefix) + {_CUT} + length(:delimiter) - 1) || CAST(x'ff' AS TEXT)
    END ORDER BY key LIMIT 1
  ) FROM found WHERE found.key IS NOT NULL LIMIT :limit
)
SELECT key, CASE {_CUT} WHEN 0 THEN (SELECT body FROM documents WHERE kind = :kind AND key = found.key) END
FROM found WHERE key IS NOT NULL
"""  # noqa: S608 # of constants
"""Goes from each key to the next that is not folded with it: a seek for each row of the answer."""


def _member(kind: str, member: str) -> str:
    """A member of a document in SQL. Metrics of runs can be NaN or infinite, which SQLite takes for malformed JSON."""
    text = "body"
    if kind == "mlRun":
        for word in ("NaN", "Infinity", "-Infinity"):
            text = f"replace({text}, ':{word}', ':null')"
    return f"json_extract({text}, '$.{member}')"


class Follower:
    """Collects the changes of some kinds of documents, so that a cache can be updated instead of rebuilt.

    Attributes:
        everything: Whether anything may have changed: at first, and after a rollback.
    """

    def __init__(self) -> None:
        self.everything = True
        self._changed: set[tuple[str, str]] = set()

    def note(self, kind: str, key: str) -> None:
        """Remembers that a document was written or removed."""
        self._changed.add((kind, key))

    def take(self) -> set[tuple[str, str]]:
        """Kind and key of every change since the last call; meaningless while `everything` is true."""
        self.everything = False
        taken, self._changed = self._changed, set()
        return taken


class Store:
    """Documents by (kind, key). Keys are the services' own: lowercased resource ids, object ids, names.

    Args:
        path: The SQLite file, made if absent.

    Raises:
        sqlite3.Error: The file cannot be opened or written (a full disk, for one).
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        for kind, member, name in INDEXES:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS {name} ON documents (kind, {_member(kind, member)}, key)"
                f" WHERE kind = '{kind}'"
            )
        self._followers: defaultdict[str, list[Follower]] = defaultdict(list)
        self._after_commit: list[Callable[[], None]] = []

    def follow(self, *kinds: str) -> Follower:
        """Follows the changes of these kinds."""
        follower = Follower()
        for kind in kinds:
            self._followers[kind].append(follower)
        return follower

    def _changed(self, kind: str, key: str) -> None:
        for follower in self._followers.get(kind, ()):
            follower.note(kind, key)

    def get(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        row = self._db.execute("SELECT body FROM documents WHERE kind=? AND key=?", (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def has(self, kind: str, key: str) -> bool:
        """Whether there is a document; its body is not read."""
        return bool(self._db.execute("SELECT 1 FROM documents WHERE kind=? AND key=?", (kind, key)).fetchone())

    def put(self, kind: str, key: str, body: Document) -> None:
        """Writes the document, new or not."""
        self._db.execute(
            "REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, json.dumps(body, separators=(",", ":")))
        )
        self._changed(kind, key)

    def delete(self, kind: str, key: str) -> bool:
        """Removes the document; tells whether there was one."""
        self._changed(kind, key)
        return self._db.execute("DELETE FROM documents WHERE kind=? AND key=?", (kind, key)).rowcount > 0

    def clear(self, kind: str, prefix: str = "") -> None:
        """Removes the documents whose key starts with the prefix."""
        for key, _ in list(self.items(kind, prefix)):
            self.delete(kind, key)

    def items(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Key and document of all whose key starts with the prefix, by key."""
        rows = self._db.execute(
            # Keys are compared as UTF-8, where no text is greater than one that ends in the byte 255.
            "SELECT key, body FROM documents WHERE kind=? AND key>=? AND key<CAST(? AS TEXT) ORDER BY key",
            (kind, prefix, prefix.encode() + b"\xff"),
        ).fetchall()
        return ((key, json.loads(body)) for key, body in rows)

    def list(self, kind: str, prefix: str = "") -> Iterator[Document]:
        """The documents whose key starts with the prefix, by key."""
        return (body for _, body in self.items(kind, prefix))

    def page(self, kind: str, start: str, stop: str, limit: int) -> Sequence[tuple[str, Document]]:
        """Key and document of at most `limit` keys from `start` up to, not including, `stop`, by key."""
        rows = self._db.execute(
            "SELECT key, body FROM documents WHERE kind=? AND key>=? AND key<? ORDER BY key LIMIT ?",
            (kind, start, stop, limit),
        ).fetchall()
        return [(key, json.loads(body)) for key, body in rows]

    def folded(
        self, kind: str, start: str, stop: str, limit: int, *, prefix: str, delimiter: str
    ) -> Sequence[tuple[str, Document | None]]:
        """As `page`; of the keys that are the same up to a delimiter behind the prefix, only the first, with None."""
        given = {"kind": kind, "start": start, "stop": stop, "limit": limit, "prefix": prefix, "delimiter": delimiter}
        rows = self._db.execute(_FOLDED, given).fetchall()
        return [(key, None if body is None else json.loads(body)) for key, body in rows]

    def between(self, kinds: Sequence[str], start: str, stop: str) -> Sequence[tuple[str, str, Document]]:
        """Kind, key and document of these kinds' keys from `start` up to, not including, `stop`."""
        rows = self._db.execute(
            f"SELECT kind, key, body FROM documents WHERE kind IN ({', '.join('?' * len(kinds))})"  # noqa: S608 - of marks
            " AND key>=? AND key<?",
            (*kinds, start, stop),
        ).fetchall()
        return [(kind, key, json.loads(body)) for kind, key, body in rows]

    def move(self, kind: str, start: str, stop: str, prefix: str, replacement: str) -> int:
        """Replaces the prefix of the keys from `start` up to, not including, `stop`; tells how many there were.

        Raises:
            sqlite3.IntegrityError: A new key is taken; nothing is moved.
        """
        for follower in self._followers.get(kind, ()):
            follower.everything = True
        return self._db.execute(
            "UPDATE documents SET key = ? || substr(key, ?) WHERE kind=? AND key>=? AND key<?",
            (replacement, len(prefix) + 1, kind, start, stop),
        ).rowcount

    def resources(self, resource_type: str, prefix: str = "") -> Iterator[Document]:
        """The documents of the kind `resource` with this `type` whose key starts with the prefix, by key."""
        return self.having("resource", "type", resource_type, prefix)

    def having(self, kind: str, member: str, value: str, prefix: str = "") -> Iterator[Document]:
        """The documents of a kind whose member has a value and whose key starts with the prefix, by key.

        Args:
            kind: The kind, one of `INDEXES` with the member.
            member: The member.
            value: Its value.
            prefix: The beginning of the keys.
        """
        (index,) = (name for of, by, name in INDEXES if (of, by) == (kind, member))
        rows = self._db.execute(
            # SQLite takes a partial index for a literal alone.
            f"SELECT body FROM documents INDEXED BY {index} WHERE kind = '{kind}'"  # noqa: S608 - of INDEXES
            f" AND {_member(kind, member)} = ? AND key >= ? AND key < CAST(? AS TEXT) ORDER BY key",
            (value, prefix, prefix.encode() + b"\xff"),
        ).fetchall()
        return (json.loads(body) for (body,) in rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes everything inside, or nothing. A nested transaction is part of the outer one."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._after_commit.clear()
            for follower in chain.from_iterable(self._followers.values()):
                follower.everything = True  # what was read inside may be in a cache
            raise
        self._db.execute("COMMIT")
        waiting, self._after_commit = self._after_commit, []
        for action in waiting:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Runs the action once the current transaction is committed, not if it is rolled back; outside of one, now."""
        if self._db.in_transaction:
            self._after_commit.append(action)
        else:
            action()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
