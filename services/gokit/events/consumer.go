package events

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	eventspb "meshwright/services/gen/go/shop/events/v1"
	"meshwright/services/gokit"
)

// Pace: a handler is given up after Handle, which is less than the broker holds a message; what is done is forgotten
// after Kept, which is longer than any broker keeps one.
type Pace struct {
	Handle, FirstRetry, LongestRetry, Look, Forget, Kept time.Duration
	Tries                                                int
}

// Usual is the pace of services/kit/events/consumer.py.
var Usual = Pace{
	Handle: 4 * time.Second, FirstRetry: 200 * time.Millisecond, LongestRetry: 10 * time.Second,
	Look: time.Second, Forget: time.Hour, Kept: 14 * 24 * time.Hour, Tries: 6,
}

// retry is the pause after so many failures in a row, 0 for the first.
func (p Pace) retry(failures int) time.Duration {
	return min(p.FirstRetry<<min(failures, 20), p.LongestRetry)
}

// Handle changes the service's own database in tx, and nothing else; it ignores payloads that it does not know. It is in
// one transaction with the inbox, so that an event that comes twice has its effect once.
type Handle func(ctx context.Context, tx *sql.Tx, envelope *eventspb.Envelope) error

// Consumer is one for each topic of a service. Durable is the service's name.
type Consumer struct {
	App     gokit.App
	Topic   string
	Durable string
	Handle  Handle
	Pace    Pace
}

// NewConsumer fails for a broker that it does not speak to. Without EVENTS_URL there is nothing to hear.
func NewConsumer(app gokit.App, topic string, handle Handle) (*Consumer, error) {
	url := app.Settings.EventsURL
	if scheme, _, _ := strings.Cut(url, "://"); url != "" && scheme != "nats" && scheme != "tls" {
		return nil, fmt.Errorf("EVENTS_URL begins with %s://: %s knows nats:// and tls://", scheme, app.Settings.Service)
	}
	return &Consumer{app, topic, app.Settings.Service, handle, Usual}, nil
}

// Run is for as long as ctx lasts. Without EVENTS_URL it does nothing.
//
//  1. An event that is in the inbox already is acknowledged, and nothing happens.
//  2. A handler that fails is tried again, less and less often; the events behind it wait.
//  3. One that fails Pace.Tries times is held for people, and each later one of its aggregate waits in the inbox; all
//     others go on. What is no event is held at once.
//  4. A database or a broker that cannot be reached is nobody's fault: it is tried again and not counted.
func (c *Consumer) Run(ctx context.Context) {
	if c.App.Settings.EventsURL == "" {
		return
	}
	working := make(chan struct{})
	go func() {
		defer close(working)
		c.workOff(ctx)
	}()
	for failures := 0; ctx.Err() == nil; failures++ {
		err := c.consume(ctx, func() { failures = 0 })
		if failures == 0 && ctx.Err() == nil {
			c.App.Log.Warn("the broker cannot be reached", "reason", fmt.Sprint(err))
		}
		sleep(ctx, c.Pace.retry(failures))
	}
	<-working
}

// consume returns when the broker is gone, or ctx is over. A message that is being handled then is handled to its end.
func (c *Consumer) consume(ctx context.Context, arriving func()) error {
	broker, err := connect(c.App.Settings.EventsURL, c.App.Log)
	if err != nil {
		return err
	}
	defer broker.close()
	consumer, err := broker.subscribe(ctx, c.Topic, c.Durable)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		message, err := next(ctx, consumer)
		if err != nil {
			return fmt.Errorf("%w: %w", errUnreachable, err)
		}
		arriving()
		if message == nil {
			continue
		}
		if again := c.deliver(message.Data()); again > 0 {
			err = message.NakWithDelay(again)
		} else {
			err = message.Ack()
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errUnreachable, err)
		}
	}
	return ctx.Err()
}

// next is nil when nothing came for a while, or ctx is over.
func next(ctx context.Context, consumer jetstream.Consumer) (jetstream.Msg, error) {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	message, err := consumer.Next(jetstream.FetchContext(waiting))
	if errors.Is(err, jetstream.ErrNoMessages) || errors.Is(err, nats.ErrTimeout) || waiting.Err() != nil {
		err = nil
	}
	return message, err
}

// deliver says after which time the message should come again; 0 when it is over with.
func (c *Consumer) deliver(body []byte) time.Duration {
	envelope := &eventspb.Envelope{}
	if err := proto.Unmarshal(body, envelope); err != nil || envelope.GetEventId() == "" {
		return c.holdUnreadable(body)
	}
	event := arrivedFrom(envelope, body)
	ctx, cancel := context.WithTimeout(context.Background(), c.Pace.Handle)
	defer cancel()
	var handling *handlingError
	err := c.App.Database.Write(ctx, func(tx *sql.Tx) error {
		if later, err := queued(ctx, tx, event); err != nil || later {
			return err
		}
		if fresh, err := claim(ctx, tx, event); err != nil || !fresh {
			return err
		}
		return c.handle(ctx, tx, envelope)
	})
	switch {
	case err == nil:
		return 0
	case errors.As(err, &handling):
		return c.failed(event, handling)
	}
	c.App.Log.Warn("the database does not answer; an event waits", append(event.about(), "reason", err.Error())...)
	return c.Pace.Look
}

