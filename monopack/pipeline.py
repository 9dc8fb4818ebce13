"""The hallway: the one module that knows the order of the rooms, and carries values from one to the next."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_name

from monopack import __version__, archive, config, discover, ledger, locks, manifest, targets, testing, trace, workspace
from monopack import verify as verification
from monopack.assemble import assemble, overlay
from monopack.config import Loaded, PackOptions
from monopack.errors import ConfigError, LockError, MonopackError, UnpinnedError
from monopack.fixing import Remedies, mend
from monopack.ledger import Built, Ledger
from monopack.model import (
    Artifact,
    Evidence,
    Failure,
    Import,
    Lock,
    Pack,
    PackReport,
    Reach,
    Resolution,
    Target,
    TestPlan,
    Trace,
    Tree,
    value,
)
from monopack.resolve import Wanted, judge, not_there, unused_exclusions, way_out
from monopack.run import Door, clean_environment
from monopack.store import Fetching, Store, cache_of
from monopack.supply import NOTHING, Answer, Ask, supply

log = logging.getLogger(__name__)

NOTHING_PINNED = Lock(dialect="", path="", pins={})
NO_TESTS = TestPlan(tests=(), left_out={}, support=(), for_conftest=(), imports=())


@value()
class Site:
    """What all packs of a run share."""

    loaded: Loaded
    book: Ledger
    target: Target
    scanner: trace.Scanner
    environ: Mapping[str, str]
    door: Door
    epoch: int | None
    lock: Lock = NOTHING_PINNED


@value()
class Plan:
    """What is known about one pack before anything is built; an `error` ends its way, not that of the others."""

    pack: Pack
    options: PackOptions
    traced: Trace
    tests: TestPlan = NO_TESTS
    runner: str = ""
    resolution: Resolution = NOTHING
    for_tests: Resolution = NOTHING
    error: MonopackError | None = None


def build(loaded: Loaded, only: str | None, environ: Mapping[str, str], door: Door) -> tuple[PackReport, ...]:
    """Build all packs, or the one named `only`; a report for each, in pack order.

    What is wrong with one pack is in its report. Raises `MonopackError` for what is wrong with all of them.
    """
    roots = discover.source_roots(loaded.root, loaded.config.source_roots)
    packs = discover.packs(loaded.root, loaded.packs_dir, roots, only)
    options = _options(packs, only, loaded)
    _refuse_blind_fixing(loaded)
    protected = _protected(loaded, roots)
    with ledger.claim(loaded.build_dir, protected, loaded.config.lock_timeout) as book:
        site = _site(loaded, roots, book, environ, door)
        plans = [_plan(pack, chosen, site) for pack, chosen in zip(packs, options, strict=True)]
        lock, plans = _resolve(plans, site)
        site = replace(site, lock=lock)
        reports = _side_by_side(
            lambda plan: _build_or_mend(plan, site), plans, 1 if loaded.config.auto_fix else loaded.config.jobs
        )
        if only is None:
            _warn_of_leftovers(plans, book)
        return reports


def _options(packs: Sequence[Pack], only: str | None, loaded: Loaded) -> list[PackOptions]:
    """The options of every pack, from its managed block and the tables of the config."""
    if only is None:
        config.check_pack_names(loaded, [pack.name for pack in packs])
    return [config.pack_options(loaded, pack.name, pack.block, f"{pack.path}:{pack.block_line}") for pack in packs]


def _refuse_blind_fixing(loaded: Loaded) -> None:
    """Auto-fix mends what verifying finds, so there has to be verifying; and it edits sources, so one pack at a time."""
    if not loaded.config.auto_fix:
        return
    if loaded.config.verify is False:
        where = loaded.origins["auto_fix"].removeprefix("flag ").removeprefix("variable ")
        raise ConfigError("auto-fix needs to verify, and verify is off", where=where, hint="leave out one of them")
    if loaded.config.jobs != 1:
        log.info("auto-fix builds one pack after another")


def _site(loaded: Loaded, roots: Sequence[str], book: Ledger, environ: Mapping[str, str], door: Door) -> Site:
    """Find the Python that packs are for, and the files there are."""
    epoch = archive.epoch(environ)
    given_by = loaded.origins["python"].removeprefix("flag ").removeprefix("variable ")
    target = targets.host(loaded.config.python, given_by, loaded.root, environ, door)
    log.info("project %s (%s)", loaded.root, loaded.file.name if loaded.file else "no monopack.toml")
    log.info("Python %s at %s (%s)", target.version, target.python, target.chosen_by)
    tree = trace.survey(loaded.root, roots, (loaded.build_dir, loaded.cache_dir))
    scanner = trace.Scanner(tree, target.markers)
    return Site(loaded=loaded, book=book, target=target, scanner=scanner, environ=environ, door=door, epoch=epoch)


def _protected(loaded: Loaded, roots: Sequence[str]) -> dict[str, Path]:
    """Folders that the build folder and the cache must not be or contain, by what they are.

    Raises `ConfigError` for a cache that is one of them, and for a tests folder that holds what the tests are to test.
    """
    named = {"the project root": loaded.root, "the packs folder": loaded.packs_dir}
    named |= {f"the source root {root}": loaded.root / root for root in roots}
    for what, path in named.items():
        if path.is_relative_to(loaded.tests_dir):
            where = loaded.origins["tests_dir"].removeprefix("variable ")
            raise ConfigError(f"the tests folder is or contains {what}", where=where, hint="name a folder with nothing but tests")
    named |= {"the tests folder": loaded.tests_dir, "the repository": loaded.root / ".git"}
    ledger.refuse(loaded.cache_dir, "the cache folder", "--cache-dir", named)
    return named


def _warn_of_leftovers(plans: Sequence[Plan], book: Ledger) -> None:
    """Say what a run of all packs passes over: tests that fit no pack, artifacts whose pack is gone."""
    chosen = {test for plan in plans for test in plan.tests.tests}
    left_out = {test: reason for plan in plans for test, reason in plan.tests.left_out.items() if test not in chosen}
    if left_out:
        named = sorted(left_out)
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        log.warning("no pack runs %s%s: %s", ", ".join(named[:3]), more, left_out[named[0]])
    for name in sorted(book.packs() - {plan.pack.name for plan in plans}):
        log.warning("the build folder still has artifacts of %s, which is no pack any more", name)


def _side_by_side(
    step: Callable[[Plan], PackReport], plans: Sequence[Plan], jobs: int | Literal["auto"]
) -> tuple[PackReport, ...]:
    """Run a step for every plan, as many at once as `jobs` allows; results in the order of the plans."""
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1 if jobs == "auto" else jobs)
    try:
        return tuple(pool.map(step, plans))
    finally:
        pool.shutdown(cancel_futures=True)


# ---------------------------------------------------------------- trace, and choose tests


def _plan(pack: Pack, options: PackOptions, site: Site) -> Plan:
    """Trace one pack and choose its tests."""
    plan = Plan(pack=pack, options=options, traced=Trace(module=pack.module, files=(), imports=(), missing=()))
    scanner = site.scanner.narrowed(options.exclude)
    extra = tuple(trace.Start(name=name, because=Evidence(file="extra_modules", line=0)) for name in options.extra_modules)
    try:
        traced = trace.trace(pack.module, extra, options.include, scanner, site.target)
        plan = replace(plan, traced=traced)
        _log_trace(pack.name, traced)
        if options.skip_tests:
            return plan
        tests_dir = Path(os.path.relpath(site.loaded.tests_dir, site.loaded.root)).as_posix()
        return replace(plan, tests=trace.tests_of(traced, tests_dir, site.scanner, site.target))
    except MonopackError as error:
        return replace(plan, error=error)


def _log_trace(pack: str, traced: Trace) -> None:
    """Every edge and every import that was left to distributions, for `--debug`."""
    for edge in traced.edges:
        log.debug("%s: %s imports %s (%s)", pack, edge.evidence, edge.path, edge.reach)
    for wanted in traced.imports:
        guarded = ", may fail" if wanted.optional else ""
        log.debug(
            "%s: %s imports %s, to be provided by a distribution (%s%s)",
            pack,
            wanted.evidence,
            wanted.dotted,
            wanted.reach,
            guarded,
        )


# ---------------------------------------------------------------- imports -> distributions


def _resolve(plans: list[Plan], site: Site) -> tuple[Lock, list[Plan]]:
    """Give every plan its distributions, from the lock; a lock that is not complete is completed once."""
    if not any(p.traced.imports or p.tests.tests or p.options.extra_distributions for p in plans):
        return NOTHING_PINNED, plans
    lock = _read_lock(site)
    store = Store(site.loaded.cache_dir, _fetching(site))
    supplied = _supply(plans, lock, store, site)
    if _incomplete(lock) and any(isinstance(plan.error, UnpinnedError) for plan in supplied):
        lock = _complete(lock, site)
        supplied = _supply(plans, lock, store, site)
    for warning in lock.warnings:
        log.warning("%s", warning)
    return lock, supplied


def _read_lock(site: Site) -> Lock:
    """The project's pins, all of them; none where it has no dependency source."""
    source = locks.find(site.loaded.root, site.loaded.config.package_manager)
    if source is None:
        return NOTHING_PINNED
    log.info("pins: %s", source.note)
    lock = locks.read(source, site.loaded.root, site.target)
    return _complete(lock, site) if lock.loose else lock


