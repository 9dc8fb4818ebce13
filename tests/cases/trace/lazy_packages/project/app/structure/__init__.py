import sys

from app.structure.tools import _LazyModule

_import_structure = {"config": ["Config"]}
_import_structure["modeling"] = ["Model", "Head"]

sys.modules[__name__] = _LazyModule(__name__, globals()["__file__"], _import_structure, module_spec=__spec__)
