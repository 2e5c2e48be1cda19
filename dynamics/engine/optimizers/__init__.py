"""Optimizers: one file per optimizer; its ``direction`` turns a gradient into a step."""
