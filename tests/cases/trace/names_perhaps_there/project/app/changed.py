import app.dynamic

import app.changed

app.changed.set_from_outside = 1
