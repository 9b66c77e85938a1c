"""Print a month's cost, part by part."""

from __future__ import annotations

import argparse

from infra.cost.monthly import PRICES, Plan, parts


def main() -> None:
    """Read the plan from the command line, print a table."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--objects-per-day", type=int, default=usual.objects_per_day)
    parser.add_argument("--stored-gb", type=float, default=usual.stored_gb)
    parser.add_argument("--glue-minutes-per-day", type=float, default=usual.glue_minutes_per_day)
    parser.add_argument("--mwaa", choices=sorted(PRICES["mwaa_hour"]))
    parser.add_argument("--nat-gateways", type=int, choices=(0, 1, 2), default=0)
    found = parts(Plan(**vars(parser.parse_args())))
    for name, dollars in found.items():
        print(f"{name:20}{dollars:10,.2f}")
    print(f"{'a month':20}{sum(found.values()):10,.2f} USD")
    print(f"List prices of {PRICES['region']} as of {PRICES['as_of']}: {PRICES['source']}.")


if __name__ == "__main__":
    main()
