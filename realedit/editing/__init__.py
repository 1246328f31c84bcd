"""One edit: the request, the plan, the four stages, and what is said of the result.

`realedit.pipeline` puts these together.
"""
