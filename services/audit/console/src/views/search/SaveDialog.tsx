import { Button, TextInput } from "@mantine/core";
import { Dialog, DialogBody } from "@look/Dialog";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type SubmitEvent } from "react";
import { api } from "../../api/client";
import { isMissing, wordsForChange } from "../../api/problem";
import { searchesQuery } from "../../api/queries";
import type { Filters } from "../../lib/filters";
import classes from "./Search.module.css";

/** Keeps a search under a name. */
export function SaveDialog({ filters, onClose }: { filters: Filters; onClose: () => void }) {
  const queries = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState("");
  const [isShared, setShared] = useState(false);
  const save = useMutation({
    mutationFn: () => api.saveSearch({ name: name.trim(), params: savedParams(filters.search), is_shared: isShared }),
    onSuccess: () => {
      void queries.invalidateQueries(searchesQuery);
      onClose();
    },
  });
  const trouble =
    save.error && (isMissing(save.error) ? "This audit service keeps no searches." : wordsForChange(save.error).text);

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (name.trim()) save.mutate();
  }

  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title="Save this search" lead="It is found again under Saved searches." focus={field}>
        <form className={classes.stack} onSubmit={submit}>
          <TextInput
            ref={field}
            label="Name"
            value={name}
            maxLength={100}
            error={trouble}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <label>
            <input type="checkbox" checked={isShared} onChange={(event) => setShared(event.currentTarget.checked)} />{" "}
            All auditors may see it
          </label>
          {filters.span ? (
            <p>The span of the last {filters.span} is not kept: the saved search looks through everything.</p>
          ) : null}
          <div>
            <Button type="submit" size="sm" loading={save.isPending}>
              Save
            </Button>
          </div>
        </form>
      </DialogBody>
    </Dialog>
  );
}

/** A search as it is kept: with the API's own names. The API knows no span that ends now, so that is not kept. */
function savedParams(search: URLSearchParams): Record<string, string | string[]> {
  const params: Record<string, string | string[]> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    if (name !== "live" && name !== "last") params[name] = values.length > 1 ? values : (values[0] ?? "");
  }
  return params;
}