// handlingError is the handler's own, not the database's around it.
type handlingError struct{ error }

func (e *handlingError) Unwrap() error { return e.error }

// handle runs the handler in the trace of what the event is about.
func (c *Consumer) handle(ctx context.Context, tx *sql.Tx, envelope *eventspb.Envelope) (err error) {
	parent := propagation.MapCarrier{"traceparent": envelope.GetTraceparent()}
	ctx, span := c.App.Tracer.Start(propagation.TraceContext{}.Extract(ctx, parent),
		"process "+prefix+c.Topic, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(c.attributes(envelope)...))
	ctx = gokit.WithCall(ctx, &gokit.Call{Method: "consume " + c.Topic, Span: span.SpanContext()})
	defer func() {
		if panicked := recover(); panicked != nil {
			err = &handlingError{fmt.Errorf("panic: %v", panicked)}
		}
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}()
	if err := c.Handle(ctx, tx, envelope); err != nil {
		return &handlingError{err}
	}
	c.App.Log.InfoContext(ctx, "an event was handled", arrivedFrom(envelope, nil).about()...)
	return nil
}

// attributes: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
func (c *Consumer) attributes(envelope *eventspb.Envelope) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("messaging.system", "nats"),
		attribute.String("messaging.operation.type", "process"),
		attribute.String("messaging.destination.name", prefix+c.Topic),
		attribute.String("messaging.message.id", envelope.GetEventId()),
	}
}

func (c *Consumer) failed(event arrived, err error) time.Duration {
	var failures int
	kept := c.write(func(ctx context.Context, tx *sql.Tx) (err2 error) {
		if failures, err2 = countFailure(ctx, tx, event, err.Error()); err2 == nil && failures >= c.Pace.Tries {
			err2 = keep(ctx, tx, event, err.Error())
		}
		return err2
	})
	switch {
	case kept != nil:
		return c.Pace.Look
	case failures >= c.Pace.Tries:
		c.App.Log.Error("an event is held until it is replayed", append(event.about(), gokit.Exception(err, false))...)
		return 0
	}
	c.App.Log.Warn("an event was not handled",
		append(event.about(), slog.Int("failures", failures), gokit.Exception(err, false))...)
	return c.Pace.retry(failures - 1)
}

func (c *Consumer) holdUnreadable(body []byte) time.Duration {
	sum := sha256.Sum256(body)
	event := arrived{id: hex.EncodeToString(sum[:]), kind: c.Topic, body: body}
	err := c.write(func(ctx context.Context, tx *sql.Tx) error {
		return keep(ctx, tx, event, "not an event of the contract")
	})
	if err != nil {
		return c.Pace.Look
	}
	c.App.Log.Error("what arrived is no event; it is held", event.about()...)
	return 0
}

// workOff handles what waits in the inbox, and forgets what is long done, until ctx is over.
func (c *Consumer) workOff(ctx context.Context) {
	var forgot time.Time
	for ctx.Err() == nil {
		for c.handleWaiting() {
		}
		if time.Since(forgot) > c.Pace.Forget {
			forgot = time.Now()
			_ = c.write(func(ctx context.Context, tx *sql.Tx) error { return forget(ctx, tx, forgot.Add(-c.Pace.Kept)) })
		}
		sleep(ctx, c.Pace.Look)
	}
}

// handleWaiting says whether there was one.
func (c *Consumer) handleWaiting() bool {
	var event *arrived
	err := c.write(func(ctx context.Context, tx *sql.Tx) (err error) {
		if event, err = nextWaiting(ctx, tx, c.Topic); err != nil || event == nil {
			return err
		}
		if err = finish(ctx, tx, *event); err != nil {
			return err
		}
		envelope := &eventspb.Envelope{}
		if err := proto.Unmarshal(event.body, envelope); err != nil {
			return &handlingError{err}
		}
		return c.handle(ctx, tx, envelope)
	})
	switch {
	case event == nil, err != nil && !errors.As(err, new(*handlingError)):
		return false
	case err == nil:
		c.App.Log.Info("an event was handled from the inbox", event.about()...)
		return true
	}
	held := c.write(func(ctx context.Context, tx *sql.Tx) error { return keep(ctx, tx, *event, err.Error()) })
	c.App.Log.Error("an event is held until it is replayed", append(event.about(), gokit.Exception(err, false))...)
	return held == nil
}

func (c *Consumer) write(work func(context.Context, *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.Pace.Handle)
	defer cancel()
	return c.App.Database.Write(ctx, func(tx *sql.Tx) error { return work(ctx, tx) })
}

func sleep(ctx context.Context, how time.Duration) {
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
