"""The hallway: the one module that knows the order of the rooms, and carries values from one to the next."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Literal

from monopack import __version__, archive, autofix, elf, ledger, manifest, targets, workspace
from monopack.assemble import assemble, overlay
from monopack.config import Loaded, PackOptions
from monopack.errors import LockError, MonopackError, PackError
from monopack.finding import Found, Outside, find, protected
from monopack.fixing import Means, Mended, mend, refuse_unverified
from monopack.ledger import Built
from monopack.model import (
    Artifact,
    BuildReport,
    Distribution,
    Entry,
    Failure,
    Native,
    Pack,
    PackReport,
    Step,
    Target,
    Tree,
    value,
)
from monopack.planning import Plan, Site, plans, refusal_of, replan, site_of, told, wanted
from monopack.proving import prove, untried
from monopack.recalling import Done, Memory, announce, fetches, forgets, recall, repeat, warn_of_leftovers
from monopack.resolve import judge, not_there, unused_exclusions
from monopack.run import INHERITED, temporary_folder
from monopack.store import Recipe, looked_at, smaller

log = logging.getLogger(__name__)

SHARED = 100_000_000  # bytes of unpacked wheels that are held while packs are built


def build(loaded: Loaded, only: str | None, outside: Outside, among: frozenset[str] | None = None) -> BuildReport:
    """Build all packs, or the one named `only`, or those that are `among` some; a report for each, in pack order, and what was
    fetched for all.

    What is wrong with one pack is in its report. Raises `MonopackError` for what is wrong with all of them.
    """
    found = find(loaded, only)
    if among is not None:
        found = found.among(among)
    if loaded.config.auto_fix:
        refuse_unverified(found, loaded)
        if loaded.config.jobs != 1:
            log.info("auto-fix builds one pack after another")
    with ledger.claim(loaded.build_dir, protected(loaded, found.roots), loaded.config.lock_timeout) as book:
        memory = Memory(loaded, book, outside.environ, found.roots)
        recalled = {} if forgets(loaded) else recall(found, memory)
        outside.tell(Step(name="plan", detail=str(len(found.packs))))
        announce(recalled.values(), outside)
        site, planned = plans(found.among(frozenset(pack.name for pack in found.packs) - recalled.keys()), loaded, outside)
        repeat(recalled.values(), told(site))
        jobs = 1 if loaded.config.auto_fix else loaded.config.jobs
        unpacked = workspace.Unpacked(SHARED if len(planned) > 1 else 0)
        reports = _side_by_side(
            lambda plan: _build_or_mend(plan, replace(site.of(plan.options.target), memory=memory, unpacked=unpacked)),
            planned,
            jobs,
        )
        everything = only is None and among is None
        memory.keep(everything=everything)
        if everything:
            book.drop_unused_bytecode()
            warn_of_leftovers(recalled | {plan.pack.name: plan.tests for plan in planned}, book)
        reports = tuple(sorted((*reports, *(each.report for each in recalled.values())), key=lambda report: report.name))
        return BuildReport(packs=reports, fetches=site.all_fetches().plus(fetches(recalled.values())))


def _side_by_side(
    step: Callable[[Plan], PackReport], plans: Sequence[Plan], jobs: int | Literal["auto"]
) -> tuple[PackReport, ...]:
    """Run a step for every plan, as many at once as `jobs` allows; results in the order of the plans."""
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1 if jobs == "auto" else jobs)
    try:
        return tuple(pool.map(step, plans))
    finally:
        pool.shutdown(cancel_futures=True)


# ---------------------------------------------------------------- one pack: tree -> folder -> proof -> artifact


def _build(plan: Plan, site: Site) -> PackReport:
    """Build one pack; whatever is wrong with it is in the report."""
    started = time.monotonic()
    site.outside.tell(Step(name="assemble", pack=plan.pack.name))
    try:
        report = _build_tree(plan, site)
    except MonopackError as error:
        report = refused(plan, site, error)
    zipped = f"{plan.pack.name}.zip"
    kept = report.status == "failed" and zipped in site.book.wrote(plan.pack.name) and (site.loaded.build_dir / zipped).exists()
    report = replace(report, seconds=time.monotonic() - started, kept=kept)
    site.outside.tell(Step(name=report.status, pack=plan.pack.name))
    log.info("%s: %s in %.1f s", plan.pack.name, report.status, report.seconds)
    return report


def _build_or_mend(plan: Plan, site: Site) -> PackReport:
    """Build one pack; with auto-fix, mend what can be mended and build it again."""
    return _mended(plan, site, autofix.save).report if site.loaded.config.auto_fix else _build(plan, site)


def _mended(plan: Plan, site: Site, save: Callable[[Path, bytes, bytes, Path], None]) -> Mended:
    return mend(plan, site, Means(build=_build, draft=draft_of, save=save))


@value()
class Fixed:
    """How fixing a pack ended, and the change of its file as a unified diff (empty: there is none)."""

    report: PackReport
    diff: str


def fix(loaded: Loaded, pack: str, outside: Outside) -> Fixed:
    """Build one pack with auto-fix, whatever the option says. Raises `MonopackError` for what is wrong before it is built."""
    found = find(loaded, pack)
    refuse_unverified(found, loaded)
    with ledger.claim(loaded.build_dir, protected(loaded, found.roots), loaded.config.lock_timeout):
        return _fixed(found, site_of(found, loaded, outside), autofix.save)


def rehearse_fix(loaded: Loaded, pack: str, outside: Outside) -> Fixed:
    """What `fix` would do, found out by the same builds in a temporary folder, the pack's file being edited only in memory.

    Nothing is written to the project or its build folder; pins that are kept there are used. Raises as `fix` does.
    """
    found = find(loaded, pack)
    refuse_unverified(found, loaded)
    with temporary_folder("fix") as temporary:
        aside = replace(loaded, build_dir=temporary / "build")
        with ledger.claim(aside.build_dir, protected(aside, found.roots), aside.config.lock_timeout) as book:
            for pins in (loaded.build_dir / ".monopack").glob("requirements.*.txt"):
                shutil.copy(pins, book.build / ".monopack")
            site = site_of(found, loaded, outside)  # which knows that the real build folder is no source
            return _fixed(found, replace(site, loaded=aside, book=book), lambda *_: None)


def _fixed(found: Found, site: Site, save: Callable[[Path, bytes, bytes, Path], None]) -> Fixed:
    site, (plan,) = replan(found, site)
    mended = _mended(plan, site, save)
    return Fixed(report=mended.report, diff=autofix.diff(plan.pack.path, mended.before, mended.after))


def _build_tree(plan: Plan, site: Site) -> PackReport:
    """Assemble a pack and, unless it is what the last build proved and packed, prove and pack it."""
    report, draft = examined(plan, site)
    if draft is None:
        return report
    folder, record = site.loaded.build_dir / plan.pack.name, site.book.folder_record(plan.pack.name)
    if site.loaded.config.cache and (found := last_build(plan, draft, site)):
        last, seen = found
        return _noted(with_last(report, last, "unchanged"), plan, replace(draft, seen=seen), site)
    workspace.materialize(draft.tree, folder, record, force=site.loaded.config.force, unpacked=site.unpacked)
    with _written_meanwhile(plan, draft.tree, site) as written:
        proof = prove(plan, draft.tree, draft.with_tests, site)
        if proof.failures:
            return replace(report, status="failed", failures=proof.failures, exit_code=1)
        site.outside.tell(Step(name="pack", pack=plan.pack.name))
        artifact, outputs = _publish(plan, draft.tree, written.result(), site)
    site.book.remember(plan.pack.name, draft.fingerprint, outputs, proof.passed)
    report = replace(report, status="built", packed=artifact.size, tests=proof.passed)
    return _noted(report, plan, replace(draft, seen=proof.seen), site)


def _noted(report: PackReport, plan: Plan, draft: Draft, site: Site) -> PackReport:
    """The report of a successful build, of which it is recorded what it looked at, so that the next run need not look."""
    if site.memory and draft.seen:
        beside = (*site.lock.files, *looked_at(site.lock, site.target, site.outside.environ, site.loaded.root))
        wheels = (shipped.distribution.location for shipped in (*plan.resolution.shipped, *plan.for_tests.shipped))
        site.memory.note(Done(
            pack=plan.pack, options=plan.options, report=replace(report, status="unchanged"), tree=draft.tree,
            seen=draft.seen, fingerprint=draft.fingerprint, looked=plan.looked, beside=beside,
            stored=tuple(dict.fromkeys(map(os.path.dirname, wheels))),
            host=site.host, target=site.target, warnings=site.lock.warnings, tests=plan.tests.tests,
            pins=len(site.lock.pins), note=site.lock.note,
            left_out={test: str(reason) for test, reason in plan.tests.left_out.items()},
        ))  # fmt: skip
    return report


def examined(plan: Plan, site: Site) -> tuple[PackReport, Draft | None]:
    """A pack's report so far, and what a build would make: None, with the report of a failure, where imports lead nowhere.

    Raises `MonopackError` for a pack that cannot be built.
    """
    if plan.error:
        raise plan.error
    failures, warnings = _unprovided(plan, site)
    if failures:
        return replace(_report(plan, site, "failed"), failures=failures, warnings=warnings, exit_code=1), None
    draft = draft_of(plan, site)
    report = replace(
        _report(plan, site, ""),
        files=len(plan.traced.files),
        distributions=len(plan.resolution.shipped),
        size=draft.tree.size,
        left_out=tuple(dict.fromkeys(each.name for each in plan.resolution.left_out)),
        warnings=(*warnings, *draft.tree.warnings, *untried(plan, draft.tree, draft.with_tests, site.target)),
    )
    return report, draft


@value()
class Draft:
    """What a build of a pack would make: its Tree, that of its test workspace (None: no tests), and the fingerprint of both.

    `seen` is how its folder was found when it was last looked at.
    """

    tree: Tree
    with_tests: Tree | None
    fingerprint: str
    seen: workspace.Seen | None = None


def draft_of(plan: Plan, site: Site) -> Draft:
    """What a build of a pack would make. Raises `PackError` where files of a pack contradict each other."""
    tree = tree_of(plan)
    _refuse_misfits(plan, tree, site.target)
    with_tests = overlay(tree, plan.tests.support, [s.distribution for s in plan.for_tests.shipped]) if plan.tests.tests else None
    return Draft(tree=tree, with_tests=with_tests, fingerprint=_fingerprint(plan, tree, with_tests, site))


def _refuse_misfits(plan: Plan, tree: Tree, target: Target) -> None:
    """Raise `LockError` (`PackError` for first-party ones) for a compiled file that the target cannot load."""
    if not target.platform:
        return
    owners = {
        entry.path: entry
        for entry in tree.entries
        if not any(fnmatchcase(entry.path, each) for each in plan.options.allow_native)
    }
    natives = [native for s in plan.resolution.shipped for native in s.distribution.natives]
    natives += [native for entry in owners.values() if entry.offset is None and (native := _native(entry))]
    for native, why in targets.misfits([native for native in natives if native.path in owners], target):
        origin = owners[native.path].origin
        way = "pin a version whose wheel fits" if "==" in origin else "compile it for the target"
        hint = f"{way}, choose another target, or if it is never loaded there, [packs.{plan.pack.name}]  allow_native"
        kind = LockError if "==" in origin else PackError
        raise kind(f"{native.path} {why} ({target.name})", where=origin, hint=f'{hint} = ["{native.path}"]')


def _native(entry: Entry) -> Native | None:
    """What a first-party file asks for, if it is a compiled one."""
    if not elf.is_native(entry.path):
        return None
    with Path(entry.location).open("rb") as file:
        return elf.read(file, entry.path)


def last_build(plan: Plan, draft: Draft, site: Site) -> tuple[Built, workspace.Seen] | None:
    """The last build of a pack and how its folder was found, if it was of this draft and all that it wrote is still there."""
    last = site.book.intact(plan.pack.name, draft.fingerprint)
    if last is None:
        return None
    folder, record = site.loaded.build_dir / plan.pack.name, site.book.folder_record(plan.pack.name)
    seen = workspace.look(draft.tree, folder, record)
    return None if seen.changes else (last, seen)


def _unprovided(plan: Plan, site: Site) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for imports that nothing provides."""
    strict = plan.options.unresolved == "error"
    modules = site.scanner.tree.modules
    failures, warnings = judge(plan.resolution.unresolved, site.lock, modules, strict=strict)
    more_failures, more_warnings = not_there(plan.traced.missing, modules, strict=strict)
    unused = unused_exclusions(wanted(plan, site), site.lock)
    return (*failures, *more_failures), (*plan.traced.notes, *unused, *warnings, *more_warnings)


