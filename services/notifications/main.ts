/** Starts the service that tells customers what became of their orders. Contract: proto/shop/notifications/v1. */

import { NotificationsService } from "../gen/ts/shop/notifications/v1/notifications_pb.js";
import { consume } from "../tskit/events/consumer.js";
import { deadletters } from "../tskit/events/deadletters.js";
import { main } from "../tskit/main.js";
import { notifications } from "./service.js";
import { notify } from "./store.js";

await main({
  name: "notifications",
  contract: NotificationsService,
  migrations: new URL("../../../notifications/migrations/", import.meta.url),
  open: (app) => {
    const news = new EventTarget();
    const behind = consume(app, "order", notify, () => news.dispatchEvent(new Event("sent")));
    return { servicer: notifications(app.database, news), behind };
  },
  commands: { deadletters },
});
