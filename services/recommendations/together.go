package main

import (
	"context"
	"database/sql"
	"strings"

	eventspb "meshwright/services/gen/go/shop/events/v1"
	pb "meshwright/services/gen/go/shop/recommendations/v1"
)

// most is how many products of one order are paired: pairs grow with its square, and a basket of everything says little.
const most = 20

// learn counts the pairs of a confirmed order; it is called once for each event.
func learn(ctx context.Context, tx *sql.Tx, envelope *eventspb.Envelope) error {
	products := envelope.GetOrderConfirmed().GetOrder().GetProducts()
	products = products[:min(len(products), most)]
	for _, one := range products {
		for _, other := range products {
			if one.GetProductId() == other.GetProductId() {
				continue
			}
			_, err := tx.ExecContext(ctx, `
				INSERT INTO together (product_id, other_id, orders) VALUES ($1, $2, 1)
				ON CONFLICT (product_id, other_id) DO UPDATE SET orders = together.orders + 1`,
				one.GetProductId(), other.GetProductId())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// bestWith are the products most often bought with any of these, none of these themselves; equal ones by their id.
func bestWith(ctx context.Context, db *sql.DB, products []string, limit int) (found []*pb.Recommendation, err error) {
	these := "(?" + strings.Repeat(", ?", len(products)-1) + ")"
	arguments := make([]any, 0, 2*len(products)+1)
	for range 2 {
		for _, product := range products {
			arguments = append(arguments, product)
		}
	}
	rows, err := db.QueryContext(ctx, `
		SELECT other_id, sum(orders) FROM together WHERE product_id IN `+these+` AND other_id NOT IN `+these+`
		GROUP BY other_id ORDER BY sum(orders) DESC, other_id LIMIT ?`, append(arguments, limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one := &pb.Recommendation{}
		if err := rows.Scan(&one.ProductId, &one.Orders); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}
