// Command recommendations tells which products go with others. Contract: proto/shop/recommendations/v1.
package main

import (
	"context"
	"embed"

	"google.golang.org/grpc"

	pb "meshwright/services/gen/go/shop/recommendations/v1"
	"meshwright/services/gokit"
	"meshwright/services/gokit/events"
)

//go:embed migrations/*.sql
var migrations embed.FS

func main() {
	gokit.Main(gokit.Service{
		Name:       "recommendations",
		Contract:   pb.File_shop_recommendations_v1_recommendations_proto.Services().ByName("RecommendationsService"),
		Migrations: migrations,
		Register:   register,
		Commands: map[string]func(context.Context, *gokit.Database, []string) error{
			"deadletters": events.DeadLetters,
		},
	})
}

func register(app gokit.App, server grpc.ServiceRegistrar) (func(context.Context), error) {
	pb.RegisterRecommendationsServiceServer(server, &recommendations{database: app.Database})
	consumer, err := events.NewConsumer(app, "order", learn)
	if err != nil {
		return nil, err
	}
	return consumer.Run, nil
}

// recommendations has one method an RPC; the contract says what each does.
type recommendations struct {
	pb.UnimplementedRecommendationsServiceServer
	database *gokit.Database
}

const usualLimit = 5

func (r *recommendations) ListRecommendations(
	ctx context.Context, request *pb.ListRecommendationsRequest,
) (*pb.ListRecommendationsResponse, error) {
	limit := int(request.GetLimit())
	if limit == 0 {
		limit = usualLimit
	}
	found, err := bestWith(ctx, r.database.Read(), request.GetProductIds(), limit)
	if err != nil {
		return nil, err
	}
	return &pb.ListRecommendationsResponse{Recommendations: found}, nil
}
