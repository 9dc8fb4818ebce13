from ... import shared
from ..base import anything
