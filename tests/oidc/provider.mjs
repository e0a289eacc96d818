// A private OpenID Connect provider for the tests of sign-in: the certified oidc-provider with accounts of sample people, who sign
// in by their address alone. Ends when its standard input ends.
//
//   node provider.mjs NODE_MODULES CLIENT_ID ORIGIN_OF_DOSSIER
//
// Prints `listening on ISSUER`. POST /control/rotate makes it sign with a new key (the old one stays published with ?keep);
// POST /control/access-token and /control/id-token take the claims that all later tokens have instead of their own.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, clientId, origin] = process.argv.slice(2);
// It warns of what is meant here: a store in memory, and whichever Node the system has.
console.warn = () => {};
const { default: Provider } = await import(pathToFileURL(join(modules, 'oidc-provider/lib/index.js')));

const AUDIENCE = 'dossier';
const people = {
  'alice@acme.example': { name: 'Alice <Acme>' },
  'agent-north@support.example': { name: 'North', roles: ['agent'], support_provider: 'north' },
  'auditor@support.example': { name: 'Auditor', roles: ['auditor'] },
  'unverified@acme.example': { name: 'Unverified', email_verified: false },
};

let keys = [newKey()];
let provider;
const overrides = { 'access-token': {}, 'id-token': {} };

function newKey() {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { ...key, use: 'sig', alg: 'ES256', kid: randomBytes(6).toString('hex') };
}

function claimsOf(address) {
  return { sub: address, email: address, email_verified: true, ...people[address] };
}

function configuration() {
  const client = {
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: 'ES256',
  };
  return {
    jwks: { keys },
    cookies: { keys: ['not a secret: this provider is private'] },
    clients: [
      {
        ...client,
        client_id: clientId,
        redirect_uris: [`${origin}/sign-in/callback`],
        post_logout_redirect_uris: [`${origin}/signed-out`],
      },
      // A client that wants bearer tokens for the API.
      { ...client, client_id: 'cli', redirect_uris: ['http://127.0.0.1:1/cli'] },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'roles', 'support_provider'],
    },
    features: {
      claimsParameter: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          audience: AUDIENCE,
          scope: '',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
      rpInitiatedLogout: { enabled: true },
    },
    pkce: { required: () => true },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
    findAccount: (_ctx, address) => people[address] && { accountId: address, claims: () => claimsOf(address) },
    // Everybody agrees to everything.
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile');
      grant.addOIDCClaims(['email', 'email_verified', 'name', 'roles', 'support_provider']);
      grant.addResourceScope(`urn:${AUDIENCE}`, '');
      await grant.save();
      return grant;
    },
    formats: {
      customizers: {
        jwt(_ctx, token, jwt) {
          const { name, ...claims } = claimsOf(token.accountId);
          Object.assign(jwt.payload, claims, overrides['access-token']);
        },
      },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  };
}

function renew() {
  provider = new Provider(issuer, configuration());
  // What an ID token says last.
  const { IdToken } = provider;
  const payload = IdToken.prototype.payload;
  IdToken.prototype.payload = async function overridden(...args) {
    return { ...(await payload.apply(this, args)), ...overrides['id-token'] };
  };
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  const [, place, id] = url.pathname.split('/');
  if (place === 'control' && id === 'rotate') {
    keys = [newKey(), ...(url.searchParams.has('keep') ? keys : [])];
    renew();
    response.end();
  } else if (place === 'control') {
    overrides[id] = JSON.parse(await body(request));
    response.end();
  } else if (place === 'interaction' && request.method === 'POST') {
    const address = new URLSearchParams(await body(request)).get('email');
    const result = people[address]
      ? { login: { accountId: address } }
      : { error: 'access_denied', error_description: 'nobody <b>knows</b> you' };
    await provider.interactionFinished(request, response, result);
  } else if (place === 'interaction') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Private provider</title><form method="post">
      <label>Address <input name="email" autofocus></label> <button>Sign in</button></form>`);
  } else if (place === 'elsewhere') {
    // A page that has nothing to do with signing in.
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<!doctype html><title>Elsewhere</title>');
  } else {
    provider.callback()(request, response);
  }
});

let issuer;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  renew();
  console.log(`listening on ${issuer}`);
});
process.stdin.on('end', () => process.exit()).resume();
