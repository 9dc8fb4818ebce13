"""The nouns that cross doorways: frozen values, no behaviour beyond what follows from their own fields.

Paths named `path` inside these values are POSIX and relative (to the project root for sources, to the artifact's root for
entries) unless a docstring says otherwise. Digests are lower-case hex sha256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from packaging.tags import Tag

Noun = TypeVar("Noun")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def value() -> Callable[[type[Noun]], type[Noun]]:
    """The one kind of class that crosses doorways: a frozen, keyword-only, slotted dataclass."""
    return dataclass(frozen=True, kw_only=True, slots=True)


@value()
class Evidence:
    """Where a fact stands: a project-relative file (or `monopack.toml`, a lock, a distribution), its line, 0 for all of it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


# ---------------------------------------------------------------- target


@value()
class Target:
    """What a pack must run on, and the interpreter that stands for it.

    `python` is the absolute path of that interpreter; `version` is `3.12.1`; `markers` is the PEP 508 environment;
    `tags` are the wheel tags it accepts, best first; `stdlib` its top-level standard-library modules and `builtins` the ones
    compiled into it, which nothing can shadow; `chosen_by` says why this interpreter (`--python`, `.venv`, ...).
    `platform` is the best platform tag that it accepts (`manylinux_2_26_x86_64`); empty for this machine itself. `runs` says what
    of the target's code `python` can run: `all`, `pure` (all but compiled modules) or `nothing`.
    """

    name: str
    python: str
    version: str
    markers: Mapping[str, str]
    tags: tuple[Tag, ...]
    stdlib: frozenset[str]
    builtins: frozenset[str]
    chosen_by: str
    platform: str = ""
    runs: str = "all"

    def __str__(self) -> str:
        """As messages name it: `Python 3.12 on Linux x86_64`."""
        system = " ".join(filter(None, (self.markers.get("platform_system"), self.markers.get("platform_machine"))))
        return f"Python {self.markers['python_version']} on {system}"


# ---------------------------------------------------------------- packs


@value()
class Pack:
    """One entrypoint: `path` is its file relative to the project, `module` its dotted name from the longest source root.

    `block` is what its managed block says, as plain TOML values, not yet validated; `block_line` is the block's first line
    (0: none).
    """

    name: str
    path: str
    module: str
    block: Mapping[str, object]
    block_line: int

    @property
    def block_place(self) -> str:
        """`file:line` of the managed block."""
        return f"{self.path}:{self.block_line}"


# ---------------------------------------------------------------- sources and tracing


@value()
class Subproject:
    """A project inside the project, as its manifests tell; folders are relative to the project.

    `roots` are its source roots; `installed` says that it can be installed, so that others can import it; `members` are the
    folders of its workspace's members, `needs` those of projects that it names by path; `name` is its canonical name, and
    `wants` are the names of workspace members that it depends on.
    """

    roots: tuple[str, ...]
    installed: bool = False
    members: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    name: str = ""
    wants: frozenset[str] = frozenset()


@value()
class SourceFile:
    """A first-party file as it was read: `path` relative to the project, `location` its absolute path, `mode` 0o644 or 0o755."""

    path: str
    location: str
    sha256: str
    crc: int
    size: int
    mode: int


class Reach(StrEnum):
    """Eager runs when the entrypoint is imported; lazy may run later."""

    EAGER = "eager"
    LAZY = "lazy"

    __hash__ = str.__hash__  # that of an Enum runs Python code, for every value that holds one


@value()
class Import:
    """One imported name that is not first-party: `yaml`, or `google.cloud` with attribute `storage`.

    `attribute` is the name after `from X import`, which may be a submodule or not; `optional` says that the code itself copes
    when the import fails (`try/except ImportError`). `near` is what is there in the place of a first-party name that is not:
    a name that is spelt nearly alike, or the path of a native module for another target. `rule` is as in an `Edge`.
    """

    name: str
    attribute: str = ""
    evidence: Evidence
    reach: Reach
    optional: bool = False
    near: str = ""
    rule: str = field(default="", compare=False)

    @property
    def dotted(self) -> str:
        """The longest dotted name that this import may mean."""
        return f"{self.name}.{self.attribute}" if self.attribute else self.name


