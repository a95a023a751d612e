package gokit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	rulespb "meshwright/services/gen/go/shop/rules/v1"
)

// Violation is a broken rule; Field is a path from the request: lines[0].quantity.
type Violation struct{ Field, Description string }

// Check finds the rules of its contract (proto/shop/rules/v1) that a message breaks.
type Check func(protoreflect.Message) []Violation

// visit looks at a value that stands at path; test says what is wrong with one value, "" when nothing is.
type (
	visit func(value protoreflect.Value, path string) []Violation
	test  func(value protoreflect.Value) string
)

// CompileRules makes a message's rules into plain functions, once at start. It fails for a rule that cannot apply to its field.
func CompileRules(message protoreflect.MessageDescriptor) (Check, error) {
	compiled, err := compileMessage(message, map[protoreflect.FullName]*visit{})
	if err != nil {
		return nil, err
	}
	return func(m protoreflect.Message) []Violation {
		return (*compiled)(protoreflect.ValueOfMessage(m), "")
	}, nil
}

type part struct {
	field protoreflect.FieldDescriptor
	visit visit
}

// compileMessage: known has the messages under way, so that one that contains itself ends.
func compileMessage(message protoreflect.MessageDescriptor, known map[protoreflect.FullName]*visit) (*visit, error) {
	if found, ok := known[message.FullName()]; ok {
		return found, nil
	}
	var parts []part
	all := visit(func(value protoreflect.Value, path string) (found []Violation) {
		for _, part := range parts {
			name := path + string(part.field.Name())
			found = append(found, part.visit(value.Message().Get(part.field), name)...)
		}
		return found
	})
	known[message.FullName()] = &all
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		compiled, err := compileField(field, known)
		if err != nil {
			return nil, err
		}
		if compiled != nil {
			parts = append(parts, part{field, compiled})
		}
	}
	return &all, nil
}

func compileField(field protoreflect.FieldDescriptor, known map[protoreflect.FullName]*visit) (visit, error) {
	rules := rulesOf(field)
	if err := refuseMisplaced(field, rules); err != nil {
		return nil, err
	}
	tests, err := testsOf(rules)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field.FullName(), err)
	}
	var inner *visit
	if field.Message() != nil && !field.IsMap() {
		if inner, err = compileMessage(field.Message(), known); err != nil {
			return nil, err
		}
	}
	switch {
	case field.IsMap():
		return nil, nil
	case field.IsList():
		return ofList(rules, tests, inner), nil
	case inner != nil:
		return ofMessage(rules.GetRequired(), *inner), nil
	case rules.GetRequired():
		present := func(value protoreflect.Value) string {
			if value.Equal(field.Default()) {
				return "is required"
			}
			return ""
		}
		tests = append([]test{present}, tests...)
	}
	return single(tests), nil
}

func single(tests []test) visit {
	if len(tests) == 0 {
		return nil
	}
	return func(value protoreflect.Value, path string) []Violation {
		for _, test := range tests {
			if wrong := test(value); wrong != "" {
				return []Violation{{path, wrong}}
			}
		}
		return nil
	}
}

func ofMessage(required bool, inner visit) visit {
	return func(value protoreflect.Value, path string) []Violation {
		switch {
		case value.Message().IsValid():
			return inner(value, path+".")
		case required:
			return []Violation{{path, "is required"}}
		}
		return nil
	}
}

func ofList(rules *rulespb.FieldRules, tests []test, inner *visit) visit {
	each, count := single(tests), countTest(rules)
	return func(value protoreflect.Value, path string) (found []Violation) {
		list := value.List()
		if wrong := count(list.Len()); wrong != "" {
			return []Violation{{path, wrong}}
		}
		for i := range list.Len() {
			at := fmt.Sprintf("%s[%d]", path, i)
			if each != nil {
				found = append(found, each(list.Get(i), at)...)
			}
			if inner != nil {
				found = append(found, (*inner)(list.Get(i), at+".")...)
			}
		}
		return found
	}
}

