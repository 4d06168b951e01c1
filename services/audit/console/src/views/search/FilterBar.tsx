import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconFilterPlus, IconX } from "@tabler/icons-react";
import { useState, type KeyboardEvent } from "react";
import { OUTCOMES } from "../../api/types";
import { FIELD_NAMES, FIELDS, type Chip, type Field, type Filters } from "../../lib/filters";
import { exactly } from "../../lib/format";
import classes from "./Search.module.css";

const HINTS: Record<Field, string> = {
  type: "An event type such as sign_in.succeeded, or a family with its dot: sign_in.",
  outcome: "How it ended. Several may be chosen, one after the other.",
  subject: "The id of an account (sub).",
  email: "An address: finds the events of the accounts that were seen with it.",
  ip: "An address or a network: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32",
  session: "The reference of a session.",
  attempt: "The id of an attempt to sign in.",
  request: "The id of a request, as it stands in the services' logs.",
  q: "A part of type, reason, user agent, country, device, method, state, operation, route or actor; or a whole identifier.",
  filter: 'An expression: outcome eq "failure" and (client.country ne "DE" or authsignal.method sw "SMS")',
  from: "From this time on.",
  to: "Before this time.",
};

function valueOf({ field, value }: Chip): string {
  return field === "from" || field === "to" ? exactly(value) : value;
}

/** What the search is narrowed to, one chip for each, and the way to narrow it further. */
export function FilterBar({ filters, inForm = false }: { filters: Filters; inForm?: boolean }) {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <div className={classes.bar}>
        {filters.chips.map((chip) => (
          <span key={`${chip.field}:${chip.value}`} className={classes.chip}>
            <span title={valueOf(chip)}>
              <b>{FIELD_NAMES[chip.field]}</b> {valueOf(chip)}
            </span>
            <button
              type="button"
              aria-label={`Remove ${FIELD_NAMES[chip.field]} ${valueOf(chip)}`}
              onClick={() => filters.remove(chip)}
            >
              <IconX size={14} stroke={2} aria-hidden="true" />
            </button>
          </span>
        ))}
        <Button
          variant="default"
          aria-expanded={isAdding}
          leftSection={<IconFilterPlus size={16} />}
          onClick={() => setAdding(!isAdding)}
        >
          Add a filter
        </Button>
      </div>
      {isAdding ? <AddFilter filters={filters} inForm={inForm} onDone={() => setAdding(false)} /> : null}
    </>
  );
}

interface AddFilterProps {
  filters: Filters;
  /** It stands in a form already, and one form cannot stand in another: Enter is then taken by hand. */
  inForm: boolean;
  onDone: () => void;
}

function AddFilter({ filters, inForm, onDone }: AddFilterProps) {
  const [field, setField] = useState<Field>("type");
  const [value, setValue] = useState("");
  const isTime = field === "from" || field === "to";

  function add(event: { preventDefault: () => void }) {
    event.preventDefault();
    const given = value || (field === "outcome" ? OUTCOMES[0] : "");
    if (!given) return;
    filters.add({ field, value: isTime ? new Date(given).toISOString() : given.trim() });
    onDone();
  }

  const Box = inForm ? "div" : "form";
  return (
    <Box
      className={classes.form}
      {...(inForm
        ? { onKeyDown: (event: KeyboardEvent) => (event.key === "Enter" ? add(event) : undefined) }
        : { onSubmit: add })}
    >
      <NativeSelect
        label="Filter"
        value={field}
        onChange={(event) => {
          setField(event.currentTarget.value as Field);
          setValue("");
        }}
        data={FIELDS.map((name) => ({ value: name, label: FIELD_NAMES[name] }))}
      />
      {field === "outcome" ? (
        <NativeSelect
          className={classes.grow}
          label="Value"
          value={value || OUTCOMES[0]}
          onChange={(event) => setValue(event.currentTarget.value)}
          data={[...OUTCOMES]}
        />
      ) : (
        <TextInput
          className={classes.grow}
          label="Value"
          key={field}
          type={isTime ? "datetime-local" : "text"}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
      )}
      <Button type={inForm ? "button" : "submit"} size="sm" onClick={inForm ? add : undefined}>
        Add
      </Button>
      <p className={classes.hint}>{HINTS[field]}</p>
    </Box>
  );
}
