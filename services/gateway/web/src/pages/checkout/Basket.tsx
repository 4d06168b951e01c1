import { IconBackpack, IconMinus, IconPlus } from "@tabler/icons-react";
import { IconTile } from "../../components/Ways";
import classes from "./Checkout.module.css";
import { DELIVERY_CENTS, ITEM, money, QUANTITY_MAX, totalCents } from "./order";

interface BasketProps {
  quantity: number;
  onChange: (quantity: number) => void;
}

/** What is bought, how many, and what it comes to. */
export function Basket({ quantity, onChange }: BasketProps) {
  return (
    <div className={classes.basket}>
      <div className={classes.item}>
        <IconTile Icon={IconBackpack} />
        <p className={classes.name}>
          {ITEM.name}
          <span>{money(ITEM.cents / 100)} each</span>
        </p>
        <div className={classes.quantity} role="group" aria-label="Quantity">
          <button type="button" aria-label="One less" onClick={() => onChange(Math.max(1, quantity - 1))}>
            <IconMinus size={16} stroke={2} aria-hidden="true" />
          </button>
          <output aria-label="Quantity">{quantity}</output>
          <button type="button" aria-label="One more" onClick={() => onChange(Math.min(QUANTITY_MAX, quantity + 1))}>
            <IconPlus size={16} stroke={2} aria-hidden="true" />
          </button>
        </div>
      </div>
      <dl className={classes.sums}>
        <div>
          <dt>Goods</dt>
          <dd>{money((ITEM.cents * quantity) / 100)}</dd>
        </div>
        <div>
          <dt>Delivery</dt>
          <dd>{money(DELIVERY_CENTS / 100)}</dd>
        </div>
        <div className={classes.total}>
          <dt>Total</dt>
          <dd>{money(totalCents(quantity) / 100)}</dd>
        </div>
      </dl>
    </div>
  );
}
