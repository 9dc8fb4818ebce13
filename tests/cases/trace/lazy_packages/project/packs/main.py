from app.table import Client
from app.pairs import Two
from app.names import one
from app.direct import Far
from app.untold import Anything
from app.listed import a
from app.loader import func
from app.structure import Model
from app.stub import thing
import app.whole.part
from app import asked
from app.unused.kept import x
from app.star import *
from app.choice import Kept
from app.branches import One, Three
from app.matched import Two
