import django

import shop.settings
import shop.more
import shop.text
