// A server that dies under running subscribers of every kind, and comes back.
import { until } from '../support/harness.mjs';
import { Cli, documents, forms } from './cli.mjs';
import { connectPeer } from './peer.mjs';

/** Subscribers of both forms over both transports. */
function listenAll(server) {
    const kinds = forms.flatMap((form) => [new Cli(form, server.wsUrl), new Cli(form, server.url)]);
    return Promise.all(kinds.map((cli) => cli.listen(['sub', 'restart.>', '--json'])));
}

const lines = (sub) => documents(sub.stdout()).map((line) => line.data);

export async function restartCase(report, generation, server) {
    await report.test(
        `subscribers survive kill -9 and a restart (${generation})`,
        async () => {
            const subs = await listenAll(server);
            let peer = await connectPeer(server.url);
            peer.publish('restart.before', '1');
            await peer.flush();
            await until(
                () => subs.every((sub) => lines(sub).length === 1),
                5000,
                'the first message',
            );
            await peer.close();
            await server.kill();
            await server.restart();
            const isBack = (sub) => sub.stderr().includes('connected again');
            await until(() => subs.every(isBack), 30000, 'connected again').catch((error) => {
                throw new Error(`${error.message}: ${subs.map((sub) => sub.stderr()).join('|')}`);
            });
            peer = await connectPeer(server.wsUrl);
            // The subscriptions are on their way before anybody can know of the connection.
            await until(
                async () => {
                    peer.publish('restart.after', '2');
                    await peer.flush();
                    return subs.every((sub) => lines(sub).includes('2'));
                },
                5000,
                'the message after the restart',
            );
            await peer.close();
            const ends = await Promise.all(subs.map((sub) => sub.stop('SIGTERM', 5000)));
            if (ends.some((end) => end.code !== 0)) {
                throw new Error(`exit status: ${ends.map((end) => end.code)}`);
            }
        },
        60000,
    );
}
