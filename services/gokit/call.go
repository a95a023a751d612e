package gokit

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

const (
	attemptHeader = "x-envoy-attempt-count"
	faultPrefix   = "x-fault-"
)

// Call is what is being answered, or the event that is being handled: what logs say of it, and what it passes on.
type Call struct {
	Method  string
	Span    trace.SpanContext
	headers metadata.MD
}

type callKey struct{}

// WithCall is for those who answer or handle; everybody else gets it by CallOf.
func WithCall(ctx context.Context, call *Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallOf is nil outside of any call.
func CallOf(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// Header is "" when the call came without it.
func (c *Call) Header(name string) string {
	if values := c.headers.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// CorrelationID is the caller's, else the trace's.
func (c *Call) CorrelationID() string {
	if id := c.Header("x-request-id"); id != "" {
		return id
	}
	return c.Span.TraceID().String()
}
