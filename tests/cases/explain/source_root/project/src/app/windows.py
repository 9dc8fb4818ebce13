x = 1
import app.deep
