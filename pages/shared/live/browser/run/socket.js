// Connection: a run's stream. It passes messages on, acknowledges drawn frames and reconnects.

const SHORTEST_WAIT = 500; // ms before the first attempt to reconnect
const LONGEST_WAIT = 8000; // ms

export class Connection {
  /** `owner` has address(), hear(message), take(buffer) and lost(). */
  constructor(owner) {
    this.owner = owner;
    this.wait = SHORTEST_WAIT;
  }

  open() {
    this.close();
    const socket = (this.socket = new WebSocket(this.owner.address()));
    const ours = (act) => (event) => socket === this.socket && act(event);
    socket.binaryType = "arraybuffer";
    socket.onopen = ours(() => document.hidden && this.say("hidden"));
    socket.onmessage = ours(({ data }) => this.receive(data));
    socket.onclose = ours(() => this.mend());
    this.owed = 0; // frames received and not yet acknowledged
  }

  close() {
    clearTimeout(this.retry);
    const socket = this.socket;
    this.socket = null; // later messages of the closed socket are ignored
    socket?.close();
  }

  receive(data) {
    if (typeof data !== "string") {
      this.owed++;
      return this.owner.take(data);
    }
    const message = JSON.parse(data);
    if (!message.error) this.wait = SHORTEST_WAIT;
    this.owner.hear(message);
  }

  /** Acknowledge what was drawn: the server keeps at most two frames on their way. */
  acknowledge() {
    for (; this.owed > 0; this.owed--) this.say("drawn");
  }

  say(word) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(word);
  }

  mend() {
    this.owner.lost();
    this.retry = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