def _incomplete(lock: Lock) -> bool:
    """Whether a lock may leave out what its pins require: requirements with hashes, and real locks, may not."""
    return lock.dialect == "requirements" and not any(pin.hashes for pin in lock.pins.values())


def _complete(lock: Lock, site: Site) -> Lock:
    """Pin what the project's requirements leave open, and keep the answer in the build folder."""
    keep = site.loaded.build_dir / ".monopack" / f"requirements.{site.target.name}.txt"
    resolver = locks.Resolver(door=site.door, environ=site.environ, offline=site.loaded.config.offline)
    return locks.pin(lock, site.loaded.root, site.target, keep, resolver)


def _supply(plans: list[Plan], lock: Lock, store: Store, site: Site) -> list[Plan]:
    """Every plan with its distributions, or with the reason why it cannot have them."""
    sound = [plan for plan in plans if not plan.error]
    asks = [Ask(for_pack=_wanted(plan, site), for_tests=_wanted_by_tests(plan, lock, site)) for plan in sound]
    answers = dict(zip((plan.pack.name for plan in sound), supply(asks, lock, site.target, store), strict=True))
    return [_supplied(plan, answers.get(plan.pack.name), lock) for plan in plans]


def _supplied(plan: Plan, answer: Answer | None, lock: Lock) -> Plan:
    if answer is None:
        return plan
    if isinstance(answer, LockError):
        return replace(plan, error=answer)
    for each in answer.for_pack.shipped:
        log.debug("%s ships %s==%s: %s", plan.pack.name, each.distribution.name, each.distribution.version, each.because)
    for wanted in answer.for_pack.unresolved:
        log.debug("%s: %s imports %s, which nothing provides", plan.pack.name, wanted.evidence, wanted.dotted)
    return replace(plan, runner=_runner(plan, lock), resolution=answer.for_pack, for_tests=answer.for_tests)


