import app.a
import packs.main
