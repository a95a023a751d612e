package gokit

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// Settings are what the environment tells a service, read once at start. The variables are those of
// services/kit/settings.py; WORKERS has no meaning here, since one Go process uses every core it is given.
type Settings struct {
	Service      string
	Host         string
	Port         int
	Pod          string
	Version      string
	DatabaseURL  string
	EventsURL    string
	Development  bool
	OTLPEndpoint string
	Sampled      float64
	LogLevel     slog.Level
	Drain        time.Duration
	Stop         time.Duration
}

// ReadSettings reads them; env is os.Getenv. An error says which variable makes no sense, and what would.
func ReadSettings(service string, env func(string) string) (Settings, error) {
	read := reader{env: env}
	settings := Settings{
		Service:      service,
		Host:         read.text("HOST", "[::]"),
		Port:         read.port("PORT", 50051),
		Pod:          read.text("POD_NAME", service),
		Version:      read.text("VERSION", "v1"),
		DatabaseURL:  read.text("DATABASE_URL", "sqlite:///"+service+".db"),
		EventsURL:    env("EVENTS_URL"),
		Development:  strings.EqualFold(env("DEVELOPMENT"), "true"),
		OTLPEndpoint: env("OTEL_EXPORTER_OTLP_ENDPOINT"),
		Sampled:      read.number("OTEL_TRACES_SAMPLER_ARG", 1),
		LogLevel:     read.level("LOG_LEVEL"),
		Drain:        read.seconds("DRAIN_SECONDS", 2),
		Stop:         read.seconds("STOP_SECONDS", 10),
	}
	return settings, read.wrong
}

// reader keeps the first mistake.
type reader struct {
	env   func(string) string
	wrong error
}

func (r *reader) text(name, otherwise string) string {
	if value := r.env(name); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) port(name string, otherwise int) int {
	value := r.text(name, strconv.Itoa(otherwise))
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		r.refuse(name, value, "set it to a whole number, 0 or more")
	}
	return int(port)
}

func (r *reader) number(name string, otherwise float64) float64 {
	value := r.text(name, strconv.FormatFloat(otherwise, 'g', -1, 64))
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || number < 0 || math.IsInf(number, 0) || math.IsNaN(number) {
		r.refuse(name, value, "set it to a number that is not negative")
	}
	return number
}

func (r *reader) seconds(name string, otherwise float64) time.Duration {
	return time.Duration(r.number(name, otherwise) * float64(time.Second))
}

func (r *reader) level(name string) slog.Level {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError,
	}
	value := strings.ToLower(r.text(name, "info"))
	level, known := levels[value]
	if !known {
		r.refuse(name, value, "set it to debug, info, warning or error")
	}
	return level
}

func (r *reader) refuse(name, value, do string) {
	if r.wrong == nil {
		r.wrong = fmt.Errorf("%s is %q: %s", name, value, do)
	}
}
