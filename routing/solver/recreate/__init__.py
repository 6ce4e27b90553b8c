"""Ruin and recreate: take strings of visits out of neighbouring days, put them back one by one where they cost least.

Slack induction by string removals (Christiaens & Vanden Berghe 2020, Transportation Science 54:2), with visits that may
be left out and every rule of `routing.problem`, compiled by numba.
"""
