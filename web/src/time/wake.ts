/**
 * Notices that the machine slept: while it does, the monotonic clock of many browsers stands still
 * and the wall clock goes on.
 */

/** Clocks are corrected by less than this while a page is open. */
export const SLEPT_MS = 3000

export class WakeWatch {
  private difference_ms: number

  constructor(wall_ms: number, monotonic_ms: number) {
    this.difference_ms = wall_ms - monotonic_ms
  }

  /**
   * How long the machine slept since the last look, 0 when it did not. A wall clock that somebody
   * set ahead looks the same: the page then believes itself too old until the node says the time.
   */
  slept_ms(wall_ms: number, monotonic_ms: number): number {
    const gap_ms = wall_ms - monotonic_ms - this.difference_ms
    this.difference_ms += gap_ms
    return gap_ms > SLEPT_MS ? gap_ms : 0
  }
}
