"""Contract suites for codecs, stores and views, also for those of other packages.

No run-time module imports it.
"""
