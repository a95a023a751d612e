// What the customer has chosen, kept in this browser, with the key of the order that it is to become.

const BASKET = "shop.basket";
const CUSTOMER = "shop.customer";
const MOST = 99;

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(BASKET));
    return found && found.key ? found : fresh();
  } catch {
    return fresh();
  }
}

// A key of its own for each order that is meant: placing again after a lost answer is no second order.
const fresh = () => ({ key: key(), lines: {} });

function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

function write(basket) {
  localStorage.setItem(BASKET, JSON.stringify(basket));
  dispatchEvent(new Event("basket"));
}

export const lines = () => Object.entries(read().lines);
export const count = () => lines().reduce((sum, [, quantity]) => sum + quantity, 0);
export const orderKey = () => read().key;
export const empty = () => write(fresh());

/** A basket that was changed becomes another order. */
export function change(product, by) {
  const { lines: kept } = read();
  const quantity = Math.min(MOST, (kept[product] || 0) + by);
  if (quantity > 0) kept[product] = quantity;
  else delete kept[product];
  write({ key: key(), lines: kept });
}

/** After a refusal: the same lines, to be tried as a new order. */
export const renew = () => write({ ...read(), key: key() });

export const customer = () => localStorage.getItem(CUSTOMER) || "";
export const setCustomer = (name) => localStorage.setItem(CUSTOMER, name);
