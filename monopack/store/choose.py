"""Which file a pin means for a target, and the name under which the store remembers the answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from monopack.errors import UnavailableError
from monopack.model import Pin, Target, WheelFile, value
from monopack.store.pip import without_credentials

NAMED = 6  # of the tags that a refusal lists
PLACES = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})  # options whose value may be a folder
PAGES = (".html", ".htm")
LINK = re.compile(r"""\bhref\s*=\s*["']?([^"'#>\s]+\.(?:whl|zip|tar\.gz))(?=["'#?>\s])""", re.IGNORECASE)


@value()
class Asked:
    """What the pins of one call share.

    pip's index options word by word, and pip's own settings beside them; the target, its tags' ranks and digest; pip's folder.
    """

    options: tuple[str, ...]
    settings: tuple[str, ...]
    target: Target
    rank: Mapping[Tag, int]
    tags: str
    root: Path


@value()
class Wanted:
    """A pin for a target: the wheel that the lock names for it (None: the index decides), and the key of its pick (hex).

    `checkout` is the absolute folder of its code, once that has been fetched from Git.
    """

    pin: Pin
    wheel: WheelFile | None
    key: str = ""
    checkout: Path | None = None

    @property
    def hashes(self) -> frozenset[str]:
        """The digests (`sha256:hex`) that the file may have; empty when the lock says nothing."""
        return frozenset({self.wheel.hash}) if self.wheel and self.wheel.hash else self.pin.hashes

    @property
    def label(self) -> str:
        """The pin for people to read: `name==version`."""
        return f"{self.pin.name}=={self.pin.version}" if self.pin.version else self.pin.name

    @property
    def url(self) -> str:
        """Where the file must come from; empty when an index is asked."""
        return self.wheel.url if self.wheel else self.pin.url

    def refusal(self, what: str, hint: str) -> UnavailableError:
        """The refusal of this pin, at its line in the lock."""
        said, where = f"{self.label} {without_credentials(what)}", str(self.pin.evidence)
        return UnavailableError(said, pins=frozenset({self.pin.name}), where=where, hint=hint)


def ask(index_options: Sequence[str], settings: Sequence[str], target: Target, root: Path) -> Asked:
    """What the pins of one call share; relative folders in `index_options` are made absolute from `root`.

    `settings` is what pip is told by its environment and its files.
    """
    words = [part for option in index_options for part in (option.split("=", 1) if option.startswith("--") else [option])]
    options = tuple(_absolute(word, root) if name in PLACES else word for name, word in zip(["", *words], words, strict=False))
    digest = hashlib.sha256("\n".join(map(str, target.tags)).encode()).hexdigest()
    rank = {tag: place for place, tag in enumerate(target.tags)}
    return Asked(options=options, settings=tuple(settings), target=target, rank=rank, tags=digest, root=root)


def _absolute(place: str, root: Path) -> str:
    return place if "://" in place or place.startswith("${") else str(root / place)


def want(pin: Pin, asked: Asked) -> Wanted:
    """What `pin` means on the target. Raises `LockError` when the lock names wheels and none of them fits."""
    named = pin.wheels or _direct(pin)
    wheel = max(named, key=lambda file: _fit(file.filename, asked), default=None)
    if wheel and not fits(wheel.filename, asked) and pin.sdist and asked.target.name == "host":
        return want(replace(pin, url=pin.sdist, wheels=()), asked)
    if wheel and not fits(wheel.filename, asked):
        raise no_wheel(Wanted(pin=pin, wheel=None), asked.target, [file.filename for file in named])
    choice = Wanted(pin=pin, wheel=wheel)
    return Wanted(pin=pin, wheel=wheel, key=_key(choice, asked))


def no_wheel(wanted: Wanted, target: Target, filenames: Iterable[str]) -> UnavailableError:
    """The refusal of a pin of which there are only wheels (`filenames`) for other targets, the nearest of them named."""
    tags = sorted({"-".join(name.removesuffix(".whl").split("-")[-3:]) for name in filenames}, key=lambda tag: _far(tag, target))
    platforms = {tag.platform for tag in target.tags}
    here = [tag for tag in tags if not platforms.isdisjoint(tag.rpartition("-")[2].split("."))]
    only = ", ".join(tags[:NAMED]) + (f" and {len(tags) - NAMED} more" if len(tags) > NAMED else "")
    name = str(target) if target.name == "host" else f"the target {target.name} ({_floor(target)})"
    return wanted.refusal(f"has no wheel for {name}, only for {only}", f"pin a version that has one{_other_ways(here, target)}")


def _far(tag: str, target: Target) -> tuple[bool, bool, str]:
    """What to sort the tags of wheels by, so that those come first that are most like what the target needs."""
    python = {each.interpreter for each in target.tags if each.abi.startswith(each.interpreter)}
    own_python = "-abi3-" in tag or not python.isdisjoint(tag.partition("-")[0].split("."))
    own_machine = "linux" in tag and tag.endswith(f"_{target.markers['platform_machine']}")
    return not own_machine, not own_python, tag


def _floor(target: Target) -> str:
    """A target with what it has of a C library: `Python 3.11 on Linux x86_64, manylinux_2_26`."""
    return f"{target}, {'_'.join(target.platform.split('_')[:3])}" if target.platform else str(target)


def _other_ways(tags: Iterable[str], target: Target) -> str:
    """What else to do where there are wheels with `tags`, all for the target's platform: build for a Python that one is for."""
    minors = [int(minor) for tag in tags for minor in re.findall(r"\bcp3(\d+)", tag.partition("-")[0])]
    if target.name == "host":
        return f", or build for a Python that it has one for: --python python3.{max(minors)}" if minors else ""
    return ", choose another target, or leave it out with exclude_distributions if the platform has it"


def fits(filename: str, asked: Asked) -> bool:
    """Whether the target accepts a wheel of that file name."""
    return _fit(filename, asked) > _fit("", asked)


def local_path(url: str, root: Path) -> Path | None:
    """The file or folder that a `file:` URL or a path relative to `root` means; None for other URLs."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL, such as http://[::1
        return None
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if "://" in url else root / url.partition("#")[0]


def _direct(pin: Pin) -> tuple[WheelFile, ...]:
    """The wheel that a direct reference names, if it names one."""
    filename = unquote(urlsplit(pin.url).path.rpartition("/")[2])
    return (WheelFile(filename=filename, url=pin.url, hash=""),) if filename.endswith(".whl") else ()


def _fit(filename: str, asked: Asked) -> tuple[float, BuildTag]:
    """How well a wheel fits the target, more is better: by its best tag, then by its build number; -inf: not at all."""
    try:
        _, _, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return float("-inf"), ()
    ranks = [asked.rank[tag] for tag in tags if tag in asked.rank]
    return (-min(ranks), build) if ranks else (float("-inf"), ())


def _key(wanted: Wanted, asked: Asked) -> str:
    """The pick's name: everything that decides which file is taken, and no credentials (hex sha256)."""
    pin = wanted.pin
    unhashed = [] if wanted.hashes else [*asked.settings, *local_files(wanted, asked)]
    options = [pin.index] if pin.index else asked.options
    fields = (pin.name, pin.version, sorted(wanted.hashes), wanted.url, options, asked.tags, unhashed)
    return hashlib.sha256(without_credentials(json.dumps(fields)).encode()).hexdigest()


def local_files(wanted: Wanted, asked: Asked) -> list[str]:
    """Path and sha256 of the files on this machine that an unhashed pin may mean: they may change under one name."""
    files = [file for file in sorted(set(_meant(wanted, asked, *_searched(wanted, asked)))) if file.is_file()]
    return [f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]


def local_paths(wanted: Wanted, asked: Asked) -> list[Path]:
    """The files on this machine that an unhashed pin may mean, and the folders and pages in which they were looked for."""
    folders, pages = _searched(wanted, asked)
    return [*folders, *pages, *_meant(wanted, asked, folders, pages)]


def _searched(wanted: Wanted, asked: Asked) -> tuple[list[Path], list[Path]]:
    """The folders on this machine in which pip looks for a pin, and the pages of links, those in the folders too."""
    said = [part for text in asked.settings for word in text.split() for part in (word, word.partition("=")[2])]
    places = [path for word in (wanted.pin.index, *asked.options, *said) if word and (path := local_path(word, asked.root))]
    folders = [folder for place in places for folder in (place, place / wanted.pin.name) if folder.is_dir()]
    pages = [page for page in places if page.suffix in PAGES and page.is_file()]
    return folders, [*pages, *(page for folder in folders for kind in PAGES for page in sorted(folder.glob(f"*{kind}")))]


def _meant(wanted: Wanted, asked: Asked, folders: Sequence[Path], pages: Sequence[Path]) -> list[Path]:
    """The files on this machine that an unhashed pin may mean; those that pages lead to may not be there."""
    listed = (*(file for folder in folders for file in folder.iterdir()), *(file for page in pages for file in _linked(page)))
    prefix = f"{wanted.pin.name}-"
    found = [file for file in listed if canonicalize_name(file.name).startswith(prefix)]
    if wanted.url and (own := local_path(wanted.url, asked.root)):
        found += [own, *own.rglob("*")]
    return found


def _linked(page: Path) -> list[Path]:
    """The wheels and sdists on this machine that a page of links leads to."""
    links = map(unescape, LINK.findall(page.read_text("utf-8", "replace")))
    return [path for link in links if (path := local_path(link if "://" in link else unquote(link), page.parent))]
