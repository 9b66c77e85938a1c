"""What the platform costs a month, from list prices (`prices.json`) and a few numbers.

    python -m infra.cost --objects-per-day 10000 --mwaa mw1.small

Standard library only. Nothing here was measured on a bill: docs/cost.md says what each part is.
"""
