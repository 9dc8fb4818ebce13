"""A side door of the hallway: which packs a change touches, without building them.

A pack follows from files, from which names there are, from options and from pins. So it is touched when a file that it has now
has changed; when it would reach something else if only the names of files were what they were (its imports are followed once
more, among those names); when its options were others; when it has, or had, a pin that has changed. Where none of that holds,
following its imports at the revision would have been the same work with the same result. What cannot be told counts as touching.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from pydantic import BaseModel

from monopack import config, history, locks, trace
from monopack.config import Loaded
from monopack.errors import MonopackError
from monopack.explain import touched
from monopack.finding import Found, Outside, find
from monopack.history import Git, Past
from monopack.model import Affected, Change, Lock, Touch, Touched, value
from monopack.passed_over import of_others
from monopack.planning import NOTHING_PINNED, Plan, Site, by_site, site_of, supplied, supplied_from, traced
from monopack.run import temporary_folder

PINNING = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg")  # what locks may be read with
CHOICE = (".python-version", "the Python that runs monopack")  # where a version file decides, or would


@value()
class Asked:
    """What has changed, in the names that the project's files go by; `then` is what that was found by comparing with."""

    changes: Mapping[str, Change]
    then: Past | None = None

    def of(self, *kinds: str) -> list[str]:
        """The paths of changes of some kinds."""
        return [path for path, change in self.changes.items() if change.kind in kinds]


def since(loaded: Loaded, only: str | None, revision: str, outside: Outside) -> Affected:
    """The packs, or the one named `only`, that are touched by what has changed since the merge base of a revision and HEAD.

    Raises `MonopackError` for what is wrong with all of them, and where git cannot tell.
    """
    git = Git(door=outside.door, environ=outside.environ)
    then = history.past(loaded.root, revision, git)
    return _affected(loaded, only, history.changes(then, git), then, outside)


def files(loaded: Loaded, only: str | None, paths: Iterable[str], outside: Outside) -> Affected:
    """The packs, or the one named `only`, that changes of these files touch: paths from the project's root.

    A file that is there may be new or changed, one that is not is gone; a folder stands for all files in it. Raises
    `MonopackError` for what is wrong with all packs.
    """
    changes = tuple(_named(path, loaded.root) for path in dict.fromkeys(paths))
    found = _affected(loaded, only, changes, None, outside)
    touches = [touch for pack in found.packs for touch in pack.reasons]
    if not all(touch.path for touch in touches):  # any of the files may be the reason
        return found
    lost = [change.path for change in changes if change.kind == "gone" and PurePosixPath(change.path).stem not in found.gone]
    told = "\n".join(f"{touch.path}\n{touch.message}" for touch in touches)
    return replace(found, unknown=tuple(path for path in lost if path not in told))


def _named(path: str, root: Path) -> Change:
    there = root / path
    return Change(path=f"{path}/" if there.is_dir() else path, kind="changed" if there.exists() else "gone")


def _affected(
    loaded: Loaded, only: str | None, changes: tuple[Change, ...], then: Past | None, outside: Outside
) -> Affected:  # fmt: skip
    gone = tuple(sorted(PurePosixPath(change.path).stem for change in changes if _was_pack(change, loaded)))
    base = then.commit if then else ""
    if not changes:
        return Affected(packs=(), base=base, gone=gone)
    found = find(loaded, only)
    site = site_of(found, loaded, outside)
    asked = Asked(changes=_by_name(changes, site), then=then)
    reasons: dict[str, tuple[Touch, ...]] = {}
    with temporary_folder("since") as folder:
        root = _old_root(changes, then, folder, outside)
        for mine, here in by_site(found, site):
            reasons |= _reasons(mine, asked, replace(here, lock=NOTHING_PINNED), root)
    packs = tuple(Touched(name=pack.name, reasons=reasons[pack.name]) for pack in found.packs if reasons[pack.name])
    return Affected(packs=packs, base=base, gone=gone)