def _runner(plan: Plan, lock: Lock) -> str:
    return testing.select_runner(plan.options.test_runner, lock.pins)


def _fetching(site: Site) -> Fetching:
    """How the store reaches the indexes."""
    options = site.loaded.config
    fetching = Fetching(door=site.door, environ=site.environ, root=site.loaded.root, offline=options.offline)
    if options.existing_install_python is None:
        return fetching
    return replace(fetching, pip_cache=cache_of(options.existing_install_python, fetching))


def _wanted(plan: Plan, site: Site) -> Wanted:
    """What a pack wants of the lock."""
    return Wanted(
        imports=plan.traced.imports,
        distributions=dict.fromkeys(plan.options.extra_distributions, "extra_distributions"),
        excluded=frozenset(canonicalize_name(name) for name in plan.options.exclude_distributions),
        module_map=site.loaded.config.module_map,
    )


def _wanted_by_tests(plan: Plan, lock: Lock, site: Site) -> Wanted | None:
    """What a pack's tests want: all that the pack wants, the platform's distributions too, and the runner with its plugins."""
    if not plan.tests.tests:
        return None
    options = plan.options
    platform = [name for name in options.exclude_distributions if canonicalize_name(name) in lock.pins]
    named = dict.fromkeys((*platform, *options.extra_distributions, *options.test_distributions), "test_distributions")
    if _runner(plan, lock) == "pytest":
        named |= {name: "test_runner" for name in ("pytest", *lock.pins) if name == "pytest" or name.startswith("pytest-")}
    return Wanted(
        imports=(*plan.traced.imports, *plan.tests.imports),
        distributions=named,
        module_map=site.loaded.config.module_map,
        development=True,
    )