def tree_of(plan: Plan) -> Tree:
    """A pack's Tree: its first-party files and its distributions. Raises `PackError` where they contradict each other."""
    return _tree(plan, [s.distribution for s in plan.resolution.shipped])


def _tree(plan: Plan, distributions: Sequence[Distribution]) -> Tree:
    imported = {wanted.name.partition(".")[0] for wanted in plan.traced.imports}
    own = {file.ships_as.partition("/")[0] for file in plan.traced.files}
    return assemble(plan.traced.files, distributions, imported | own)


def _fingerprint(plan: Plan, tree: Tree, with_tests: Tree | None, site: Site) -> str:
    """sha256 over all that decides what a build does; values of the environment enter only through this digest."""
    interpreter = Path(site.target.python).resolve()
    return ledger.digest({
        "monopack": __version__,
        "content": tree.digest,
        "tests": with_tests.digest if with_tests else None,
        "options": plan.options.model_dump(mode="json"),
        "sha_output": site.loaded.config.sha_output,
        "epoch": site.epoch,
        "deflate": archive.DEFLATE,
        "python": [str(interpreter), site.target.version, interpreter.stat().st_mtime_ns],
        "target": [site.target.name, site.target.platform, site.target.runs],
        "environment": {name: site.outside.environ.get(name) for name in (*INHERITED, *plan.options.env_passthrough)},
        "lock": [site.lock.dialect, site.lock.path],
        "shipped": [(s.distribution.wheel, s.distribution.sha256, str(s.because)) for s in plan.resolution.shipped],
    })  # fmt: skip


