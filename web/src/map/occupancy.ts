/** Where on the screen there is room for a label: a coarse map of taken cells. */

const CELL = 4

export class Occupancy {
  private readonly columns: number
  private readonly rows: number
  private readonly taken: Uint8Array

  constructor(
    readonly width: number,
    private readonly height: number,
  ) {
    this.columns = Math.max(1, Math.ceil(width / CELL))
    this.rows = Math.max(1, Math.ceil(height / CELL))
    this.taken = new Uint8Array(this.columns * this.rows)
  }

  /** The same, nothing taken, for a screen of this size: itself when that has not changed. */
  cleared(width: number, height: number): Occupancy {
    if (width !== this.width || height !== this.height) return new Occupancy(width, height)
    this.taken.fill(0)
    return this
  }

  /** True when the whole rectangle lies on the screen and is free. */
  free(left: number, top: number, width: number, height: number): boolean {
    if (left < 0 || top < 0 || left + width > this.width || top + height > this.height) return false
    const c0 = Math.floor(left / CELL)
    const c1 = Math.ceil((left + width) / CELL)
    const r0 = Math.floor(top / CELL)
    const r1 = Math.ceil((top + height) / CELL)
    for (let r = r0; r < r1; r++) {
      for (let at = r * this.columns + c0; at < r * this.columns + c1; at++) if (this.taken[at]) return false
    }
    return true
  }

  /** Parts off the screen take nothing. */
  take(left: number, top: number, width: number, height: number): void {
    const c0 = Math.max(0, Math.floor(left / CELL))
    const c1 = Math.min(this.columns, Math.ceil((left + width) / CELL))
    const r0 = Math.max(0, Math.floor(top / CELL))
    const r1 = Math.min(this.rows, Math.ceil((top + height) / CELL))
    if (c1 <= c0) return
    const { taken, columns } = this
    for (let r = r0; r < r1; r++) {
      // A symbol is seven cells wide: to call `fill` for so few costs more than to write them.
      for (let at = r * columns + c0; at < r * columns + c1; at++) taken[at] = 1
    }
  }

  /** Takes so much more on the right of a rectangle that was taken, on its left when less than 0; false: there is no room. */
  widen(left: number, top: number, width: number, height: number, by: number): boolean {
    // The rest of its last column is its own already.
    const from = by > 0 ? Math.ceil((left + width) / CELL) * CELL : left + by
    const to = by > 0 ? left + width + by : Math.floor(left / CELL) * CELL
    if (!this.free(from, top, to - from, height)) return false
    this.take(from, top, to - from, height)
    return true
  }
}
