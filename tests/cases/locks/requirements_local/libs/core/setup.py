from setuptools import setup; setup(name="core")
