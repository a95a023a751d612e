package gokit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	rulespb "meshwright/services/gen/go/shop/rules/v1"
)

// Error is what a service answers. Reason is the name of a value of the contract's ErrorReason; Metadata is for
// programs, Message for people.
type Error struct {
	Code       codes.Code
	Reason     string
	Message    string
	Metadata   map[string]string
	Violations []Violation
}

func (e *Error) Error() string { return e.Message }

// NotFound: what was asked for does not exist.
func NotFound(reason, message string, metadata map[string]string) *Error {
	return &Error{Code: codes.NotFound, Reason: reason, Message: message, Metadata: metadata}
}

// Refused: right in form, but not in this state; the same again is refused again.
func Refused(reason, message string, metadata map[string]string) *Error {
	return &Error{Code: codes.FailedPrecondition, Reason: reason, Message: message, Metadata: metadata}
}

// Unavailable: not now, a second later perhaps.
func Unavailable(reason, message string) *Error {
	return &Error{Code: codes.Unavailable, Reason: reason, Message: message}
}

// InvalidRequest: the request breaks rules of its contract.
func InvalidRequest(violations ...Violation) *Error {
	told := make([]string, len(violations))
	for i, v := range violations {
		told[i] = v.Field + ": " + v.Description
	}
	return &Error{
		Code: codes.InvalidArgument, Reason: "ERROR_REASON_INVALID_REQUEST",
		Message: strings.Join(told, "; "), Violations: violations,
	}
}

func timedOut(limit time.Duration) *Error {
	message := fmt.Sprintf("took longer than the %g s it may take", limit.Seconds())
	return &Error{Code: codes.DeadlineExceeded, Reason: "ERROR_REASON_TIMED_OUT", Message: message}
}

// leaving ends a stream of a process that is about to stop.
func leaving() *Error {
	return Unavailable("ERROR_REASON_LEAVING", "this process is stopping; ask again")
}

func internal(traceID string) *Error {
	return &Error{
		Code: codes.Internal, Reason: "ERROR_REASON_INTERNAL",
		Message:  "a mistake in the service; see its log, trace " + traceID,
		Metadata: map[string]string{"trace_id": traceID},
	}
}

// told is what the caller gets for an error: what it says of itself, a database that is away, the end of the
// caller's patience, or a mistake of ours.
func told(err error, call *Call) *Error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	switch {
	case isAway(err):
		return Unavailable("ERROR_REASON_DATABASE_UNAVAILABLE", "the database does not answer")
	case errors.Is(err, context.Canceled):
		return &Error{Code: codes.Canceled, Reason: "ERROR_REASON_UNSPECIFIED", Message: "the caller has gone"}
	case errors.Is(err, context.DeadlineExceeded):
		message := "the deadline passed"
		return &Error{Code: codes.DeadlineExceeded, Reason: "ERROR_REASON_TIMED_OUT", Message: message}
	}
	return internal(call.Span.TraceID().String())
}

// toStatus has the details of AIP-193: ErrorInfo always, BadRequest and RetryInfo where they help. `domain` is the service's.
func (e *Error) toStatus(domain string) *status.Status {
	if _, everywhere := rulespb.ErrorReason_value[e.Reason]; everywhere {
		domain = string(rulespb.File_shop_rules_v1_rules_proto.Package())
	}
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: e.Reason, Domain: domain, Metadata: e.Metadata},
	}
	if len(e.Violations) > 0 {
		broken := &errdetails.BadRequest{}
		for _, v := range e.Violations {
			broken.FieldViolations = append(broken.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Description})
		}
		details = append(details, broken)
	}
	if e.Code == codes.Unavailable {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	}
	plain := status.New(e.Code, e.Message)
	detailed, err := plain.WithDetails(details...)
	if err != nil { // a message that cannot be packed: the code and the text still stand
		return plain
	}
	return detailed
}
