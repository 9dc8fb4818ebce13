import yaml
import app.both
import app.deep
