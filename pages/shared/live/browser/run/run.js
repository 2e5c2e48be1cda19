// Run: the browser's copy of a run, and the exchange with the server that fills it.

import { API } from "../base/api.js";
import { Connection } from "./socket.js";
import { Store } from "./store.js";

const RETRY = 1500; // ms before the next request for figures

export class Run {
  /** `view` has describe(figures), restart(), changed(rested) and schedule(): see page/main.js. */
  constructor(view) {
    this.view = view;
    this.connection = new Connection(this);
    this.received = 0; // bytes
  }

  /** Follow a run. `other` is true if it is not the run that was followed before. */
  follow({ run, panels, versus, theory }, other) {
    Object.assign(this, { key: run, panels, versus, theory });
    if (other) this.status = this.config = this.failure = this.refusal = null;
    this.described = false; // the charts may still show the previous run
    this.keep(null);
    this.connection.open();
    this.loadFigures();
  }

  /** Ask for the same charts on a different x axis, or with or without theory. */
  describeAs({ versus, theory }) {
    Object.assign(this, { versus, theory });
    this.loadFigures();
  }

  get live() {
    return ["running", "queued"].includes(this.status?.phase);
  }

  keep(store) {
    this.store = store;
    this.view.restart();
  }

  async loadFigures() {
    const asked = (this.asked = {});
    this.greeted = false;
    const { panels, versus, theory } = this;
    const query = new URLSearchParams({ panels: String(panels), versus, theory });
    try {
      const answer = await fetch(`${API}runs/${this.key}/figures?${query}`);
      const { error, figures } = await answer.json();
      if (asked !== this.asked) return; // a newer request is under way
      this.asked = null;
      if (error) this.fail(error);
      else if (figures.length) this.describe(figures);
      else if (this.greeted) this.loadFigures(); // the first record came meanwhile
    } catch {
      setTimeout(() => asked === this.asked && this.loadFigures(), RETRY);
    }
  }

  describe(figures) {
    this.described = true;
    this.view.describe(figures);
  }

  // What the connection calls

  address() {
    const address = new URL(`${API}runs/${this.key}/stream`);
    address.protocol = location.protocol.replace("http", "ws");
    address.search = new URLSearchParams({
      panels: String(this.panels),
      since: this.store?.position ?? 0,
      rows: this.store?.count ?? 0,
      created: this.store ? (this.status?.created ?? "") : "",
    });
    return address;
  }

  hear({ error, hello, config, columns, status }) {
    if (error) return this.refuse(error);
    this.cut = false;
    if (hello) {
      this.refusal = null;
      this.config = config;
      if (String(this.store?.names) !== String(columns)) this.keep(new Store(columns));
      const anew = this.status && this.status.created !== status.created;
      this.greeted = true;
      if (anew || !(this.asked || this.described)) this.loadFigures();
      this.view.greeted?.(status);
    }
    if (!status) return;
    const wasLive = this.live;
    this.status = status;
    this.view.changed(wasLive !== this.live);
  }

  take(buffer) {
    this.received += buffer.byteLength;
    if (this.store?.take(buffer)) return this.view.schedule();
    this.keep(null); // frames are missing in between
    this.connection.open();
  }

  lost() {
    this.cut = true;
    this.view.changed(false);
  }

  /** Show why the server sends nothing; the connection keeps trying, as the reason may pass. */
  refuse(sentence) {
    this.refusal = sentence;
    this.view.changed(false);
  }

  fail(sentence) {
    this.failure = sentence;
    this.leave();
    this.view.changed(false);
  }

  leave() {
    this.asked = null;
    this.connection.close();
  }
}
