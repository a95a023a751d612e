package gokit

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// boundary is what happens around each call, as in services/kit/boundary.py: the caller's trace and deadline in, else
// the contract's timeout; rules, a fault that was asked for, the method; errors out with details and who answered, and
// a record of it. Calls of methods that the contract does not have (health, reflection) pass through.
type boundary struct {
	contract Contract
	settings Settings
	record   *recorder
	log      *slog.Logger
	leaving  context.Context // done once this process takes no more calls
}

func (b *boundary) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	method, ours := b.contract.Methods[info.FullMethod]
	if !ours {
		return handle(ctx, request)
	}
	var response any
	err := b.around(ctx, info.FullMethod, method, func(ctx context.Context, call *Call) (err error) {
		if err := b.before(request, method); err != nil {
			return err
		}
		wanted, err := b.fault(call, method)
		if err != nil {
			return err
		}
		attempt := call.Header(attemptHeader)
		if wanted != nil && !wanted.after {
			if err := wanted.carryOut(ctx, attempt); err != nil {
				return err
			}
		}
		if response, err = handle(ctx, request); err != nil {
			return err
		}
		if wanted != nil && wanted.after {
			err = wanted.carryOut(ctx, attempt)
		}
		return err
	})
	if err == nil && b.settings.Development {
		err = grpc.SetHeader(ctx, b.servedBy(ctx))
	}
	return response, err
}

func (b *boundary) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	defer context.AfterFunc(b.leaving, func() { cancel(leaving()) })()
	method, ours := b.contract.Methods[info.FullMethod]
	if !ours {
		return handle(server, &streamed{ServerStream: stream, ctx: ctx})
	}
	return b.around(ctx, info.FullMethod, method, func(ctx context.Context, call *Call) error {
		wanted, err := b.fault(call, method)
		if err != nil {
			return err
		}
		if err := wanted.carryOut(ctx, call.Header(attemptHeader)); err != nil {
			return err
		}
		if b.settings.Development {
			if err := stream.SetHeader(b.servedBy(ctx)); err != nil {
				return err
			}
		}
		err = handle(server, &streamed{stream, ctx, func(request any) error { return b.before(request, method) }})
		if gone := context.Cause(ctx); gone != nil && errors.As(gone, new(*Error)) {
			return gone
		}
		return err
	})
}

// streamed is a stream with another context, which checks the request as it comes.
type streamed struct {
	grpc.ServerStream
	ctx   context.Context
	check func(request any) error
}

func (s *streamed) Context() context.Context { return s.ctx }

func (s *streamed) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil || s.check == nil {
		return err
	}
	return s.check(message)
}

func (b *boundary) before(request any, method Method) error {
	if message, ok := request.(proto.Message); ok {
		if broken := method.Check(message.ProtoReflect()); len(broken) > 0 {
			return InvalidRequest(broken...)
		}
	}
	return nil
}

func (b *boundary) fault(call *Call, method Method) (*fault, error) {
	if !b.settings.Development {
		return nil, nil
	}
	return chosenFault(call, b.settings, method.Name)
}

// around answers one call: answering gets its context, with a deadline and the Call in it.
func (b *boundary) around(ctx context.Context, path string, method Method, answering func(context.Context, *Call) error) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, method.Timeout, timedOut(method.Timeout))
		defer cancel()
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	started := time.Now()
	ctx, span := b.record.serving(ctx, path, headers)
	call := &Call{Method: path, Span: span.SpanContext(), headers: headers}
	ctx = WithCall(ctx, call)
	err := b.safely(ctx, call, answering)
	if cause := context.Cause(ctx); err != nil && errors.Is(err, ctx.Err()) && errors.As(cause, new(*Error)) {
		err = cause
	}
	if err == nil {
		b.record.served(ctx, span, path, codes.OK, started)
		if method.Changes {
			took := math.Round(10*milliseconds(time.Since(started))) / 10
			b.log.InfoContext(ctx, "call served", "method", path, "milliseconds", took)
		}
		return nil
	}
	answer := told(err, call)
	b.say(ctx, path, answer, err)
	b.record.served(ctx, span, path, answer.Code, started)
	_ = grpc.SetTrailer(ctx, b.servedBy(ctx)) // fails only when the caller has gone
	return answer.toStatus(b.contract.Domain).Err()
}

// safely turns a panic into an error, so that it costs one call rather than the process.
func (b *boundary) safely(ctx context.Context, call *Call, answering func(context.Context, *Call) error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			b.log.ErrorContext(ctx, "a panic", "stack", string(debug.Stack()), Exception(panicked, false))
			err = internal(call.Span.TraceID().String())
		}
	}()
	return answering(ctx, call)
}

func (b *boundary) say(ctx context.Context, path string, answer *Error, err error) {
	if answer.Code == codes.Internal || answer.Code == codes.Unknown || answer.Code == codes.DataLoss {
		b.log.ErrorContext(ctx, "call failed", "method", path, "code", codeName(answer.Code), Exception(err, false))
		return
	}
	b.log.InfoContext(ctx, "call refused", "method", path, "code", codeName(answer.Code), "message", answer.Message)
}

// servedBy says who answers.
func (b *boundary) servedBy(ctx context.Context) metadata.MD {
	who := metadata.Pairs("served-by", b.settings.Pod, "served-version", b.settings.Version)
	if attempt := metadata.ValueFromIncomingContext(ctx, attemptHeader); len(attempt) > 0 {
		who.Set("attempt", attempt[0])
	}
	return who
}

// codeName is a status as the protocol writes it: NOT_FOUND.
func codeName(status codes.Code) string { return code.Code(int32(status)).String() }
