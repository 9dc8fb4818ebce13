"""The room that turns flags, variables and `monopack.toml` into one validated value that knows where each option came from.

Precedence: flags > `MONOPACK_*` variables > `monopack.toml` > defaults. An option is one field in `options`, of one of the
`kinds`; the rest is derived. `sources` become `layers`, `loading` merges these into a `Loaded`, `packs` adds what one pack says.
"""

from monopack.config.generated import Flag, flags, reference, schema
from monopack.config.loading import Loaded, load
from monopack.config.options import BuildConfig, PackOptions
from monopack.config.packs import check_pack_names, pack_options

__all__ = [
    "BuildConfig",
    "Flag",
    "Loaded",
    "PackOptions",
    "check_pack_names",
    "flags",
    "load",
    "pack_options",
    "reference",
    "schema",
]
