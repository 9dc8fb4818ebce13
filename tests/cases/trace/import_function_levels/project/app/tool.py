__import__("near", globals(), None, [], 1)  # as `import` with one dot
__import__("", globals(), None, ["other"], level=1)
