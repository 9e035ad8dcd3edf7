import { wsconnect } from 'natlet';
import bytes from 'natlet/wasm/natlet-core.wasm';

self.onmessage = async ({ data: servers }) => {
    const nc = await wsconnect({ servers, module: bytes });
    nc.subscribe('worker', { callback: (_error, m) => m.respond(`worker ${m.string()}`) });
    const answer = await nc.request('worker', 'hello');
    await nc.drain();
    self.postMessage(answer.string());
};
