/**
 * Crowded symbols become one: those of one parent unit its symbol, others the commonest of their side.
 *
 * A fixed grid over the world, at the scale of the zoom: panning changes no cluster. Only what would
 * lie on top of each other is gathered, so at a scale where all have room there are no clusters.
 */
import type { TrackMeta } from '../api/types'
import { writeSplit } from './mercator'
import { isAir } from './names'

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

const AFFILIATIONS = ['unknown', 'friend', 'hostile', 'neutral']
const SIDES = 2 * AFFILIATIONS.length
/**
 * Which side gathers with which, what flies apart from the rest: no helicopter is lost in the symbol of those below it.
 * -1: things that stay by themselves.
 */
export function sideOf(meta: TrackMeta): number {
  if (meta.emergency || !(meta.category === 'unit' || meta.category === 'platform' || meta.category === 'track')) return -1
  const affiliation = Math.max(0, AFFILIATIONS.indexOf(meta.affiliation))
  return isAir(meta.sidc) ? AFFILIATIONS.length + affiliation : affiliation
}
/** Those of one unit become its symbol, which is one of the ground: what flies gathers with what flies only. */
export const joinsUnit = (side: number) => side < AFFILIATIONS.length

export interface Cluster {
  count: number
  /** How many of them are no longer fresh. */
  old: number
  /** Mercator of the middle of its members. */
  x: number
  y: number
  /** The same as the batch wants it: split, within the unit square. */
  readonly split: Float32Array
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

/**
 * The tally of a picture: begin, put every candidate in, then ask which of them are gathered.
 *
 * Flat arrays, used again for the next picture: there may be 100,000 candidates, once a second.
 */
export class Clusters {
  private unit_columns = 0
  private columns = 0
  private west = 0
  private north = 0
  private wide = 0
  /** Number of the cluster by cell and side, from 1; those of units by key. */
  private plain = new Int32Array(0)
  private readonly units = new Map<number, number>()
  private size = 0
  private rows = new Float64Array(WIDTH * 256)
  /** What `gathered` answered with, for the next time. */
  private readonly spare: Cluster[] = []

  /** The west and north edge of what is counted, its width and height in mercator; `west` may lie on another world copy. */
  begin(zoom: number, west: number, north: number, width: number, height: number): void {
    this.columns = columnsAt(zoom, CELL_PX)
    this.unit_columns = columnsAt(zoom, UNIT_CELL_PX)
    this.west = Math.floor(west * this.columns)
    this.north = Math.floor(north * this.columns)
    this.wide = Math.ceil(width * this.columns) + 2
    const high = Math.ceil(height * this.columns) + 2
    const cells = Math.min(CELLS_MAX, this.wide * high * SIDES)
    if (this.plain.length === cells) this.plain.fill(0)
    else this.plain = new Int32Array(cells)
    this.units.clear()
    this.rows.fill(0, 0, this.size * WIDTH)
    this.size = 0
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

  /** Those that gather their members; they hold until this is asked again. */
  gathered(): Cluster[] {
    const found: Cluster[] = []
    const { rows, spare } = this
    for (let number = 1; number <= this.size; number++) {
      if (!this.gathers(number)) continue
      const at = (number - 1) * WIDTH
      const count = rows[at + COUNT]
      const one = (spare[found.length] ??= { count: 0, old: 0, x: 0.5, y: 0.5, split: new Float32Array(4), first: 0, group: 0 })
      one.count = count
      one.old = rows[at + OLD]
      one.x = rows[at + X] / count
      one.y = rows[at + Y] / count
      one.first = rows[at + FIRST]
      one.group = rows[at + GROUP]
      writeSplit(one.split, 0, one.x - Math.floor(one.x), one.y)
      found.push(one)
    }
    return found
  }
}
