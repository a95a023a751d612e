package gokit

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	rulespb "meshwright/services/gen/go/shop/rules/v1"
)

// Method is what a contract says of one: Timeout is the longest a call may take, or a stream may last; Changes that it has effects.
type Method struct {
	Name    string
	Timeout time.Duration
	Changes bool
	Check   Check
}

// Contract is what a service's proto says. Domain is its package: the domain of google.rpc.ErrorInfo.
type Contract struct {
	Service string
	Domain  string
	Methods map[string]Method // by path: /package.Service/Name
}

// ContractOf fails for a method without a timeout, since a call without a limit is never meant, and for a rule that
// cannot apply to its field.
func ContractOf(service protoreflect.ServiceDescriptor) (Contract, error) {
	name := string(service.FullName())
	contract := Contract{name, string(service.ParentFile().Package()), map[string]Method{}}
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		timeout := policyOf(method).GetTimeout().AsDuration()
		if timeout <= 0 {
			return contract, fmt.Errorf("%s has no timeout; add to its proto: "+
				"option (shop.rules.v1.policy) = {timeout: {seconds: 2}};", method.FullName())
		}
		check, err := CompileRules(method.Input())
		if err != nil {
			return contract, err
		}
		path := fmt.Sprintf("/%s/%s", name, method.Name())
		contract.Methods[path] = Method{string(method.Name()), timeout, changes(method), check}
	}
	return contract, nil
}

func policyOf(method protoreflect.MethodDescriptor) *rulespb.MethodPolicy {
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	policy, _ := proto.GetExtension(options, rulespb.E_Policy).(*rulespb.MethodPolicy)
	return policy
}

func changes(method protoreflect.MethodDescriptor) bool {
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	return options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}