@value()
class TracedFile:
    """A first-party file that a pack reaches: where it goes in the artifact, and what brought it there (`rule`: see `Edge`)."""

    source: SourceFile
    ships_as: str
    module: str
    reach: Reach
    because: Evidence
    rule: str = ""


@value()
class Edge:
    """One import, or reading, of a first-party file by another: where it stands, the file it leads to, and when it runs.

    `rule` is the way of importing or reading that it is, as `monopack.trace.rules` calls it.
    """

    evidence: Evidence
    path: str
    reach: Reach
    rule: str = ""


@value()
class MetadataUse:
    """Code that reads the metadata of a distribution (its name as written), or the entry points of a group in all of them."""

    distribution: str = ""
    group: str = ""
    evidence: Evidence
    reach: Reach

    @property
    def what(self) -> str:
        """What is read, in words."""
        return f"entry points of group {self.group}" if self.group else f"metadata of {self.distribution}"


@value()
class Trace:
    """Everything that one entry module reaches: first-party files, imports to map to distributions, and what was left open.

    `edges` are all imports between its first-party files, in the order in which they were followed; `missing` are imports of
    first-party modules that do not exist, `standard` those of the target's standard library; `notes` are for the user.
    `metadata` is what it reads of distributions' metadata. `uses` are the functions that it calls (`pandas.read_csv`, or
    `.to_csv` of what is no module) and the URLs that it holds (`postgresql://`), each with the first place.
    """

    module: str
    files: tuple[TracedFile, ...]
    imports: tuple[Import, ...]
    missing: tuple[Import, ...]
    standard: tuple[Import, ...] = ()
    edges: tuple[Edge, ...] = ()
    notes: tuple[str, ...] = ()
    metadata: tuple[MetadataUse, ...] = ()
    uses: Mapping[str, Evidence] = field(default_factory=dict)


@value()
class LeftOut:
    """Why a test that touches a pack is not run for it: `reason` in words, `where` is `file:line` of what is in the way.

    `module` is the first-party module that the test needs and the pack does not have; empty when that is not the reason.
    """

    where: str
    reason: str
    module: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.where})"


@value()
class TestPlan:
    """The tests that belong to a pack.

    `tests` are test files, project-relative; `left_out` maps the others that touch the pack to the reason. `support` is
    everything that the test workspace holds beside the pack and its distributions: the tests, all other files of the tests
    folder, the runner's configuration and the first-party files that only `conftest.py` needs (`for_conftest`,
    project-relative). `imports` are to be mapped to distributions.
    """

    tests: tuple[str, ...]
    left_out: Mapping[str, LeftOut]
    support: tuple[TracedFile, ...]
    for_conftest: tuple[str, ...]
    imports: tuple[Import, ...]


# ---------------------------------------------------------------- locks and distributions


@value()
class WheelFile:
    """One downloadable wheel that a lock names: file name, absolute URL (or file path) and `sha256:...`."""

    filename: str
    url: str
    hash: str


@value()
class Pin:
    """One pinned distribution.

    `name` is canonical (PEP 503), `extras` are those the project asks for, `test_extras` those that its development groups ask
    for besides, which count for tests alone; `hashes` are `sha256:hex` (empty: the lock has none).
    `wheels` are the files that the lock itself names (uv.lock); empty when an index has to be asked (requirements.txt).
    `url` is set for a direct reference (`name @ https://...`, `git+https://...@COMMIT#subdirectory=FOLDER`), whose `version` may
    be unknown (empty); `sdist` for the source that the lock names beside its wheels. `index` is the URL of the one index that it
    belongs to, and that may be asked for it (empty: the lock's `index_options` decide). `development` pins serve tests and never
    ship. `any_extras`: the lock holds all that is to be installed and does not say which extras were asked for, so that those
    count whose requirements are all pinned (pylock.toml).
    """

    name: str
    version: str
    evidence: Evidence
    hashes: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()
    test_extras: frozenset[str] = frozenset()
    wheels: tuple[WheelFile, ...] = ()
    url: str = ""
    sdist: str = ""
    index: str = ""
    development: bool = False
    any_extras: bool = False