def _reasons(found: Found, asked: Asked, site: Site, root: Path | None) -> dict[str, tuple[Touch, ...]]:
    """Why each of the packs of one target is touched; the costly questions are asked of those that have no reason yet."""
    plans = traced(found, site)
    reasons = {plan.pack.name: _at_once(plan, asked) for plan in plans}
    _add(reasons, {plan.pack.name: _everywhere(asked, site) for plan in plans})
    for judge in (_by_config, _by_names, _by_lock):
        open_ones = [plan for plan in plans if not reasons[plan.pack.name]]
        if open_ones:
            _add(reasons, judge(open_ones, found, asked, site, root))
    return reasons


def _add(reasons: dict[str, tuple[Touch, ...]], more: Mapping[str, tuple[Touch, ...]]) -> None:
    for name, touches in more.items():
        reasons[name] = (*reasons[name], *touches)


def _was_pack(change: Change, loaded: Loaded) -> bool:
    path = loaded.root / change.path
    return (
        change.kind == "gone"
        and path.parent == loaded.packs_dir
        and path.suffix == ".py"
        and not path.name.startswith(("_", "."))
    )


def _old_root(changes: Iterable[Change], then: Past | None, folder: Path, outside: Outside) -> Path | None:
    """The project as it was, as far as config and lock need it; None where that is not known."""
    git = Git(door=outside.door, environ=outside.environ)
    return history.restore(then, changes, folder, git) if then else None


# ---------------------------------------------------------------- files


def _by_name(changes: Iterable[Change], site: Site) -> dict[str, Change]:
    """Changes by every name of their files in the project: their own, and those by links to them or to folders above."""
    tree = site.scanner.tree
    links = trace.links(tree)
    named: dict[str, Change] = {}
    for change in changes:
        if change.path.endswith("/"):  # a folder that was named, or a repository that git does not look into
            inside = change.path.removeprefix("./")
            named |= {path: Change(path=path, kind=change.kind) for path in tree.files if path.startswith(inside)}
            continue
        named[change.path] = change
        for link, real in links.items():
            if f"{change.path}/".startswith(f"{real}/"):
                path = f"{link}{change.path[len(real) :]}"
                named[path] = replace(change, path=path)
    return named


def _at_once(plan: Plan, asked: Asked) -> tuple[Touch, ...]:
    """The reasons that a pack has in itself."""
    if plan.error:
        return (Touch(kind="unknown", path="", message=f"it cannot be told what it reaches: {plan.error}"),)
    return touched.by_files(plan.traced, plan.tests, asked.changes)


def _everywhere(asked: Asked, site: Site) -> tuple[Touch, ...]:
    """The reasons that all packs have."""
    touches = []
    for path, change in asked.changes.items():
        name = PurePosixPath(path).name
        if change.opaque and not path.startswith("../"):
            message = f"{path} is, or was, a link or a submodule: what changed behind it is not known"
            touches.append(Touch(kind="unknown", path=path, message=message))
        elif "/" in path and of_others([name]) and change.kind != "changed":
            touches.append(Touch(kind="unknown", path=path, message=f"{touched.in_words(change)}: it hides its folder"))
        elif path == ".python-version" and site.target.chosen_by in CHOICE:
            touches.append(Touch(kind="config", path=path, message=touched.in_words(change)))
    return (*touches, *_moved_roots(asked, site))


def _moved_roots(asked: Asked, site: Site) -> tuple[Touch, ...]:
    """That the folder `src` is a source root now and was not, or the other way round."""
    if site.loaded.config.source_roots != "auto":
        return ()
    moved = [path for path in asked.of("new", "gone") if path.startswith("src/")]
    files = (site.scanner.tree.files - set(asked.of("new"))) | set(asked.of("gone"))
    was_root = any(path.startswith("src/") for path in files) and "src/__init__.py" not in files
    if not moved or was_root == ("src" in site.scanner.tree.source_roots):
        return ()
    return (Touch(kind="source", path=moved[0], message="src is a source root now and was not, or the other way round"),)


