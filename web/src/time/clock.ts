/**
 * The node's clock as this page knows it.
 *
 * It runs on the monotonic clock of the browser, so a laptop whose wall clock is wrong or is set
 * while the page is open still shows the node's time. Everything aged on the page uses it.
 */
export class ServerClock {
  private offset_ms: number

  constructor(
    private readonly monotonic_ms: () => number,
    wall_ms: number,
  ) {
    this.offset_ms = wall_ms - monotonic_ms()
  }

  /** UTC in whole milliseconds: as times are everywhere, and as the node takes them. */
  now_ms(): number {
    return Math.round(this.monotonic_ms() + this.offset_ms)
  }

  /** Takes the node's word, from `hello` or `/me`. */
  set(server_ms: number): void {
    if (server_ms > 0) this.offset_ms = server_ms - this.monotonic_ms()
  }

  /** Time that passed without the monotonic clock: the machine slept. */
  advance(by_ms: number): void {
    this.offset_ms += by_ms
  }

  /** A frame can only be late: when it is ahead of this clock, this clock slept. */
  atLeast(server_ms: number): void {
    if (server_ms > this.now_ms()) this.set(server_ms)
  }
}