func countTest(rules *rulespb.FieldRules) func(int) string {
	least := int(rules.GetMinItems())
	if rules.GetRequired() {
		least = max(least, 1)
	}
	return func(count int) string {
		if count < least {
			return fmt.Sprintf("must have at least %d items, has %d", least, count)
		}
		if rules.MaxItems != nil && count > int(rules.GetMaxItems()) {
			return fmt.Sprintf("must have at most %d items, has %d", rules.GetMaxItems(), count)
		}
		return ""
	}
}

// testsOf has those on one string or number. A string that was left out passes.
func testsOf(rules *rulespb.FieldRules) ([]test, error) {
	var tests []test
	text := func(wrong func(string) string) {
		tests = append(tests, func(value protoreflect.Value) string { return wrong(value.String()) })
	}
	if rules.MinLength != nil {
		text(func(s string) string {
			return complain(s != "" && utf8.RuneCountInString(s) < int(rules.GetMinLength()),
				"must have at least %d characters, has %d", rules.GetMinLength(), utf8.RuneCountInString(s))
		})
	}
	if rules.MaxLength != nil {
		text(func(s string) string {
			return complain(utf8.RuneCountInString(s) > int(rules.GetMaxLength()),
				"must have at most %d characters, has %d", rules.GetMaxLength(), utf8.RuneCountInString(s))
		})
	}
	if rules.Pattern != nil {
		pattern, err := regexp.Compile("^(?:" + rules.GetPattern() + ")$")
		if err != nil {
			return nil, err
		}
		text(func(s string) string {
			return complain(s != "" && !pattern.MatchString(s), "must match %s", rules.GetPattern())
		})
	}
	if allowed := slices.Sorted(slices.Values(rules.GetIn())); len(allowed) > 0 {
		text(func(s string) string {
			return complain(s != "" && !slices.Contains(allowed, s), "must be one of %s", strings.Join(allowed, ", "))
		})
	}
	return append(tests, numberTests(rules)...), nil
}

func numberTests(rules *rulespb.FieldRules) (tests []test) {
	if rules.Min != nil {
		tests = append(tests, func(value protoreflect.Value) string {
			return complain(integer(value) < rules.GetMin(), "must be at least %d, is %d", rules.GetMin(), integer(value))
		})
	}
	if rules.Max != nil {
		tests = append(tests, func(value protoreflect.Value) string {
			return complain(integer(value) > rules.GetMax(), "must be at most %d, is %d", rules.GetMax(), integer(value))
		})
	}
	return tests
}

func complain(wrong bool, format string, about ...any) string {
	if wrong {
		return fmt.Sprintf(format, about...)
	}
	return ""
}

func integer(value protoreflect.Value) int64 {
	switch number := value.Interface().(type) {
	case uint32:
		return int64(number)
	case uint64:
		return int64(min(number, 1<<63-1))
	default:
		return value.Int()
	}
}

func rulesOf(field protoreflect.FieldDescriptor) *rulespb.FieldRules {
	options, _ := field.Options().(*descriptorpb.FieldOptions)
	rules, _ := proto.GetExtension(options, rulespb.E_Field).(*rulespb.FieldRules)
	return rules
}

func refuseMisplaced(field protoreflect.FieldDescriptor, rules *rulespb.FieldRules) error {
	fits := map[protoreflect.Name]bool{"required": true}
	allow := func(yes bool, names ...protoreflect.Name) {
		for _, name := range names {
			fits[name] = fits[name] || yes
		}
	}
	integers := []protoreflect.Kind{
		protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind,
		protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind,
	}
	allow(field.IsList(), "min_items", "max_items")
	allow(field.Kind() == protoreflect.StringKind, "min_length", "max_length", "pattern", "in")
	allow(slices.Contains(integers, field.Kind()), "min", "max")
	var misplaced error
	rules.ProtoReflect().Range(func(rule protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if !fits[rule.Name()] {
			misplaced = fmt.Errorf("%s: the rule %s cannot apply to a field of this type", field.FullName(), rule.Name())
		}
		return misplaced == nil
	})
	return misplaced
}
