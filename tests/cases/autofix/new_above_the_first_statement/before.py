# what this is for
import os
