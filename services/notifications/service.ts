/** One function an RPC; the contract says what each does. */

import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import {
  type ListNotificationsRequest,
  type ListNotificationsResponse,
  ListNotificationsResponseSchema,
  type WatchNotificationsRequest,
  type WatchNotificationsResponse,
  WatchNotificationsResponseSchema,
} from "../gen/ts/shop/notifications/v1/notifications_pb.js";
import type { Servicer } from "../tskit/boundary.js";
import type { Database } from "../tskit/database.js";
import { last, later, page } from "./store.js";

const USUAL_PAGE = 50;
const BATCH = 100;
/** Milliseconds between looks: another process may have heard the event. */
const LOOK = 1000;

export function notifications(database: Database, news: EventTarget): Servicer {
  function ListNotifications(request: ListNotificationsRequest): ListNotificationsResponse {
    const size = request.pageSize || USUAL_PAGE;
    const before = request.pageToken ? Number(request.pageToken) : Number.MAX_SAFE_INTEGER;
    const found = page(database, request.customerId, before, size + 1);
    const more = found.length > size;
    const shown = found.slice(0, size);
    const nextPageToken = more ? (shown.at(-1)?.id ?? "") : "";
    return create(ListNotificationsResponseSchema, { notifications: shown, nextPageToken });
  }

  async function* WatchNotifications(
    request: WatchNotificationsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchNotificationsResponse, void> {
    let after = request.afterId ? Number(request.afterId) : last(database);
    while (!signal.aborted) {
      const heard = next(news, signal);
      const found = later(database, request.customerId, after, BATCH);
      for (const notification of found) {
        yield create(WatchNotificationsResponseSchema, { notification });
        after = Number(notification.id);
      }
      if (found.length === 0) await heard;
    }
  }

  return { ListNotifications, WatchNotifications } as Servicer;
}

/** Until there is something new, it is time to look, or the call ends. */
async function next(news: EventTarget, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  news.addEventListener("sent", stop, { once: true });
  signal.addEventListener("abort", stop, { once: true });
  await sleep(LOOK, undefined, { signal: waiting.signal }).catch(() => {});
  news.removeEventListener("sent", stop);
  signal.removeEventListener("abort", stop);
}
