/** Which sprite lies under a point: a flat grid over the places that are in view. */

export class PickGrid {
  private readonly cells = new Map<number, number[]>()

  /** `edge` is the width of a cell, in the same unit as x and y. */
  constructor(private readonly edge: number) {}

  private key(column: number, row: number): number {
    return row * 0x200_0000 + column
  }

  add(handle: number, x: number, y: number): void {
    const key = this.key(Math.floor(x / this.edge), Math.floor(y / this.edge))
    const cell = this.cells.get(key)
    if (cell) cell.push(handle)
    else this.cells.set(key, [handle])
  }

  /** The nearest handle within `radius` (at most one cell); `at` gives a handle's place. */
  nearest(
    x: number,
    y: number,
    radius: number,
    at: (handle: number) => [number, number],
  ): number | null {
    const column = Math.floor(x / this.edge)
    const row = Math.floor(y / this.edge)
    let best: number | null = null
    let least = radius * radius
    for (let r = row - 1; r <= row + 1; r++) {
      for (let c = column - 1; c <= column + 1; c++) {
        for (const handle of this.cells.get(this.key(c, r)) ?? []) {
          const [hx, hy] = at(handle)
          const distance = (hx - x) ** 2 + (hy - y) ** 2
          if (distance <= least) {
            least = distance
            best = handle
          }
        }
      }
    }
    return best
  }
}
