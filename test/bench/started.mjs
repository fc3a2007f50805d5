import { World, sleep } from '../e2e/lib/world.mjs';

/** A world, tried again where its machine or its database was not yet up to the first request. */
export async function started(how) {
  for (let i = 0; ; i++) {
    try {
      return await World.start(how);
    } catch (error) {
      if (i === 5 || !/503/.test(error.message)) throw error;
      await sleep(500);
    }
  }
}
