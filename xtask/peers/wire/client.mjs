// A bare gRPC client of the puppet service, made of the protos that are committed here: it hides nothing.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

import { reference, until, within } from "./check.mjs";

export { grpc };
export const { status } = grpc;
export const token = process.env.WECHATY_PUPPET_SERVICE_TOKEN;
export const endpoint = process.env.WECHATY_PUPPET_SERVICE_ENDPOINT;
export const plain = process.env.WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_CLIENT === "true";

const protos = process.env.PEER_PROTOS;
const options = { keepCase: true, longs: Number, arrays: true, includeDirs: [protos] };
const { wechaty, grpc: standard } = grpc.loadPackageDefinition(loadSync(["wechaty/puppet.proto", "grpc/health/v1.proto"], options));

async function certificate() {
  const given = process.env.WECHATY_PUPPET_SERVICE_TLS_CA_CERT;
  if (given) return Buffer.from(given.replaceAll("\\n", "\n"));
  // The root that every published client has built in.
  const url = new URL("./node_modules/wechaty-puppet-service/dist/esm/src/auth/ca.js", import.meta.url);
  return Buffer.from((await import(url)).TLS_CA_CERT);
}

const root = plain ? undefined : await certificate();

/**
 * A connection of its own. `authority: false` tells no token by `:authority`; `agent` is how the user agent begins;
 * `health` is the health service.
 */
export function connect({ as = token, authority = true, agent, health = false, metadata } = {}) {
  const settings = { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": -1 };
  if (authority) settings["grpc.default_authority"] = as;
  if (agent) settings["grpc.primary_user_agent"] = agent;
  if (!plain) settings["grpc.ssl_target_name_override"] = token.slice(0, token.lastIndexOf("_"));
  const Client = health ? standard.health.v1.Health : wechaty.Puppet;
  const client = new Client(endpoint, plain ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(root), settings);
  const extra = new grpc.Metadata();
  if (!plain && authority) extra.set("authorization", `Wechaty ${as}`);
  for (const [key, value] of Object.entries(metadata ?? {})) extra.set(key, value);
  return new Connection(client, extra);
}

class Connection {
  constructor(client, metadata) {
    this.client = client;
    this.metadata = metadata;
  }

  /** The answer of a unary call, or its error. */
  call(method, request = {}, seconds = 60) {
    return new Promise((done) => {
      const deadline = Date.now() + seconds * 1000;
      this.client[method](request, this.metadata, { deadline }, (error, answer) => done(error ?? answer));
    });
  }

  /** All messages of a stream, or its error. */
  async all(method, request = {}, seconds = 60) {
    const found = [];
    const call = this.client[method](request, this.metadata, { deadline: Date.now() + seconds * 1000 });
    return new Promise((done) => {
      call.on("data", (one) => found.push(one)).on("error", done).on("end", () => done(found));
    });
  }

  /** The answer to a stream of requests, or its error. */
  async send(method, requests, seconds = 60) {
    return new Promise((done) => {
      const call = this.client[method](this.metadata, { deadline: Date.now() + seconds * 1000 }, (error, answer) => done(error ?? answer));
      // A refused stream cannot be written to; its error is told above.
      call.on("error", () => {});
      (async () => {
        for (const request of requests) {
          if (!call.write(request)) await within(new Promise((go) => call.once("drain", go)), seconds, "nothing drains").catch(() => {});
        }
        call.end();
      })();
    });
  }

  close() { this.client.close(); }
}

/** An event stream that keeps what it hears. */
export class Events {
  constructor(connection) {
    this.heard = [];
    this.call = connection.client.Event({}, connection.metadata);
    this.call.on("data", ({ type, payload }) => this.heard.push({ type: type ?? 0, payload: JSON.parse(payload) }));
    this.call.on("error", (error) => { this.error = error; });
    this.call.on("status", (status) => { this.status = status; });
    this.call.on("end", () => { this.ended = true; });
  }

  /** A stream after another that its client has cancelled: the server may hear of that a moment later, and refuses until then. */
  static async behind(connection) {
    for (;;) {
      const events = new Events(connection);
      await until(() => events.heard.length > 0 || events.status !== undefined);
      if (events.status?.code !== status.ALREADY_EXISTS) return events;
    }
  }

  /** Waits for an event. */
  until(condition, seconds) { return until(() => this.heard.some(condition), seconds); }
  of(type) { return this.heard.filter((one) => one.type === type).map((one) => one.payload); }
  async cancel() {
    this.call.cancel();
    await until(() => this.status !== undefined);
  }
}

/** Numbers of event types. */
export const EVENT = { heartbeat: 1, message: 2, dong: 3, post: 4, error: 16, friendship: 17, "room-invite": 18, "room-join": 19,
  "room-leave": 20, "room-topic": 21, scan: 22, ready: 23, login: 25, logout: 26, dirty: 27 };

/** Resident memory of the server in MiB, where we were told which process it is. */
export function resident() {
  const pid = process.env.PEER_PID;
  if (!pid || reference) return undefined;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}
