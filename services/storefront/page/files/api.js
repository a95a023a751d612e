// The REST API, as the page uses it. What is refused is thrown as a Problem, with the words of problem+json.

export class Problem extends Error {
  constructor(details) {
    super(details.detail || details.title);
    this.details = details;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem({ title: "The shop cannot be reached", detail: "The shop cannot be reached. Try again in a moment." });
  }
  const body = await answer.json().catch(() => ({ title: `The shop answered ${answer.status}` }));
  if (!answer.ok) throw new Problem(body);
  return body;
}

/** All products, and how many are to be had of each; null where that is not known. */
export async function products() {
  const [listed, stock] = await Promise.all([
    ask("/v1/products?page_size=100"),
    ask("/v1/stock?page_size=100").catch(() => ({ stock: [] })),
  ]);
  const available = new Map(stock.stock.map((each) => [each.product_id, each.available]));
  return listed.products.map((each) => ({ ...each, available: available.get(each.id) ?? null }));
}

/** The order, decided or not. The same key again is the same order. */
export function place(key, customer, lines, method) {
  const items = lines.map(([product_id, quantity]) => ({ product_id, quantity }));
  return ask("/v1/orders", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ customer_id: customer, items, payment_method: method }),
  });
}

export const orders = (customer) => ask(`/v1/orders?customer_id=${encodeURIComponent(customer)}`);

/** Tells `seen` of the order now and after each change. Returns a function that ends it; `lost` is told when nothing comes. */
export function follow(id, seen, lost) {
  const source = new EventSource(`/v1/orders/${encodeURIComponent(id)}/events`);
  source.addEventListener("order", (event) => {
    const order = JSON.parse(event.data);
    if (decided(order)) source.close();
    seen(order);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) lost();
  });
  return () => source.close();
}

export const decided = (order) => ["CONFIRMED", "CANCELLED", "RETURNED"].includes(order.state);
