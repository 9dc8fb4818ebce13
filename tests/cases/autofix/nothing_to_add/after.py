"""Users."""
import os