@value()
class Lock:
    """The project's pins that hold for the target, by canonical name, in the lock's own order.

    `dialect` is `requirements`, `uv`, `poetry`, `pipenv`, `pdm` or `pylock`; `path` the file, relative to the project;
    `index_options` are pip's own options (`--index-url`, `--extra-index-url`, ...) that the lock asks for. `loose` lists the
    requirements that are not pinned with `==` (`urllib3>=1.2`): with any, the lock must be resolved before use. `indexes` are
    the indexes that the project gives names to, by URL. `stale` says that the manifest has changed since it was locked. `local`
    are the distributions that are first-party code (members of a workspace, paths): by canonical name, their folder, relative
    to the project, POSIX. They are traced, and neither fetched nor shipped as distributions. `glanced` are the dotted names of
    the modules that pins may have, as far as an index told without their wheels: they have no others. `files` are absolute paths
    of files that were read for it and may lie outside the project. `note` is one line on why it is this lock.
    """

    dialect: str
    path: str
    pins: Mapping[str, Pin]
    index_options: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    indexes: Mapping[str, str] = field(default_factory=dict)
    stale: str = ""
    local: Mapping[str, str] = field(default_factory=dict)
    glanced: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)
    files: tuple[str, ...] = ()
    note: str = ""


@value()
class Member:
    """One file of a wheel that may ship: `path` as installed, and where its bytes lie in the .whl.

    `offset` is the absolute position of the member's data in the .whl, `packed` its length there, `method` 0 (stored) or 8
    (raw deflate, RFC 1951); `crc` is the CRC-32 and `size` the length of the unpacked bytes; `mode` is 0o644 or 0o755.
    """

    path: str
    sha256: str
    crc: int
    size: int
    mode: int
    offset: int
    packed: int
    packed_sha256: str
    method: int


@value()
class WheelImport:
    """One import in a module of a wheel, absolute; `lazy` and `optional` mean what they do in first-party code."""

    name: str
    attribute: str = ""
    lazy: bool = False
    optional: bool = False

    @property
    def dotted(self) -> str:
        """The longest dotted name that this import may mean."""
        return f"{self.name}.{self.attribute}" if self.attribute else self.name


@value()
class Native:
    """A compiled file (ELF): the path that it ships as, and what it asks of the machine.

    `machine` is as wheel tags call it (`x86_64`, `aarch64`); `glibc` the highest version that its symbols want (`2.28`; empty:
    none), `musl` says that it is linked with musl.
    """

    path: str
    machine: str
    glibc: str = ""
    musl: bool = False


@value()
class Distribution:
    """A wheel in the store, checked against its RECORD.

    `wheel` is its file name, `location` its absolute path in the store, `sha256` its digest. `provides` are the dotted names
    of the modules that it holds (regular packages and modules; not bare namespace folders); `namespaces` the packages that it
    shares with others (PEP 420 folders, and pkgutil-style `__init__` files). `requires` are its `Requires-Dist` lines,
    `entry_points` the names of the groups it has entry points in. `imports` are what its modules import beside the standard
    library, of those modules that were looked into.
    `requires_python` are the Pythons that it is for (PEP 440; empty: any), `natives` its compiled files.
    """

    name: str
    version: str
    wheel: str
    location: str
    sha256: str
    members: tuple[Member, ...]
    provides: frozenset[str]
    namespaces: frozenset[str]
    requires: tuple[str, ...]
    entry_points: frozenset[str]
    imports: Mapping[str, tuple[WheelImport, ...]] = field(default_factory=dict, compare=False)
    requires_python: str = ""
    natives: tuple[Native, ...] = ()


@value()
class StoredWheel:
    """One wheel of the store: its file name, the bytes that it takes there, and when it was last used (seconds since 1970)."""

    wheel: str
    size: int
    used: float


