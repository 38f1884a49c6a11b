"""Tests of `lgs_assets.lake`."""
