"""Import rules: what well-known distributions quietly need, and what code tells of that.

A key is what code has: an imported module, or name of one (`jwt`, `fastapi.UploadFile`), a function that is called
(`pandas.read_excel`; `pandas.*.to_excel` is a method of anything, in a pack that imports pandas), or the beginning of a URL
(`postgresql+psycopg://`). A function with `?` counts where no URL in the pack tells which of its distributions is meant. Values
are names of distributions, alternatives and all: those that the lock has ship.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from monopack.model import Evidence, Import, Reach

Rules = Mapping[str, tuple[str, ...]]

PSYCOPG = ("psycopg",)
PSYCOPG2 = ("psycopg2", "psycopg2-binary")
EXCEL = ("openpyxl", "xlrd", "pyxlsb", "odfpy", "python-calamine")
EXCEL_WRITERS = ("openpyxl", "xlsxwriter", "odfpy")
PARQUET = ("pyarrow", "fastparquet")
DATABASES = (*PSYCOPG, *PSYCOPG2, "pg8000", "mysqlclient", "pymysql", "mysql-connector-python", "oracledb", "cx-oracle", "pyodbc")
ASYNC_DATABASES = (*PSYCOPG, "asyncpg", "aiosqlite", "aiomysql", "asyncmy", "oracledb", "aioodbc", "greenlet")
BROKERS = ("redis", "amqp", "boto3", "pycurl", "urllib3", "pymongo")

RULES: Rules = {
    # SQLAlchemy, and what else takes such URLs
    "postgresql://": PSYCOPG2, "postgres://": PSYCOPG2, "postgresql+psycopg2://": PSYCOPG2, "postgresql+psycopg://": PSYCOPG,
    "postgresql+psycopg_async://": (*PSYCOPG, "greenlet"), "postgresql+asyncpg://": ("asyncpg", "greenlet"),
    "postgresql+pg8000://": ("pg8000",), "mysql://": ("mysqlclient",), "mysql+mysqldb://": ("mysqlclient",),
    "mysql+pymysql://": ("pymysql",), "mysql+aiomysql://": ("aiomysql", "greenlet"), "mysql+asyncmy://": ("asyncmy", "greenlet"),
    "mysql+mysqlconnector://": ("mysql-connector-python",), "mariadb+pymysql://": ("pymysql",),
    "mariadb+mariadbconnector://": ("mariadb",), "mariadb://": ("mysqlclient",),
    "sqlite://": (), "sqlite+pysqlite://": (), "sqlite+aiosqlite://": ("aiosqlite", "greenlet"),
    "oracle://": ("cx-oracle",), "oracle+cx_oracle://": ("cx-oracle",), "oracle+oracledb://": ("oracledb",),
    "mssql://": ("pyodbc",), "mssql+pyodbc://": ("pyodbc",), "mssql+pymssql://": ("pymssql",), "mssql+aioodbc://": ("aioodbc",),
    "snowflake://": ("snowflake-sqlalchemy",), "bigquery://": ("sqlalchemy-bigquery",), "redshift://": ("sqlalchemy-redshift",),
    "redshift+psycopg2://": ("sqlalchemy-redshift", *PSYCOPG2), "clickhouse://": ("clickhouse-sqlalchemy",),
    "cockroachdb://": ("sqlalchemy-cockroachdb", *PSYCOPG2), "duckdb://": ("duckdb-engine",), "trino://": ("trino",),
    "sqlalchemy.create_engine?": DATABASES, "sqlalchemy.engine_from_config?": DATABASES,
    "sqlalchemy.ext.asyncio.create_async_engine?": ASYNC_DATABASES, "sqlalchemy.ext.asyncio": ("greenlet",),
    "sqlmodel.create_engine?": DATABASES, "psycopg": ("psycopg-binary", "psycopg-c"), "psycopg_pool": PSYCOPG,
    # Django names its backends in strings
    "django.db.backends.postgresql": (*PSYCOPG, *PSYCOPG2), "django.db.backends.mysql": ("mysqlclient", "pymysql"),
    "django.db.backends.oracle": ("oracledb", "cx-oracle"), "django.core.cache.backends.redis.RedisCache": ("redis",),
    "django.core.cache.backends.memcached.PyMemcacheCache": ("pymemcache",),
    "django.core.cache.backends.memcached.PyLibMCCache": ("pylibmc",),
    "django.contrib.auth.hashers.Argon2PasswordHasher": ("argon2-cffi",),
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher": ("bcrypt",),
    # data frames
    "pandas": ("pyarrow",), "pandas.read_parquet": PARQUET, "pandas.*.to_parquet": PARQUET, "pandas.read_feather": ("pyarrow",),
    "pandas.*.to_feather": ("pyarrow",), "pandas.read_orc": ("pyarrow",), "pandas.*.to_orc": ("pyarrow",),
    "pandas.read_excel": EXCEL, "pandas.ExcelFile": EXCEL, "pandas.*.to_excel": EXCEL_WRITERS,
    "pandas.ExcelWriter": EXCEL_WRITERS,
    "pandas.read_html": ("lxml", "beautifulsoup4", "html5lib"), "pandas.read_xml": ("lxml",), "pandas.*.to_xml": ("lxml",),
    "pandas.read_hdf": ("tables",), "pandas.*.to_hdf": ("tables",), "pandas.HDFStore": ("tables",),
    "pandas.read_sql": ("sqlalchemy",), "pandas.read_sql_query": ("sqlalchemy",), "pandas.read_sql_table": ("sqlalchemy",),
    "pandas.*.to_sql": ("sqlalchemy",), "pandas.*.to_markdown": ("tabulate",), "pandas.read_gbq": ("pandas-gbq",),
    "pandas.*.to_xarray": ("xarray",), "pandas.*.plot": ("matplotlib",),
    "polars.*.to_pandas": ("pandas", "pyarrow"), "polars.*.to_arrow": ("pyarrow",), "polars.from_pandas": ("pandas", "pyarrow"),
    "polars.read_excel": ("fastexcel", "openpyxl", "xlsx2csv"), "polars.*.write_excel": ("xlsxwriter",),
    "polars.read_delta": ("deltalake",), "polars.read_database": ("sqlalchemy", "connectorx"),
    # files elsewhere
    "s3://": ("s3fs",), "gs://": ("gcsfs",), "gcs://": ("gcsfs",), "abfs://": ("adlfs",), "abfss://": ("adlfs",),
    "az://": ("adlfs",),
    # the web
    "uvicorn": ("uvloop", "httptools", "websockets", "wsproto"),
    "fastapi.UploadFile": ("python-multipart",), "fastapi.Form": ("python-multipart",), "fastapi.File": ("python-multipart",),
    "fastapi.security.OAuth2PasswordRequestForm": ("python-multipart",), "fastapi.templating": ("jinja2",),
    "fastapi.testclient": ("httpx",), "fastapi.responses.ORJSONResponse": ("orjson",),
    "fastapi.responses.UJSONResponse": ("ujson",),
    "starlette.*.form": ("python-multipart",), "fastapi.*.form": ("python-multipart",), "starlette.templating": ("jinja2",),
    "starlette.testclient": ("httpx",), "starlette.middleware.sessions": ("itsdangerous",), "starlette.schemas": ("pyyaml",),
    "pydantic.EmailStr": ("email-validator",), "pydantic.NameEmail": ("email-validator",),
    "pydantic.networks.EmailStr": ("email-validator",), "wtforms.validators.Email": ("email-validator",),
    "socks5://": ("pysocks", "socksio", "python-socks"), "socks5h://": ("pysocks", "socksio", "python-socks"),
    "socks4://": ("pysocks", "python-socks"), "urllib3.contrib.socks": ("pysocks",), "httpx": ("h2", "socksio"),
    "aiohttp": ("aiodns",),
    # signatures and passwords
    "jwt": ("cryptography",), "jose": ("cryptography", "pycryptodome"), "authlib.jose": ("cryptography",),
    "passlib": ("bcrypt", "argon2-cffi"), "oauthlib.oauth1": ("cryptography", "pyjwt"), "google.auth": ("cryptography",),
    "pymysql": ("cryptography",), "pymongo": ("dnspython",), "mongodb+srv://": ("dnspython",), "redis": ("hiredis",),
    # brokers: kombu finds its transports by URL
    "redis://": ("redis",), "rediss://": ("redis",), "sqs://": ("boto3", "pycurl", "urllib3"), "mongodb://": ("pymongo",),
    "amqp://": ("amqp",), "pyamqp://": ("amqp",), "confluentkafka://": ("confluent-kafka",), "zookeeper://": ("kazoo",),
    "celery.Celery?": BROKERS, "kombu.Connection?": BROKERS,
    # the rest
    "bs4.BeautifulSoup": ("lxml", "html5lib"), "networkx.draw": ("matplotlib",), "zoneinfo.ZoneInfo": ("tzdata",),
}  # fmt: skip


def told_by_code(
    rules: Rules, uses: Mapping[str, Evidence], imports: Collection[Import]
) -> Iterator[tuple[str, Import, tuple[str, ...]]]:
    """The rules whose keys first-party code has: the key, the place (as an import), and the distributions."""
    places = {i.dotted: i for i in imports if i.attribute} | {name: _as_import(name, place) for name, place in uses.items()}
    tops = {i.name.partition(".")[0] for i in imports}
    urls = [set(rules[key]) for key in rules if key.endswith("://") and key in places]
    for key, distributions in rules.items():
        place = places.get(_used_as(key, tops))
        if place and not (key.endswith("?") and any(meant <= set(distributions) for meant in urls)):
            yield key, place, distributions


def _used_as(key: str, tops: Collection[str]) -> str:
    """What code that has a rule's key uses; for `pandas.*.to_excel` any method, in a pack that imports pandas."""
    top, star, method = key.partition(".*.")
    if star:
        return f".{method}" if top in tops else ""
    return key.removesuffix("?")


def _as_import(name: str, place: Evidence) -> Import:
    return Import(name=name, evidence=place, reach=Reach.LAZY)
