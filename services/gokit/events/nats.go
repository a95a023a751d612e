package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What all languages agree on: services/kit/events/nats.py.
const (
	stream     = "EVENTS"
	prefix     = "events."
	hold       = 6 * time.Second // after which a message that was neither acknowledged nor given back comes again
	kept       = 7 * 24 * time.Hour
	duplicates = 2 * time.Minute
	limit      = 2 * time.Second // of each request to the server
	reconnect  = 200 * time.Millisecond
)

// errUnreachable: the broker cannot be reached now; it is nobody's fault.
var errUnreachable = errors.New("the broker cannot be reached")

// broker is a connection to NATS JetStream, which comes back by itself when it is lost.
type broker struct {
	connection *nats.Conn
	js         jetstream.JetStream
}

func connect(address string, log *slog.Logger) (*broker, error) {
	connection, err := nats.Connect(address,
		nats.Timeout(limit), nats.MaxReconnects(-1), nats.ReconnectWait(reconnect),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if err != nil {
				log.Warn("the broker is gone", "reason", err.Error())
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("the broker is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Debug("broker", "reason", err.Error()) }),
	)
	if err != nil {
		return nil, fmt.Errorf("%w: no answer from %s: %w", errUnreachable, withoutPassword(address), err)
	}
	js, err := jetstream.New(connection)
	if err != nil {
		connection.Close()
		return nil, err
	}
	return &broker{connection, js}, nil
}

// subscribe has the durable consumer of a topic, from the oldest that the broker still has, or where it was left off.
func (b *broker) subscribe(ctx context.Context, topic, durable string) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*limit)
	defer cancel()
	if err := b.addStream(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	name := durable + "-" + topic
	consumer, err := b.js.Consumer(ctx, stream, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		consumer, err = b.js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
			Durable: name, FilterSubject: prefix + topic,
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: hold, MaxAckPending: 1,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	return consumer, nil
}

// addStream creates the stream where nobody has yet; one that exists is left as it is.
func (b *broker) addStream(ctx context.Context) error {
	_, err := b.js.Stream(ctx, stream)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	_, err = b.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{prefix + ">"}, MaxAge: kept, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, Duplicates: duplicates,
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil // another process has added it meanwhile
	}
	return err
}

func (b *broker) close() { b.connection.Close() }

func withoutPassword(address string) string {
	if parsed, err := url.Parse(address); err == nil {
		return parsed.Redacted()
	}
	_, rest, _ := strings.Cut(address, "@")
	return rest
}
