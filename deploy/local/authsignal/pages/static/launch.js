// The pre-built UI: it proves the user for the token in its address, and hands the new token back.
import { h } from "./dom.js";

const params = new URLSearchParams(location.search);
const trackToken = params.get("token") ?? "";
const isPopup = params.get("mode") === "popup";
const host = isPopup ? (window.parent !== window ? window.parent : window.opener) : null;
const card = document.getElementById("card");
const allowed = document.querySelector("meta[name=parent-origins]").content.split(" ").filter(Boolean);
const POLL_MS = 1000;
const POLLS_MAX = 600; // ten minutes: no challenge lives longer

let session = null; // what /ui/launch says
let token = trackToken;
let view = 0; // counts views, so that a poll stops when its view is left

class ApiFailure extends Error {
  constructor(status, body) {
    super(body.errorDescription ?? body.error);
    this.status = status;
    this.code = body.errorCode ?? body.error;
  }
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new ApiFailure(response.status, answer);
  return answer;
}

const client = (path, body) => call("POST", `/v1/client${path}`, body ?? {});

// The SDK listens to the exact origin of this page; this page speaks to origins that may launch it, and to no other.
function say(message) {
  if (!host) return;
  const known = [...(location.ancestorOrigins ?? []), originOf(document.referrer)];
  const sure = known.filter((origin) => allowed.includes(origin));
  for (const origin of sure.length ? sure.slice(0, 1) : allowed) host.postMessage(message, origin);
}

function originOf(address) {
  try {
    return new URL(address).origin;
  } catch {
    return "";
  }
}

const sayEvent = (event, more = {}) => say(JSON.stringify({ event, ...more }));

function leave(newToken) {
  if (isPopup) {
    sayEvent("AUTHSIGNAL_CLOSE_POPUP", newToken ? { token: newToken } : {});
    draw("You can close this window", []);
    return;
  }
  if (!session?.redirectUrl) {
    draw(newToken ? "You are confirmed" : "Nothing was changed", [h("p", {}, "You can close this page.")]);
    return;
  }
  const target = new URL(session.redirectUrl);
  if (!["http:", "https:"].includes(target.protocol)) return;
  target.searchParams.set("token", newToken ?? trackToken); // a token comes back even from someone who gave up
  location.assign(target);
}

function draw(title, parts, { back } = {}) {
  view += 1;
  const leaving = h("button", { type: "button", onclick: () => leave() }, "Cancel");
  const going = back ? h("button", { type: "button", onclick: back }, "Another way") : null;
  card.replaceChildren(
    h("h1", { tabindex: "-1" }, title),
    h("p", { class: "bad", role: "alert", id: "problem", hidden: true }),
    ...parts,
    h("div", { class: "stack" }, going, leaving),
  );
  card.setAttribute("aria-busy", "false");
  (card.querySelector("input, button.main") ?? card.querySelector("h1")).focus();
}

function problem(words) {
  const line = document.getElementById("problem");
  line.textContent = words;
  line.hidden = !words;
}

// Runs a step; what fails is said on the page, and told to whoever launched it.
async function attempt(step) {
  problem("");
  card.setAttribute("aria-busy", "true");
  try {
    await step();
  } catch (error) {
    if (error instanceof ApiFailure) {
      sayEvent("AUTHSIGNAL_API_ERROR", { errorCode: error.code, statusCode: error.status });
      problem(wordsFor(error));
    } else if (error.name === "NotAllowedError" || error.name === "AbortError") {
      problem("That was cancelled, or took too long. Try again.");
    } else {
      problem("That did not work. Check your connection and try again.");
    }
  } finally {
    card.setAttribute("aria-busy", "false");
  }
}

function wordsFor(error) {
  if (error.code === "too_many_requests") return "Too many messages were sent. Wait a while, then try again.";
  if (error.code === "expired_token" || error.code === "invalid_token") return "This page is too old. Go back and start again.";
  if (error.code === "invalid_credential") return "That key is not known here. Use another one.";
  return "That did not work. Try again, or choose another way.";
}

const REASONS = {
  CODE_INVALID_OR_EXPIRED: "That code did not work. Check it, or ask for a new one.",
  MAX_ATTEMPTS_EXCEEDED: "That was too often. Wait a few minutes, then try again.",
};

function accept(answer) {
  if (answer.isVerified && answer.accessToken) {
    token = answer.accessToken;
    leave(token);
  } else problem(REASONS[answer.failureReason] ?? "That did not work. Try again.");
}

function codeView(title, words, { verifyPath, resend, back, extra = [] }) {
  const input = h("input", {
    class: "code", name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, pattern: "[0-9]{6}",
    required: true, "aria-label": "Six-digit code",
  });
  const submit = (event) => {
    event.preventDefault();
    attempt(async () => accept(await client(verifyPath, { verificationCode: input.value })));
  };
  const again = resend ? h("button", { type: "button", onclick: () => attempt(resend) }, "Send a new code") : null;
  const form = h("form", { onsubmit: submit }, input, h("button", { class: "main" }, "Continue"), again);
  draw(title, [h("p", {}, words), ...extra, form], { back });
}

function sentCode(segment, to) {
  return async (back) => {
    const send = () => client(`/challenge/${segment}`);
    await send();
    codeView("Type the code", `We sent a code to ${to}.`, { verifyPath: `/verify/${segment}`, resend: send, back });
  };
}

