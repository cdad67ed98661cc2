import type { Contender, Runner } from '../race/contender.js';
import { denseFlops, type Shape } from '../race/shape.js';
import { type Channel, openProcess } from './channel.js';
import { openPeerPage } from './chromium.js';
import type { Peer } from './peer.js';

/** A peer, in a process or a page of its own; unless it is the first of its case it must compute the same as that. */
export function contenderOf(peer: Peer, shape: Shape): Contender {
  const { implementation, backend, host, mayDiffer } = peer;
  const { tokens, heads, kvHeads, headDim } = shape;
  return {
    facts: {
      ...{ implementation, strategy: 'dense', backend, threads: 1, budget: null },
      ...{ tokens, queries: tokens, heads, kvHeads, headDim },
    },
    ...(host === 'chromium' && { variant: 'in Chromium' }),
    flops: denseFlops(shape),
    same: true,
    mayDiffer,
    start: () => start(peer, shape),
  };
}

async function start({ implementation, host }: Peer, shape: Shape): Promise<Runner> {
  const channel: Channel = host === 'chromium' ? await openPeerPage() : openProcess();
  try {
    await channel.ask({ ask: 'open', implementation, shape });
  } catch (error) {
    await channel.close();
    throw error;
  }
  return {
    async run() {
      const { ms } = await channel.ask({ ask: 'run' });
      return { ms, output: async () => (await channel.ask({ ask: 'output' })).output! };
    },
    dispose: () => channel.close(),
  };
}