def _by_names(plans: list[Plan], found: Found, asked: Asked, site: Site, _root: Path | None) -> dict[str, tuple[Touch, ...]]:
    """The packs that would reach something else among the names of files that there were; a file that may be new, may be."""
    tests = f"{Path(os.path.relpath(site.loaded.tests_dir, site.loaded.root)).as_posix()}/"
    new = asked.of("new") if asked.then else asked.of("new", "changed")
    gone = [path for path in asked.of("gone") if not (path.startswith(tests) and trace.is_test(path))]
    if not (set(new) & site.scanner.tree.files or gone):
        return {}
    before = replace(site, scanner=site.scanner.before(new, gone))
    old_plans = traced(found.among(frozenset(plan.pack.name for plan in plans)), before)
    return {
        plan.pack.name: (touched.by_names(old.error.where if old.error else "", asked.changes),)
        for plan, old in zip(plans, old_plans, strict=True)
        if old.error or touched.reached(old.traced, old.tests) != touched.reached(plan.traced, plan.tests)
    }


# ---------------------------------------------------------------- config


def _by_config(plans: list[Plan], _found: Found, asked: Asked, site: Site, root: Path | None) -> dict[str, tuple[Touch, ...]]:
    """The packs whose options were others. Flags and variables, which are the same, are left out of both sides."""
    name = site.loaded.file.name if site.loaded.file else config.FILE_NAME
    change = next((change for path, change in asked.changes.items() if PurePosixPath(path).name == name and _governs(path)), None)
    if change is None:
        return {}
    if root is None or change.kind != "changed" or change.path != name or site.loaded.file is None:
        return _all(plans, Touch(kind="config", path=change.path, message=touched.in_words(change)))
    try:
        old, now = _alone(root / name), _alone(site.loaded.file)
        differing = touched.options_changed(_plain(old.config, root), _plain(now.config, site.loaded.root))
        if differing:
            message = f"{name} has changed: {', '.join(differing)}"
            return _all(plans, Touch(kind="config", path=name, message=message))
        return {plan.pack.name: _options_touch(plan, old, now) for plan in plans}
    except MonopackError as error:
        message = f"{name} has changed, and what it was cannot be read: {error}".replace(str(root), str(site.loaded.root))
        return _all(plans, Touch(kind="config", path=name, message=message))


def _governs(path: str) -> bool:
    """Whether a config file there could be the project's: in its root or above."""
    return all(part == ".." for part in PurePosixPath(path).parent.parts)


def _alone(file: Path) -> Loaded:
    """What a config file says alone."""
    return config.load({}, cwd=file.parent, config_file=file, environ={})


def _options_touch(plan: Plan, old: Loaded, now: Loaded) -> tuple[Touch, ...]:
    pack = plan.pack
    before, after = (config.pack_options(each, pack.name, pack.block, pack.block_place).model_dump() for each in (old, now))
    differing = touched.pack_options_changed(before, after)
    if not differing:
        return ()
    name = now.file.name if now.file else ""
    return (Touch(kind="config", path=name, message=f"{name} has changed: {', '.join(differing)} of {pack.name}"),)


def _plain(model: BaseModel, root: Path) -> dict[str, object]:
    """Options as plain values, wherever the project lies."""
    plain: dict[str, object] = json.loads(model.model_dump_json().replace(json.dumps(str(root), ensure_ascii=False)[1:-1], ""))
    return plain


# ---------------------------------------------------------------- lock


def _by_lock(plans: list[Plan], _found: Found, asked: Asked, site: Site, root: Path | None) -> dict[str, tuple[Touch, ...]]:
    """The packs that have a pin that has changed, or had one; those that cannot be compared are touched."""
    files = [path for path in asked.changes if not path.endswith(".py") or PurePosixPath(path).name == "setup.py"]
    if not files:
        return {}
    try:
        now = _lock(site.loaded.root, site)
        if root is None:
            mine = [path for path in files if _is_of(path, now)]
            message = f"{', '.join(mine)}: what was pinned before is not known"
            return _all(plans, Touch(kind="lock", path=mine[0], message=message)) if mine else {}
        old = _here(_lock(root, site), root, site.loaded.root)
    except MonopackError as error:
        message = f"the pins cannot be compared with what they were: {error}".replace(str(root), str(site.loaded.root))
        return _all(plans, Touch(kind="lock", path="", message=message))
    told = {**_local_wheels(files, now), **touched.pins_changed(old, now)}
    if (old.loose or now.loose) and {old.path, now.path} & set(files):
        message = f"{now.path or old.path} leaves versions open: which pins have changed cannot be told"
        return _all(plans, Touch(kind="lock", path=now.path or old.path, message=message))
    return _by_pins(plans, (old, now), told, site) if told else {}


