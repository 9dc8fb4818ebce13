import json
import yaml
