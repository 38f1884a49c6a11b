"""The benchmark: the whole job from a dump to all tables, measured against what people would use instead.

It uses the platform and is not part of it. See README.md in this folder.
"""
