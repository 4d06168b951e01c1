// The control page: reads the control port every second, and draws a list again only when its data changed.
import { h } from "./dom.js";

const POLL_MS = 1000;
const panel = document.getElementById("panel");
const tabs = document.getElementById("tabs");
const OUTCOMES = ["ALLOW", "CHALLENGE", "REVIEW", "BLOCK"];
let drawn = "";
let newest = null; // the newest challenge that a phone may decide
let timer = 0;
let isLost = false; // whether the simulator did not answer the last time
const list = h("div");

async function control(method, path, body) {
  const response = await fetch(`/control${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.errorDescription ?? answer.error);
  return answer;
}

const read = (path) => control("GET", path);

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const moment = (seconds) => h("time", { datetime: new Date(seconds * 1000).toISOString() }, exact.format(new Date(seconds * 1000)));
const tag = (words, kind = "") => h("span", { class: `tag ${kind}` }, words);
const code = (words) => h("code", {}, words ?? "");
const none = (words) => h("p", { class: "quiet" }, words);

// Runs what a button or form asks for, says what failed, and draws the view again.
function act(step, said) {
  return async (event) => {
    event?.preventDefault?.();
    try {
      await step(event);
      if (event?.type === "submit") event.target.reset();
      say("");
      document.getElementById("live").textContent = said ?? "Done.";
    } catch (error) {
      say(`That did not work: ${error.message}`);
    }
    await refresh();
  };
}

function say(words) {
  const line = document.getElementById("problem");
  line.textContent = words;
  line.hidden = !words;
}

function table(heads, rows) {
  const head = h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text))));
  return h("div", { class: "table" }, h("table", {}, head, h("tbody", {}, rows.map((cells) => h("tr", {}, cells)))));
}

const STATES = { waiting: ["waiting", ""], claimed: ["scanned", ""], approved: ["approved", "good"], rejected: ["declined", "bad"], expired: ["too old", ""] };

const decide = (phone, challenge, approved) =>
  control("POST", `/phones/${phone.phone_id}/decisions`, { challengeId: challenge.challenge_id, approved });

function phoneRow(phone, challenge) {
  const about = `${challenge.action_code} with ${phone.name} of ${phone.user_id}`;
  const button = (label, kind, approved, said) =>
    h("button", { type: "button", class: kind, "data-key": `${challenge.challenge_id} ${phone.phone_id} ${kind}`, "aria-label": `${label} ${about}`, onclick: act(() => decide(phone, challenge, approved), said) }, label);
  return h("div", { class: "row" },
    h("span", { class: "grow" }, `${phone.name} of `, code(phone.user_id)),
    button("Approve", "yes", true, "Approved."),
    button("Decline", "no", false, "Declined."));
}

function challengeCard(challenge) {
  const [words, kind] = STATES[challenge.state] ?? [challenge.state, ""];
  const custom = challenge.custom ? h("p", { class: "quiet" }, code(JSON.stringify(challenge.custom))) : null;
  const from = [challenge.ip_address, challenge.user_agent].filter(Boolean).join(" · ");
  const open = challenge.state === "waiting" || challenge.state === "claimed";
  const hint = open && !challenge.phones.length ? none("No phone may decide this. Give the user one under Users.") : null;
  return h("article", {},
    h("div", { class: "row" }, h("h2", { class: "grow" }, `${challenge.method === "PUSH" ? "Push" : "QR code"}: ${challenge.action_code}`), tag(words, kind)),
    h("p", {}, challenge.user_id ? code(challenge.user_id) : "Whoever scans it"),
    h("p", { class: "quiet" }, moment(challenge.created_at), from ? ` · ${from}` : ""),
    custom, challenge.phones.map((phone) => phoneRow(phone, challenge)), hint);
}

const VIEWS = {
  phone: ["Phone", () => [], async () => {
    const challenges = await read("/challenges");
    newest = challenges.find((challenge) => challenge.phones.length) ?? null;
    return [challenges, () => challenges.length ? challenges.map(challengeCard) : [none("Nothing waits for a phone. A push or QR challenge appears here by itself.")]];
  }],
  users: ["Users", () => [phoneForm()], async () => {
    const [accounts, phones] = await Promise.all([read("/accounts"), read("/phones")]);
    return [[accounts, phones], () => accounts.length ? accounts.map((account) => userCard(account, phones)) : [none("No users yet. The first call that mentions one makes them.")]];
  }],
  actions: ["Actions", () => [], async () => {
    const actions = (await read("/actions")).slice(-200).reverse();
    const kinds = { CHALLENGE_SUCCEEDED: "good", ALLOW: "good", BLOCK: "bad", REVIEW_REQUIRED: "bad", REVIEW_FAILED: "bad", CHALLENGE_FAILED: "bad" };
    const row = (action) => [
      h("td", {}, moment(action.created_at)), h("td", {}, action.action_code), h("td", {}, tag(action.state, kinds[action.state])),
      h("td", {}, action.verification_method ?? ""), h("td", {}, action.rules.map((rule) => rule.name).join(", ")), h("td", {}, code(action.user_id)),
    ];
    return [actions, () => actions.length ? [table(["When", "Action", "State", "Proven by", "Rules", "User"], actions.map(row))] : [none("No actions yet.")]];
  }],
  outbox: ["Outbox", () => [], async () => {
    const messages = await read("/outbox");
    const content = (message) => message.url ? h("td", {}, h("a", { href: message.url, target: "_blank", rel: "noopener" }, "Open the link")) : h("td", { class: "big" }, message.code);
    const row = (message) => [h("td", {}, moment(message.sent_at)), h("td", {}, message.to), h("td", {}, message.method), content(message), h("td", {}, message.action_code)];
    return [messages, () => messages.length ? [table(["When", "To", "Method", "Content", "Action"], messages.map(row))] : [none("Nothing was sent yet.")]];
  }],
  rules: ["Rules", () => [outcomeForm(), ruleForm()], async () => {
    const rules = await read("/rules");
    const outcomes = await read("/outcomes");
    return [[rules, outcomes], () => [outcomeRow(outcomes), ...(rules.length ? rules.map(ruleCard) : [none("No rules. Where none matches, the outcome above decides.")])]];
  }],
};

function field(label, control, kind) {
  return h("label", { class: kind }, label, control);
}

function formOf(legend, fields, button, submit) {
  return h("form", { onsubmit: submit }, h("fieldset", {}, h("legend", {}, legend), h("div", { class: "fields" }, fields), h("button", { class: "main" }, button)));
}

function phoneForm() {
  const user = h("input", { required: true, autocomplete: "off", spellcheck: "false" });
  const name = h("input", { required: true, value: "Virtual phone" });
  const submit = act(() => control("POST", "/phones", { user_id: user.value.trim(), name: name.value.trim() }), "The user has a phone now.");
  return formOf("Give a user a phone", [field("User id", user), field("Name of the phone", name)], "Enrol the phone", submit);
}

function userCard({ user, authenticators }, phones) {
  const own = phones.filter((phone) => phone.user_id === user.user_id);
  const factor = (item) => [h("td", {}, item.verification_method), h("td", {}, item.email ?? item.phone_number ?? item.webauthn?.name ?? item.phone?.device_name ?? ""), h("td", {}, item.verified_at ? moment(item.verified_at) : "not proven"), h("td", {}, item.is_default ? "default" : "")];
  const give = h("button", { type: "button", "data-key": `give ${user.user_id}`, onclick: act(() => control("POST", "/phones", { user_id: user.user_id }), "The user has a phone now.") }, "Give a phone");
  const drop = (phone) => h("button", { type: "button", "data-key": `drop ${phone.phone_id}`, onclick: act(() => control("DELETE", `/phones/${phone.phone_id}`), "The phone is gone.") }, `Remove ${phone.name}`);
  return h("article", {},
    h("h2", {}, user.email ?? user.phone_number ?? user.username ?? user.user_id),
    h("p", { class: "quiet" }, code(user.user_id)),
    authenticators.length ? table(["Factor", "Is", "Proven", ""], authenticators.map(factor)) : none("No factors."),
    h("p", {}), h("div", { class: "row" }, give, own.map(drop)));
}

function outcomeForm() {
  const action = h("input", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autocomplete: "off" });
  const outcome = h("select", {}, OUTCOMES.map((name) => h("option", {}, name)));
  const submit = act(() => control("PUT", `/outcomes/${encodeURIComponent(action.value)}`, { outcome: outcome.value }), "The outcome is set.");
  return formOf("Where no rule matches", [field("Action", action), field("Outcome", outcome)], "Set the outcome", submit);
}

function outcomeRow(outcomes) {
  const set = Object.entries(outcomes.actions).map(([name, value]) =>
    h("button", { type: "button", "data-key": `unset ${name}`, onclick: act(() => control("DELETE", `/outcomes/${encodeURIComponent(name)}`), "Back to the default.") }, `${name}: ${value} (remove)`));
  return h("p", { class: "row" }, tag(`any other action: ${outcomes.default}`), set);
}

function ruleForm() {
  const name = h("input", { required: true });
  const type = h("select", {}, OUTCOMES.map((item) => h("option", {}, item)));
  const action = h("input", { placeholder: "every action", pattern: "[A-Za-z0-9_\\-]{1,64}" });
  const priority = h("input", { type: "number", min: 0, max: 99, value: 50, required: true });
  const conditions = h("textarea", { spellcheck: "false" }, '{"==": [{"var": "user.email"}, "someone@example.test"]}');
  const submit = act(() => control("POST", "/rules", {
    name: name.value, type: type.value, action: action.value || null, priority: Number(priority.value), conditions: JSON.parse(conditions.value),
  }), "The rule is set.");
  return formOf("Add a rule", [
    field("Name", name), field("Outcome", type), field("Action", action), field("Priority (lowest first)", priority),
    field("Condition: user, ip, device, action and custom can be looked at", conditions, "whole"),
  ], "Add the rule", submit);
}

function ruleCard({ rule_id: id, rule }) {
  const remove = h("button", { type: "button", "data-key": `remove ${id}`, onclick: act(() => control("DELETE", `/rules/${id}`), "The rule is gone.") }, "Remove");
  return h("article", {},
    h("div", { class: "row" }, h("h2", { class: "grow" }, rule.name), tag(rule.type, rule.type === "ALLOW" ? "good" : rule.type === "BLOCK" ? "bad" : ""), tag(`priority ${rule.priority}`), tag(rule.action ?? "every action"), remove),
    h("p", {}, code(JSON.stringify(rule.conditions))));
}

const current = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "phone");

// The forms of a view are made once, so that nobody's typing is disturbed; only the list below them is drawn again. What
// has the focus in the list is found again by its key.
function redraw(parts) {
  const focused = document.activeElement?.dataset?.key;
  list.replaceChildren(...parts);
  if (focused) [...list.querySelectorAll("[data-key]")].find((item) => item.dataset.key === focused)?.focus();
}

async function refresh() {
  clearTimeout(timer);
  const name = current();
  try {
    const [data, parts] = await VIEWS[name][2]();
    const now = `${name} ${JSON.stringify(data)}`;
    if (name === current() && now !== drawn) {
      redraw(parts());
      drawn = now;
    }
    if (isLost) say("");
    isLost = false;
  } catch {
    say("The simulator does not answer. Is the local stack still running? Trying again.");
    isLost = true;
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, POLL_MS);
}

function show() {
  const name = current();
  tabs.replaceChildren(...Object.entries(VIEWS).map(([key, [title]]) =>
    h("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-selected": String(key === name), "aria-controls": "panel", tabindex: key === name ? 0 : -1, onclick: () => { location.hash = key; } }, title)));
  panel.setAttribute("aria-labelledby", `tab-${name}`);
  drawn = "";
  list.replaceChildren(none("One moment…"));
  panel.replaceChildren(...VIEWS[name][1](), list);
  refresh();
}

addEventListener("hashchange", show);
tabs.addEventListener("keydown", (event) => {
  const names = Object.keys(VIEWS);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  location.hash = names[(names.indexOf(current()) + step + names.length) % names.length];
  setTimeout(() => document.getElementById(`tab-${current()}`).focus());
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const view = Object.keys(VIEWS)[Number(event.key) - 1];
  if (view) location.hash = view;
  if ((event.key === "a" || event.key === "d") && current() === "phone" && newest) {
    const [challenge, approved] = [newest, event.key === "a"];
    newest = null; // one key press decides one challenge
    act(() => decide(challenge.phones[0], challenge, approved), approved ? "Approved." : "Declined.")();
  }
});
show();
