"""What is RE2 and what is not; istiod's own judgement (Go's regexp/syntax) of the same and of random expressions."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.link.regex import mistake

RIGHT = [
    *(
        "a",
        "/shop/.*",
        "^a$",
        "a|b|",
        "()",
        "(|a)*",
        "^*",
        "a(?i)*",
        "a*?",
        "a{0,}?",
        "{",
        "a{,3}",
        "a{x}",
        "]",
        "}",
    ),
    *(
        "[\\w-.]+",
        "[]a]",
        "[^]a]",
        "[a-]",
        "[[:alpha:]_]",
        "[[a]",
        "[a&&b]",
        "[\\x41-\\x{5A}]",
        "[\\pL\\P{Greek}]",
    ),
    *("\\Aa\\z\\b\\B", "\\Q(*\\E+", "\\Qa", "\\-\\/\\_", "\\07\\12\\x{10FFFF}", "é☃", "\\pN"),
    *(
        "(?P<n>a)(?<m1>b)",
        "(?P<1>a)",
        "(?i)a",
        "(?i-s:a)",
        "(?-U)a",
        "(?:a{500}){2}",
        "(a{0}){1000}",
        "a{1000}",
    ),
]
WRONG = {
    "": "it is empty",
    "a" * 1025: "1025 bytes",
    "(": "a ( is never closed",
    "a)": "a ) closes nothing",
    "[a": "a [ is never closed",
    "[]": "a [ is never closed",
    "[z-a]": "the range z-a is empty",
    "*a": "nothing to repeat before *",
    "a|+": "nothing to repeat before +",
    "({2})": "nothing to repeat before {2}",
    "a**": "* repeats a repetition",
    "a*?+": "+ repeats a repetition",
    "a{2}{3}": "{3} repeats a repetition",
    "a++": "+ repeats a repetition",
    "a{1001}": "at most 1000 times",
    "(a{500}){3}": "at most 1000 times",
    "a{3,2}": "at most less often",
    "(?=a)": "RE2 does not have (?=a",
    "(?!a)": "RE2 does not have (?!a",
    "(?<=a)": "RE2 does not have (?<=",
    "(?>a)": "RE2 does not have (?>a",
    "(?x)a": "RE2 does not have (?x)",
    "(?i-)a": "RE2 does not have (?i-",
    "(?P=n)": "RE2 does not have (?P=",
    "(?P<a b>c)": "'a b' cannot name a group",
    "(a)\\1": "RE2 does not have \\1",
    "\\Z": "RE2 does not have \\Z",
    "\\C": "RE2 does not have \\C",
    "\\": "RE2 does not have \\",
    "\\u0041": "RE2 does not have \\u",
    "\\x{110000}": "no character",
    "[\\b]": "RE2 does not have \\b in [...]",
    "\\p{Klingon}": "no characters called 'Klingon'",
    "[[:word:][:foo:]]": "no characters called [:foo:]",
}
PARTS = [*"ab.^$|()*+?{}[]-\\,:é", "(?", "(?:", "(?i)", "(?P<n>", "[^", "[[:alpha:]]", "{2}", "{2,}", "{999}"]
PARTS += ["\\d", "\\pL", "\\p{Han}", "\\Q", "\\E", "\\x41", "\\x{", "\\1", "\\z", "\\-", "a-z", "z-a"]
ISTIOCTL = shutil.which("istioctl")


@pytest.mark.parametrize("expression", RIGHT)
def test_an_expression_is_re2(expression: str) -> None:
    assert mistake(expression) == ""


@pytest.mark.parametrize(("expression", "reason"), WRONG.items(), ids=[e[:12] for e in WRONG])
def test_an_expression_is_not_re2(expression: str, reason: str) -> None:
    assert reason in mistake(expression)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(mistake(text), str)


@pytest.mark.oracle
@pytest.mark.skipif(ISTIOCTL is None, reason="istiod's own judgement needs istioctl")
def test_istiod_judges_the_same(tmp_path: Path) -> None:
    seeded = random.Random(1)
    made = ("".join(seeded.choices(PARTS, k=seeded.randint(1, 6))) for _ in range(1500))
    expressions = [*RIGHT, *WRONG, *made]
    refused = _refused_by_istiod(expressions, tmp_path / "expressions.yaml")
    assert [e for e in expressions if bool(mistake(e)) != (e in refused)] == []


def _refused_by_istiod(expressions: Iterable[str], file: Path) -> set[str]:
    named = {f"e{i}": expression for i, expression in enumerate(expressions)}
    file.write_text("\n---\n".join(json.dumps(_virtual_service(*each)) for each in named.items()))
    command = ["istioctl", "validate", "--filename", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return {named[name] for name in re.findall(r"VirtualService/shop/(e\d+): ", done.stderr)}


def _virtual_service(name: str, expression: str) -> object:
    route = {"match": [{"uri": {"regex": expression}}], "route": [{"destination": {"host": "a.b"}}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"hosts": ["a.b"], "http": [route]},
    }
