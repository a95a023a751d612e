"""A plain word of YAML -> the value that Kubernetes reads: true, 1, 1.5, null, or the text itself.

Kubernetes reads YAML with sigs.k8s.io/yaml, whose rules are those of YAML 1.1 as its goyaml.v2 has them (resolve.go): y and n are
booleans, 1e3 is a number, 12:30 and dates are text.
"""

from __future__ import annotations

import re
from typing import Any, Final

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_LONGEST_WORD: Final = max(map(len, _WORDS))
_STARTS_NUMBER: Final = frozenset("+-.0123456789")
_BASES: Final = {"x": 16, "o": 8, "b": 2}
_WHOLE: Final = re.compile(r"([+-]?)(?:0([xob])([0-9a-f]+)|(\d+))", re.ASCII | re.IGNORECASE)
_FLOAT: Final = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)


def value(text: str) -> Any:
    """What an unquoted word stands for."""
    if len(text) <= _LONGEST_WORD and text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _STARTS_NUMBER else text


def _number(text: str) -> Any:
    plain = text if text[0] == "." else text.replace("_", "")
    if found := _WHOLE.fullmatch(plain):
        sign, base, digits, decimal = found.groups()
        octal = decimal is not None and len(decimal) > 1 and decimal[0] == "0"
        try:
            whole = int(digits or decimal, _BASES[base.lower()] if base else 8 if octal else 10)
            return -whole if sign == "-" else whole
        except ValueError:  # 08, or 0b12
            pass
    if not _FLOAT.fullmatch(plain):
        return text
    number = float(plain)
    return text if abs(number) == float("inf") else number