@value()
class StoredParsed:
    """Of how many source files the store knows what they say, and the bytes that this takes there."""

    files: int
    size: int


@value()
class Fetches:
    """What a run asked the indexes for: wheels, with their bytes, and glances with theirs.

    `downloaded` and `cached` are the canonical names of pins whose wheels were fetched, from an index or from pip's own cache;
    for several targets one may be both. A glance tells which modules a wheel may have without fetching it. `pins` is how many
    the lock has; `absent` ones were not asked for, since they could not be had some hours ago.
    """

    pins: int = 0
    downloaded: frozenset[str] = frozenset()
    cached: frozenset[str] = frozenset()
    size: int = 0
    glances: int = 0
    glanced: int = 0
    absent: int = 0

    @property
    def wheels(self) -> int:
        """How many pins were fetched, each counted once."""
        return len(self.downloaded | self.cached)

    @property
    def reused(self) -> int:
        """How many of these pip had in its cache."""
        return len(self.cached - self.downloaded)

    def plus(self, more: Fetches) -> Fetches:
        """Both together, for one lock."""
        return Fetches(
            pins=max(self.pins, more.pins), downloaded=self.downloaded | more.downloaded, cached=self.cached | more.cached,
            size=self.size + more.size, glances=self.glances + more.glances, glanced=self.glanced + more.glanced,
            absent=self.absent + more.absent,
        )  # fmt: skip


@value()
class Because:
    """Why a distribution ships: an import of it, the canonical name of one that requires it, or the option that names it.

    `requirement` is what the one that requires it says (PEP 508); where its METADATA says nothing, `module` is the module of it
    that imports the requirement. `rule` says in words what else the code at an import, or a distribution, needs it for.
    """

    wanted: Import | None = None
    required_by: str = ""
    requirement: str = ""
    option: str = ""
    module: str = ""
    rule: str = ""

    def __str__(self) -> str:
        if self.rule:
            return f"{self.rule} ({self.wanted.evidence if self.wanted else self.required_by})"
        if self.module:
            return f"imported as {self.requirement} by {self.module} of {self.required_by}"
        if self.wanted:
            return f"imported as {self.wanted.dotted} ({self.wanted.evidence})"
        return f"required by {self.required_by}" if self.required_by else self.option


@value()
class Shipped:
    """A distribution in a resolution, and why; `required_by` is every requirement of it by another that ships."""

    distribution: Distribution
    because: Because
    required_by: tuple[Because, ...] = ()


@value()
class Omitted:
    """A pin that does not ship, though a module of a distribution that does would import it if it were there."""

    name: str
    wanted: str
    module: str
    distribution: str

    def __str__(self) -> str:
        return f"imported as {self.wanted} by {self.module} of {self.distribution}, which can do without it"


@value()
class Resolution:
    """The closed set of distributions that imports need, sorted by name.

    `providers` maps the dotted names of imports to the canonical names of the pins that provide them, `mapped` those that
    `[module_map]` decides to their key in it. `unresolved` imports are those that no pin provides; `platform` the top-level
    import names that are left to the platform. `left_out` are pins that distributions would import if they were there, each with
    the first module of each distribution that would.
    """

    shipped: tuple[Shipped, ...]
    unresolved: tuple[Import, ...]
    providers: Mapping[str, str] = field(default_factory=dict)
    mapped: Mapping[str, str] = field(default_factory=dict)
    platform: tuple[str, ...] = ()
    left_out: tuple[Omitted, ...] = ()


@value()
class Needs:
    """What `resolve` must see before it can answer: canonical names of pins whose wheels the store has to fetch.

    `modules` are dotted names in distributions that it has, by their canonical names: what is imported there has to be known.
    Of pins in `glances` it is enough to know which modules they may have.
    """

    pins: tuple[str, ...] = ()
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    glances: tuple[str, ...] = ()


# ---------------------------------------------------------------- tree and artifact


