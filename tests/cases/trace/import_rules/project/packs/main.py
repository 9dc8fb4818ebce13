"""Code that needs more than it imports; postgresql://here.is/prose."""

import pandas
import pandas as pd
from sqlalchemy import URL, create_engine

# not mysql+pymysql://a/comment
create_engine(
    f"postgresql+psycopg://{user}@host/db"
)
URL.create("oracle+oracledb")
HOME = "https://example.org"


def later(frame):
    pd.read_parquet("x").to_excel("y")
    frame.to_parquet("z")
    pandas.read_excel("x")
    own()


def own():
    pass
