// The REST API, as the page uses it. What is refused is thrown as a Problem, with the words of problem+json.

export class Problem extends Error {
  constructor(details) {
    super(details.detail || details.title);
    this.details = details;
  }
}

const TOKEN = "shop.token";

/** Who the customer is, by a token of the shop's issuer; kept until this tab is closed. "" for a guest. */
export const token = () => sessionStorage.getItem(TOKEN) || "";
export const setToken = (text) => sessionStorage.setItem(TOKEN, text);

const signed = (headers = {}) => (token() ? { ...headers, authorization: `Bearer ${token()}` } : headers);

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: signed(options.headers) });
  } catch {
    throw new Problem({ title: "The shop cannot be reached", detail: "The shop cannot be reached. Try again in a moment." });
  }
  const body = await answer.json().catch(() => ({ title: `The shop answered ${answer.status}` }));
  if (!answer.ok) throw new Problem({ ...body, status: answer.status });
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
    body: JSON.stringify({ ...(token() ? {} : { customer_id: customer }), items, payment_method: method }),
  });
}

export const orders = (customer) => ask(token() ? "/v1/orders" : `/v1/orders?customer_id=${encodeURIComponent(customer)}`);

/** Tells `seen` of the order now and after each change. Returns a function that ends it; `lost` is told when nothing comes. */
export const follow = (id, seen, lost) => (token() ? poll : listen)(id, seen, lost);

const PAUSE = 500;

// A browser's EventSource cannot say who asks: with a token, the order is asked for again and again.
function poll(id, seen, lost) {
  let timer, ended = false, last = "";
  const look = async () => {
    try {
      const order = await ask(`/v1/orders/${encodeURIComponent(id)}`);
      if (ended) return;
      if (order.state !== last) seen(order);
      last = order.state;
      if (!decided(order)) timer = setTimeout(look, PAUSE);
    } catch {
      if (!ended) lost();
    }
  };
  look();
  return () => { ended = true; clearTimeout(timer); };
}

function listen(id, seen, lost) {
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
