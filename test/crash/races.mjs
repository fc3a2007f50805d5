// A million racing redemptions over two nodes: races.mjs [REDEMPTIONS] [STORE]
import { World } from '../e2e/lib/world.mjs';
import { raceInBulk } from './race.mjs';

const redemptions = Number(process.argv[2] ?? 1_000_000);
const store = process.argv[3] ?? 'postgres';
const w = await World.start({ sample: false, store, nodes: 2, env: { WARDER_REFRESH_GRACE: '0' } });
try {
  const begun = performance.now();
  let last = 0;
  const counts = await raceInBulk(w, redemptions, {
    onSecond: (now) => {
      if (now.redemptions - last < redemptions / 20) return;
      last = now.redemptions;
      console.log(`${last} redemptions, ${Math.round((last / (performance.now() - begun)) * 1000)} a second`);
    },
  });
  const seconds = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ store, seconds: Math.round(seconds), perSecond: Math.round(counts.redemptions / seconds), ...counts }));
  if (counts.doubled || counts.none || counts.won !== counts.codes + counts.refreshTokens) process.exitCode = 1;
} finally {
  await w.stop();
}
