// Two bridges, one refresh token: both are refused at the same moment, round after round, by a server
// whose authorization server ends the whole grant when a refresh token comes twice.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ClientHome } from './lib/client_home.mjs';
import { PeopleProvider, visits } from './lib/people_provider.mjs';
import { SmallMcp, jwtScope } from './lib/small_mcp.mjs';

const ROUNDS = Number(process.env.WARDER_REFRESH_ROUNDS ?? 200);

describe('two bridges that refresh at the same moment', () => {
  let provider;
  let server;
  let home;
  before(async () => {
    provider = await PeopleProvider.start('use');
    server = await SmallMcp.start({ issuer: provider.issuer, accepts: jwtScope(() => server.url) });
    home = new ClientHome({ visit: visits(provider.issuer) });
    const answer = await home.run(['token', server.url, '--fresh', '--interactive', '--json']);
    assert.equal(answer.code, 0, answer.stderr);
  });
  after(async () => {
    home?.remove();
    await server?.stop();
    await provider?.stop();
  });

  test(`neither loses its session in ${ROUNDS} rounds`, async () => {
    const bridge = async () => {
      const [command, ...args] = home.words('connect', server.url);
      const client = new Client({ name: 'e2e', version: '1' }, { capabilities: {} });
      await client.connect(new StdioClientTransport({ command, args, env: home.env, stderr: 'ignore' }));
      return client;
    };
    const bridges = await Promise.all([bridge(), bridge()]);
    const consumed = provider.count('refresh_token.consumed');
    try {
      for (let round = 0; round < ROUNDS; round++) {
        server.refuseAll();
        server.seen.length = 0;
        const answers = await Promise.all(bridges.map((client, i) => client.callTool({ name: 'echo', arguments: { text: `${round} ${i}` } })));
        answers.forEach((answer, i) => assert.equal(answer.content[0].text, `${round} ${i}`));
      }
    } finally {
      await Promise.all(bridges.map((client) => client.close()));
    }
    const refreshes = provider.count('refresh_token.consumed') - consumed;
    assert.equal(refreshes, ROUNDS, 'one refresh a round serves both');
    assert.equal(provider.count('grant.revoked'), 0);
    assert.equal(home.pages().length, 1, 'nobody was asked again');
  });

  test('five at once, each a process of its own', async () => {
    for (let round = 0; round < 5; round++) {
      server.refuseAll();
      server.refused.add((await home.run(['token', server.url, '--secret'])).stdout.trim());
      const answers = await Promise.all(Array.from({ length: 5 }, () => home.run(['call', server.url, 'echo', '{"text":"x"}', '--json'])));
      for (const answer of answers) assert.equal(answer.code, 0, answer.stderr);
    }
    assert.equal(provider.count('grant.revoked'), 0);
  });
});