# ---------------------------------------------------------------- one pack: tree -> folder -> proof -> artifact


def _build(plan: Plan, site: Site) -> PackReport:
    """Build one pack; whatever is wrong with it is in the report."""
    started = time.monotonic()
    try:
        if plan.error:
            raise plan.error
        report = _build_tree(plan, site)
    except MonopackError as error:
        refusal = Failure(kind="error", message=error.what, where=error.where, hint=error.hint)
        report = replace(_report(plan, site, "failed"), failures=(refusal,), exit_code=error.exit_code)
    zipped = f"{plan.pack.name}.zip"
    kept = report.status == "failed" and zipped in site.book.wrote(plan.pack.name) and (site.loaded.build_dir / zipped).exists()
    report = replace(report, seconds=time.monotonic() - started, kept=kept)
    log.info("%s: %s in %.1f s", plan.pack.name, report.status, report.seconds)
    return report


def _build_or_mend(plan: Plan, site: Site) -> PackReport:
    """Build one pack; with auto-fix, mend what can be mended and build it again."""
    report = _build(plan, site)
    if not site.loaded.config.auto_fix or report.status != "failed":
        return report
    remedies = Remedies(
        ours=lambda module: site.scanner.tree.locate(module) is not None, provider=lambda module: _providing(module, site)
    )  # fmt: skip
    try:
        return mend(report, site.loaded.root / plan.pack.path, site.loaded.root, remedies, lambda: _rebuild(plan, site))
    except MonopackError as error:
        refusal = Failure(kind="error", message=error.what, where=error.where, hint=error.hint)
        return replace(report, failures=(*report.failures, refusal))


def _rebuild(plan: Plan, site: Site) -> PackReport:
    """Build a pack again after its file was edited."""
    loaded = site.loaded
    fresh = replace(site, scanner=trace.Scanner(site.scanner.tree, site.target.markers))
    (pack,) = discover.packs(loaded.root, loaded.packs_dir, fresh.scanner.tree.source_roots, plan.pack.name)
    (options,) = _options([pack], pack.name, loaded)
    lock, (planned,) = _resolve([_plan(pack, options, fresh)], fresh)
    return _build(planned, replace(fresh, lock=lock))


def _providing(module: str, site: Site) -> str:
    """The pinned distribution that provides a module; an empty string when none does."""
    lock = site.lock if site.lock.path else _read_lock(site)
    wanted = Import(name=module, evidence=Evidence(file="auto-fix", line=0), reach=Reach.LAZY)
    ask = Ask(for_pack=Wanted(imports=(wanted,), distributions={}, module_map=site.loaded.config.module_map), for_tests=None)
    (answer,) = supply([ask], lock, site.target, Store(site.loaded.cache_dir, _fetching(site)))
    shipped = () if isinstance(answer, LockError) else answer.for_pack.shipped
    return next((s.distribution.name for s in shipped if s.because.wanted), "")


def _build_tree(plan: Plan, site: Site) -> PackReport:
    """Assemble a pack and, unless it is what the last build proved and packed, prove and pack it."""
    failures, warnings = _unprovided(plan, site)
    if failures:
        return replace(_report(plan, site, "failed"), failures=failures, warnings=warnings, exit_code=1)
    tree = _tree(plan)
    with_tests = overlay(tree, plan.tests.support, [s.distribution for s in plan.for_tests.shipped]) if plan.tests.tests else None
    report = _measured(_report(plan, site, "built"), plan, tree, warnings)
    folder, record = site.loaded.build_dir / plan.pack.name, site.book.folder_record(plan.pack.name)
    fingerprint = _fingerprint(plan, tree, with_tests, site)
    last = site.book.intact(plan.pack.name, fingerprint)
    if last and not workspace.changes(tree, folder, record):
        return replace(report, status="unchanged", packed=_packed_size(last, plan), tests=last.tests)

    workspace.materialize(tree, folder, record, force=site.loaded.config.force)
    failures, passed = _prove(plan, tree, with_tests, site)
    if failures:
        return replace(report, status="failed", failures=failures, exit_code=1)
    artifact, outputs = _pack(plan, tree, site)
    site.book.remember(plan.pack.name, fingerprint, outputs, passed)
    return replace(report, packed=artifact.size, tests=passed)


