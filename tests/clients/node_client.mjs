#!/usr/bin/env node
// Drives a server with Google's Node client, v2 and v2beta.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {createRequire} from 'node:module';
import {Readable} from 'node:stream';

// Found by NODE_PATH: what npm installs stays out of the sources.
const {google} = createRequire(import.meta.url)('googleapis');

function env(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`set ${name} in the environment`);
    process.exit(1);
  }
  return value;
}

const ROOT = env('BASE_URL').replace(/\/*$/, '/');
const TOKEN = env('TOKEN');
const PARENT = env('PARENT');
const OTHER_PARENT = env('OTHER_PARENT');
const TAG = 'chk' + randomBytes(6).toString('hex');
const checks = [];
const check = (name, body) => checks.push([name, body]);

/** The client of one version, and what its checks made so far. */
function newRun(version) {
  const auth = new google.auth.OAuth2();
  auth.setCredentials({access_token: TOKEN});
  const client = google.cloudsupport({version, auth, rootUrl: ROOT});
  return {version, client, cases: client.cases, tag: TAG + version};
}

/** The items of all pages, page by page. */
async function pages(call, field, parameters) {
  const found = [];
  let pageToken;
  do {
    const {data} = await call({...parameters, pageToken});
    found.push(data[field] ?? []);
    pageToken = data.nextPageToken;
  } while (pageToken);
  return found;
}
const listed = (run, parameters) => pages(p => run.cases.list(p), 'cases', {parent: PARENT, ...parameters});
const names = found => found.flat().map(one => one.name);

async function eventually(probe, message) {
  for (let i = 0; i < 20; i++) {
    if (await probe()) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  assert.fail(message);
}

async function refused(code, status, call) {
  const error = await call().then(
    answer => assert.fail(`wanted ${code}, got ${JSON.stringify(answer.data).slice(0, 200)}`), error => error);
  if (error instanceof assert.AssertionError) throw error;
  assert.equal(error.status, code, error.message);
  const body = error.response.data.error;
  assert.deepEqual([body.code, body.status, body.message], [code, status, error.message]);
  assert.equal(body.details[0]['@type'], 'type.googleapis.com/google.rpc.ErrorInfo');
}

check('classifications are found by a pattern and page by page', async run => {
  const search = p => run.client.caseClassifications.search(p);
  const every = (await pages(search, 'caseClassifications', {pageSize: 100})).flat();
  assert.ok(every.length > 1);
  run.classification = every[0];
  const leaf = every[0].displayName.split(' > ').at(-1);
  const {data} = await search({query: `display_name:"*${leaf}*"`});
  assert.ok(data.caseClassifications.some(one => one.id === every[0].id));
  assert.deepEqual((await pages(search, 'caseClassifications', {pageSize: 1})).flat(), every);
  if (run.version === 'v2beta') {
    const {data} = await search({'product.productLine': 'GOOGLE_CLOUD'});
    assert.ok(data.caseClassifications.every(one => one.product.productLine === 'GOOGLE_CLOUD'));
  }
});

async function newCase(run, title, more = {}) {
  const requestBody = {
    displayName: `${run.tag} ${title}`, description: `about ${title}`, priority: 'P3',
    classification: {id: run.classification.id}, testCase: true, ...more,
  };
  return (await run.cases.create({parent: PARENT, requestBody})).data;
}

check('a case is created and read', async run => {
  run.case = await newCase(run, 'main é 漢字 😀', {priority: 'P2', subscriberEmailAddresses: ['one@acme.example']});
  assert.equal(run.case.displayName, `${run.tag} main é 漢字 😀`);
  assert.deepEqual([run.case.priority, run.case.state, run.case.testCase], ['P2', 'NEW', true]);
  assert.deepEqual((await run.cases.get({name: run.case.name})).data, run.case);
});

check('cases are listed by filter page by page', async run => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await newCase(run, `page ${i}`, {priority: 'P4'})).name);
  const wanted = {filter: 'state=OPEN AND (priority=P4 OR priority=P0)'};
  if (run.version === 'v2beta') wanted.productLine = 'GOOGLE_CLOUD';
  const all = async () => names(await listed(run, {...wanted, pageSize: 100}));
  await eventually(async () => (await all()).filter(name => made.includes(name)).length === 3, 'not listed');
  const found = await listed(run, {...wanted, pageSize: 2});
  assert.ok(found.every(page => page.length <= 2 && page.every(one => ['P0', 'P4'].includes(one.priority))));
  assert.deepEqual(names(found), await all());
});

