"use strict";

const POLL_MS = 1000;
const element = (id) => document.getElementById(id);
const state = { messages: [], shown: null, filter: new URLSearchParams(location.search).get("to") ?? "", html: false };

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
// A code stands alone: not inside a longer number, a link or an identifier.
const codePattern = /(?<![\w/=&.-])\d{6}(?![\w/=&-])/;
const codeIn = (message) => message.text.match(codePattern)?.[0] ?? "";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

function ago(time) {
  const seconds = Math.min(0, Math.round((Date.parse(time) - Date.now()) / 1000));
  if (seconds > -10) return "just now";
  if (seconds > -60) return relative.format(seconds, "second");
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
  if (seconds > -86400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86400), "day");
}

function matching() {
  const wanted = state.filter.trim().toLowerCase();
  return state.messages.filter((message) => `${message.to} ${message.subject}`.toLowerCase().includes(wanted));
}

function drawList() {
  const messages = matching();
  element("count").textContent = state.messages.length ? String(state.messages.length) : "";
  element("empty").hidden = messages.length > 0;
  element("empty").textContent = state.messages.length
    ? "No message matches this filter."
    : "No mail yet. Ask for a code and it appears here by itself.";
  element("list").replaceChildren(...messages.map(row));
}

function row(message) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.id = message.id;
  button.setAttribute("aria-current", String(message.id === state.shown));
  for (const [kind, text] of [["address", message.to], ["when", ago(message.received_at)], ["line", message.subject || "(no subject)"]]) {
    const part = document.createElement("span");
    part.className = kind;
    part.textContent = text;
    button.append(part);
  }
  button.addEventListener("click", () => show(message.id));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function show(id) {
  const focused = document.activeElement?.dataset?.id;
  state.shown = id;
  drawList();
  drawReader();
  const target = focused ? document.querySelector(`[data-id="${CSS.escape(id ?? "")}"]`) : null;
  target?.focus();
}

function drawReader() {
  const message = state.messages.find((candidate) => candidate.id === state.shown);
  element("reader").hidden = !message;
  if (!message) return;
  element("subject").textContent = message.subject || "(no subject)";
  element("to").textContent = `To ${message.to}`;
  element("received").dateTime = message.received_at;
  drawTimes();
  const code = codeIn(message);
  element("code-box").hidden = !code;
  element("code").textContent = code;
  element("text").textContent = message.text || "This message has no text part.";
  const asHtml = state.html && Boolean(message.html);
  element("as-html").disabled = !message.html;
  element("as-text").setAttribute("aria-pressed", String(!asHtml));
  element("as-html").setAttribute("aria-pressed", String(asHtml));
  element("text").hidden = asHtml;
  element("html").hidden = !asHtml;
  if (element("html").srcdoc !== message.html) element("html").srcdoc = message.html;
}

async function refresh() {
  try {
    const response = await fetch("/api/messages");
    if (!response.ok) throw new Error(String(response.status));
    receive(await response.json());
    element("problem").hidden = true;
  } catch {
    element("problem").textContent = "The mail catcher does not answer. Is the local stack still running? Trying again.";
    element("problem").hidden = false;
  }
  setTimeout(refresh, POLL_MS);
}

function drawTimes() {
  for (const button of document.querySelectorAll("li button")) {
    const message = state.messages.find((candidate) => candidate.id === button.dataset.id);
    if (message) button.querySelector(".when").textContent = ago(message.received_at);
  }
  const received = element("received").dateTime;
  if (received) element("received").textContent = `${ago(received)}, ${exact.format(new Date(received))}`;
}

function receive(messages) {
  const newest = messages[0]?.id;
  const before = state.messages[0]?.id;
  const unchanged = newest === before && messages.length === state.messages.length;
  state.messages = messages;
  if (unchanged && newest !== undefined) {
    drawTimes();
    return;
  }
  if (newest !== before && newest !== undefined) {
    element("live").textContent = `New message: ${messages[0].subject}`;
    // The newest message is what one came for.
    if (matching()[0]?.id === newest) state.shown = newest;
  }
  if (!messages.some((message) => message.id === state.shown)) state.shown = matching()[0]?.id ?? null;
  const focused = document.activeElement?.dataset?.id;
  drawList();
  drawReader();
  if (focused) document.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function move(step) {
  const messages = matching();
  const at = messages.findIndex((message) => message.id === state.shown);
  const next = messages[Math.min(messages.length - 1, Math.max(0, at + step))];
  if (next) show(next.id);
}

async function copy() {
  const code = element("code").textContent;
  if (!code) return;
  await navigator.clipboard.writeText(code);
  element("copy").textContent = "Copied";
  setTimeout(() => { element("copy").textContent = "Copy code"; }, 1500);
}

element("filter").value = state.filter;
element("filter").addEventListener("input", (event) => {
  state.filter = event.target.value;
  state.shown = matching()[0]?.id ?? null;
  drawList();
  drawReader();
});
element("copy").addEventListener("click", copy);
element("clear").addEventListener("click", async () => {
  await fetch("/api/messages", { method: "DELETE" });
  receive([]);
});
element("as-text").addEventListener("click", () => { state.html = false; drawReader(); });
element("as-html").addEventListener("click", () => { state.html = true; drawReader(); });
document.addEventListener("keydown", (event) => {
  if (event.target === element("filter") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "c") copy();
  else if (event.key === "/") { event.preventDefault(); element("filter").focus(); }
});
refresh();
