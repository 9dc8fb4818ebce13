import calendar
import json
import sys
