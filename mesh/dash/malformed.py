"""A question of the page's that makes no sense: answered with 400 and what is wrong with it."""


class Malformed(Exception):
    """The text names what is asked for and how it should be."""
