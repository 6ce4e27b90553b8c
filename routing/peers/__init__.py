"""Other solvers on the very same problem: what they are told of it, what they cannot be told, and how they did.

They are installed for measuring only: `pip install "fieldvisit[bench]"`.
"""
