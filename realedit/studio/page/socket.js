// The WebSocket: commands out, events and pictures in; it comes back by itself.

export class Socket {
  // on: functions by the type of event; "picture" gets (header, blob), "lost" comes when nobody answers.
  constructor(on) {
    this.on = on;
    this.tries = 0;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/api/socket`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => (this.tries = 0);
    socket.onmessage = (message) => {
      if (typeof message.data === "string") {
        const event = JSON.parse(message.data);
        this.on[event.type]?.(event);
      } else {
        const length = new DataView(message.data).getUint32(0);
        const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message.data, 4, length)));
        this.on.picture(header, new Blob([new Uint8Array(message.data, 4 + length)], { type: "image/jpeg" }));
      }
    };
    socket.onclose = () => {
      this.tries += 1;
      if (this.tries > 2) this.on.lost();
      setTimeout(() => this.connect(), Math.min(500 * this.tries, 3000));
    };
    this.socket = socket;
  }

  send(type, fields = {}) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type, ...fields }));
  }
}
