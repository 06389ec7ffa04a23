// Lets Node.js libraries judge what the system's resolver says of a mail domain:
//
//   node.mjs mail IP HELO SENDER <MAIL     mailauth: SPF, DKIM and DMARC of a mail that IP hands over
//   node.mjs sts DOMAIN                    mx-connect: the exchange of DOMAIN that MTA-STS lets a sender reach
//   node.mjs dane DOMAIN                   mx-connect: the exchange of DOMAIN whose key its TLSA records have
//
// A verdict is one line on standard output; an error is one line on standard error, and exit code 1.

import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { text } from 'node:stream/consumers';
import { authenticate } from 'mailauth';
import { resolvePolicy } from 'mailauth/lib/mta-sts.js';
import mxConnect from 'mx-connect';

const limit = 20_000; // milliseconds

const verifiers = { mail, sts, dane };

async function mail(ip, helo, sender) {
    const options = { ip, helo, sender, mta: 'test', disableArc: true, disableBimi: true };
    const { spf, dkim, dmarc } = await authenticate(await text(process.stdin), options);
    const signatures = dkim.results.map(({ algo, status: s }) => `${algo} ${s.result} ${s.comment || ''}`.trim());
    const policy = `dmarc ${dmarc.status.result}, policy ${dmarc.policy}`;
    return [`spf ${spf.status.result}`, `dkim ${signatures.join(', ')}`, policy].join('; ');
}

async function sts(target) {
    const to = await mxConnect({ target, maxConnectTime: limit, mtaSts: { enabled: true } });
    await peer(to, to.policyMatch.mode === 'enforce');
    const id = await resolvePolicy(target, { strict: true }); // mx-connect takes an id that is none
    return `${to.hostname}; policy ${to.policyMatch.mode}, id ${id}`;
}

async function dane(target) {
    const to = await mxConnect({ target, maxConnectTime: limit, dane: { enabled: true, resolveTlsa } });
    const wrong = to.daneVerifier(to.hostname, await peer(to, false));
    if (wrong) throw wrong;
    return `${to.hostname}; TLSA ${to.tlsaRecords.length}`;
}

// resolveTlsa asks Node.js, whose names of the fields mx-connect 2.0.0 does not know.
async function resolveTlsa(name) {
    const records = await dns.resolveTlsa(name);
    return records.map(r => ({ usage: r.certUsage, selector: r.selector, mtype: r.match, cert: r.data }));
}

// peer returns the certificate that an exchange shows after STARTTLS.
async function peer({ socket, hostname }, rejectUnauthorized) {
    const lines = createInterface({ input: socket });
    const replies = lines[Symbol.asyncIterator]();
    for (const line of ['', 'EHLO test', 'STARTTLS']) {
        if (line) socket.write(`${line}\r\n`);
        let reply;
        do reply = (await replies.next()).value; while (reply?.[3] === '-');
        if (!/^2/.test(reply)) throw new Error(`${hostname} says ${reply}`);
    }
    lines.close();
    const secured = tls.connect({ socket, servername: hostname, rejectUnauthorized });
    await once(secured, 'secureConnect');
    return secured.getPeerX509Certificate();
}

setTimeout(() => end(new Error(`no verdict within ${limit} ms`)), limit);

function end(error) {
    console.error(`node.mjs: ${error.message}`);
    process.exit(1);
}

const [name, ...words] = process.argv.slice(2);
try {
    console.log(await verifiers[name](...words));
    process.exit(0);
} catch (error) {
    end(error);
}
