// An app that talks to Cognito itself: the AWS SDK and Authsignal's Web SDK, as they come from npm, and nothing between them.
// Each function is one step of the reference protocol; a test calls them through `window.app`.
import { Authsignal } from "@authsignal/browser";
import {
  CognitoIdentityProviderClient,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";

const ACTION = "cognitoAuth";

function open({ region, endpoint, clientId, tenantId, authsignalUrl, gatewayUrl }) {
  const cognito = new CognitoIdentityProviderClient({ region, endpoint });
  const authsignal = new Authsignal({ tenantId, baseUrl: authsignalUrl });
  let session;
  let username;
  let tokens;

  function keep(answer) {
    session = answer.Session;
    username = answer.ChallengeParameters?.USERNAME ?? username;
    tokens = answer.AuthenticationResult ?? tokens;
    if (answer.ChallengeParameters?.token) authsignal.setToken(answer.ChallengeParameters.token);
    return {
      challenge: answer.ChallengeName ?? null,
      parameters: answer.ChallengeParameters ?? null,
      isSignedIn: answer.AuthenticationResult !== undefined,
    };
  }

  return {
    authsignal,

    async signUp(email) {
      const password = `0.${crypto.randomUUID()}X`;
      const UserAttributes = [{ Name: "email", Value: email }];
      const made = await cognito.send(
        new SignUpCommand({ ClientId: clientId, Username: email, Password: password, UserAttributes }),
      );
      return { isConfirmed: made.UserConfirmed, sub: made.UserSub };
    },

    async start(name, parameters = {}) {
      const AuthParameters = { USERNAME: name, ...parameters };
      return keep(await cognito.send(new InitiateAuthCommand({ ClientId: clientId, AuthFlow: "CUSTOM_AUTH", AuthParameters })));
    },

    async answer(token) {
      const ChallengeResponses = { USERNAME: username, ANSWER: token };
      return keep(
        await cognito.send(
          new RespondToAuthChallengeCommand({
            ClientId: clientId,
            ChallengeName: "CUSTOM_CHALLENGE",
            Session: session,
            ChallengeResponses,
          }),
        ),
      );
    },

    async signInWithPasskey() {
      const { data, error } = await authsignal.passkey.signIn({ action: ACTION });
      if (error) throw new Error(error);
      await this.start(data.username ?? data.userId);
      return { ...(await this.answer(data.token)), token: data.token };
    },

    async whoAmI() {
      const { Username, UserAttributes } = await cognito.send(new GetUserCommand({ AccessToken: tokens.AccessToken }));
      return { username: Username, ...Object.fromEntries(UserAttributes.map(({ Name, Value }) => [Name, Value])) };
    },

    signOut: () => cognito.send(new GlobalSignOutCommand({ AccessToken: tokens.AccessToken })).then(() => null),

    tokens: () => tokens,

    // As the reference app calls its API: the access token as it is, and a body only where there is one.
    async api(method, path, body) {
      const headers = { Authorization: `Bearer ${tokens.AccessToken}`, ...(body && { "Content-Type": "application/json" }) };
      const answer = await fetch(gatewayUrl + path, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, body: await answer.json(), receipt: answer.headers.get("audit-receipt") };
    },
  };
}

window.openApp = (settings) => {
  window.app = open(settings);
};
