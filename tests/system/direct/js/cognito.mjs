// Runs commands of the AWS SDK on demand: one JSON request a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";

const [region, endpoint] = process.argv.slice(2);
const client = new sdk.CognitoIdentityProviderClient({ region, endpoint });

async function run({ command, input }) {
  try {
    const { $metadata, ...answer } = await client.send(new sdk[`${command}Command`](input));
    return { answer };
  } catch (error) {
    return { error: { name: error.name, message: error.message } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
