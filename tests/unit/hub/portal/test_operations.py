"""Every operation of the review queue has its page, its route and its command; the table in the docs says which."""

import importlib
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from hub.portal import api, pages

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "reference" / "operations.md"
SERVICES = ("requests", "reviews", "release", "freezing", "seeding", "imports", "fsck", "reminders", "bundle_check")
# Public functions of those modules that are no operation of a person.
INNER = {
    "imports.check_uploads", "release.kill_links", "release.expire_due", "release.releases_of", "freezing.freeze_for",
    "reminders.people_who", "requests.files_of", "fsck.wanted", "bundle_check.pack",
}  # fmt: skip
AREAS = re.compile(r"/(release-requests|releases|queue|imports|calibration|download|reminders|store)\b")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "| service |" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(column: int) -> list[str]:
    return [match for row in rows() for match in re.findall(r"^`([^`]*)`$", row[column])]


@pytest.fixture(scope="module")
def routes() -> dict[str, Any]:
    """`GET path` below the portal -> the function; API routes below `api/`."""
    there = [(f"api{route.path}", route) for router in api.routers() for route in router.routes]
    there += [(route.path.removeprefix("/"), route) for router in pages.routers() for route in router.routes]
    return {
        f"{method} {path}": route.endpoint
        for path, route in there
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def served(routes: dict[str, Any], name: str) -> bool:
    """Whether a route has this name, or one for several acts or files has it among what it does."""
    if name in routes:
        return True
    head, _, last = name.rpartition("/")
    for ending in ("{act}", "{what}"):
        if endpoint := routes.get(f"{head}/{ending}"):
            return f'"{last}"' in inspect.getsource(endpoint)
    return False


def test_every_page_and_route_of_the_table_exists(routes: dict[str, Any]) -> None:
    assert len(routes) > 100
    assert [name for name in named(2) if not served(routes, name)] == []
    api = [f"{name.partition(' ')[0]} api/{name.partition(' ')[2]}" for name in named(3)]
    assert [name for name in api if not served(routes, name)] == []


def test_every_route_of_the_api_is_in_the_table(routes: dict[str, Any]) -> None:
    told = {f"{name.partition(' ')[0]} api/{name.partition(' ')[2]}" for name in named(3)}
    heads = {name.rpartition("/")[0] for name in told}
    missing = []
    for name in routes:
        if " api/" in name and AREAS.search(name):
            head, _, last = name.rpartition("/")
            if name not in told and not (last == "{act}" and head in heads):
                missing.append(name)
    assert missing == []


def test_every_command_exists_and_is_in_the_table() -> None:
    spec = importlib.util.spec_from_file_location("generate_commands", ROOT / "docs" / "generate_commands.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    groups = generator.program().commands
    there = {f"{group} {name}" for group in ("egress", "release") for name in groups[group].commands}
    told = {" ".join(name.split()[:2]) for name in named(4)}
    assert told - there == set()
    assert there - told == {"egress check"} & there, "a command that is in no row"


def test_every_service_is_in_the_table() -> None:
    told = set(named(1))
    assert [name for name in told if not callable(_function(name))] == []
    public = {
        f"{module}.{name}"
        for module in SERVICES
        for name, value in vars(importlib.import_module(f"egress_review.{module}")).items()
        if inspect.isfunction(value) and not name.startswith("_") and _belongs(module, name, value)
    }
    assert public - told - INNER == set()
    assert INNER - public == set()


def _belongs(module: str, name: str, value: Any) -> bool:
    here = importlib.import_module(f"egress_review.{module}")
    return name in here.__all__ if hasattr(here, "__all__") else value.__module__ == here.__name__


def _function(name: str) -> Any:
    module, _, function = name.partition(".")
    return getattr(importlib.import_module(f"egress_review.{module}"), function)


def test_a_dash_has_its_reason() -> None:
    cells = [cell for row in rows() for cell in row[1:]]
    assert [cell for cell in cells if not re.fullmatch(r"`[^`]+`|– \(.{8,}\)", cell)] == []
