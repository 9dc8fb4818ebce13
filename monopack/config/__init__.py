"""The room that turns flags, variables and `monopack.toml` into one validated value that knows where each option came from.

Precedence: flags > `MONOPACK_*` variables > `monopack.toml` > defaults. An option is one field in `options`, of one of the
`kinds`; the rest is derived. `sources` become `layers`, `loading` merges these into a `Loaded`, `packs` adds what one pack says.
"""

from monopack.config.entries import entries
from monopack.config.generated import Flag, flags, reference, schema
from monopack.config.keys import FILE_NAME
from monopack.config.kinds import Group
from monopack.config.layers import source_of
from monopack.config.loading import Loaded, load
from monopack.config.options import BuildConfig, PackOptions
from monopack.config.packs import check_pack_names, pack_options
from monopack.config.settings import Setting, pack_settings, project_settings

__all__ = [
    "FILE_NAME",
    "BuildConfig",
    "Flag",
    "Group",
    "Loaded",
    "PackOptions",
    "Setting",
    "check_pack_names",
    "entries",
    "flags",
    "load",
    "pack_options",
    "pack_settings",
    "project_settings",
    "reference",
    "schema",
    "source_of",
]
