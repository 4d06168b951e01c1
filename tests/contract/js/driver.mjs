// Runs the real Node SDK on demand: one JSON request a line on stdin, one JSON answer a line on stdout.
// A value that is undefined is told apart from null, since the contract does.
import { createInterface } from "node:readline";
import { Authsignal, AuthsignalError } from "@authsignal/node";

const clients = new Map();

function client({ apiSecretKey, apiUrl }) {
  const name = `${apiSecretKey} ${apiUrl}`;
  if (!clients.has(name)) clients.set(name, new Authsignal({ apiSecretKey, apiUrl }));
  return clients.get(name);
}

async function run({ settings, method, request }) {
  try {
    const sdk = client(settings);
    const isWebhook = method === "webhook.constructEvent";
    const value = isWebhook ? sdk.webhook.constructEvent(...request) : await sdk[method](request);
    return value === undefined ? { isUndefined: true } : { value };
  } catch (error) {
    return {
      thrown: {
        isAuthsignalError: error instanceof AuthsignalError,
        statusCode: error.statusCode ?? null,
        errorCode: error.errorCode ?? null,
        errorDescription: error.errorDescription ?? null,
        message: error.message,
      },
    };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
