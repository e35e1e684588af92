/**
 * What the sprite layer draws: symbols in view, clusters of those that are crowded, rings round what
 * matters; the labels join them. Built anew on every beat and whenever the view leaves what was built.
 */
import type { TrackMeta } from '../api/types'
import { NO_VALUE } from '../stream/frame'
import type { TrackStore } from '../store/tracks'
import { markOf, type MarkLook } from '../draw/marks'
import { symbolCanvas } from '../symbols/symbol'
import { AGE_OPACITY } from '../time/age'
import type { Atlas, Cell } from './atlas'
import type { SpriteBatch } from './batch'
import { CLUSTER_ZOOM, Clusters, joinsUnit, sideOf, type Cluster, type Group, type GroupOf } from './cluster'
import { Labels, namingRank, type Shown } from './labels'
import { isDrawn, labelsItself } from './names'
import { PickGrid } from './pick'
import { blank, markPicture, ring, tick } from './pictures'
import type { SceneFocus, SceneTheme, SceneView } from './seen'

const SYMBOL_SIZE = 23
/** Symbols so close to each other cover each other: a click cannot tell them apart. */
const PILE_PX = 12
/** With more symbols than this in view their courses are not shown. */
const TICK_LIMIT = 3000
/** Slower than this (in tenths of m/s) a reported course is noise. */
const TICK_SPEED_DMPS = 5
/** Courses are drawn in steps of so many hundredths of a degree. */
const TICK_STEP_CDEG = 500

export class Scene implements Shown {
  private readonly metaOf: (TrackMeta | undefined)[] = []
  readonly cellOf: (Cell | undefined)[] = []
  private cells_generation = -1
  private grid: PickGrid | null = null
  /** Entities that people have hidden with their layer, by id. */
  private hidden: ReadonlySet<string> = new Set()
  private group_of: GroupOf | null = null
  /** Whether crowded symbols are gathered. */
  private gathering = true
  /** By handle, of the meta in `known`: 0 nothing to draw, 1 a symbol, 2 one that matters. */
  private kind = new Uint8Array(0)
  /** By handle: when it is named, of the meta in `known`. */
  naming = new Uint8Array(0)
  /** By handle: with which side it gathers, -1 with none; the group's number, 0 for none. */
  private side = new Int8Array(0)
  private group = new Uint16Array(0)
  private groups: Group[] = []
  private readonly known: (TrackMeta | undefined)[] = []
  private known_version = -1
  /** Handles of the lines and areas that need a name. */
  drawings: number[] = []
  /** Handles in view, and of those the ones with a symbol of their own. */
  private visible = new Int32Array(0)
  private visible_count = 0
  drawn = new Int32Array(0)
  drawn_count = 0
  /** By place in `visible`: the number of its cluster, 0 for none. */
  private inside = new Int32Array(0)
  clusters: readonly Cluster[] = []
  private readonly tally = new Clusters()
  private readonly labels: Labels
  private pixel_edge = 1

  constructor(
    private readonly store: TrackStore,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
    private theme: SceneTheme,
  ) {
    this.labels = new Labels(store, batch, atlas, theme)
  }

  setTheme(theme: SceneTheme): void {
    this.theme = theme
    this.labels.setTheme(theme)
    this.atlas.reset()
  }

  setHidden(ids: ReadonlySet<string>): void {
    this.hidden = ids
    this.known_version = -1
    this.known.length = 0
  }

  /** Who belongs to which unit; null: nobody knows. */
  setGroups(group_of: GroupOf | null): void {
    this.group_of = group_of
    this.known_version = -1
    this.known.length = 0
  }

  setFullLabels(on: boolean): void {
    this.labels.full = on
  }

  higherOf(h: number): Group | undefined {
    return this.groups[this.group[h] - 1]
  }

  setGathering(on: boolean): void {
    this.gathering = on
  }

  /** Takes up which symbols are new or changed since the last picture. */
  private learn(): void {
    const { store, known } = this
    if (this.known_version === store.meta_version) return
    this.known_version = store.meta_version
    if (this.kind.length < store.size) {
      const room = store.size * 2
      const [kind, naming, side, group] = [new Uint8Array(room), new Uint8Array(room), new Int8Array(room), new Uint16Array(room)]
      kind.set(this.kind)
      naming.set(this.naming)
      side.set(this.side)
      group.set(this.group)
      Object.assign(this, { kind, naming, side, group, visible: new Int32Array(room), drawn: new Int32Array(room), inside: new Int32Array(room) })
    }
    if (!known.length) this.groups = []
    const numbers = new Map(this.groups.map((group, at) => [group, at + 1]))
    this.drawings = []
    for (let h = 0; h < store.size; h++) {
      const meta = store.meta[h]
      if (meta && isDrawn(meta) && !this.hidden.has(meta.id) && !labelsItself(meta)) this.drawings.push(h)
      if (known[h] === meta && known.length > h) continue
      known[h] = meta
      const shown = meta && !isDrawn(meta) && !this.hidden.has(meta.id)
      this.kind[h] = !shown ? 0 : meta.emergency || meta.category === 'alert' ? 2 : 1
      if (meta) this.naming[h] = namingRank(meta)
      this.side[h] = meta ? sideOf(meta) : -1
      const group = meta && this.side[h] >= 0 ? this.group_of?.(meta) : undefined
      if (group && !numbers.has(group)) numbers.set(group, this.groups.push(group))
      this.group[h] = group ? numbers.get(group)! : 0
    }
  }

