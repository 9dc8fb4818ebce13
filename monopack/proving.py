"""A side door of the hallway: a built folder is verified, and the tests that belong to it run on a copy."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monopack import __version__, elf, ledger, passes, testing, workspace
from monopack import verify as verification
from monopack.model import Failure, LeftOut, Reach, Step, Target, Tree, value
from monopack.planning import Plan, Site
from monopack.resolve import metadata_of, way_out
from monopack.run import OWN_FOLDERS, clean_environment, temporary_folder

log = logging.getLogger(__name__)


@value()
class Proof:
    """How proving ended: what fails, how many tests passed, and how the pack's folder was found then (None: not looked at)."""

    failures: tuple[Failure, ...] = ()
    passed: int = 0
    seen: workspace.Seen | None = None


def prove(plan: Plan, tree: Tree, with_tests: Tree | None, site: Site) -> Proof:
    """Verify a pack and run its tests."""
    with temporary_folder("home") as home:
        options, environ = plan.options, site.outside.environ
        environment = clean_environment(environ, home=home, passthrough=options.env_passthrough, extra=options.env)
        trial = _verify if runs(site.target, tree) else _look_over
        failures, key = trial(plan, tree, environment, site) if options.verify else ((), "")
        proof = Proof(failures=failures) if failures else _unless_changed(plan, tree, site, 0)
        _keep(key, proof, site)
        if proof.failures or options.skip_tests or (with_tests and not runs(site.target, with_tests)):
            return proof
        outcome, key = _run_tests(plan, with_tests, {**environment, **options.test_env}, site)
    failures = tuple(_with_hint(failure, plan, site) for failure in outcome.failures)
    proof = Proof(failures=failures) if failures else _unless_changed(plan, tree, site, outcome.passed)
    _keep(key, proof, site)
    return proof


def _keep(key: str, proof: Proof, site: Site) -> None:
    """Keep what was proven under a key (empty: it need not be kept), unless it failed or has changed the pack."""
    if key and not proof.failures:
        passes.keep(site.loaded.cache_dir, key, str(proof.passed))


def runs(target: Target, tree: Tree) -> bool:
    """Whether the code of a Tree can run on this machine as it does on the target."""
    return target.runs == "all" or (target.runs == "pure" and not any(elf.is_native(entry.path) for entry in tree.entries))


def untried(plan: Plan, tree: Tree, with_tests: Tree | None, target: Target) -> tuple[str, ...]:
    """What a build will not do since the code is for another machine, in words."""
    what = f"{target}, whose code this machine cannot run"
    if plan.options.verify and not runs(target, tree):
        return (f"imports are checked without running them, and no test runs: the target is {what}",)
    if with_tests and not plan.options.skip_tests and not runs(target, with_tests):
        return (f"no test runs: what the tests need is for {what}",)
    return ()


Tried = tuple[tuple[Failure, ...], str]  # what failed, and under which key it is to be kept that nothing did


def _verify(plan: Plan, tree: Tree, environment: Mapping[str, str], site: Site) -> Tried:
    """Import what the entry module imports, and with `verify = "all"` what it may import later, in a clean interpreter.

    Not where exactly this was verified before.
    """
    site.outside.tell(Step(name="verify", pack=plan.pack.name))
    request = replace(_request(plan, site), bytecode=_bytecode(plan, tree, site))
    key = _key(tree, request, environment, site)
    if site.loaded.config.cache and passes.known(site.loaded.cache_dir, key) is not None:
        log.debug("%s: verified before", plan.pack.name)
        return (), ""
    log.debug("%s: verifying %d modules", plan.pack.name, len(request.modules))
    folder = site.loaded.build_dir / plan.pack.name
    failures = verification.verify(folder, request, site.target, environment, site.outside.door)
    return tuple(_with_hint(failure, plan, site) for failure in failures), key


def _look_over(plan: Plan, _tree: Tree, _: Mapping[str, str], site: Site) -> Tried:
    """What can be told without running a pack, beside its imports: those were followed when it was planned."""
    entry = next(file for file in plan.traced.files if file.module == plan.pack.module)
    shipped = site.loaded.build_dir / plan.pack.name / entry.ships_as
    return verification.unrun(shipped.read_bytes(), entry.source.path, _request(plan, site)), ""


def _request(plan: Plan, site: Site) -> verification.Request:
    """What of a pack is to be imported."""
    everything = plan.options.verify == "all"
    reached = [f.module for f in plan.traced.files if f.module and (everything or f.reach is Reach.EAGER)]
    return verification.Request(
        modules=(plan.pack.module, *sorted(set(reached) - {plan.pack.module})),
        entry=plan.pack.module,
        handler=plan.options.handler,
        timeout=site.loaded.config.verify_timeout,
        platform=plan.resolution.platform,
        project=site.scanner.tree.modules,
    )


def _bytecode(plan: Plan, tree: Tree, site: Site) -> verification.Bytecode | None:
    """Where the compiled modules of a pack are kept."""
    if not site.loaded.config.cache:
        return None
    own, pool = site.book.bytecode_folder(plan.pack.name), site.book.bytecode_pool
    sources = {entry.path: entry.sha256 for entry in tree.entries if entry.path.endswith(".py")}
    return verification.Bytecode(own=str(own), pool=str(pool), sources=sources)


def _key(tree: Tree, request: verification.Request, environment: Mapping[str, str], site: Site) -> str:
    """The digest of all that verifying looks at; of the folders that every run makes anew, only that they are there."""
    return ledger.digest({
        "verifier": [__version__, verification.digest()],
        "tree": tree.digest,
        "asked": [request.modules, request.handler, request.platform],
        "python": _python(site),
        "environment": _seen(environment),
    })  # fmt: skip


