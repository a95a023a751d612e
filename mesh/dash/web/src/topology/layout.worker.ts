// layout in a worker, so that the page never waits for it.
import { type Order, placed } from "./layout";

self.onmessage = (event: MessageEvent<Order>) => {
  self.postMessage({ number: event.data.number, positions: placed(event.data) });
};
