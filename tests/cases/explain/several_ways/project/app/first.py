import app.base
from app.second import other
