"""Decisions at scale, side by side: ours, stock Casbin, Cedar and a plain-Python floor, on the same rows.

`python benchmarks/policy.py` (10,000 people, 2,000 projects, 10,000 datasets, 200,000 rows; a few minutes, mostly for
Cedar to load) or `--quick` (a tenth of everything). Each contender runs in a process of its own, so that its memory is
its own; times are processor time of that process, medians, so that a busy machine disturbs less. The last lines
are one JSON object for each figure.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import report

DAY = date(2026, 6, 1)
START, UNTIL = date(2026, 1, 1), date(2026, 12, 31)
ROW_COLUMNS = ("id", "eft", "role", "project", "data", "act", "purpose", "region", "start", "until", "training")
PURPOSES = ["cancer", "quality", "infectious", "methods"]


def sizes(quick: bool) -> tuple[int, int, int, int]:
    return (1_000, 200, 1_000, 20_000) if quick else (10_000, 2_000, 10_000, 200_000)


def write_database(folder: Path, quick: bool) -> None:
    """People in three projects each; a row for each of a project's hundred renditions; one withdrawal in a thousand."""
    from sqlalchemy import insert

    from access_control import models as m
    from access_control.audit import AuditEntry  # noqa: F401 - its table
    from access_control.database import Base, open_database, writing

    people, projects, datasets, rows = sizes(quick)
    dice = random.Random(20260601)
    engine = open_database(f"sqlite:///{folder}/enclave.sqlite")
    Base.metadata.create_all(engine)
    span = {"start": START, "until": UNTIL, "source": "benchmark"}
    per_project = rows // projects
    with writing(engine) as db:
        db.execute(insert(m.Organisation), [{"id": "acme", "title": "Acme", "region": "EU"}])
        db.execute(insert(m.Person), [
            {"id": f"u{n}", "name": f"u{n}", "email": "", "affiliation": "acme", "region": "EU", "suspended": False}
            for n in range(people)
        ])  # fmt: skip
        db.execute(insert(m.Clearance), [
            {"person_id": f"u{n}", "level": dice.randint(1, 4), "accredited_by": "x", **span} for n in range(people)
        ])  # fmt: skip
        db.execute(insert(m.Training), [{"person_id": f"u{n}", "course": "gdpr", **span} for n in range(people)])
        db.execute(insert(m.Project), [
            {"id": f"p{n}", "title": f"p{n}", "tier": 4, "region": "EU", "purposes": [dice.choice(PURPOSES)],
             "state": "active", "start": START, "until": UNTIL} for n in range(projects)
        ])  # fmt: skip
        db.execute(insert(m.Role), [
            {"person_id": f"u{n}", "role": "researcher", "domain": f"project:p{project}", **span}
            for n in range(people) for project in {n % projects, *dice.sample(range(projects), 2)}
        ])  # fmt: skip
        db.execute(insert(m.Dataset), [
            {"id": f"d{n}", "title": f"d{n}", "owner_id": "acme", "tier": 4, "required_trainings": ["gdpr"],
             "permitted_use": []} for n in range(datasets)
        ])  # fmt: skip
        db.execute(insert(m.Rendition), [
            {"id": f"d{n}/ps", "dataset_id": f"d{n}", "name": "ps", "tier": dice.randint(0, 3), "spec": ""}
            for n in range(datasets)
        ])  # fmt: skip
        db.execute(insert(m.RenditionVersion), [
            {"rendition_id": f"d{n}/ps", "dataset_version": 1, "number": 1, "path": f"renditions/d{n}/ps/1",
             "files": {"data.parquet": "0" * 64}, "rows": 1, "columns": [], "quality": [], "uniqueness": {},
             "published_by": "x", "published_at": datetime(2026, 1, 1, tzinfo=UTC)} for n in range(datasets)
        ])  # fmt: skip
        common = {"start": START, "until": UNTIL, "training": "any", "region": "any"}
        policy = [
            {"id": f"AGR-{project * per_project + at:06}", "eft": "allow", "role": "researcher",
             "project": f"project:p{project}",
             "data": f"data:d{dataset}/ps", "act": "mount", "purpose": "|".join(dice.sample(PURPOSES, 3)),
             "agreement_id": f"AGR-{project}", **common, "region": "EU|UK"}
            for project in range(projects)
            for at, dataset in enumerate(dice.sample(range(datasets), per_project))
        ]  # fmt: skip
        deny = [
            {"id": f"WDR-{n:06}", "eft": "deny", "role": "anyone", "project": "any", "data": f"data:d{n * 100 + 7}",
             "act": "any", "purpose": "any", "agreement_id": None, **common} for n in range(rows // 20_000)
        ]  # fmt: skip
        db.execute(insert(m.PolicyRow), [*policy[: rows - len(deny)], *deny])
        db.execute(insert(m.ChangeCount), [{"id": 1, "number": 1}])


def questions(quick: bool, count: int) -> list[tuple[str, str, str]]:
    """(person, project, rendition): nearly always a member and a rendition that the project has a row for."""
    from access_control.rows import Row

    people, projects, _, _ = sizes(quick)
    dice = random.Random(1)
    found = []
    rows: dict[str, list[Row]] = WORLD["rows_of"]
    for _ in range(count):
        person = dice.randrange(people)
        project = f"p{person % projects}"
        found.append((f"u{person}", project, dice.choice(rows[project]).data.removeprefix("data:")))
    return found


WORLD: dict[str, Any] = {}


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def median_seconds(work: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def load_ours(folder: Path) -> tuple[Any, float, float]:
    from access_control.database import open_database, reading
    from access_control.snapshot import load_snapshot

    engine = open_database(f"sqlite:///{folder}/enclave.sqlite")
    bare = resident_mib()
    began = time.process_time()
    with reading(engine) as db:
        snapshot = load_snapshot(db, Path("/srv/enclave"))
    seconds = time.process_time() - began
    engine.dispose()
    return snapshot, seconds, resident_mib() - bare


def prepare(folder: Path) -> tuple[Any, float, float]:
    snapshot, seconds, memory = load_ours(folder)
    rows_of: dict[str, list[Any]] = {}
    for row in snapshot.rows:
        if row.project.startswith("project:"):
            rows_of.setdefault(row.project.removeprefix("project:"), []).append(row)
    WORLD["rows_of"] = rows_of
    return snapshot, seconds, memory


def run_ours(folder: Path, quick: bool) -> dict[str, Any]:
    from access_control.database import open_database, reading, writing
    from access_control.models import PolicyRow
    from access_control.snapshot import load_snapshot

    snapshot, load, memory = prepare(folder)
    asked = questions(quick, 4_000)
    answers = [snapshot.decide(*one, "mount", DAY).allowed for one in asked]
    yes = [one for one, answer in zip(asked, answers, strict=True) if answer]
    decision = median_seconds(lambda: [snapshot.decide(*one, "mount", DAY) for one in yes[:1000]], 9) / len(yes[:1000])
    lists = [(person, project) for person, project, _ in asked[:50]]
    listing = statistics.median(median_seconds(lambda one=one: snapshot.mounts(*one, DAY), 3) for one in lists)
    running = [(person, project, snapshot.mounts(person, project, DAY)[:48]) for person, project, _ in asked[:1000]]

    def again() -> int:
        return sum(
            snapshot.still(person, project, mount, DAY).allowed
            for person, project, mounts in running
            for mount in mounts
        )

    again()
    redecided = median_seconds(again, 3)
    engine = open_database(f"sqlite:///{folder}/enclave.sqlite")
    with writing(engine) as db:
        row = db.get(PolicyRow, "AGR-000000")
        assert row is not None
        row.until = DAY
    with reading(engine) as db:
        update = median_seconds(lambda: load_snapshot(db, Path("/srv/enclave"), snapshot), 3)
    return {
        "decision": decision, "list": listing, "redecide": redecided, "mounts": sum(len(one[2]) for one in running),
        "load": load, "memory": memory, "update": update, "answers": answers,
    }  # fmt: skip


def run_floor(folder: Path, quick: bool) -> dict[str, Any]:
    """The same rules over the same rows as a chain of ifs: what plain Python costs when nothing is declared."""
    snapshot, _, _ = prepare(folder)
    people, projects, renditions = snapshot.facts.people, snapshot.facts.projects, snapshot.facts.renditions
    held: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for person in people:
        for domain in snapshot.facts.roles.domains.get(person, ()):
            held[person, domain] = list(snapshot.facts.roles.held(person, domain))
    tables: dict[str, dict[str, list[Any]]] = {}
    for row in snapshot.rows:
        for name in row.project.split("|"):
            for data in row.data.split("|"):
                tables.setdefault(name, {}).setdefault(data, []).append(row)
    anywhere = tables["any"]

    def allowed(person: str, project: str, rendition: str, today: str) -> bool:
        user, work, data = people[person], projects[project], renditions[rendition]
        rendition_name, dataset_name = data.names
        found = False
        for table in (tables.get(f"project:{project}", {}), anywhere):
            for name in (rendition_name, dataset_name, "any"):
                for row in table.get(name, ()):
                    if row[5] not in ("any", "mount") or not row[8] <= today <= row[9]:
                        continue
                    if row[2] != "anyone" and not any(
                        role == row[2] and start <= today <= until
                        for role, start, until in held.get((person, f"project:{project}"), ())
                    ):
                        continue
                    if row[7] != "any" and user.region not in row[7].split("|"):
                        continue
                    uses = row[6].split("|")
                    if row[6] != "any" and all(use.isdisjoint(uses) for use in work.uses):
                        continue
                    if row[1] == "deny":
                        return False
                    if row[6] != "any" and any(use.isdisjoint(uses) for use in work.uses):
                        continue
                    if user.suspended or work.state != "active" or not work.start <= today <= work.until:
                        continue
                    level = min((one[2] for one in user.clearances if one[0] <= today <= one[1]), default=0)
                    if level < data.tier or work.tier < data.tier or today <= data.embargo or today > data.retention:
                        continue
                    for courses in (data.trainings, row[10]):
                        if courses != "any" and not all(
                            any(start <= today <= until for start, until in user.trainings.get(course, ()))
                            for course in courses.split("|")
                        ):
                            break
                    else:
                        if not data.permitted or not any(use.isdisjoint(data.permitted) for use in work.uses):
                            found = True
        return found

    day = DAY.isoformat()
    asked = questions(quick, 4_000)
    answers = [allowed(*one, day) for one in asked]
    yes = [one for one, answer in zip(asked, answers, strict=True) if answer][:1000]
    decision = median_seconds(lambda: [allowed(*one, day) for one in yes], 9) / len(yes)

    def listing(person: str, project: str) -> list[str]:
        return [
            name
            for name in sorted({row.data[5:] for row in WORLD["rows_of"][project]})
            if allowed(person, project, name, day)
        ]

    lists = [(person, project) for person, project, _ in asked[:50]]
    return {
        "decision": decision,
        "list": statistics.median(median_seconds(lambda one=one: listing(*one), 3) for one in lists),
        "answers": answers,
    }


def run_stock(folder: Path, quick: bool) -> dict[str, Any]:
    """casbin.Enforcer as it comes, over all rows, with the same model and functions."""
    import casbin

    from access_control.conditions import MODEL
    from access_control.facts import FUNCTIONS

    snapshot, _, _ = prepare(folder)
    bare = resident_mib()
    began = time.process_time()
    enforcer = casbin.Enforcer(str(MODEL))
    for name, function in FUNCTIONS.items():
        enforcer.add_function(name, function)
    enforcer.model["p"]["p"].policy = [[*row] for row in snapshot.rows]  # add_policies() looks through all for each
    load = time.process_time() - began
    memory = resident_mib() - bare
    asked = questions(quick, 4_000)[:3]
    times, answers = [], []
    for one in asked:
        question = snapshot.question(*one, "mount", DAY)
        enforcer.model["g"]["g"].rm = question.roles
        began = time.process_time()
        answers.append(enforcer.enforce(*question[:6]))
        times.append(time.process_time() - began)
    return {"decision": statistics.median(times), "load": load, "memory": memory, "answers": answers}


CEDAR = """
permit(principal, action == Action::"mount", resource) when {
  context.row.eft == "allow" && resource == context.row.data && context.project == context.row.project &&
  context.row.start <= context.today && context.today <= context.row.until &&
  principal in context.row.project && context.row.regions.contains(principal.region) &&
  context.row.purposes.containsAll(context.project.purposes) && !principal.suspended &&
  context.project.active && context.project.start <= context.today && context.today <= context.project.until &&
  principal.clearance >= resource.tier && context.project.tier >= resource.tier &&
  principal.trainings.containsAll(resource.trainings) && resource.embargo < context.today
};
forbid(principal, action == Action::"mount", resource) when {
  resource.withdrawn && resource.withdrawn_from <= context.today && context.today <= resource.withdrawn_until
};
"""


def run_cedar(folder: Path, quick: bool) -> dict[str, Any]:
    """cedarpy with policies and entities parsed once; our index hands it the one row that matters."""
    import cedarpy

    snapshot, _, _ = prepare(folder)
    bare = resident_mib()
    began = time.process_time()
    withdrawn = {row.data for row in snapshot.rows if row.eft == "deny"}

    def uid(kind: str, name: str) -> dict[str, str]:
        return {"type": kind, "id": name}

    def ref(kind: str, name: str) -> dict[str, Any]:
        return {"__entity": uid(kind, name)}

    def number(day: str) -> int:
        return date.fromisoformat(day).toordinal()

    entities: list[dict[str, Any]] = []
    for person in snapshot.facts.people.values():
        entities.append({
            "uid": uid("User", person.id),
            "attrs": {"region": person.region, "suspended": person.suspended, "clearance": person.clearances[0][2],
                      "trainings": sorted(person.trainings)},
            "parents": [uid("Project", name) for name in sorted(person.projects)],
        })  # fmt: skip
    for work in snapshot.facts.projects.values():
        entities.append({
            "uid": uid("Project", work.id),
            "attrs": {"tier": work.tier, "active": work.state == "active", "start": number(work.start),
                      "until": number(work.until), "purposes": sorted(work.purposes)},
            "parents": [],
        })  # fmt: skip
    for data in snapshot.facts.renditions.values():
        entities.append({
            "uid": uid("Rendition", data.id),
            "attrs": {"tier": data.tier, "trainings": data.trainings.split("|"), "embargo": number(data.embargo),
                      "withdrawn": data.names[1] in withdrawn, "withdrawn_from": number(START.isoformat()),
                      "withdrawn_until": number(UNTIL.isoformat())},
            "parents": [],
        })  # fmt: skip
    row_of = {}
    for row in snapshot.rows:
        if row.eft == "allow" and row.act == "mount":
            project, name = row.project.removeprefix("project:"), row.data.removeprefix("data:")
            row_of[project, name] = row.id
            entities.append({
                "uid": uid("Row", row.id),
                "attrs": {"eft": row.eft, "project": ref("Project", project), "data": ref("Rendition", name),
                          "start": number(row.start), "until": number(row.until), "regions": row.region.split("|"),
                          "purposes": row.purpose.split("|")},
                "parents": [],
            })  # fmt: skip
    policies = cedarpy.PolicySet.from_str(CEDAR)
    loaded = cedarpy.Entities.from_json_str(json.dumps(entities))
    del entities
    load = time.process_time() - began
    memory = resident_mib() - bare
    today = DAY.toordinal()

    def allowed(person: str, project: str, rendition: str) -> bool:
        row_id = row_of.get((project, rendition))
        if row_id is None:
            return False
        request = {
            "principal": uid("User", person), "action": uid("Action", "mount"), "resource": uid("Rendition", rendition),
            "context": {"row": ref("Row", row_id), "project": ref("Project", project), "today": today},
        }  # fmt: skip
        return bool(cedarpy.is_authorized(request, policies, loaded).allowed)

    asked = questions(quick, 4_000)
    answers = [allowed(*one) for one in asked]
    yes = [one for one, answer in zip(asked, answers, strict=True) if answer][:1000]
    decision = median_seconds(lambda: [allowed(*one) for one in yes], 5) / len(yes)

    def listing(person: str, project: str) -> list[str]:
        return [row.data for row in WORLD["rows_of"][project] if allowed(person, project, row.data[5:])]

    lists = [(person, project) for person, project, _ in asked[:20]]
    return {
        "decision": decision,
        "list": statistics.median(median_seconds(lambda one=one: listing(*one), 1) for one in lists),
        "load": load, "memory": memory, "answers": answers,
    }  # fmt: skip


CONTENDERS = {"floor": run_floor, "ours": run_ours, "cedarpy": run_cedar, "stock": run_stock}


def child(name: str, folder: Path, quick: bool) -> dict[str, Any]:
    command = [sys.executable, __file__, "--contender", name, "--folder", str(folder), *(["--quick"] if quick else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(CONTENDERS[options.contender](options.folder, options.quick)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_database(folder, options.quick)
        results = {contender: child(contender, folder, options.quick) for contender in CONTENDERS}
    ours = results["ours"]
    for contender, result in results.items():
        if result["answers"] != ours["answers"][: len(result["answers"])]:
            print(f"{contender} answers otherwise than ours: the figures would compare different things")
            return 1
    people, projects, datasets, rows = sizes(options.quick)
    print(
        f"{people:,} people, {projects:,} projects, {datasets:,} datasets, {rows:,} rows; {ours['mounts']:,} mounts in"
    )
    print(f"1,000 sessions; {sum(ours['answers'])} of {len(ours['answers'])} answers yes, the same from all\n")
    print("| design | decision | list of 100 | load | memory |\n|---|---|---|---|---|")
    for label, key in (("plain-Python floor", "floor"), ("**ours**", "ours"), ("cedarpy, our index", "cedarpy"),
                       ("stock Enforcer, all rows", "stock")):  # fmt: skip
        one = results[key]
        decision = f"{one['decision'] * 1e6:,.1f} µs"
        listing = f"{one['list'] * 1e3:.2f} ms" if "list" in one else "-"
        load = f"{one['load']:.2f} s" if "load" in one else "-"
        memory = f"{one['memory']:,.0f} MiB" if "memory" in one else "-"
        print(f"| {label} | {decision} | {listing} | {load} | {memory} |")
    print(
        f"\n1,000 sessions decided again in {ours['redecide']:.2f} s; one changed row read in {ours['update']:.2f} s\n"
    )
    figures = [
        ("decision", "decision", "µs", 1e6), ("list of 100", "list", "ms", 1e3), ("load", "load", "s", 1),
        ("memory over the bare process", "memory", "MiB", 1), ("1,000 sessions decided again", "redecide", "s", 1),
        ("one changed row", "update", "s", 1),
    ]  # fmt: skip
    report.finish("policy", {
        label: report.figure(
            ours[key] * factor,
            {name: results[name][key] * factor for name in ("floor", "cedarpy", "stock") if key in results[name]}, unit,
        )
        for label, key, unit, factor in figures
    })  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
