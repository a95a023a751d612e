"""A limit on what an operation costs, known before any of it is done: one for each field, times the length of the lists it is in.

Input: a document. Output: an error when an operation costs more than MOST. A page is as long as its argument says, or by a variable as
long as it may be; another list is taken to have FEW. Introspection is free here: graphql-core limits how deep it goes.
"""

from collections.abc import Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    is_list_type,
)
from graphql.type import is_non_null_type

MOST = 3000
FEW = 5
LONGEST = 100
SIZES = ("pageSize", "limit")
PAGE = "nextPageToken"
"""A type with this field is a page, whose list has been counted by the field that asked for the page."""


class CostLimit(ValidationRule):
    """Reports an error for each operation that costs too much."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        definitions = context.document.definitions
        fragments = {
            each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)
        }
        counting = _Counting(context, fragments)
        for each in definitions:
            if isinstance(each, OperationDefinitionNode):
                cost = counting.of(each.selection_set, context.schema.get_root_type(each.operation))
                if cost > MOST:
                    text = f"this costs {cost}, and may cost {MOST}: ask for fewer fields or smaller pages"
                    context.report_error(GraphQLError(text, each, extensions={"reason": "ERROR_REASON_COST"}))


class _Counting:
    """Keeps what each fragment costs, which is counted once however often it is used."""

    def __init__(self, context: ValidationContext, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._context = context
        self._fragments = fragments
        self._costs: dict[str, int] = {}

    def of(self, selections: SelectionSetNode | None, parent: object) -> int:
        return sum(self._one(node, parent) for node in selections.selections) if selections else 0

    def _one(self, node: object, parent: object) -> int:
        if isinstance(node, FieldNode):
            known = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
            if known is None:  # of introspection, or not there, which another rule says
                return 0
            return 1 + _length(node, known, parent) * self.of(node.selection_set, get_named_type(known.type))
        if isinstance(node, InlineFragmentNode):
            return self.of(node.selection_set, parent)
        return self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else 0

    def _fragment(self, name: str) -> int:
        if name not in self._costs and name in self._fragments:
            self._costs[name] = 0  # of one that contains itself, which another rule says
            fragment = self._fragments[name]
            of = self._context.schema.get_type(fragment.type_condition.name.value)
            self._costs[name] = self.of(fragment.selection_set, of)
        return self._costs.get(name, 0)


def _length(node: FieldNode, field: GraphQLField, parent: object) -> int:
    """How often what is in a field is answered."""
    if size := next((name for name in SIZES if name in field.args), None):
        said = next((each.value for each in node.arguments or () if each.name.value == size), None)
        if said is None:
            return int(field.args[size].default_value)
        return min(max(int(said.value), 1), LONGEST) if isinstance(said, IntValueNode) else LONGEST
    of_page = isinstance(parent, GraphQLObjectType) and PAGE in parent.fields
    bare = field.type.of_type if is_non_null_type(field.type) else field.type
    return FEW if is_list_type(bare) and not of_page else 1
