import app.core
import shared