def _smaller(plan: Plan) -> Tree:
    """A pack's Tree with the shortest streams that the store has or makes of its wheels. Raises `LockError`."""
    recipe = Recipe(key=archive.DEFLATE, deflated=archive.deflated)
    return _tree(plan, [smaller(s.distribution, recipe) for s in plan.resolution.shipped])


@contextlib.contextmanager
def _written_meanwhile(plan: Plan, tree: Tree, site: Site) -> Iterator[Future[Artifact]]:
    """The artifact, which is written beside its destination while the pack is proved; unless it is published it goes away.

    It is made from the Tree, so that nothing of what the pack's code does gets into it.
    """

    def write() -> Artifact:
        packed = _smaller(plan) if plan.options.compression == "small" else tree
        destination = site.loaded.build_dir / f"{plan.pack.name}.zip"
        return archive.write(packed, destination, site.epoch, stored=plan.options.compression == "stored")

    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(write)
        try:
            yield written
        finally:
            if not written.exception():
                Path(written.result().path).unlink(missing_ok=True)


def _publish(plan: Plan, tree: Tree, artifact: Artifact, site: Site) -> tuple[Artifact, dict[str, str]]:
    """Put the artifact in its place, with its digests and its manifest; the output files with their sha256."""
    name, build_dir = plan.pack.name, site.loaded.build_dir
    destination = build_dir / f"{name}.zip"
    contents = manifest.Contents(
        pack=name, handler=_handler(plan.pack, plan.options), tree=tree, shipped=plan.resolution.shipped,
        compression=plan.options.compression or "",
    )  # fmt: skip
    listing = json.dumps(manifest.manifest(contents, artifact, site.lock, site.target), indent=1, ensure_ascii=False) + "\n"
    digests, stale = archive.digest_files(destination, artifact.sha256, site.loaded.config.sha_output)
    files = {**digests, build_dir / f"{name}.manifest.json": listing}
    stale = [path for path in stale if path.name in site.book.wrote(name)]
    site.book.announce(name, [destination.name, *(path.name for path in files)], force=site.loaded.config.force)
    archive.publish(artifact, destination, files, stale)
    outputs = {path.name: sha256(text.encode()).hexdigest() for path, text in files.items()}
    return artifact, {destination.name: artifact.sha256, **outputs}


# ---------------------------------------------------------------- reports


def _handler(pack: Pack, options: PackOptions) -> str:
    """The string to deploy with: `packs.users_get.lambda_handler`."""
    return f"{pack.module}.{options.handler}" if options.handler else pack.module


def named(pack: Pack, options: PackOptions, loaded: Loaded) -> PackReport:
    """What is known about a pack from its file alone."""
    folder = os.path.join(loaded.build_dir_given, pack.name)  # noqa: PTH118  (kept as the user wrote it)
    return PackReport(name=pack.name, folder=folder, status="", seconds=0.0, handler=_handler(pack, options))


def _report(plan: Plan, site: Site, status: str) -> PackReport:
    """The beginning of a pack's report."""
    return replace(named(plan.pack, plan.options, site.loaded), status=status)


def refused(plan: Plan, site: Site, error: MonopackError) -> PackReport:
    """The report of a pack that cannot be built."""
    return replace(_report(plan, site, "failed"), failures=(refusal_of(error),), exit_code=error.exit_code)


def with_last(report: PackReport, last: Built, status: str) -> PackReport:
    """The report of a pack that is as its last build left it."""
    look, _ = last.outputs[f"{report.name}.zip"]
    return replace(report, status=status, packed=look[0], tests=last.tests)
