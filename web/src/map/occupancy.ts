/** Where on the screen there is room for a label: a coarse map of taken cells. */

const CELL = 4

export class Occupancy {
  private readonly columns: number
  private readonly rows: number
  private readonly taken: Uint8Array

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    this.columns = Math.max(1, Math.ceil(width / CELL))
    this.rows = Math.max(1, Math.ceil(height / CELL))
    this.taken = new Uint8Array(this.columns * this.rows)
  }

  private each(
    left: number,
    top: number,
    width: number,
    height: number,
    visit: (at: number) => boolean,
  ): boolean {
    const c0 = Math.max(0, Math.floor(left / CELL))
    const c1 = Math.min(this.columns - 1, Math.ceil((left + width) / CELL) - 1)
    const r0 = Math.max(0, Math.floor(top / CELL))
    const r1 = Math.min(this.rows - 1, Math.ceil((top + height) / CELL) - 1)
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) if (!visit(r * this.columns + c)) return false
    }
    return true
  }

  /** True when the whole rectangle lies on the screen and is free. */
  free(left: number, top: number, width: number, height: number): boolean {
    if (left < 0 || top < 0 || left + width > this.width || top + height > this.height) return false
    return this.each(left, top, width, height, (at) => this.taken[at] === 0)
  }

  take(left: number, top: number, width: number, height: number): void {
    this.each(left, top, width, height, (at) => {
      this.taken[at] = 1
      return true
    })
  }
}