def _with_hint(failure: Failure, plan: Plan, site: Site) -> Failure:
    """Say how to ship a module or a file that was missing."""
    if failure.distribution:
        return replace(failure, hint=metadata_of(failure.distribution, plan.pack.name, site.lock))
    if failure.hint or not (failure.missing or failure.absent):
        return failure
    tree = site.scanner.tree
    if failure.absent:
        found = tree.shipping_as(failure.absent)
        add = f'add to monopack.toml: [packs.{plan.pack.name}]  include = ["{found}"]'
        return replace(failure, hint=add if found else "the project has no such file: write it, or correct the path")
    ours = tree.locate(failure.missing) is not None
    return replace(failure, hint=way_out(failure, plan.pack.name, site.lock, ours=ours))


def _unless_changed(plan: Plan, tree: Tree, site: Site, passed: int) -> Proof:
    """A proof with a failure for each file of the built folder that code has changed."""
    hint = "code must not write into its own package; write to a temporary folder instead"
    seen = workspace.look(tree, site.loaded.build_dir / plan.pack.name, site.book.folder_record(plan.pack.name))
    failures = tuple(
        Failure(kind="changed", message="changed while the pack's code ran", where=path, hint=hint) for path in seen.changes
    )
    return Proof(failures=failures, passed=passed, seen=seen)


def _run_tests(plan: Plan, with_tests: Tree | None, environment: Mapping[str, str], site: Site) -> tuple[testing.Outcome, str]:
    """Run the tests of a pack on a copy of it in `<build>/<pack>_test/`; under which key it is to be kept that they passed."""
    for test, reason in plan.tests.left_out.items():
        log.info("%s: leaves out %s: %s", plan.pack.name, test, reason)
    for path in plan.tests.for_conftest:
        log.info("%s: %s is there for conftest.py only, and does not ship", plan.pack.name, path)
    if with_tests is None:
        return testing.Outcome(passed=0, skipped=0, failures=_no_tests(plan, site)), ""
    site.outside.tell(Step(name="test", pack=plan.pack.name))
    name = f"{plan.pack.name}_test"
    folder = site.loaded.build_dir / name
    force, unpacked = site.loaded.config.force, site.unpacked
    workspace.materialize(with_tests, folder, site.book.folder_record(name), force=force, unpacked=unpacked)
    request = testing.Request(
        files=plan.tests.tests,
        runner=plan.runner,
        tests_dir=os.path.relpath(site.loaded.tests_dir, site.loaded.root),
        timeout=site.loaded.config.test_timeout,
        network=plan.options.test_network,
    )
    if request.network:
        return _tested(request, folder, environment, site), ""
    key = _key_of_tests(with_tests, request, environment, site)
    told = passes.known(site.loaded.cache_dir, key) if site.loaded.config.cache else None
    if told and told.isdecimal():
        log.info("%s: its tests passed before", plan.pack.name)
        return testing.Outcome(passed=int(told), skipped=0), ""
    return _tested(request, folder, environment, site), key


def _tested(request: testing.Request, folder: Path, environment: Mapping[str, str], site: Site) -> testing.Outcome:
    log.debug("%s: running %d test files with %s", folder.name, len(request.files), request.runner)
    return testing.run_tests(folder, request, site.target, environment, site.outside.door)


def _key_of_tests(with_tests: Tree, request: testing.Request, environment: Mapping[str, str], site: Site) -> str:
    """The digest of all that tests without network look at; of the folders that every run makes anew, only that they exist."""
    return ledger.digest({
        "runner": [__version__, testing.digest(), request.runner, request.files, request.tests_dir],
        "tree": with_tests.digest,
        "python": _python(site),
        "environment": _seen(environment),
    })  # fmt: skip


def _python(site: Site) -> list[object]:
    python = os.path.realpath(site.target.python)
    return [python, site.target.version, str(site.target.tags[0]), Path(python).stat().st_mtime_ns]


def _seen(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if name not in OWN_FOLDERS}


def _no_tests(plan: Plan, site: Site) -> tuple[Failure, ...]:
    """A pack without tests fails, unless it may."""
    if not plan.options.require_tests:
        return ()
    tests_dir = os.path.relpath(site.loaded.tests_dir, site.loaded.root)
    nearest = sorted(plan.tests.left_out.items(), key=lambda found: (plan.pack.name not in found[0], found[0]))[:1]
    for test, left_out in nearest:
        message = f"no test in {tests_dir} belongs to the pack; {test} does not, since {left_out.reason}"
        return (Failure(kind="no-tests", message=message, where=left_out.where, hint=_to_belong(left_out, plan)),)
    file = f"{tests_dir}/test_{plan.pack.name}.py"
    verb = "let {} import" if file in site.scanner.tree.files else "write {} that imports"
    hint = f"{verb.format(file)} {plan.pack.module}, or pass --skip-tests, or {_table(plan)}  require_tests = false"
    return (Failure(kind="no-tests", message="no test in it imports the pack", where=tests_dir, hint=hint),)


def _to_belong(left_out: LeftOut, plan: Plan) -> str:
    """What to do so that a test belongs to a pack."""
    if not left_out.module:
        return "correct that line, or pass --skip-tests"
    return f'move what needs it to another test file, or {_table(plan)}  extra_modules = ["{left_out.module}"]'


def _table(plan: Plan) -> str:
    return f"add to monopack.toml: [packs.{plan.pack.name}]"
