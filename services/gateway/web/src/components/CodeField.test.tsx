import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { CodeField, digitsOf } from "./CodeField";

function Harness({ onComplete }: { onComplete: (code: string) => void }) {
  const [value, setValue] = useState("");
  return <CodeField value={value} onChange={setValue} onComplete={onComplete} />;
}

function field() {
  const onComplete = vi.fn();
  render(<Harness onComplete={onComplete} />);
  return { input: screen.getByLabelText<HTMLInputElement>("Six-digit code"), onComplete, user: userEvent.setup() };
}

it.each([
  ["123 456", "123456"],
  ["Your code is 123456.", "123456"],
  ["１２３４５６", "123456"],
  ["1234567890", "123456"],
  ["abc", ""],
])("takes the digits out of %j", (text, digits) => {
  expect(digitsOf(text)).toBe(digits);
});

it("is offered to the browser as a one-time code with digits", () => {
  const { input } = field();
  expect(input).toHaveAttribute("autocomplete", "one-time-code");
  expect(input).toHaveAttribute("inputmode", "numeric");
});

it("is complete once, with the sixth digit", async () => {
  const { input, onComplete, user } = field();
  await user.type(input, "12345");
  expect(onComplete).not.toHaveBeenCalled();
  await user.type(input, "6");
  expect(onComplete.mock.calls).toEqual([["123456"]]);
});

it("accepts a code pasted with text around it", async () => {
  const { input, onComplete, user } = field();
  input.focus();
  await user.paste("Code: 987-654");
  expect(input).toHaveValue("987654");
  expect(onComplete).toHaveBeenCalledWith("987654");
});

it("replaces the digit at the caret when all six are in, and is complete again", async () => {
  const { input, onComplete, user } = field();
  await user.type(input, "123456");
  await user.type(input, "9", { initialSelectionStart: 2, initialSelectionEnd: 2 });
  expect(input).toHaveValue("129456");
  expect(onComplete).toHaveBeenLastCalledWith("129456");
});
