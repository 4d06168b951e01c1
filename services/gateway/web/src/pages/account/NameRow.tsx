import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type SubmitEvent } from "react";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem } from "../../api/problem";
import { meQuery, sessionQuery } from "../../api/queries";
import { ActionButton } from "@look/ActionButton";
import { TextButton } from "../../components/TextButton";
import { nameMistake } from "../../lib/fields";
import { wordsFor } from "../../words";
import classes from "./Account.module.css";
import { Row } from "./Row";

function useRename(saved: () => void) {
  const queries = useQueryClient();
  const intent = useIntent();
  return useMutation({
    mutationFn: (name: string) => intent({ name }, (key) => api.rename(name, key)),
    onSuccess: (profile) => {
      queries.setQueryData(meQuery.queryKey, profile);
      void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
      saved();
    },
  });
}

interface NameFormProps {
  name: string;
  onClose: (saved: boolean) => void;
}

function NameForm({ name, onClose }: NameFormProps) {
  const field = useRef<HTMLInputElement>(null);
  const [value, setValue] = useState(name);
  const [mistake, setMistake] = useState<string | null>(null);
  const rename = useRename(() => onClose(true));
  const refused = rename.error
    ? (isProblem(rename.error) && rename.error.fieldMessage("display_name")) ||
      `${wordsFor(rename.error).title}. ${wordsFor(rename.error).text}`
    : null;

  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const chosen = value.trim();
    const found = chosen === "" ? "Enter a name." : nameMistake(chosen);
    setMistake(found);
    if (found) field.current?.focus();
    else if (chosen === name) onClose(false);
    else if (!rename.isPending) rename.mutate(chosen);
  }

  return (
    <form className={classes.nameForm} noValidate onSubmit={submit}>
      <TextInput
        ref={field}
        aria-label="Name"
        name="name"
        autoComplete="name"
        value={value}
        error={mistake ?? refused}
        onChange={(event) => {
          setValue(event.currentTarget.value);
          setMistake(null);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose(false);
        }}
      />
      <div className={classes.buttons}>
        <ActionButton type="submit" size="sm" pending={rename.isPending} pendingLabel="Saving">
          Save
        </ActionButton>
        <Button type="button" size="sm" variant="default" onClick={() => onClose(false)}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** The name, and the form in its place while it is being changed. */
export function NameRow({ name }: { name: string | null }) {
  const change = useRef<HTMLButtonElement>(null);
  const [editing, setEditing] = useState(false);
  const [said, setSaid] = useState("");
  const wasEditing = useRef(false);
  const verb = name ? "Change" : "Add";

  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), 5000);
    return () => clearTimeout(timer);
  }, [said]);

  useEffect(() => {
    if (wasEditing.current && !editing) change.current?.focus();
    wasEditing.current = editing;
  }, [editing]);

  return (
    <Row label="Name">
      {editing ? (
        <NameForm
          name={name ?? ""}
          onClose={(saved) => {
            setEditing(false);
            setSaid(saved ? "Saved" : "");
          }}
        />
      ) : (
        <div className={classes.nameLine}>
          <span className={name ? undefined : classes.empty}>{name ?? "Not set"}</span>
          <span className={classes.nameActions}>
            <span role="status" className={said ? classes.saved : undefined}>
              {said}
            </span>
            <TextButton ref={change} aria-label={`${verb} name`} onClick={() => setEditing(true)}>
              {verb}
            </TextButton>
          </span>
        </div>
      )}
    </Row>
  );
}
