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

  /** The nearest handle within `radius` (at most one cell); `at` gives a handle's place. Of two in one place the upper. */
  nearest(x: number, y: number, radius: number, at: (handle: number) => [number, number]): number | null {
    let best: number | null = null
    let least = radius
    for (const handle of this.round(x, y)) {
      const away = distance(at(handle), x, y)
      if (away > least) continue
      least = away
      best = handle
    }
    return best
  }

  /**
   * The nearest one; where that and the chosen one lie within `pile` of each other, the one after the chosen one among
   * all that do: so clicks on a pile give each of its members in turn.
   */
  next(x: number, y: number, radius: number, pile: number, chosen: number | null, at: (handle: number) => [number, number]): number | null {
    const upper = this.nearest(x, y, radius, at)
    if (upper === null || chosen === null) return upper
    const members = this.round(x, y).filter((one) => distance(at(one), x, y) <= radius && distance(at(one), ...at(upper)) <= pile)
    // By their numbers: what moves a little between two clicks keeps its turn.
    members.sort((a, b) => a - b)
    const turn = members.indexOf(chosen)
    return turn < 0 ? upper : members[(turn + 1) % members.length]
  }

  private round(x: number, y: number): number[] {
    const column = Math.floor(x / this.edge)
    const row = Math.floor(y / this.edge)
    const found: number[] = []
    for (let r = row - 1; r <= row + 1; r++) {
      for (let c = column - 1; c <= column + 1; c++) found.push(...(this.cells.get(this.key(c, r)) ?? []))
    }
    return found
  }
}

const distance = ([x, y]: [number, number], to_x: number, to_y: number) => Math.hypot(x - to_x, y - to_y)
