#!/usr/bin/env python3
# -*- coding: utf-8 -*-

# monopack-start
# extra_modules = ["app.hidden"]
# monopack-end

import os
