/** What a customer is told of an event; nothing for one that they need not hear of. */

import { CancelReason, type Envelope, type OrderDetails } from "../gen/ts/shop/events/v1/events_pb.js";
import type { Money } from "../gen/ts/shop/money/v1/money_pb.js";
import { NotificationKind } from "../gen/ts/shop/notifications/v1/notifications_pb.js";

export interface Told {
  readonly kind: NotificationKind;
  readonly customerId: string;
  readonly orderId: string;
  readonly subject: string;
  readonly body: string;
}

const REASONS: Readonly<Partial<Record<CancelReason, string>>> = {
  [CancelReason.OUT_OF_STOCK]: "We have too few of a product.",
  [CancelReason.PAYMENT_DECLINED]: "Your payment was declined.",
  [CancelReason.UNAVAILABLE]: "A part of the shop could not be reached; please try again.",
};

export function told(envelope: Envelope): Told | undefined {
  const { payload } = envelope;
  switch (payload.case) {
    case "orderPlaced":
      return about(
        payload.value.order,
        NotificationKind.ORDER_PLACED,
        "is being placed",
        (order) => `You asked for ${items(order)}.`,
      );
    case "orderConfirmed":
      return about(
        payload.value.order,
        NotificationKind.ORDER_CONFIRMED,
        "is on its way",
        (order) => `You paid ${amount(order.total)} for ${items(order)}.`,
      );
    case "orderCancelled": {
      const reason = REASONS[payload.value.reason] ?? "It could not be placed.";
      return about(
        payload.value.order,
        NotificationKind.ORDER_CANCELLED,
        "was cancelled",
        () => `${reason} Nothing is charged.`,
      );
    }
    case "orderReturned":
      return about(
        payload.value.order,
        NotificationKind.ORDER_RETURNED,
        "was returned",
        (order) => `You are paid back ${amount(order.total)} for ${items(order)}.`,
      );
    default:
      return undefined;
  }
}

function about(
  order: OrderDetails | undefined,
  kind: NotificationKind,
  what: string,
  body: (order: OrderDetails) => string,
): Told | undefined {
  if (!order) return undefined;
  const { orderId, customerId } = order;
  return { kind, customerId, orderId, subject: `Your order ${orderId} ${what}`, body: body(order) };
}

function items(order: OrderDetails): string {
  return order.products.map(({ quantity, productId }) => `${quantity} × ${productId}`).join(", ") || "nothing";
}

/** As `EUR 12.50`: amounts are in the smallest unit of their currency. */
function amount(money: Money | undefined): string {
  if (!money) return "nothing";
  const digits =
    new Intl.NumberFormat("en", { style: "currency", currency: money.currency || "XXX" }).resolvedOptions()
      .maximumFractionDigits ?? 2;
  const text = String(money.minor).padStart(digits + 1, "0");
  return `${money.currency} ${digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text}`;
}
