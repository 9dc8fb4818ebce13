"""Which pins are likely to provide an import, likeliest first, from names alone.

This only decides what is looked at first: what a distribution provides is always read from its own RECORD.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set

import stdlibs
from packaging.utils import canonicalize_name

# Import names whose distributions are called something else. Several values are alternatives that people pin.
WELL_KNOWN: dict[str, tuple[str, ...]] = {
    "Crypto": ("pycryptodome", "pycrypto"), "Cryptodome": ("pycryptodomex",), "MySQLdb": ("mysqlclient",),
    "OpenSSL": ("pyopenssl",), "PIL": ("pillow", "pillow-simd"), "Xlib": ("python-xlib",), "airflow": ("apache-airflow",),
    "attr": ("attrs",), "bs4": ("beautifulsoup4",), "bson": ("pymongo",), "cairosvg": ("cairosvg",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dateutil": ("python-dateutil",), "discord": ("discord-py",), "django_filters": ("django-filter",),
    "dns": ("dnspython",), "docx": ("python-docx",), "dotenv": ("python-dotenv",), "ee": ("earthengine-api",),
    "faiss": ("faiss-cpu", "faiss-gpu"), "fitz": ("pymupdf",), "flask_cors": ("flask-cors",), "git": ("gitpython",),
    "gi": ("pygobject",), "google.protobuf": ("protobuf",), "googleapiclient": ("google-api-python-client",), "grpc": ("grpcio",),
    "gridfs": ("pymongo",), "jose": ("python-jose",), "jwt": ("pyjwt",), "kafka": ("kafka-python", "kafka-python-ng"),
    "ldap": ("python-ldap",), "magic": ("python-magic",), "markdown": ("markdown",), "memcache": ("python-memcached",),
    "multipart": ("python-multipart",), "nacl": ("pynacl",), "odf": ("odfpy",), "past": ("future",),
    "pkg_resources": ("setuptools",), "pptx": ("python-pptx",), "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pydantic_core": ("pydantic-core",), "pythonjsonlogger": ("python-json-logger",), "pywintypes": ("pywin32",),
    "rest_framework": ("djangorestframework",), "ruamel.yaml": ("ruamel-yaml",), "serial": ("pyserial",),
    "skimage": ("scikit-image",), "sklearn": ("scikit-learn",), "slugify": ("python-slugify",),
    "snowflake": ("snowflake-connector-python",),
    "socks": ("pysocks",), "telegram": ("python-telegram-bot",), "tlz": ("toolz",), "usb": ("pyusb",), "vlc": ("python-vlc",),
    "websocket": ("websocket-client",), "win32api": ("pywin32",), "wx": ("wxpython",), "yaml": ("pyyaml",), "zmq": ("pyzmq",),
}  # fmt: skip


def tiers(name: str, pins: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Groups of pins to look at for a dotted import name, likeliest group first; together they are all the pins.

    `pins` are canonical distribution names in the lock's own order, which is kept within a group.
    """
    named = set(_named_after(name))
    first = tuple(pin for pin in pins if pin in named)
    yield first
    top = canonicalize_name(name.partition(".")[0]).replace("-", "")
    similar = tuple(pin for pin in pins if pin not in first and _similar(top, pin.replace("-", "")))
    yield similar
    yield tuple(pin for pin in pins if pin not in first and pin not in similar)


def likely_distribution(name: str) -> str:
    """The distribution that a person most likely wants for an import, for hints: `PyYAML` for `yaml`."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        known = WELL_KNOWN.get(".".join(parts[:end]))
        if known:
            return known[0]
    return canonicalize_name(parts[0])


def pinned_names(pins: Set[str]) -> list[str]:
    """The import names that canonical distribution names most likely stand for."""
    known = [name for name, distributions in WELL_KNOWN.items() if not pins.isdisjoint(distributions)]
    return sorted({*known, *(pin.replace("-", "_") for pin in pins)})


def standard_names() -> list[str]:
    """The public top-level modules of the newest standard library that is known."""
    newest = stdlibs.stdlib_module_names(stdlibs.KNOWN_VERSIONS[-1])
    return sorted(name for name in newest if not name.startswith("_"))


def versions_with(module: str) -> str:
    """The versions of Python whose standard library has a top-level module: `3.0 to 3.12`; empty when none has it."""
    known = [version for version in stdlibs.KNOWN_VERSIONS if version.startswith("3.")]
    having = [version for version in known if module in stdlibs.stdlib_module_names(version)]
    if having and having[-1] == known[-1]:
        return f"{having[0]} and later"
    return f"{having[0]} to {having[-1]}" if having else ""


def called(name: str) -> Iterator[str]:
    """Canonical names of distributions that are called like a dotted import name, or known to provide it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        yield from WELL_KNOWN.get(prefix, ())
        yield canonicalize_name(prefix)


def _named_after(name: str) -> Iterator[str]:
    """Canonical names that a distribution providing `name` often has."""
    yield from called(name)
    top = canonicalize_name(name.partition(".")[0])
    yield from (f"python-{top}", f"{top}-python", f"py{top}", f"py-{top}", f"{top}-py", f"{top}2", f"{top}3")


def _similar(top: str, pin: str) -> bool:
    """Whether one name holds the other; short names say too little."""
    return (len(top) > 2 and top in pin) or (len(pin) > 2 and pin in top)