def _by_pins(plans: list[Plan], both: tuple[Lock, Lock], told: Mapping[str, str], site: Site) -> dict[str, tuple[Touch, ...]]:
    """The packs that have what changed; of the others, those that had it."""
    old, now = both
    path = now.path or old.path
    after, supplied_now = supplied(plans, site)
    if after.lock.path and after.lock.pins.keys() != now.pins.keys():
        message = f"{path} leaves out what its pins require: which of that has changed cannot be told"
        return _all(plans, Touch(kind="lock", path=path, message=message))
    touches = {plan.pack.name: _pins_touch(plan, told, path) for plan in supplied_now}
    rest = [plan for plan in supplied_now if not touches[plan.pack.name]]
    for plan, before in zip(rest, supplied_from(rest, old, site) if rest else [], strict=True):
        had = touched.wheels((before.resolution, before.for_tests)), before.runner
        if before.error or had != (touched.wheels((plan.resolution, plan.for_tests)), plan.runner):
            gone = touched.by_pins((before.resolution, before.for_tests), told, path)
            other = Touch(kind="lock", path=path, message=f"{path} has changed, and with it what the pack gets from it")
            touches[plan.pack.name] = gone or (other,)
    return touches


def _pins_touch(plan: Plan, told: Mapping[str, str], path: str) -> tuple[Touch, ...]:
    if plan.error:
        return (Touch(kind="unknown", path="", message=f"it cannot be told which pins it has: {plan.error}"),)
    return touched.by_pins((plan.resolution, plan.for_tests), told, path)


def _lock(root: Path, site: Site) -> Lock:
    """The pins of a project as its lock has them."""
    source = locks.find(root, site.loaded.config.package_manager)
    return locks.read(source, root, site.target) if source else NOTHING_PINNED


def _here(lock: Lock, there: Path, here: Path) -> Lock:
    """A lock of the project elsewhere, as if it lay here."""

    def moved(text: str) -> str:
        return text.replace(there.as_uri(), here.as_uri()).replace(str(there), str(here))

    pins = {
        name: replace(pin, url=moved(pin.url), wheels=tuple(replace(wheel, url=moved(wheel.url)) for wheel in pin.wheels))
        for name, pin in lock.pins.items()
    }
    return replace(lock, pins=pins, index_options=tuple(map(moved, lock.index_options)))


def _local_wheels(files: Iterable[str], lock: Lock) -> dict[str, str]:
    """The pins whose wheels lie in the repository and have changed there."""
    told: dict[str, str] = {}
    for path in files:
        try:
            name = canonicalize_name(parse_wheel_filename(PurePosixPath(path).name)[0])
        except InvalidWheelFilename:
            continue
        if name in lock.pins:
            told[name] = f"{path} has changed"
    return told


def _is_of(path: str, lock: Lock) -> bool:
    """Whether a file is, or may be, part of a lock; wheels of the repository are."""
    name = PurePosixPath(path).name
    if path == lock.path or name in PINNING or path.endswith(".whl") or path in {pin.evidence.file for pin in lock.pins.values()}:
        return True
    known = {dialect.file for dialect in locks.DIALECTS}
    return path in known or (lock.dialect == "requirements" and path.endswith((".txt", ".in")) and _sounds_like_pins(name))


def _sounds_like_pins(name: str) -> bool:
    return any(word in name.lower() for word in ("require", "constraint", "pins", "lock", "dep"))


def _all(plans: Sequence[Plan], touch: Touch) -> dict[str, tuple[Touch, ...]]:
    return {plan.pack.name: (touch,) for plan in plans}
