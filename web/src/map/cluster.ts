/**
 * Crowded symbols become one: those of one parent unit its symbol, others the commonest of their side.
 *
 * A fixed grid over the world, at the scale of the zoom: panning changes no cluster. Only what would
 * lie on top of each other is gathered, so at a scale where all have room there are no clusters.
 */
import type { TrackMeta } from '../api/types'

/** The unit into whose symbol its members collapse. */
export interface Group {
  name: string
  sidc: string
  affiliation: string
}
export type GroupOf = (meta: TrackMeta) => Group | undefined

/** Edge of a cell in CSS pixels at a whole zoom: members of one unit, and tracks without a unit. */
export const UNIT_CELL_PX = 88
export const CELL_PX = 52
/** So many in one cell are gathered. */
export const UNIT_LEAST = 2
export const LEAST = 3
/** From this zoom on everything is shown by itself. */
export const CLUSTER_ZOOM = 14

const WORLD_PX = 512

/** Columns of the world's grid at a zoom, for cells of so many pixels; a power of two times a constant. */
export function columnsAt(zoom: number, cell_px: number): number {
  return (WORLD_PX / cell_px) * 2 ** Math.round(zoom)
}

/** Which side gathers with which; -1: things that stay by themselves. */
export function sideOf(meta: TrackMeta): number {
  if (meta.emergency || !(meta.category === 'unit' || meta.category === 'platform' || meta.category === 'track')) return -1
  return Math.max(0, ['unknown', 'friend', 'hostile', 'neutral'].indexOf(meta.affiliation))
}
const SIDES = 4

export interface Cluster {
  count: number
  /** How many of them are no longer fresh. */
  old: number
  /** Mercator of the middle of its members. */
  x: number
  y: number
  /** One of its members, whose symbol stands for all that are in no unit. */
  first: number
  /** The group's number; 0 for none. */
  group: number
}

/** More cells than this would be a view of many worlds: they share their last one. */
const CELLS_MAX = 1 << 20
/** Columns of the tally; places are sums, divided when they are asked for. */
const WIDTH = 6
const [COUNT, OLD, X, Y, FIRST, GROUP] = [0, 1, 2, 3, 4, 5]

/** The tally of one picture: put every candidate in, then ask which of them are gathered. Flat arrays: there may be 100,000. */
export class Clusters {
  private readonly unit_columns: number
  private readonly columns: number
  private readonly west: number
  private readonly north: number
  private readonly wide: number
  /** Number of the cluster by cell and side, from 1; those of units by key. */
  private readonly plain: Int32Array
  private readonly units = new Map<number, number>()
  private size = 0
  private rows = new Float64Array(WIDTH * 256)

  /** The west and north edge of what is counted, its width and height in mercator; `west` may lie on another world copy. */
  constructor(zoom: number, west: number, north: number, width: number, height: number) {
    this.columns = columnsAt(zoom, CELL_PX)
    this.unit_columns = columnsAt(zoom, UNIT_CELL_PX)
    this.west = Math.floor(west * this.columns)
    this.north = Math.floor(north * this.columns)
    this.wide = Math.ceil(width * this.columns) + 2
    const high = Math.ceil(height * this.columns) + 2
    this.plain = new Int32Array(Math.min(CELLS_MAX, this.wide * high * SIDES))
  }

  private make(h: number, group: number): number {
    if ((this.size + 1) * WIDTH > this.rows.length) {
      const more = new Float64Array(this.rows.length * 2)
      more.set(this.rows)
      this.rows = more
    }
    this.rows[this.size * WIDTH + FIRST] = h
    this.rows[this.size * WIDTH + GROUP] = group
    return ++this.size
  }

  /** `x` is on the world copy of the bounds; `group` is 0 for none. Answers the number of the cluster in which it counts. */
  add(h: number, x: number, y: number, side: number, group: number, old: boolean): number {
    let number: number
    if (group) {
      const key = (Math.floor(y * this.unit_columns) * this.unit_columns + Math.floor(x * this.unit_columns)) * 65_536 + group
      number = this.units.get(key) ?? 0
      if (!number) this.units.set(key, (number = this.make(h, group)))
    } else {
      const cell = ((Math.floor(y * this.columns) - this.north) * this.wide + Math.floor(x * this.columns) - this.west) * SIDES + side
      const at = Math.max(0, Math.min(this.plain.length - 1, cell))
      number = this.plain[at]
      if (!number) this.plain[at] = number = this.make(h, 0)
    }
    const { rows } = this
    const at = (number - 1) * WIDTH
    rows[at + COUNT]++
    if (old) rows[at + OLD]++
    rows[at + X] += x
    rows[at + Y] += y
    return number
  }

  gathers(number: number): boolean {
    const at = (number - 1) * WIDTH
    return this.rows[at + COUNT] >= (this.rows[at + GROUP] ? UNIT_LEAST : LEAST)
  }

  /** Those that gather their members. */
  gathered(): Cluster[] {
    const found: Cluster[] = []
    for (let number = 1; number <= this.size; number++) {
      if (!this.gathers(number)) continue
      const at = (number - 1) * WIDTH
      const { rows } = this
      const count = rows[at + COUNT]
      found.push({ count, old: rows[at + OLD], x: rows[at + X] / count, y: rows[at + Y] / count, first: rows[at + FIRST], group: rows[at + GROUP] })
    }
    return found
  }
}