@value()
class Entry:
    """One file of an artifact; its bytes are known before anything is written.

    The bytes lie at `location` (absolute): a whole file when `offset` is None, else `packed` bytes from `offset` of a .whl,
    compressed by `method` (0 stored, 8 raw deflate). `origin` is `first-party` or `name==version`.
    """

    path: str
    sha256: str
    crc: int
    size: int
    mode: int
    origin: str
    location: str
    offset: int | None = None
    packed: int = 0
    packed_sha256: str = ""
    method: int = 0


@value()
class Tree:
    """All entries of a pack, sorted by the UTF-8 bytes of their paths, no path twice."""

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """sha256 over path, mode and sha256 of every entry: the content, however it is compressed."""
        lines = "".join(f"{e.path}\0{e.mode:o}\0{e.sha256}\n" for e in self.entries)
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def size(self) -> int:
        """Unpacked bytes of all entries."""
        return sum(e.size for e in self.entries)


@value()
class Artifact:
    """A written archive: its absolute path, sha256 (hex) and size in bytes."""

    path: str
    sha256: str
    size: int


# ---------------------------------------------------------------- explaining


@value()
class ConfigEntry:
    """One entry of an option that decides what a pack holds, and where it stands.

    For `module_map` the entry is the import name. The evidence names `monopack.toml`, the pack's file (its managed block) or a
    variable; line 0: it is spelt in a way that is not looked for.
    """

    option: str
    entry: str
    evidence: Evidence


@value()
class Link:
    """One step from an entrypoint to what is asked for: the place that takes it, and what it leads to.

    `kind` is `code` (a line of first-party code), `config` (an entry of the config), `requirement` (of a distribution, whose
    `name==version` is the evidence) or `lock` (a pin). `text` is the source line, or the entry or requirement in words.
    `leads_to` is a project-relative path or `name==version`; for what is not in the pack, its name. `rule` is as in an `Edge`.
    """

    kind: str
    evidence: Evidence
    leads_to: str
    text: str = ""
    reach: Reach = Reach.EAGER
    rule: str = ""


@value()
class Chain:
    """Why one thing is in a pack.

    `holder` is what ships: a first-party file (project-relative) or a distribution (`name==version`); `part` is the module or
    path of a distribution that was asked for, if not the whole. When a folder was asked for, `files` is how many of its files are
    in the pack, and `holder` the nearest. `links` lead from the entrypoint (no link: it is the entrypoint); `also` are all other
    steps that lead there.
    """

    holder: str
    part: str = ""
    files: int = 1
    links: tuple[Link, ...]
    also: tuple[Link, ...] = ()


@value()
class Reason:
    """Why something is not in a pack.

    `kind` is `excluded`, `unreached`, `standard-library`, `platform`, `development`, `tests`, `optional`, `unneeded`,
    `dropped`, `condition`, `guarded`, `unresolved` or `missing`; `places` are lines of code or of the config that have to do with
    it.
    """

    kind: str
    message: str
    places: tuple[Link, ...] = ()


@value()
class Explanation:
    """Why a name is in a pack (a chain for each thing of that name), or why not, with the nearest name that is."""

    pack: str
    name: str
    chains: tuple[Chain, ...]
    reasons: tuple[Reason, ...] = ()
    nearest: str = ""


@value()
class Provided:
    """An import that is not first-party, and whose it is.

    `kind` is `third-party`, `standard-library`, `platform` (left to it by the config), `namespace` (nothing but a folder of the
    project) or `unresolved`; `provider` is `name==version` for a third-party one.
    """

    wanted: Import
    kind: str
    provider: str = ""


@value()
class Node:
    """A node of a pack's graph: `kind` is `entrypoint`, `file`, `distribution` or `config`."""

    name: str
    kind: str


@value()
class Arrow:
    """An edge of a pack's graph between two nodes, by their places in it; lazy unless one of its imports is eager."""

    start: int
    end: int
    reach: Reach


