"""A new service of the project: its files from templates, and the lines by which the rest of the project knows it.

Used by `mesh new`. Input: the project's folder, a name, a language. Output: files, some new, some changed; nothing is
written when anything is in the way.
"""
