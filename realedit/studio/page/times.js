// How fast the studio answers: from what the hand did to the picture that shows it. Read by the benchmark.

const KEPT = 4000;

export class Times {
  constructor() {
    this.begun = new Map(); // number -> when it was asked for
    this.answers = []; // {number, kind, ms}
    this.pictures = []; // when each was on the screen
  }

  asked(number, kind = "hand") {
    this.begun.set(number, { at: performance.now(), kind });
    if (this.begun.size > KEPT) this.begun.delete(this.begun.keys().next().value);
  }

  painted(number) {
    // A picture answers everything up to its number; what is older than the last answer was answered before.
    const now = performance.now();
    this.pictures.push(now);
    for (const [asked, { at, kind }] of this.begun) {
      if (asked > number) continue;
      this.answers.push({ number: asked, kind, ms: now - at });
      this.begun.delete(asked);
    }
    if (this.pictures.length > KEPT) this.pictures.shift();
    if (this.answers.length > KEPT) this.answers.splice(0, this.answers.length - KEPT);
  }
}
