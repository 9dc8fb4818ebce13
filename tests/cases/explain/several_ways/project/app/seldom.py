from app.base import json
import json
