"""Writes the files beside it: the same table, as other programs write it.

    pip install pyarrow pandas polars numpy
    python make.py

Written with pyarrow 26.0, pandas 3.1, polars 2.1, numpy 2.4. `numbers.csv` is what all of them hold.
"""

import datetime
import decimal
import pathlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
n = 300
i = np.arange(n)
rng = np.random.default_rng(7)
table = pd.DataFrame(
    {
        "x": rng.normal(size=n) * 10.0 ** rng.integers(-8, 9, n),
        "y": rng.normal(size=n).astype("float32"),
        "count": (i * 7919 % 1000 - 500).astype("int32"),
        "large": i.astype("uint64") * 1_000_003,
        "flag": i % 3 == 0,
        "price": [decimal.Decimal(int(v)) / 100 for v in i * 37 % 5000],
        "weight": (i % 5).astype("int64"),
        "name": [f"row {v % 17}, \"quoted\"" for v in i],
        "kind": pd.Categorical([["a", "b", "c"][v % 3] for v in i]),
        "day": [datetime.date(2020, 1, 1) + datetime.timedelta(days=int(v)) for v in i],
    }
)
numbers = table[["x", "y", "count", "large", "flag", "price"]].astype("float64")
numbers.to_csv(here / "numbers.csv", index=False, float_format="%.17g")

arrow = pa.Table.from_pandas(table, preserve_index=False)
pq.write_table(arrow, here / "pyarrow.parquet", row_group_size=70, compression="snappy")
pq.write_table(
    arrow, here / "pyarrow_v2.parquet", row_group_size=128, compression="lz4", data_page_version="2.0",
    data_page_size=512, use_dictionary=False,
    column_encoding={"x": "BYTE_STREAM_SPLIT", "count": "DELTA_BINARY_PACKED"},
)
table.to_parquet(here / "pandas.parquet", compression="zstd", index=False)
pq.write_table(arrow, here / "gzip.parquet", compression="gzip")
feather.write_feather(arrow, here / "lz4.feather", compression="lz4", chunksize=90)
feather.write_feather(arrow, here / "zstd.arrow", compression="zstd")
with pa.OSFile(str(here / "stream.arrow"), "wb") as sink, pa.ipc.new_stream(sink, arrow.schema) as stream:
    stream.write_table(arrow, max_chunksize=110)
frame = pl.from_pandas(table)
frame.write_parquet(here / "polars.parquet")
frame.write_ipc(here / "polars.arrow")

# 32-bit floats alone, and missing values: null and NaN.
short = pa.table({"a": pa.array(rng.normal(size=50).astype("float32")), "b": pa.array(np.arange(50, dtype="float32"))})
pq.write_table(short, here / "short.parquet")
gaps = pa.table({"a": pa.array([1.0, None, 3.0, float("nan")]), "b": pa.array([None, 2, 3, 4], pa.int64())})
pq.write_table(gaps, here / "gaps.parquet", row_group_size=2)
np.save(here / "fortran.npy", np.asfortranarray(numbers.to_numpy()))
np.save(here / "rows.npy", np.ascontiguousarray(numbers.to_numpy()))
