package gokit

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	pingInterval = time.Second
	liveness     = "liveness" // alive, whatever the database does: what liveness probes ask
)

// App is what a service gets to work with.
type App struct {
	Settings Settings
	Database *Database
	Tracer   trace.Tracer
	Log      *slog.Logger
}

// Service is one to the kit. Migrations has migrations/*.sql. Register puts the servicer on the server, and gives what goes on
// behind the calls for as long as the process runs, nil when nothing does.
type Service struct {
	Name       string
	Contract   protoreflect.ServiceDescriptor
	Migrations embed.FS
	Register   func(app App, server grpc.ServiceRegistrar) (behind func(context.Context), err error)
	Commands   map[string]func(ctx context.Context, database *Database, arguments []string) error
}

// Main runs the service and ends the process: 0 after a stop that was asked for, 1 after a line that says why. With
// arguments it runs one of the service's commands instead.
func Main(service Service) {
	settings, err := ReadSettings(service.Name, os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", service.Name, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) > 1 {
		os.Exit(command(ctx, service, settings, os.Args[1], os.Args[2:]))
	}
	log := NewLog(settings, os.Stdout)
	if err := run(ctx, service, settings, log); err != nil {
		log.Error("cannot start", "reason", err.Error())
		os.Exit(1)
	}
}

func command(ctx context.Context, service Service, settings Settings, name string, arguments []string) int {
	do, known := service.Commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s has no command %s\n", service.Name, name)
		return 2
	}
	database, err := OpenDatabase(ctx, settings.DatabaseURL, service.Migrations)
	if err == nil {
		err = errors.Join(do(ctx, database, arguments), database.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// run serves until ctx ends. Then health says NOT_SERVING, and calls are taken for Drain more, because those who send them
// learn of it later than we; then no more are taken, streams are ended, and calls under way get Stop.
func run(ctx context.Context, service Service, settings Settings, log *slog.Logger) (err error) {
	contract, err := ContractOf(service.Contract)
	if err != nil {
		return err
	}
	database, err := OpenDatabase(ctx, settings.DatabaseURL, service.Migrations)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	record, err := newRecorder(ctx, settings, log)
	if err != nil {
		return err
	}
	defer record.close()
	leave, left := context.WithCancel(context.Background())
	defer left()
	around := &boundary{contract, settings, record, log, leave}
	server := grpc.NewServer(grpc.UnaryInterceptor(around.unary), grpc.StreamInterceptor(around.stream))
	behind, err := service.Register(App{settings, database, record.tracer, log}, server)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(bare(settings.Host), strconv.Itoa(settings.Port)))
	if err != nil {
		return fmt.Errorf("%w; set PORT to another", err)
	}
	alive, ended := context.WithCancel(context.Background())
	defer ended()
	status := condition(server, contract.Service)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	working := make(chan struct{})
	go func() {
		defer close(working)
		if behind != nil {
			behind(alive)
		}
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, database, status, contract.Service, log)
	}()
	log.Info("listening", "port", listener.Addr().(*net.TCPAddr).Port)
	select {
	case err = <-failed:
		server.Stop()
	case <-ctx.Done():
		<-watched
		drain(server, status, contract.Service, settings, left)
	}
	ended()
	<-working
	log.Info("stopped")
	return err
}

// bare: the brackets of [::] are JoinHostPort's to add.
func bare(host string) string {
	if len(host) > 2 && host[0] == '[' {
		return host[1 : len(host)-1]
	}
	return host
}

// condition is the health of the process; not ready at first.
func condition(server *grpc.Server, service string) *health.Server {
	status := health.NewServer()
	status.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	status.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	status.SetServingStatus(liveness, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, status)
	reflection.Register(server)
	return status
}

// watch keeps health true: SERVING as long as the database answers.
func watch(ctx context.Context, database *Database, status *health.Server, service string, log *slog.Logger) {
	ready := false
	for {
		if now := database.Answers(ctx); now != ready && ctx.Err() == nil {
			ready = now
			said, serving := "not ready: the database does not answer", healthpb.HealthCheckResponse_NOT_SERVING
			if ready {
				said, serving = "ready", healthpb.HealthCheckResponse_SERVING
			}
			log.Info(said)
			status.SetServingStatus("", serving)
			status.SetServingStatus(service, serving)
		}
		if pause(ctx, pingInterval) != nil {
			return
		}
	}
}

func drain(server *grpc.Server, status *health.Server, service string, settings Settings, left context.CancelFunc) {
	status.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	status.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	time.Sleep(settings.Drain)
	left()
	forced := time.AfterFunc(settings.Stop, server.Stop)
	defer forced.Stop()
	server.GracefulStop()
}
