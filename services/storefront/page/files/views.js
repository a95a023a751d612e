// What the page shows. Each view is made of elements, never of text that is read as HTML.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((each) => each != null));
  return made;
}

export function money({ currency, minor }) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const button = (text, onclick, more = {}) => element("button", { type: "button", onclick, ...more }, text);

const heading = (text) => element("h1", { tabindex: "-1" }, text);

const problem = (text) => element("p", { class: "bad", role: "alert" }, text);

function availability(product) {
  if (product.available === null) return element("p", { class: "quiet" }, "Stock is not known now");
  if (product.available < 1) return element("p", { class: "bad" }, "Sold out");
  return element("p", { class: "quiet" }, `${product.available} in stock`);
}

export function shelf(products, add) {
  const cards = products.map((each) =>
    element("li", { class: "card" },
      element("h2", {}, each.name),
      element("p", { class: "quiet" }, each.description),
      element("p", { class: "price" }, money(each.price)),
      availability(each),
      button("Add to basket", () => add(each), { "aria-label": `Add to basket: ${each.name}`, disabled: each.available === 0 }),
    ));
  return [heading("Everything we sell"), element("ul", { class: "grid" }, cards)];
}

/** `lines` are of [product, quantity]; `known`: a token says who the customer is. */
export function basket(lines, customer, known, { change, place }) {
  if (!lines.length) return [heading("Your basket"), element("p", {}, "It is empty. ", element("a", { href: "#/" }, "See what we sell"), ".")];
  const rows = lines.map(([product, quantity]) =>
    element("tr", {},
      element("th", { scope: "row" }, product.name),
      element("td", { class: "number" }, money(product.price)),
      element("td", { class: "number" },
        button("−", () => change(product, -1), { class: "plain", "aria-label": `One ${product.name} less` }),
        ` ${quantity} `,
        button("+", () => change(product, 1), { class: "plain", "aria-label": `One ${product.name} more` })),
    ));
  const total = lines.reduce((sum, [product, quantity]) => sum + product.price.minor * quantity, 0);
  const sum = money({ currency: lines[0][0].price.currency, minor: total });
  return [
    heading("Your basket"),
    element("table", {},
      element("caption", {}, "What you chose"),
      element("thead", {}, element("tr", {}, ...["Product", "Price", "Quantity"].map((each, at) => element("th", { scope: "col", class: at ? "number" : "" }, each)))),
      element("tbody", {}, rows)),
    element("p", {}, "Total ", element("strong", { class: "price" }, sum)),
    checkout(customer, known, place),
  ];
}

function checkout(customer, known, place) {
  const form = element("form", { novalidate: true },
    element("label", { hidden: known }, "Your name", element("input", { name: "customer", required: true, maxlength: 64, autocomplete: "username", value: customer })),
    element("label", { hidden: true }, "Your token", element("input", { name: "token", autocomplete: "off", spellcheck: "false" })),
    element("label", {}, "Card",
      element("select", { name: "method" },
        element("option", { value: "tok_visa" }, "Visa that is charged"),
        element("option", { value: "tok_declined" }, "Card that is declined"))),
    element("p", { class: "bad", role: "alert", hidden: true }),
    element("button", { type: "submit" }, "Place the order"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [said, submit, name] = [form.querySelector("[role=alert]"), form.querySelector("[type=submit]"), form.elements.customer];
    const { token } = form.elements;
    const say = (text) => { said.textContent = text; said.hidden = !text; };
    if (!known && !token.value && !name.value.trim()) { say("Say whose order it is."); name.setAttribute("aria-invalid", "true"); name.focus(); return; }
    say("");
    submit.disabled = true;
    submit.textContent = "Placing the order …";
    await place(name.value.trim(), form.elements.method.value, token.value.trim()).catch((error) => {
      say(error.message);
      if (error.details?.status !== 401) return;
      token.closest("label").hidden = false;
      name.closest("label").hidden = true;
      token.focus();
    });
    submit.disabled = false;
    submit.textContent = "Place the order";
  });
  return form;
}

const STATES = {
  PLACING: "Being placed", CONFIRMED: "Confirmed", CANCELLING: "Being cancelled", CANCELLED: "Cancelled",
  RETURNING: "Being returned", RETURNED: "Returned",
};

export function order(found) {
  const failed = found.state.startsWith("CANCEL");
  const steps = [["Ordered", true, false], ["Paid and sent", found.state === "CONFIRMED" || found.state.startsWith("RETURN"), failed]];
  return [
    heading("Your order"),
    element("div", { class: "order", "data-state": found.state },
      element("p", {}, "Order ", element("code", {}, found.id)),
      element("p", {}, element("strong", { class: failed ? "bad" : "good" }, STATES[found.state])),
      element("ol", { class: "steps" }, steps.map(([name, done, no]) => element("li", { "data-done": done, "data-failed": no }, name))),
      found.failure && element("p", { class: "bad" }, `${found.failure.message}. Nothing is charged.`),
      found.lines && element("ul", {}, found.lines.map((each) => element("li", {}, `${each.quantity} × ${each.product_id}, ${money(each.unit_price)} each`))),
      found.total && element("p", {}, "Total ", element("strong", { class: "price" }, money(found.total)))),
    element("p", {}, element("a", { href: "#/" }, "Back to the shop")),
  ];
}

export const stateOf = (found) => `Order ${STATES[found.state].toLowerCase()}`;

export function history(found, customer) {
  if (!customer) return [heading("Your orders"), element("p", {}, "You have not ordered anything here yet.")];
  const rows = found.map((each) =>
    element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `#/orders/${each.id}` }, new Date(each.create_time).toLocaleString())),
      element("td", {}, STATES[each.state]),
      element("td", { class: "number" }, money(each.total))));
  return [
    heading("Your orders"),
    element("table", {}, element("caption", {}, `Of ${customer}, newest first`),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "When"), element("th", { scope: "col" }, "State"), element("th", { scope: "col", class: "number" }, "Total"))),
      element("tbody", {}, rows)),
  ];
}

export const broken = (error, again) => [heading("Not now"), problem(error.message), button("Try again", again)];