check('cases are searched by text and fields', async run => {
  const words = `"${run.tag} MAIN é 漢字" AND priority=P2 AND update_time>"2020-01-01T00:00:00-05:00"`;
  const wanted = run.version === 'v2'
    ? {parent: PARENT, query: words}
    : {query: `organization="${PARENT}" AND ${words}`};
  const found = async () => names(await pages(p => run.cases.search(p), 'cases', wanted));
  await eventually(async () => (await found()).includes(run.case.name), 'not found');
  assert.deepEqual(await found(), [run.case.name]);
});

check('a patch changes what its mask names', async run => {
  const {data} = await run.cases.patch({
    name: run.case.name, updateMask: 'displayName,subscriber_email_addresses',
    requestBody: {displayName: `${run.tag} renamed`, priority: 'P1'},
  });
  assert.deepEqual([data.displayName, data.priority, data.subscriberEmailAddresses ?? []], [`${run.tag} renamed`, 'P2', []]);
  const wrong = {name: run.case.name, updateMask: 'state', requestBody: {state: 'CLOSED'}};
  await refused(400, 'INVALID_ARGUMENT', () => run.cases.patch(wrong));
});

check('comments are made, read and listed', async run => {
  const made = [];
  for (const body of ['line\r\nline', 'é 😀 \u202e', '{}']) {
    made.push((await run.cases.comments.create({parent: run.case.name, requestBody: {body}})).data);
    assert.equal(made.at(-1).body, body);
  }
  const found = () => pages(p => run.cases.comments.list(p), 'comments', {parent: run.case.name, pageSize: 2});
  await eventually(async () => (await found()).flat().length === 3, 'not listed');
  assert.deepEqual(new Set(names(await found())), new Set(made.map(one => one.name)));
  assert.deepEqual((await run.cases.comments.get({name: made[0].name})).data, made[0]);
});

const CONTENTS = {
  'all bytes.bin': Buffer.from([...Array(256).keys()]),
  'large.bin': randomBytes(3 << 20),
  'ends like a delimiter.txt': Buffer.from('text\r\n--\r\n\r'),
  'empty.txt': Buffer.alloc(0),
};

check('files are uploaded as multipart, in chunks and without a length', async run => {
  run.files = {};
  for (const [filename, content] of Object.entries(CONTENTS)) {
    const half = content.length >> 1;
    const body = Readable.from([content.subarray(0, half), content.subarray(half)].filter(piece => piece.length));
    const {data} = await run.client.media.upload({
      parent: run.case.name, requestBody: {attachment: {filename}}, media: {mimeType: 'application/x-thing', body},
    }, {rootUrl: ROOT});
    assert.deepEqual([data.filename, data.mimeType, data.sizeBytes], [filename, 'application/x-thing', String(content.length)]);
    run.files[filename] = data;
  }
  const foreign = {parent: `${OTHER_PARENT}/cases/1`, requestBody: {attachment: {filename: 'a'}},
    media: {mimeType: 'text/plain', body: Readable.from([Buffer.alloc(1 << 20)])}};
  await refused(403, 'PERMISSION_DENIED', () => run.client.media.upload(foreign, {rootUrl: ROOT}));
});

check('a file alone is uploaded under the name in the query', async run => {
  const file = {parent: run.case.name, 'attachment.filename': 'alone ü.txt', media: {mimeType: 'text/plain', body: Buffer.from('alone')}};
  const {data} = await run.client.media.upload(file, {rootUrl: ROOT});
  assert.deepEqual([data.filename, data.mimeType, data.sizeBytes], ['alone ü.txt', 'text/plain', '5']);
  const content = await run.client.media.download({name: data.name, alt: 'media'}, {responseType: 'text'});
  assert.equal(content.data, 'alone');
  run.files['alone ü.txt'] = data;
  delete file['attachment.filename'];
  await refused(400, 'INVALID_ARGUMENT', () => run.client.media.upload(file, {rootUrl: ROOT}));
});

