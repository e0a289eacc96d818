// Signs in and out with Debian's Chromium, as a person would; prints what it met as one line of JSON.
//
//   node browser.mjs NODE_MODULES CHROMIUM ORIGIN_OF_DOSSIER ORIGIN_OF_ANOTHER_PAGE FOLDER_OF_SCREENSHOTS

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, chromium, origin, elsewhere, screenshots] = process.argv.slice(2);
const playwright = await import(pathToFileURL(join(modules, 'playwright-core/index.mjs')));
const profile = mkdtempSync(join(tmpdir(), 'dossier-chromium-'));
const context = await playwright.chromium.launchPersistentContext(profile, {
  executablePath: chromium,
  headless: true,
  viewport: { width: 900, height: 600 },
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const met = {};
try {
  const page = context.pages()[0];

  async function signIn(address) {
    await page.goto(`${origin}/sign-in`);
    await page.fill('input[name=email]', address);
    await page.click('button');
    await page.waitForURL((url) => url.origin === origin);
  }
  const ask = (path, options) =>
    page.evaluate(async ([at, how]) => {
      const answer = await fetch(at, how);
      return { status: answer.status, body: await answer.json() };
    }, [path, options]);

  // Somebody whose address nobody has verified.
  await signIn('unverified@acme.example');
  met.refused = await page.textContent('body');
  await page.screenshot({ path: join(screenshots, 'refused.png') });
  await context.clearCookies();

  await signIn('agent-north@support.example');
  met.at = new URL(page.url()).pathname;
  met.session = (await ask('/session')).body;
  met.readable = await page.evaluate(() => document.cookie);
  // Cookies know no ports: the provider's are there too.
  const cookies = (await context.cookies(origin)).filter(({ name }) => name.startsWith('dossier'));
  met.cookies = cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));
  met.cases = (await ask('/v2/organizations/acme/cases')).status;
  const json = { 'content-type': 'application/json', accept: 'application/json' };
  const filing = { method: 'POST', headers: json, body: '{}' };
  met.unguarded = await ask('/v2/organizations/acme/cases', filing);

  // A page of another origin, whose requests the browser sends with the same cookies: a form needs nobody's leave.
  await page.goto(`${elsewhere}/elsewhere`);
  await page.setContent(`<form method="post" action="${origin}/sign-out"><button>A kitten</button></form>`);
  await page.click('button');
  await page.waitForURL((url) => url.origin === origin);
  met.forged = await page.textContent('body');
  met.crossOrigin = await (async () => {
    await page.goto(`${elsewhere}/elsewhere`);
    return page.evaluate((url) => fetch(url, { credentials: 'include' }).then(() => 'read', () => 'not read'),
      `${origin}/session`);
  })();

  await page.goto(`${origin}/session`);
  const token = (await ask('/session')).body.csrfToken;
  const guard = { 'dossier-csrf-token': token, accept: 'application/json' };
  met.signedOut = await ask('/sign-out', { method: 'POST', headers: guard });
  met.after = await ask('/session');
  await page.goto(`${origin}/signed-out`);
  await page.screenshot({ path: join(screenshots, 'signed-out.png') });
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(met));
