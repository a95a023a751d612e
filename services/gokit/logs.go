package gokit

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"
)

// NewLog writes one JSON object a line, as services/kit/logs.py does: {"event": ..., "level": "info", "trace_id": ...}.
// What is logged with the context of a call or an event carries its trace and correlation ids.
func NewLog(settings Settings, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: settings.LogLevel, ReplaceAttr: renamed}
	handler := withCall{slog.NewJSONHandler(to, options)}
	return slog.New(handler).With("service", settings.Service, "pod", settings.Pod, "version", settings.Version)
}

// Exception is an error as the kit's logs show one; with its stack when it is our own mistake.
func Exception(err any, stack bool) slog.Attr {
	told := map[string]string{"exc_type": fmt.Sprintf("%T", err), "exc_value": fmt.Sprint(err)}
	if stack {
		told["stack"] = string(debug.Stack())
	}
	return slog.Any("exception", []map[string]string{told})
}

func renamed(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.MessageKey:
		attr.Key = "event"
	case slog.TimeKey:
		attr.Value = slog.StringValue(attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z"))
	case slog.LevelKey:
		attr.Value = slog.StringValue(levelName(attr.Value.Any()))
	}
	return attr
}

func levelName(level any) string {
	switch level {
	case slog.LevelDebug:
		return "debug"
	case slog.LevelWarn:
		return "warning"
	case slog.LevelError:
		return "error"
	default:
		return "info"
	}
}

// withCall adds what the context says.
type withCall struct{ slog.Handler }

func (h withCall) Handle(ctx context.Context, record slog.Record) error {
	if call := CallOf(ctx); call != nil {
		record.AddAttrs(
			slog.String("trace_id", call.Span.TraceID().String()),
			slog.String("span_id", call.Span.SpanID().String()),
			slog.String("correlation_id", call.CorrelationID()),
		)
	}
	return h.Handler.Handle(ctx, record)
}

func (h withCall) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withCall{h.Handler.WithAttrs(attrs)}
}

func (h withCall) WithGroup(name string) slog.Handler {
	return withCall{h.Handler.WithGroup(name)}
}

// milliseconds is how durations are told.
func milliseconds(took time.Duration) float64 { return float64(took) / float64(time.Millisecond) }