check('attachments are read and listed', async run => {
  const found = () => pages(p => run.cases.attachments.list(p), 'attachments', {parent: run.case.name, pageSize: 2});
  await eventually(async () => (await found()).flat().length === 5, 'not listed');
  for (const file of (await found()).flat()) assert.deepEqual(file, run.files[file.filename]);
  const {name} = run.files['empty.txt'];
  assert.deepEqual((await run.cases.attachments.get({name})).data, run.files['empty.txt']);
});

check('files are downloaded, whole and a range of one', async run => {
  for (const [filename, content] of Object.entries(CONTENTS)) {
    const {name} = run.files[filename];
    const {data} = await run.client.media.download({name, alt: 'media'}, {responseType: 'arraybuffer'});
    assert.ok(Buffer.from(data).equals(content), filename);
  }
  const {name} = run.files['all bytes.bin'];
  const part = await run.client.media.download({name, alt: 'media'}, {responseType: 'arraybuffer', headers: {Range: 'bytes=3-5'}});
  assert.deepEqual([part.status, [...new Uint8Array(part.data)]], [206, [3, 4, 5]]);
});

check('the feed shows comments and attachments', async run => {
  if (run.version === 'v2') return assert.equal(run.cases.showFeed, undefined);
  const items = (await pages(p => run.cases.showFeed(p), 'feedItems', {parent: run.case.name, pageSize: 3, orderBy: 'creation_time desc'})).flat();
  assert.deepEqual(items.map(item => 'attachment' in item), [true, true, true, true, true, false, false, false]);
  await refused(400, 'INVALID_ARGUMENT', () => run.cases.showFeed({parent: run.case.name, orderBy: 'name'}));
});

check('a long get is a long line', async run => {
  const filter = 'state=OPEN AND (' + Array(540).fill('priority=P2').join(' OR ') + ')';
  const {data} = await run.cases.list({parent: PARENT, filter, pageSize: 1});
  assert.equal(data.cases[0].priority, 'P2');
  // The same as the other clients send it.
  const url = `${ROOT}${run.version}/${PARENT}/cases`;
  const headers = {Authorization: `Bearer ${TOKEN}`, 'x-http-method-override': 'GET', 'Content-Type': 'application/x-www-form-urlencoded'};
  const answer = await fetch(url, {method: 'POST', headers, body: new URLSearchParams({filter, pageSize: '1'})});
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), data);
});

check('a case is escalated and closed', async run => {
  const {name} = run.case;
  const requestBody = {escalation: {reason: 'RESOLUTION_TIME', justification: 'it takes long'}};
  assert.equal((await run.cases.escalate({name, requestBody})).data.escalated, true);
  assert.equal((await run.cases.close({name})).data.state, 'CLOSED');
  await refused(400, 'FAILED_PRECONDITION', () => run.cases.escalate({name, requestBody}));
});

check('refusals arrive in the published shape', async run => {
  await refused(400, 'INVALID_ARGUMENT', () => run.cases.list({parent: PARENT, filter: 'nosuchfield=1'}));
  await refused(400, 'INVALID_ARGUMENT', () => run.cases.create({parent: PARENT, requestBody: {displayName: 'half'}}));
  await refused(403, 'PERMISSION_DENIED', () => run.cases.list({parent: OTHER_PARENT}));
  await refused(404, 'NOT_FOUND', () => run.cases.get({name: `${PARENT}/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV`}));
  const auth = new google.auth.OAuth2();
  auth.setCredentials({access_token: 'wrong'});
  await refused(401, 'UNAUTHENTICATED', () => run.cases.list({parent: PARENT, auth}));
});

let passed = 0;
let failed = 0;
for (const run of [newRun('v2'), newRun('v2beta')]) {
  for (const [name, body] of checks) {
    try {
      await body(run);
      passed += 1;
      console.log(`ok   ${name} (${run.version})`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name} (${run.version}): ${String(error.stack).slice(0, 1000)}`);
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
