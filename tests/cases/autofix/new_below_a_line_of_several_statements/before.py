"""Users."""; text = """
"""; other = (
    1,
) \

import os
