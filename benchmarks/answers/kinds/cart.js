// The shopping cart of the storefront: lines, vouchers, shipping, and how it is kept in the browser.
import { money, roundHalfEven } from "./money.js";
import { track } from "./analytics.js";

const STORAGE_KEY = "fern.cart.v2";
const MAX_LINES = 50;
const MAX_PER_LINE = 20;
const FREE_SHIPPING_FROM = money(59, "EUR");
const DAYS_KEPT = 30;

/** Shipping rates by zone; the Faroe Islands belong to "remote". */
export const RATES = {
  domestic: money(4.9, "EUR"),
  neighbour: money(9.5, "EUR"),
  remote: money(24, "EUR"),
};

export class CartError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "CartError";
    this.code = code;
  }
}

export class Cart {
  #lines = new Map();
  #voucher = null;

  /** Adds a product; of one that is there already the quantity grows. Throws CartError with the code "full". */
  add(product, quantity = 1) {
    const line = this.#lines.get(product.sku);
    if (!line && this.#lines.size >= MAX_LINES) {
      throw new CartError("full", `a cart holds ${MAX_LINES} lines`);
    }
    const wanted = (line?.quantity ?? 0) + quantity;
    this.#lines.set(product.sku, { product, quantity: Math.min(wanted, MAX_PER_LINE) });
    track("cart_add", { sku: product.sku, quantity });
    this.save();
  }

  remove(sku) {
    if (!this.#lines.delete(sku)) {
      throw new CartError("unknown", `there is no ${sku} in the cart`);
    }
    this.save();
  }

  get subtotal() {
    let sum = money(0, "EUR");
    for (const { product, quantity } of this.#lines.values()) {
      sum = sum.plus(product.price.times(quantity));
    }
    return sum;
  }

  /** Gift cards are paid with, so no voucher lowers their price. */
  get discountable() {
    return [...this.#lines.values()].filter(({ product }) => product.kind !== "giftcard");
  }

  applyVoucher(voucher, today = new Date()) {
    if (voucher.validUntil < today) {
      throw new CartError("expired", `${voucher.code} ended on ${voucher.validUntil.toISOString().slice(0, 10)}`);
    }
    if (this.#voucher) {
      throw new CartError("second", "only one voucher can be used");
    }
    if (this.subtotal.lessThan(voucher.minimum)) {
      throw new CartError("minimum", `${voucher.code} needs a cart of ${voucher.minimum}`);
    }
    this.#voucher = voucher;
  }

  shipping(zone) {
    if (zone !== "remote" && !this.subtotal.lessThan(FREE_SHIPPING_FROM)) {
      return money(0, "EUR");
    }
    return RATES[zone] ?? RATES.remote;
  }

  total(zone) {
    const share = this.#voucher ? this.#voucher.percent / 100 : 0;
    const less = this.discountable.reduce(
      (sum, { product, quantity }) => sum.plus(product.price.times(quantity * share)),
      money(0, "EUR"),
    );
    return roundHalfEven(this.subtotal.minus(less).plus(this.shipping(zone)));
  }

  save(storage = window.localStorage) {
    const lines = [...this.#lines].map(([sku, { quantity }]) => ({ sku, quantity }));
    storage.setItem(STORAGE_KEY, JSON.stringify({ lines, savedAt: Date.now() }));
  }

  /** Forgets a cart that was saved more than DAYS_KEPT days ago. */
  static async load(catalog, storage = window.localStorage) {
    const cart = new Cart();
    const saved = JSON.parse(storage.getItem(STORAGE_KEY) ?? "null");
    if (!saved || Date.now() - saved.savedAt > DAYS_KEPT * 24 * 3600 * 1000) {
      return cart;
    }
    for (const { sku, quantity } of saved.lines) {
      const product = await catalog.find(sku);
      if (product) cart.#lines.set(sku, { product, quantity });
    }
    return cart;
  }
}
