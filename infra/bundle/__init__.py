"""The bundle: what an MWAA environment runs, as MWAA takes it, built into `build/mwaa`.

    python -m infra.bundle [--target build/mwaa] [--from-index]

`contents` puts it together, `requirements` and `wheels` make what MWAA installs, `checking` refuses
a bundle that MWAA would take and that would not work, `places` says where it is uploaded to. Runs
on Python alone.

Not here: what Lambda and Glue run (`infra/build.py`), and the upload (`infra/deployment`).
"""
