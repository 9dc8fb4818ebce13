import typing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mypy_boto3
    from app import only_types
else:
    from app import runtime

if typing.TYPE_CHECKING:
    import pandas

if not TYPE_CHECKING:
    import json
