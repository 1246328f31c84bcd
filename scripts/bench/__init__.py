"""The benchmarks: `python scripts/bench NAME`.

`shared/` is what several of them use, `parts/` what a single one is made of.
"""