  private symbol(h: number): Cell | null {
    if (!this.kind[h]) {
      this.cellOf[h] = undefined
      return null
    }
    const meta = this.store.meta[h]!
    const known = this.cellOf[h]
    if (known && this.metaOf[h] === meta) return known
    const look = markOf(meta.drawn, meta.sidc)
    const cell = look ? this.markCell(look) : this.symbolOf(meta.sidc, meta.affiliation)
    this.metaOf[h] = meta
    this.cellOf[h] = cell
    return cell
  }

  private markCell({ mark, colour }: MarkLook): Cell {
    // Of a text the name is all there is: it stands where a small symbol would.
    if (mark === 'text') return this.atlas.cell('m|text', blank)
    return this.atlas.cell(`m|${mark}|${colour}`, (ratio) => markPicture(ratio, mark, colour, this.theme))
  }

  private symbolOf(sidc: string, affiliation: string): Cell {
    return this.atlas.cell(`s|${sidc}|${affiliation}`, (ratio) => symbolCanvas(sidc, affiliation, SYMBOL_SIZE, ratio, this.theme.dim))
  }

  /** Texts have other widths once their font has come. */
  forgetWidths(): void {
    this.labels.forgetWidths()
  }

  /** Fills the batch for a view. */
  build(view: SceneView, focus: SceneFocus, now_ms: number): void {
    this.fill(view, focus, now_ms)
    // The picture became full half-way: cells of the first half are gone, so once more.
    if (this.cells_generation !== this.atlas.generation) this.fill(view, focus, now_ms)
  }

  private fill(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const { store, batch } = this
    if (this.cells_generation !== this.atlas.generation) {
      this.cellOf.length = 0
      this.metaOf.length = 0
      this.cells_generation = this.atlas.generation
    }
    batch.clear()
    this.grid = null
    this.learn()
    this.pixel_edge = (view.east - view.west) / Math.max(1, view.width_px)
    this.sort(view, focus, now_ms)
    const ticks = this.drawn_count <= TICK_LIMIT
    for (let i = 0; i < this.drawn_count; i++) {
      const h = this.drawn[i]
      if (this.kind[h] === 2 || h === focus.selected || h === focus.hovered) continue
      const age = store.age(h, now_ms)
      const cell = this.symbol(h)
      if (!cell) continue
      if (ticks && age !== 'stale') this.pushTick(h, AGE_OPACITY[age])
      batch.push(store.mercator, h * 4, cell, AGE_OPACITY[age])
    }
    this.pushClusters()
    let selected: number | null = null
    for (let i = 0; i < this.drawn_count; i++) {
      const h = this.drawn[i]
      if (h === focus.selected) selected = h
      else if (this.kind[h] === 2 || h === focus.hovered) this.pushOnTop(h, focus, now_ms)
    }
    // The one that somebody looks for lies over all others.
    if (selected !== null) this.pushOnTop(selected, focus, now_ms)
    this.labels.place(this, view, focus, now_ms)
  }

  /** What matters lies on top, with its ring. */
  private pushOnTop(h: number, focus: SceneFocus, now_ms: number): void {
    const { store, batch } = this
    const cell = this.symbol(h)
    if (!cell) return
    const emergency = Boolean(store.meta[h]?.emergency)
    if (emergency) batch.push(store.mercator, h * 4, this.atlas.cell('r|alarm', (r) => ring(r, this.theme.alarm, 3.5)), 1)
    if (h === focus.selected) batch.push(store.mercator, h * 4, this.atlas.cell('r|chosen', (r) => ring(r, this.theme.accent, 2.5)), 1)
    // An emergency is never faded out: its age stands in its label.
    const age = store.age(h, now_ms)
    if (age !== 'stale') this.pushTick(h, 1)
    batch.push(store.mercator, h * 4, cell, emergency ? 1 : AGE_OPACITY[age])
  }

  private pushTick(h: number, opacity: number): void {
    const { store } = this
    const [speed, course] = [store.speed_dmps[h], store.course_cdeg[h]]
    if (store.still[h] || speed === NO_VALUE || speed < TICK_SPEED_DMPS || course === NO_VALUE) return
    const step = Math.round(course / TICK_STEP_CDEG)
    const cell = this.atlas.cell(`t|${step}`, (r) => tick(r, (step * TICK_STEP_CDEG) / 100, this.theme.label, this.theme.plate))
    this.batch.push(store.mercator, h * 4, cell, opacity)
  }