async function poll(ask) {
  const mine = view;
  for (let count = 0; count < POLLS_MAX && mine === view; count += 1) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function magicLink(back) {
  await client("/challenge/email-magic-link");
  draw("Open the link", [h("p", {}, "We sent you a link. Open it on any device; this page goes on by itself.")], { back });
  poll(async () => {
    const answer = await client("/verify/email-magic-link/finalize");
    if (answer.isVerified) accept(answer);
    return answer.isVerified;
  }).catch(() => problem("This page is too old. Go back and start again."));
}

async function push(back) {
  const { challengeId } = await client("/challenge/push", { action: session.actionCode });
  draw("Look at your phone", [h("p", {}, "Approve the question on your phone; this page goes on by itself.")], { back });
  poll(async () => {
    const answer = await client("/verify/push", { challengeId });
    if (answer.isVerified) accept(answer);
    else if (answer.isConsumed) problem("It was declined on the phone. Try again, or choose another way.");
    return answer.isConsumed;
  }).catch(() => problem("This page is too old. Go back and start again."));
}

const toRequest = (options) => PublicKeyCredential.parseRequestOptionsFromJSON(options);
const toCreation = (options) => PublicKeyCredential.parseCreationOptionsFromJSON(options);

async function passkey() {
  const { challengeId, options } = await client("/user-authenticators/passkey/authentication-options");
  const credential = await navigator.credentials.get({ publicKey: toRequest(options) });
  accept(await client("/verify/passkey", { challengeId, authenticationCredential: credential.toJSON() }));
}

async function securityKey() {
  const options = await client("/user-authenticators/security-key/authentication-options");
  const credential = await navigator.credentials.get({ publicKey: toRequest(options) });
  accept(await client("/verify/security-key", credential.toJSON()));
}

async function addPasskey() {
  const { challengeId, options } = await client("/user-authenticators/passkey/registration-options");
  const credential = await navigator.credentials.create({ publicKey: toCreation(options) });
  accept(await client("/user-authenticators/passkey", { challengeId, registrationCredential: credential.toJSON() }));
}

async function addApp(back) {
  const { secret, uri } = await client("/user-authenticators/totp");
  const extra = [h("p", { class: "secret" }, h("code", { id: "secret" }, secret)), h("p", {}, h("a", { href: uri }, "Open it in an app on this device"))];
  codeView("Add the secret to your app", "Then type the code that the app shows.", { verifyPath: "/verify/totp", back, extra });
}

function addAddress(segment, name, attributes) {
  return async (back) => {
    const input = h("input", { required: true, ...attributes });
    const enrol = () => client(`/user-authenticators/${segment}`, { [name]: input.value.trim() });
    const submit = (event) => {
      event.preventDefault();
      attempt(async () => {
        await enrol();
        codeView("Type the code", `We sent a code to ${input.value}.`, { verifyPath: `/verify/${segment}`, resend: enrol, back });
      });
    };
    const label = h("label", {}, attributes["aria-label"], input);
    draw("Where can we reach you?", [h("form", { onsubmit: submit }, label, h("button", { class: "main" }, "Send a code"))], { back });
  };
}

const PROVE = (user) => ({
  EMAIL_OTP: ["Get a code by e-mail", sentCode("email-otp", user.email ?? "your address")],
  EMAIL_MAGIC_LINK: ["Get a link by e-mail", magicLink],
  SMS: ["Get a code by text message", sentCode("sms", user.phoneNumber ?? "your phone")],
  WHATSAPP: ["Get a code by WhatsApp", sentCode("whatsapp", user.phoneNumber ?? "your phone")],
  AUTHENTICATOR_APP: ["Use your authenticator app", async (back) => codeView("Type the code", "Your authenticator app shows it.", { verifyPath: "/verify/totp", back })],
  PASSKEY: ["Use a passkey", passkey],
  SECURITY_KEY: ["Use a security key", securityKey],
  PUSH: ["Approve on your phone", push],
});

const ADD = {
  EMAIL_OTP: ["E-mail", addAddress("email-otp", "email", { type: "email", autocomplete: "email", "aria-label": "E-mail address" })],
  SMS: ["Text message", addAddress("sms", "phoneNumber", { type: "tel", autocomplete: "tel", placeholder: "+64211234567", "aria-label": "Phone number" })],
  AUTHENTICATOR_APP: ["Authenticator app", addApp],
  PASSKEY: ["Passkey", addPasskey],
};

function choose(title, words, ways) {
  const back = () => choose(title, words, ways);
  const buttons = ways.map(([label, run], index) =>
    h("button", { type: "button", class: index === 0 ? "main" : undefined, onclick: () => attempt(() => run(back)) }, label),
  );
  draw(title, [h("p", {}, words), h("div", { class: "stack" }, buttons)]);
}

async function start() {
  session = await call("GET", "/ui/launch");
  const { challengeOptions } = await client("/init");
  sayEvent("AUTHSIGNAL_READY");
  const { verificationMethods, defaultVerificationMethod: first, user } = challengeOptions;
  const ordered = [...verificationMethods].sort((left, right) => Number(right === first) - Number(left === first));
  const proofs = PROVE(user);
  const ways = ordered.filter((method) => method in proofs).map((method) => proofs[method]);
  if (ways.length) choose("Confirm that it is you", "Choose how.", ways);
  else if (session.isEnrolled) draw("There is no way to confirm here", [h("p", {}, "None of your ways to sign in works for this. Ask the site for help.")]);
  else choose("Protect your account", "Choose how you want to confirm that it is you from now on.", session.allowedMethods.filter((method) => method in ADD).map((method) => ADD[method]));
}

if (isPopup) {
  document.body.classList.add("framed");
  new ResizeObserver(() => say({ height: Math.ceil(document.documentElement.scrollHeight) })).observe(card);
}

start().catch((error) => {
  const isOver = error instanceof ApiFailure;
  if (isOver) sayEvent("AUTHSIGNAL_API_ERROR", { errorCode: error.code, statusCode: error.status });
  draw("This page does not work any more", [h("p", {}, isOver ? wordsFor(error) : "The service does not answer. Try again in a moment.")]);
});
