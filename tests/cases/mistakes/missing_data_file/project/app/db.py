import pathlib

QUERY = pathlib.Path(__file__).with_name("query.sql").read_text()