@value()
class Graph:
    """A pack as a graph: its first-party files and distributions, and what leads from one to another."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


@value()
class Inventory:
    """Everything that tracing and resolving found for a pack; what the config brought has its place there as evidence."""

    pack: str
    entry: str
    files: tuple[TracedFile, ...]
    imports: tuple[Provided, ...]
    distributions: tuple[Shipped, ...]
    edges: tuple[Edge, ...]
    left_out: tuple[Omitted, ...] = ()
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- what a change touches


@value()
class Change:
    """A file that is not what it was: `path` from the project's root (`../lock.txt` lies outside it), `kind` is `new`, `gone` or
    `changed`.

    An `opaque` one is, or was, a link or a repository of its own: what changed behind it is not known. A path that ends in `/` is
    a new folder with everything in it.
    """

    path: str
    kind: str
    opaque: bool = False


@value()
class Touch:
    """Why a change touches a pack.

    `kind` is `source`, `data`, `tests`, `config`, `lock` or `unknown` (it cannot be told whether it does); `path` is the changed
    file, empty where it is not one alone; `message` says it in words.
    """

    kind: str
    path: str
    message: str


@value()
class Touched:
    """A pack that a change touches, and why."""

    name: str
    reasons: tuple[Touch, ...]


@value()
class Affected:
    """The packs that a change touches, in pack order.

    `base` is the commit that was compared with (empty: none was), `gone` names the packs that there are no more. `unknown` are
    files that were named, are not there, and are no pack's reason: paths from the project's root.
    """

    packs: tuple[Touched, ...]
    base: str = ""
    gone: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


# ---------------------------------------------------------------- a pack's distributions as a lock of their own


@value()
class Origin:
    """Where the file of a pin is: `url` without a password (empty: not known), and its `sha256:hex` as far as the index says it.

    `built` says that it is an sdist, of which the wheel was built here.
    """

    url: str = ""
    hash: str = ""
    built: bool = False


@value()
class Part:
    """A distribution that ships, with its pin and origin; `size` is that of its wheel in bytes."""

    shipped: Shipped
    pin: Pin
    origin: Origin
    size: int


@value()
class Subset:
    """What a pack takes of a lock for a target, sorted by name."""

    pack: str
    lock: Lock
    target: Target
    parts: tuple[Part, ...]


# ---------------------------------------------------------------- running code, and reporting


@value()
class Failure:
    """What the user's code does wrong, as a value.

    `kind` is `import`, `handler`, `changed`, `timeout`, `tests` or `no-tests`; `message` is one line; `missing` the module
    that could not be found, if that is what failed; `where` is `file:line` of the import or of the error; `output` is what
    the code printed, for the user to read; `absent` is the path in the pack of a file that was looked for and is not there,
    `distribution` the name of one whose metadata was.
    """

    kind: str
    message: str
    missing: str = ""
    where: str = ""
    hint: str = ""
    output: str = ""
    absent: str = ""
    distribution: str = ""


@value()
class Step:
    """What a run is doing now: `name` says what, `pack` for which pack (empty: for all of them), `detail` more in words.

    For all packs: `plan` (detail: how many they are), `glance`, `locate` and `fetch` (how many distributions), `download` (a file
    and its size).
    For one: `assemble`, `verify`, `test`, `pack`, at last its status.
    """

    name: str
    pack: str = ""
    detail: str = ""


@value()
class PackReport:
    """How one pack's build ended, for the terminal and for machines.

    `folder` is the built folder as the user knows the build folder; `status` is `built`, `unchanged` or `failed`; `handler`
    is the string to deploy with; `size` and `packed` are bytes, unpacked and zipped; `exit_code` is what this pack alone
    would end the run with; `left_out` are names of pins that distributions of the pack would import if they were there;
    `kept` says that a pack failed and the artifacts of an earlier build are still there.
    """

    name: str
    folder: str
    status: str
    seconds: float
    exit_code: int = 0
    handler: str = ""
    files: int = 0
    distributions: int = 0
    size: int = 0
    packed: int = 0
    tests: int = 0
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    kept: bool = False


@value()
class BuildReport:
    """How a build ended: a report for each pack, in their order, and what was fetched for them together."""

    packs: tuple[PackReport, ...] = ()
    fetches: Fetches = Fetches()
