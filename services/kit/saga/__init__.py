"""Sagas: steps in several services that happen wholly or are undone, however often processes die in between.

`machine` is the rule, pure; `store` keeps a row a saga; `runner` carries out. None knows what a step does.
"""
