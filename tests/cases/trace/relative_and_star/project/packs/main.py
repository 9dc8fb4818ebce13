from app.core.deep.leaf import *
