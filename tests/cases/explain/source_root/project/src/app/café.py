text = 'ünïcode'; import app.deep
