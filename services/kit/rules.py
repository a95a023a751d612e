"""The rules of request fields (proto/shop/rules/v1), compiled once at start into plain checks.

Input: a message's descriptor. Output: a function from a message to the violations in it, which boundary runs before
the method. Compiled, because a rule interpreted for each message costs more than many a method.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.gen.shop.rules.v1 import rules_pb2
from services.kit.errors import Violation

Check = Callable[[Message], list[Violation]]
Test = Callable[[Any], str | None]  # a value of the field's own type -> what is wrong with it
Visit = Callable[[Any, str], Iterator[Violation]]  # the same, with the path of the value

_STRING_RULES = ("min_length", "max_length", "pattern", "in")
_NUMBER_RULES = ("min", "max")
_LIST_RULES = ("min_items", "max_items")
_INTEGERS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}
_INTEGERS |= {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}


class BadRule(Exception):
    """A rule in a proto that cannot apply to its field, named in the text."""


def compiled(message: Descriptor) -> Check:
    """Raises BadRule. The check costs nothing but the calls of the tests while all is well."""
    visit = _message(message, {})

    def check(request: Message) -> list[Violation]:
        return list(visit(request, ""))

    return check


def _message(message: Descriptor, known: dict[str, Visit]) -> Visit:
    """`known` has the messages under way, so that one that contains itself ends."""
    parts: list[tuple[str, Visit]] = []

    def visit(value: Any, path: str) -> Iterator[Violation]:
        for name, part in parts:
            yield from part(getattr(value, name), f"{path}{name}")

    known[message.full_name] = visit
    parts.extend((field.name, part) for field in message.fields if (part := _field(field, known)))
    return visit


def _field(field: FieldDescriptor, known: dict[str, Visit]) -> Visit | None:
    rules = field.GetOptions().Extensions[rules_pb2.field]
    _refuse_misplaced(field, rules)
    tests = [*_length_tests(rules), *_string_tests(rules), *_number_tests(rules)]
    inner = _nested(field, known)
    if field.is_repeated:
        return _repeated(rules, tests, inner)
    if inner:
        return _present(rules.required, inner)
    if rules.required:
        tests.insert(0, lambda value: None if value else "is required")
    return _single(tests) if tests else None


def _nested(field: FieldDescriptor, known: dict[str, Visit]) -> Visit | None:
    message = field.message_type
    if message is None or message.GetOptions().map_entry:
        return None
    return known.get(message.full_name) or _message(message, known)


def _single(tests: list[Test]) -> Visit:
    def visit(value: Any, path: str) -> Iterator[Violation]:
        for test in tests:
            if problem := test(value):
                yield Violation(path, problem)
                return

    return visit


def _present(required: bool, inner: Visit) -> Visit:
    def visit(value: Any, path: str) -> Iterator[Violation]:
        if value.ByteSize() or value.ListFields():
            yield from inner(value, f"{path}.")
        elif required:
            yield Violation(path, "is required")

    return visit


def _repeated(rules: rules_pb2.FieldRules, tests: list[Test], inner: Visit | None) -> Visit | None:
    single = _single(tests) if tests else None
    count = _count_test(rules)
    if not (single or count or inner):
        return None

    def visit(value: Any, path: str) -> Iterator[Violation]:
        if count and (problem := count(value)):
            yield Violation(path, problem)
            return
        for index, item in enumerate(value):
            if single:
                yield from single(item, f"{path}[{index}]")
            if inner:
                yield from inner(item, f"{path}[{index}].")

    return visit


def _count_test(rules: rules_pb2.FieldRules) -> Test | None:
    least = max(rules.min_items, 1 if rules.required else 0)
    most = rules.max_items if rules.HasField("max_items") else None

    def test(value: Any) -> str | None:
        if len(value) < least:
            return f"must have at least {least} items, has {len(value)}"
        if most is not None and len(value) > most:
            return f"must have at most {most} items, has {len(value)}"
        return None

    return test if least or most is not None else None


def _length_tests(rules: rules_pb2.FieldRules) -> Iterator[Test]:
    least, most = rules.min_length, rules.max_length
    if rules.HasField("min_length"):
        yield (
            lambda text: (
                f"must have at least {least} characters, has {len(text)}"
                if text and len(text) < least
                else None
            )
        )
    if rules.HasField("max_length"):
        yield (
            lambda text: f"must have at most {most} characters, has {len(text)}" if len(text) > most else None
        )


def _string_tests(rules: rules_pb2.FieldRules) -> Iterator[Test]:
    allowed = frozenset(getattr(rules, "in"))
    if rules.HasField("pattern"):
        pattern = re.compile(rules.pattern)
        yield lambda text: f"must match {pattern.pattern}" if text and not pattern.fullmatch(text) else None
    if allowed:
        yield (
            lambda text: (
                f"must be one of {', '.join(sorted(allowed))}" if text and text not in allowed else None
            )
        )


def _number_tests(rules: rules_pb2.FieldRules) -> Iterator[Test]:
    least, most = rules.min, rules.max
    if rules.HasField("min"):
        yield lambda number: f"must be at least {least}, is {number}" if number < least else None
    if rules.HasField("max"):
        yield lambda number: f"must be at most {most}, is {number}" if number > most else None


def _refuse_misplaced(field: FieldDescriptor, rules: rules_pb2.FieldRules) -> None:
    fits = {"required"}
    fits |= set(_LIST_RULES) if field.is_repeated else set()
    fits |= set(_STRING_RULES) if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else set()
    fits |= set(_NUMBER_RULES) if field.cpp_type in _INTEGERS else set()
    for rule, _ in rules.ListFields():
        if rule.name not in fits:
            raise BadRule(f"{field.full_name}: the rule {rule.name} cannot apply to a field of this type")