def _unprovided(plan: Plan, site: Site) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Failures and warnings for imports that nothing provides."""
    strict = plan.options.unresolved == "error"
    modules = site.scanner.tree.modules
    failures, warnings = judge(plan.resolution.unresolved, site.lock, modules, strict=strict)
    more_failures, more_warnings = not_there(plan.traced.missing, modules, strict=strict)
    unused = unused_exclusions(_wanted(plan, site), site.lock)
    return (*failures, *more_failures), (*plan.traced.notes, *unused, *warnings, *more_warnings)


def _tree(plan: Plan) -> Tree:
    """A pack's Tree: its first-party files and its distributions."""
    imported = {wanted.name.partition(".")[0] for wanted in plan.traced.imports}
    own = {file.ships_as.partition("/")[0] for file in plan.traced.files}
    return assemble(plan.traced.files, [s.distribution for s in plan.resolution.shipped], imported | own)


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
        "python": [str(interpreter), site.target.version, interpreter.stat().st_mtime_ns],
        "environment": {name: site.environ.get(name) for name in plan.options.env_passthrough},
        "lock": [site.lock.dialect, site.lock.path],
        "shipped": [(s.distribution.wheel, s.distribution.sha256, str(s.because)) for s in plan.resolution.shipped],
    })  # fmt: skip


def _prove(plan: Plan, tree: Tree, with_tests: Tree | None, site: Site) -> tuple[tuple[Failure, ...], int]:
    """Verify a pack and run its tests; what fails, and how many tests passed."""
    folder, record = site.loaded.build_dir / plan.pack.name, site.book.folder_record(plan.pack.name)
    with tempfile.TemporaryDirectory(prefix="monopack-") as home:
        options = plan.options
        environment = clean_environment(site.environ, home=Path(home), passthrough=options.env_passthrough, extra=options.env)
        failures = _verify(plan, folder, environment, site) if options.verify else ()
        failures = failures or _changed(tree, folder, record)
        if failures or options.skip_tests:
            return failures, 0
        outcome = _run_tests(plan, with_tests, {**environment, **options.test_env}, site)
    failures = tuple(_with_hint(failure, plan, site) for failure in outcome.failures)
    return failures or _changed(tree, folder, record), outcome.passed


def _verify(plan: Plan, folder: Path, environment: Mapping[str, str], site: Site) -> tuple[Failure, ...]:
    """Import what the entry module imports, and with `verify = "all"` what it may import later, in a clean interpreter."""
    everything = plan.options.verify == "all"
    reached = [f.module for f in plan.traced.files if f.module and (everything or f.reach is Reach.EAGER)]
    request = verification.Request(
        modules=(plan.pack.module, *sorted(set(reached) - {plan.pack.module})),
        entry=plan.pack.module,
        handler=plan.options.handler,
        timeout=site.loaded.config.verify_timeout,
        platform=plan.resolution.platform,
    )
    log.debug("%s: verifying %d modules", plan.pack.name, len(request.modules))
    failures = verification.verify(folder, request, site.target, environment, site.door)
    return tuple(_with_hint(failure, plan, site) for failure in failures)


def _with_hint(failure: Failure, plan: Plan, site: Site) -> Failure:
    """Say how to ship a module or a file that was missing."""
    if failure.hint or not (failure.missing or failure.absent):
        return failure
    tree = site.scanner.tree
    if failure.absent:
        found = tree.shipping_as(failure.absent)
        return (
            replace(failure, hint=f'add to monopack.toml: [packs.{plan.pack.name}]  include = ["{found}"]') if found else failure
        )
    ours = tree.locate(failure.missing) is not None
    return replace(failure, hint=way_out(failure, plan.pack.name, site.lock, ours=ours))


def _changed(tree: Tree, folder: Path, record: Path) -> tuple[Failure, ...]:
    """A failure for each file of a built folder that code has changed."""
    hint = "code must not write into its own package; write to a temporary folder instead"
    return tuple(
        Failure(kind="changed", message="changed while the pack's code ran", where=path, hint=hint)
        for path in workspace.changes(tree, folder, record)
    )


