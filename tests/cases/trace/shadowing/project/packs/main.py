import builtins, colorsys, json, logging, queue, time
import six, yaml
import yaml2