  /** Sorts what is in view, and half a screen round it, into symbols of their own and clusters. */
  private sort(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const [wide, high] = [view.east - view.west, view.south - view.north]
    const [west, north, width, height] = [view.west - wide / 2, view.north - high / 2, 2 * wide, 2 * high]
    const gathers = this.gathering && view.zoom < CLUSTER_ZOOM
    if (gathers) this.tally.begin(view.zoom, west, north, width, height)
    this.survey(west, north, width, height, gathers ? (focus.selected ?? -1) : null, now_ms)
    if (!gathers) {
      this.drawn.set(this.visible.subarray(0, this.visible_count))
      this.drawn_count = this.visible_count
      this.clusters = []
      return
    }
    const { inside, visible, drawn, tally } = this
    let count = 0
    for (let i = 0; i < this.visible_count; i++) if (!inside[i] || !tally.gathers(inside[i])) drawn[count++] = visible[i]
    this.drawn_count = count
    this.clusters = tally.gathered()
  }

  /**
   * Writes who is within these bounds (mercator) into `visible`, in one pass with the tally: there may be 100,000.
   * `alone` is the handle that is never gathered, -1 for none; null: nobody is.
   */
  private survey(west: number, north: number, width: number, height: number, alone: number | null, now_ms: number): void {
    const { visible, inside, kind, side, group, tally } = this
    const { store } = this
    const { placed, mercator, size } = store
    const south = north + height
    // The world copy of the middle, for all; who is on the other side of its edge is a copy away.
    const edge = west + width / 2 - 0.5
    let count = 0
    for (let h = 0; h < size; h++) {
      const drawn_as = kind[h]
      if (!drawn_as || !placed[h]) continue
      const y = mercator[h * 4 + 1] + mercator[h * 4 + 3]
      if (y < north || y > south) continue
      let x = mercator[h * 4] + mercator[h * 4 + 2]
      if (width < 1) {
        const from_west = x - west
        if (from_west - Math.floor(from_west) > width) continue
      }
      x -= Math.floor(x - edge)
      const gathers = alone !== null && drawn_as === 1 && side[h] >= 0 && h !== alone
      inside[count] = gathers ? tally.add(h, x, y, side[h], joinsUnit(side[h]) ? group[h] : 0, !store.isFresh(h, now_ms)) : 0
      visible[count++] = h
    }
    this.visible_count = count
  }

  matters(h: number): boolean {
    return this.kind[h] === 2
  }

  private pushClusters(): void {
    for (const one of this.clusters) {
      const cell = this.clusterCell(one)
      if (cell) this.batch.push(one.split, 0, cell, one.old * 2 > one.count ? AGE_OPACITY.ageing : 1)
    }
  }

  groupOf(one: Cluster): Group | undefined {
    return one.group ? this.groups[one.group - 1] : undefined
  }

  clusterCell(one: Cluster): Cell | null {
    const group = this.groupOf(one)
    return group ? this.symbolOf(group.sidc, group.affiliation) : this.symbol(one.first)
  }

  /** The handle nearest to a place, within `radius_px`. */
  pick(x: number, y: number, radius_px: number): number | null {
    return this.gridNow().nearest(x - Math.floor(x), y, radius_px * this.pixel_edge, this.placeOf)
  }

  /** The same for a click, which takes the next of a pile when one of it is chosen. */
  pickNext(x: number, y: number, radius_px: number, chosen: number | null): number | null {
    return this.gridNow().next(x - Math.floor(x), y, radius_px * this.pixel_edge, PILE_PX * this.pixel_edge, chosen, this.placeOf)
  }

  private readonly placeOf = (h: number): [number, number] => {
    const { mercator } = this.store
    return [mercator[h * 4] + mercator[h * 4 + 2], mercator[h * 4 + 1] + mercator[h * 4 + 3]]
  }

  /** Built at the first question after a change: most beats are never asked. */
  private gridNow(): PickGrid {
    if (this.grid) return this.grid
    const grid = (this.grid = new PickGrid(this.pixel_edge * 48))
    for (let i = 0; i < this.drawn_count; i++) grid.add(this.drawn[i], ...this.placeOf(this.drawn[i]))
    return grid
  }

  /** The cluster nearest to a mercator place, within `radius_px`. */
  pickCluster(x: number, y: number, radius_px: number): Cluster | null {
    let best: Cluster | null = null
    let least = radius_px * this.pixel_edge
    for (const one of this.clusters) {
      const distance = Math.hypot(one.x - x - Math.round(one.x - x), one.y - y)
      if (distance > least) continue
      least = distance
      best = one
    }
    return best
  }
}
