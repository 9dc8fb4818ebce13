import os

import app

for each in [app, __import__("app.for_body")]:
    import app.for_body
else:
    import app.for_else

while os.environ.get("MORE"):
    import app.while_body
else:
    import app.while_else

while False:
    import app.never
else:
    import app.otherwise

while True:
    import app.always
    break
else:
    import app.not_reached


async def read(stream):
    async for part in stream:
        import app.async_for


for name in (lambda x=os: x, os):
    pass

from app import after, condition, items
