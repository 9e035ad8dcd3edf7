// Keys and tokens for servers that ask for them: nkeys, and an operator whose account signs users.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm, tempFolder } from './harness.mjs';

const { encodeAccount, encodeOperator, encodeUser, fmtCreds } = npm('@nats-io/jwt');
const { createAccount, createOperator, createUser } = npm('@nats-io/nkeys');

const text = (bytes) => Buffer.from(bytes).toString();
const UNLIMITED = {
    conn: -1,
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
};

/** A key of a user: { public, seed }. */
export function makeUserKey() {
    const pair = createUser();
    return { public: pair.getPublicKey(), seed: text(pair.getSeed()) };
}

/** An operator with a system account and one account for users.  A server takes it as
 *  startServer({ operator }). */
export class Operator {
    #operator = createOperator();
    #system = createAccount();
    #account = createAccount();
    #folder = tempFolder('natlet-creds-');
    #users = 0;
    #jwts = {};
    #limits;
    #revoked = {};

    /** limits: of the account, as its token names them (conn, subs, payload, ...). */
    static async make(limits = {}) {
        const self = new Operator();
        const system = { system_account: self.#system.getPublicKey() };
        self.#limits = { ...UNLIMITED, ...limits };
        self.#jwts.operator = await encodeOperator('O', self.#operator, system);
        self.#jwts.system = await self.#sign('SYS', self.#system, { limits: UNLIMITED });
        self.#jwts.account = await self.#sign('A', self.#account, { limits: self.#limits });
        return self;
    }

    #sign(name, key, claims) {
        return encodeAccount(name, key, claims, { signer: this.#operator });
    }

    /** The server's settings for it. */
    get settings() {
        const system = this.#system.getPublicKey();
        return {
            operator: this.#jwts.operator,
            system_account: system,
            resolver: 'MEMORY',
            resolver_preload: {
                [system]: this.#jwts.system,
                [this.#account.getPublicKey()]: this.#jwts.account,
            },
        };
    }

    /** A user of the account: { name, public, seed, jwt, creds, file }; `file` holds `creds`.
     *
     *  options: name, isBearer, expiresIn (seconds; may be negative), connectionTypes,
     *  publish and subscribe ({ allow, deny }), responses ({ max, ttl } with ttl in ns),
     *  isSystem (of the system account). */
    async user(options = {}) {
        const { name = `user${this.#users}`, isBearer = false, connectionTypes = [] } = options;
        const pair = createUser();
        const rights = {
            bearer_token: isBearer,
            allowed_connection_types: connectionTypes,
            pub: options.publish ?? {},
            sub: options.subscribe ?? {},
            ...(options.responses && { resp: options.responses }),
        };
        const seconds = options.expiresIn;
        const until = seconds === undefined ? {} : { exp: Math.floor(Date.now() / 1000) + seconds };
        const issuer = options.isSystem ? this.#system : this.#account;
        const jwt = await encodeUser(name, pair, issuer, rights, until);
        const creds = text(fmtCreds(jwt, pair));
        const file = path.join(this.#folder, `${this.#users++}.creds`);
        writeFileSync(file, creds);
        return { name, jwt, creds, file, public: pair.getPublicKey(), seed: text(pair.getSeed()) };
    }

    /** Takes a user's right away; a server knows of it after reload({ operator }). */
    async revoke(user) {
        this.#revoked[user.public] = Math.floor(Date.now() / 1000) + 1;
        const claims = { limits: this.#limits, revocations: this.#revoked };
        this.#jwts.account = await this.#sign('A', this.#account, claims);
    }
}
