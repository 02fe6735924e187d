"""Departments that are right: what a stack file may hold, drawn from the settings' documented values."""

from typing import Any

from hypothesis import strategies as st

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
SIZES = ["STANDARD_DS3_V2", "standard_d13_v2", "STANDARD_NC4AS_T4_V3"]
WORDS = st.text(LETTERS + DIGITS, min_size=3, max_size=8)
NAMES = st.builds("{}{}".format, st.sampled_from(LETTERS), st.text(LETTERS + DIGITS, min_size=2, max_size=6))
PEOPLE = st.builds("{}@{}.com".format, st.text("abcXYZ.'_-", min_size=1, max_size=8), WORDS)
DAYS = st.dates().map(lambda day: day.replace(year=2090 + day.year % 9, day=min(day.day, 28)).isoformat())
GUIDS = st.uuids().map(str)


def mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
MEMBERS = st.one_of(PEOPLE, mapping({"user": PEOPLE}, {"until": DAYS}), mapping({"group": WORDS}, {"until": DAYS}))
MANY = st.lists(MEMBERS, max_size=3)
SIZE = st.sampled_from(SIZES)
CLUSTER = mapping(
    {"vmSize": SIZE, "maxNodes": st.integers(1, 1000)},
    {
        "minNodes": st.just(0),
        "priority": st.sampled_from(["dedicated", "lowPriority"]),
        "idleMinutes": st.integers(1, 1440),
    },
)
CRONS = st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23))
SCHEDULE = mapping({"stop": CRONS}, {"start": CRONS, "timeZone": st.just("W. Europe Standard Time")})
INSTANCE = mapping({"vmSize": SIZE, "user": PEOPLE}, {"idleMinutes": st.integers(15, 4320), "schedule": SCHEDULE})
BUDGET = mapping(
    {"monthly": st.one_of(st.integers(1, 10**6), st.floats(0.01, 1e6)), "start": st.just("2026-11")},
    {"contacts": st.lists(PEOPLE, max_size=2)},
)
SECRET = mapping({"rotated": st.just("2026-11-01")}, {"validDays": st.integers(30, 365)})
AUTOMATION = mapping(
    {"secret": SECRET},
    {
        "role": st.sampled_from(["automation", "contributor"]),
        "github": st.just({"repository": "owner/name", "branch": "main"}),
    },
)
AGING = mapping({"deleteAfterDays": st.integers(300, 900)}, {"coolAfterDays": st.integers(1, 200)})


@st.composite
def named(draw: st.DrawFn, entries: st.SearchStrategy[Any], most: int, taken: set[str]) -> list[dict[str, Any]]:
    """Entries with names that nothing else has."""
    found = []
    for entry in draw(st.lists(entries, max_size=most)):
        name = draw(NAMES.filter(lambda name: name not in taken))
        taken.add(name)
        found.append({**entry, "name": name})
    return found


@st.composite
def stores(draw: st.DrawFn, places: str, place: str, taken: set[str]) -> dict[str, Any]:
    """A lake or an account for data, and datastores of it."""
    held = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    datastores = [{**one, place: draw(st.sampled_from(held))} for one in draw(named(st.just({}), 2, taken))]
    return {places: held, "datastores": datastores}


@st.composite
def teams(draw: st.DrawFn, name: str, computes: set[str]) -> dict[str, Any]:
    """A team of that name."""
    team: dict[str, Any] = {"name": name}
    people = dict.fromkeys(("admins", "leads", "dataScientists", "readers"), MANY)
    optional: dict[str, Any] = {**people, "budget": BUDGET, "groups": st.booleans()}
    team |= draw(mapping({}, optional))
    stored: set[str] = set()
    if draw(st.booleans()):
        team["clusters"] = draw(named(CLUSTER, 3, computes))
    if draw(st.booleans()):
        team["instances"] = draw(named(INSTANCE, 2, computes))
    if draw(st.booleans()):
        team["lake"] = draw(stores("fileSystems", "fileSystem", stored)) | draw(
            mapping({}, {"softDeleteDays": st.integers(0, 365)})
        )
        team["lake"]["lifecycle"] = draw(named(AGING, 2, set()))
    if draw(st.booleans()):
        team["data"] = draw(stores("containers", "container", stored))
    if draw(st.integers(0, 3)) == 0:
        team["automation"] = draw(named(AUTOMATION, 2, set()))
    return team


@st.composite
def departments(draw: st.DrawFn) -> dict[str, Any]:
    """A department in which nothing is wrong."""
    computes: set[str] = set()
    names = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
    return {
        "code": draw(st.sampled_from(LETTERS)) + draw(st.text(LETTERS + DIGITS, max_size=2)),
        "regionAbbreviation": draw(st.text(LETTERS + DIGITS, min_size=2, max_size=2)),
        "teams": [draw(teams(name, computes)) for name in names],
        **draw(
            mapping(
                {
                    "environment": st.sampled_from(["res", "dev", "pro"]),
                    "region": st.sampled_from(["eastus2", "westeurope", "uksouth"]),
                    "subscriptionId": GUIDS,
                    "admin": PEOPLE,
                },
                {
                    "owner": TEXTS,
                    "costCenter": TEXTS,
                    "keyVault": mapping({}, {"purgeProtection": st.booleans(), "retentionDays": st.integers(7, 90)}),
                    "registrySku": st.sampled_from(["Basic", "Standard", "Premium"]),
                    "logRetentionDays": st.integers(30, 730),
                    "azurePolicy": st.sampled_from(["off", "audit", "deny"]),
                    "deployers": MANY,
                    "subscriptionAdmins": MANY,
                    **{key: st.booleans() for key in ("protect", "diagnostics", "keepVersionAliases")},
                },
            )
        ),
    }