def _run_tests(plan: Plan, with_tests: Tree | None, environment: Mapping[str, str], site: Site) -> testing.Outcome:
    """Run the tests of a pack on a copy of it in `<build>/<pack>_test/`."""
    for test, reason in plan.tests.left_out.items():
        log.info("%s: leaves out %s: %s", plan.pack.name, test, reason)
    for path in plan.tests.for_conftest:
        log.info("%s: %s is there for conftest.py only, and does not ship", plan.pack.name, path)
    if with_tests is None:
        return testing.Outcome(passed=0, skipped=0, failures=_no_tests(plan, site))
    name = f"{plan.pack.name}_test"
    folder = site.loaded.build_dir / name
    workspace.materialize(with_tests, folder, site.book.folder_record(name), force=site.loaded.config.force)
    request = testing.Request(
        files=plan.tests.tests,
        runner=plan.runner,
        tests_dir=os.path.relpath(site.loaded.tests_dir, site.loaded.root),
        timeout=site.loaded.config.test_timeout,
    )
    log.debug("%s: running %d test files with %s", plan.pack.name, len(request.files), request.runner)
    return testing.run_tests(folder, request, site.target, environment, site.door)


def _no_tests(plan: Plan, site: Site) -> tuple[Failure, ...]:
    """A pack without tests fails, unless it may."""
    if not plan.options.require_tests:
        return ()
    tests_dir = os.path.relpath(site.loaded.tests_dir, site.loaded.root)
    why = "".join(f"; {test} is left out: {reason}" for test, reason in sorted(plan.tests.left_out.items())[:1])
    wanted = f"{tests_dir}/test_{plan.pack.name}.py that imports {plan.pack.module}"
    hint = f"write {wanted}, or set require_tests = false, or pass --skip-tests"
    return (Failure(kind="no-tests", message=f"no test in {tests_dir} belongs to the pack{why}", hint=hint),)


def _pack(plan: Plan, tree: Tree, site: Site) -> tuple[Artifact, dict[str, str]]:
    """Write the artifact, its digests and its manifest; the output files with their sha256."""
    name, build_dir = plan.pack.name, site.loaded.build_dir
    destination = build_dir / f"{name}.zip"
    artifact = archive.write(tree, destination, site.epoch)
    contents = manifest.Contents(pack=name, handler=_handler(plan), tree=tree, shipped=plan.resolution.shipped)
    listing = json.dumps(manifest.manifest(contents, artifact, site.lock, site.target), indent=1, ensure_ascii=False) + "\n"
    digests, stale = archive.digest_files(destination, artifact.sha256, site.loaded.config.sha_output)
    files = {**digests, build_dir / f"{name}.manifest.json": listing}
    stale = [path for path in stale if path.name in site.book.wrote(name)]
    site.book.announce(name, [destination.name, *(path.name for path in files)], force=site.loaded.config.force)
    archive.publish(artifact, destination, files, stale)
    outputs = {path.name: sha256(text.encode()).hexdigest() for path, text in files.items()}
    return artifact, {destination.name: artifact.sha256, **outputs}


# ---------------------------------------------------------------- reports


def _handler(plan: Plan) -> str:
    """The string to deploy with: `packs.users_get.lambda_handler`."""
    return f"{plan.pack.module}.{plan.options.handler}" if plan.options.handler else plan.pack.module


def _report(plan: Plan, site: Site, status: str) -> PackReport:
    folder = os.path.join(site.loaded.build_dir_given, plan.pack.name)  # noqa: PTH118  (kept as the user wrote it)
    return PackReport(name=plan.pack.name, folder=folder, status=status, seconds=0.0, handler=_handler(plan))


def _measured(report: PackReport, plan: Plan, tree: Tree, warnings: tuple[str, ...]) -> PackReport:
    return replace(
        report,
        files=len(plan.traced.files),
        distributions=len(plan.resolution.shipped),
        size=tree.size,
        warnings=(*warnings, *tree.warnings),
    )


def _packed_size(last: Built, plan: Plan) -> int:
    look, _ = last.outputs[f"{plan.pack.name}.zip"]
    return look[0]
