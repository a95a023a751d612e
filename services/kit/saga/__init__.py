"""Sagas: steps in several services that happen wholly or are undone, however often processes die in between.

`machine` is the rule, pure; `store` keeps a row a saga; `runner` carries out what a `definition` says, each step by `attempt`; `watch`
tells of those that are stuck, and `operating` is what people may do about them. None knows what a step does.
"""
