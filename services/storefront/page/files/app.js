// The page: which view the address asks for, and what happens when something is pressed.

import * as api from "./api.js";
import * as basket from "./basket.js";
import * as views from "./views.js";

const main = document.getElementById("main");
const said = document.getElementById("said");
const count = document.getElementById("count");
let known = null;
let leave = () => {};

const catalog = () => (known ??= api.products().catch((error) => { known = null; throw error; }));

function show(nodes, focus = true) {
  main.replaceChildren(...nodes);
  main.setAttribute("aria-busy", "false");
  const title = main.querySelector("h1");
  document.title = title ? `${title.textContent} – The shop` : "The shop";
  if (focus && title) title.focus();
}

const say = (text) => { said.textContent = text; };

async function shelf(first) {
  known = null;
  const products = await catalog();
  show(views.shelf(products, (each) => { basket.change(each.id, 1); say(`${each.name} is in the basket`); }), !first);
}

async function chosen(focus = true) {
  const products = new Map((await catalog()).map((each) => [each.id, each]));
  const lines = basket.lines().map(([id, quantity]) => [products.get(id), quantity]).filter(([each]) => each);
  show(views.basket(lines, basket.customer(), Boolean(api.token()), {
    change: (product, by) => { basket.change(product.id, by); chosen(false); },
    place,
  }), focus);
}

async function place(customer, method, token) {
  if (token) api.setToken(token);
  basket.setCustomer(customer);
  let placed;
  try {
    placed = await api.place(basket.orderKey(), customer, basket.lines(), method);
  } catch (error) {
    if (error.details.status === 401) api.setToken("");
    if (error.details.status === 409) basket.renew();
    const { order_id: order } = error.details.metadata ?? {};
    if (!order) throw error;
    placed = { id: order };
    basket.renew();
    location.hash = `#/orders/${placed.id}`;
    return;
  }
  basket.empty();
  location.hash = `#/orders/${placed.id}`;
}

function order(id) {
  let first = true;
  leave = api.follow(id, (found) => {
    show(views.order(found), first);
    first = false;
    say(views.stateOf(found));
  }, () => show(views.broken(new Error("This order cannot be found."), route)));
}

async function history() {
  const customer = basket.customer();
  const who = api.token() ? "you" : customer;
  show(views.history(who ? (await api.orders(customer)).orders : [], who));
}

async function route(first = false) {
  leave();
  leave = () => {};
  const [, place, id] = location.hash.split("/");
  for (const link of document.querySelectorAll("nav a")) {
    link.toggleAttribute("aria-current", Boolean(place) && link.hash === `#/${place}`);
    if (link.hasAttribute("aria-current")) link.setAttribute("aria-current", "page");
  }
  main.setAttribute("aria-busy", "true");
  try {
    if (place === "basket") await chosen();
    else if (place === "orders" && id) order(id);
    else if (place === "orders") await history();
    else await shelf(first === true);
  } catch (error) {
    show(views.broken(error, () => route()));
  }
}

function counted() {
  count.textContent = basket.count();
}

addEventListener("hashchange", () => route());
addEventListener("basket", counted);
addEventListener("storage", counted);
counted();
route(true);
