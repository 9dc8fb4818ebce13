"""Which pins are likely to provide an import, likeliest first, from names alone.

This only decides what is looked at first: what a distribution provides is always read from its own RECORD.
"""

from __future__ import annotations

import re
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
    "gi": ("pygobject",), "google.api": ("googleapis-common-protos",), "google.oauth2": ("google-auth",),
    "google.protobuf": ("protobuf",), "google.rpc": ("googleapis-common-protos",),
    "googleapiclient": ("google-api-python-client",), "grpc": ("grpcio",), "gridfs": ("pymongo",),
    "jose": ("python-jose",), "jwt": ("pyjwt",), "kafka": ("kafka-python", "kafka-python-ng"),
    "ldap": ("python-ldap",), "magic": ("python-magic",), "markdown": ("markdown",), "memcache": ("python-memcached",),
    "multipart": ("python-multipart",), "nacl": ("pynacl",), "odf": ("odfpy",), "opentelemetry.context": ("opentelemetry-api",),
    "opentelemetry.metrics": ("opentelemetry-api",), "opentelemetry.semconv": ("opentelemetry-semantic-conventions",),
    "opentelemetry.trace": ("opentelemetry-api",), "past": ("future",),
    "pkg_resources": ("setuptools",), "pptx": ("python-pptx",), "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pydantic_core": ("pydantic-core",), "pythonjsonlogger": ("python-json-logger",), "pywintypes": ("pywin32",),
    "rest_framework": ("djangorestframework",), "ruamel.yaml": ("ruamel-yaml",), "serial": ("pyserial",),
    "skimage": ("scikit-image",), "sklearn": ("scikit-learn",), "slugify": ("python-slugify",),
    "snowflake": ("snowflake-connector-python",),
    "socks": ("pysocks",), "telegram": ("python-telegram-bot",), "tlz": ("toolz",), "usb": ("pyusb",), "vlc": ("python-vlc",),
    "websocket": ("websocket-client",), "win32api": ("pywin32",), "wx": ("wxpython",), "yaml": ("pyyaml",), "zmq": ("pyzmq",),
}  # fmt: skip

# Packages that many distributions share, and that no distribution is called after.
SHARED = frozenset({
    "azure", "azure.ai", "azure.communication", "azure.data", "azure.iot", "azure.keyvault", "azure.mgmt", "azure.monitor",
    "azure.search", "azure.storage", "backports", "google", "google.analytics", "google.cloud", "google.maps", "jaraco",
    "opentelemetry", "opentelemetry.exporter", "opentelemetry.exporter.otlp", "opentelemetry.exporter.otlp.proto",
    "opentelemetry.instrumentation", "plone", "ruamel", "sphinxcontrib", "zope",
})  # fmt: skip
API_VERSION = re.compile(r"_v\d+\w*$")  # `google.cloud.firestore_v1`


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


def likely_distribution(name: str, attribute: str = "", pins: Collection[str] = ()) -> str:
    """The distribution that a person most likely wants for an import, for hints: `pyyaml` for `yaml`.

    `name` is the module's dotted name, `attribute` what is imported from it, `pins` the canonical names in the lock. Of a
    package that many distributions share, the part below it counts: `google-cloud-storage` for `google.cloud.storage`.
    """
    parts = [*name.split("."), *([attribute] if attribute else [])]
    for end in range(len(parts), 0, -1):
        known = WELL_KNOWN.get(".".join(parts[:end]))
        if known:
            return known[0]
    shared = _shared(parts, name, pins)
    if not shared:
        return canonicalize_name(parts[0])
    own = canonicalize_name(API_VERSION.sub("", parts[shared])) if len(parts) > shared else "NAME"
    return f"{canonicalize_name('.'.join(parts[:shared]))}-{own}"


def _shared(parts: list[str], name: str, pins: Collection[str]) -> int:
    """How many parts of an import are a package that distributions share: by its name, or because pins are called after it.

    Where the package itself is pinned, those others are what extends it.
    """
    known = [end for end in range(1, len(parts) + 1) if ".".join(parts[:end]) in SHARED]
    top = canonicalize_name(parts[0])
    extended = "." in name and top not in pins and any(pin.startswith(f"{top}-") for pin in pins)
    return max(known, default=int(extended))


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
