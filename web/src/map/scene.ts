/**
 * What the sprite layer draws: symbols in view, rings round what matters, labels where there is
 * room. Built anew on every beat and whenever the view leaves what was built.
 */
import type { Geometry, Position as GeoPosition } from 'geojson'
import { symbolCanvas } from '../symbols/symbol'
import { graphicOf } from '../draw/catalogue'
import { ringOf } from '../draw/geometry'
import type { TrackStore } from '../store/tracks'
import { AGE_OPACITY, ageRound } from '../time/age'
import type { TrackMeta } from '../api/types'
import type { Atlas, Cell, Picture } from './atlas'
import type { SpriteBatch } from './batch'
import { mercatorX, mercatorY, writeSplit } from './mercator'
import { CLUSTER_ZOOM, Clusters, sideOf, type Cluster, type Group, type GroupOf } from './cluster'
import { Occupancy } from './occupancy'
import { NO_VALUE } from '../stream/frame'
import { PickGrid } from './pick'

const SYMBOL_SIZE = 23
const LABEL_FONT = '600 11px "Inter Variable", sans-serif'
const LABEL_HEIGHT = 16
/** More labels than this nobody reads. */
const LABEL_LIMIT = 300
const LABEL_CANDIDATES = 600
const LABEL_LETTERS = 26
/** Half of the ring's edge. */
const RING_RADIUS = 24
/** With more symbols than this on the screen only what is chosen or in need has a label. */
const LABEL_CROWD = 8000
/** With more symbols than this in view their courses are not shown. */
const TICK_LIMIT = 3000
/** Slower than this (in tenths of m/s) a reported course is noise. */
const TICK_SPEED_DMPS = 5
/** Courses are drawn in steps of so many hundredths of a degree. */
const TICK_STEP_CDEG = 500
/** A tick begins under the symbol and ends this far from the place. */
const TICK_PX: [number, number] = [10, 27]

export interface SceneView {
  /** Mercator bounds of the screen; x may lie outside 0..1 on other world copies. */
  west: number
  north: number
  east: number
  south: number
  width_px: number
  height_px: number
  zoom: number
  /** Parts of the screen under something else (left, top, width, height): no label goes there. */
  covered: [number, number, number, number][]
}

export interface SceneFocus {
  selected: number | null
  hovered: number | null
}

export interface SceneTheme {
  label: string
  plate: string
  accent: string
  alarm: string
  /** Text on accent and alarm. */
  on_tone: string
  /** Symbols are dimmed, for eyes that must stay used to the dark. */
  dim?: boolean
}

function rounded(
  pixel_ratio: number,
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
  anchor: [number, number],
): Picture {
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * pixel_ratio)
  canvas.height = Math.ceil(height * pixel_ratio)
  const context = canvas.getContext('2d')!
  context.scale(pixel_ratio, pixel_ratio)
  draw(context)
  return { canvas, anchor_x: anchor[0] * pixel_ratio, anchor_y: anchor[1] * pixel_ratio }
}

function ring(pixel_ratio: number, colour: string, thick: number): Picture {
  const edge = RING_RADIUS * 2
  return rounded(
    pixel_ratio,
    edge,
    edge,
    (context) => {
      context.strokeStyle = colour
      context.lineWidth = thick
      context.beginPath()
      context.roundRect(thick / 2 + 1, thick / 2 + 1, edge - thick - 2, edge - thick - 2, 9)
      context.stroke()
    },
    [RING_RADIUS, RING_RADIUS],
  )
}

/** Where something goes: a line from its symbol's place outwards, in its own square. */
function tick(pixel_ratio: number, course_deg: number, colour: string, halo: string): Picture {
  const edge = 2 * (TICK_PX[1] + 3)
  const [sin, cos] = [Math.sin((course_deg * Math.PI) / 180), Math.cos((course_deg * Math.PI) / 180)]
  const draw = (context: CanvasRenderingContext2D): void => {
    context.lineCap = 'round'
    for (const [width, style] of [[5, halo], [2.5, colour]] as const) {
      context.lineWidth = width
      context.strokeStyle = style
      context.beginPath()
      for (const radius of TICK_PX) context.lineTo(edge / 2 + radius * sin, edge / 2 - radius * cos)
      context.stroke()
    }
  }
  return rounded(pixel_ratio, edge, edge, draw, [edge / 2, edge / 2])
}

/** A name as it may be drawn: one line, no control characters, not too long. */
export function labelText(name: string): string {
  // Direction overrides could make a label read backwards.
  const clean = name.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  const letters = Array.from(clean)
  return letters.length > LABEL_LETTERS ? `${letters.slice(0, LABEL_LETTERS - 1).join('')}…` : clean
}

/** Lines and areas are drawn as such, by the map's own layers; they have no point symbol. */
function isDrawn(meta: TrackMeta): boolean {
  return Boolean(meta.geometry && (meta.geometry.type !== 'Point' || radiusOf(meta.geometry)))
}

/** Radius of a circle in metres, which GeoJSON has only as a point; null for every other shape. */
export function radiusOf(geometry: Geometry): number | null {
  return geometry.type === 'Point' && 'radius_m' in geometry && typeof geometry.radius_m === 'number' ? geometry.radius_m : null
}

/** The renderer of tactical graphics writes their names itself, at the places where the standard wants them. */
function labelsItself(meta: TrackMeta): boolean {
  return graphicOf(meta.sidc) !== undefined
}

/** Where along a line, or round an area, a name is tried in turn. */
const SHARES = [0.5, 0.25, 0.75, 0.1, 0.9]

/** Places where the name of a drawing may stand, best first: on the line; inside an area first. */
export function nameAnchors(geometry: Geometry): [number, number][] {
  const radius_m = radiusOf(geometry)
  if (geometry.type === 'Point' && radius_m) return alongLine(ringOf([geometry.coordinates[1], geometry.coordinates[0]], radius_m))
  if (geometry.type === 'LineString') return alongLine(geometry.coordinates)
  if (geometry.type === 'MultiLineString') return alongLine(geometry.coordinates[0] ?? [])
  const rings = geometry.type === 'Polygon' ? geometry.coordinates : null
  const ring = geometry.type === 'MultiPolygon' ? geometry.coordinates[0]?.[0] : rings?.[0]
  if (!ring?.length) return []
  const lons = ring.map((at) => at[0])
  const lats = ring.map((at) => at[1])
  const middle: [number, number] = [
    (Math.min(...lons) + Math.max(...lons)) / 2,
    (Math.min(...lats) + Math.max(...lats)) / 2,
  ]
  return [middle, ...alongLine(ring)]
}

function alongLine(line: GeoPosition[]): [number, number][] {
  const steps = line.slice(1).map((to, i) => Math.hypot(to[0] - line[i][0], to[1] - line[i][1]))
  const length = steps.reduce((sum, step) => sum + step, 0)
  if (!(length > 0)) return []
  return SHARES.map((share) => {
    let left = length * share
    let i = 0
    while (i < steps.length - 1 && left > steps[i]) left -= steps[i++]
    const part = left / steps[i]
    return [
      line[i][0] + (line[i + 1][0] - line[i][0]) * part,
      line[i][1] + (line[i + 1][1] - line[i][1]) * part,
    ]
  })
}

export class Scene {
  private readonly metaOf: (TrackMeta | undefined)[] = []
  private readonly cellOf: (Cell | undefined)[] = []
  private cells_generation = -1
  private labelled = new Set<number>()
  private readonly anchors = new WeakMap<TrackMeta, Float32Array>()
  private readonly names = new WeakMap<TrackMeta, string>()
  private readonly widths = new Map<string, number>()
  private readonly measure = document.createElement('canvas').getContext('2d')!
  private grid: PickGrid | null = null
  /** Entities that people have hidden with their layer, by id. */
  private hidden: ReadonlySet<string> = new Set()
  private group_of: GroupOf | null = null
  /** Whether crowded symbols are gathered. */
  private gathering = true
  /** By handle, of the meta in `known`: 0 nothing to draw, 1 a symbol, 2 one that matters. */
  private kind = new Uint8Array(0)
  /** By handle: with which side it gathers, -1 with none; the group's number, 0 for none. */
  private side = new Int8Array(0)
  private group = new Uint16Array(0)
  private groups: Group[] = []
  private readonly known: (TrackMeta | undefined)[] = []
  private known_version = -1
  /** Handles of lines and areas. */
  private drawings: number[] = []
  /** Handles in view, and of those the ones with a symbol of their own. */
  private visible = new Int32Array(0)
  private visible_count = 0
  private drawn = new Int32Array(0)
  private drawn_count = 0
  /** By place in `visible`: the number of its cluster, 0 for none. */
  private inside = new Int32Array(0)
  private clusters: Cluster[] = []
  private pixel_edge = 1

  constructor(
    private readonly store: TrackStore,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
    private theme: SceneTheme,
  ) {}

  setTheme(theme: SceneTheme): void {
    this.theme = theme
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
      const [kind, side, group] = [new Uint8Array(room), new Int8Array(room), new Uint16Array(room)]
      kind.set(this.kind)
      side.set(this.side)
      group.set(this.group)
      Object.assign(this, { kind, side, group, visible: new Int32Array(room), drawn: new Int32Array(room), inside: new Int32Array(room) })
    }
    if (!known.length) this.groups = []
    const numbers = new Map(this.groups.map((group, at) => [group, at + 1]))
    this.drawings = []
    for (let h = 0; h < store.size; h++) {
      const meta = store.meta[h]
      if (meta && isDrawn(meta)) this.drawings.push(h)
      if (known[h] === meta && known.length > h) continue
      known[h] = meta
      const shown = meta && !isDrawn(meta) && !this.hidden.has(meta.id)
      this.kind[h] = !shown ? 0 : meta.emergency || meta.category === 'alert' ? 2 : 1
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
    const cell = this.symbolOf(meta.sidc, meta.affiliation)
    this.metaOf[h] = meta
    this.cellOf[h] = cell
    return cell
  }

  private symbolOf(sidc: string, affiliation: string): Cell {
    return this.atlas.cell(`s|${sidc}|${affiliation}`, (ratio) => symbolCanvas(sidc, affiliation, SYMBOL_SIZE, ratio, this.theme.dim))
  }

  private nameOf(meta: TrackMeta): string {
    let name = this.names.get(meta)
    if (name === undefined) this.names.set(meta, (name = labelText(meta.name)))
    return name
  }

  /** Width of a label in CSS pixels; measuring text is the dearest step, so it is remembered. */
  private widthOf(text: string): number {
    let width = this.widths.get(text)
    if (width === undefined) {
      if (this.widths.size > 5000) this.widths.clear()
      this.measure.font = LABEL_FONT
      width = Math.ceil(this.measure.measureText(text).width) + 10
      this.widths.set(text, width)
    }
    return width
  }

  /** Texts have other widths once their font has come. */
  forgetWidths(): void {
    this.widths.clear()
  }

  private label(text: string, tone: 'plain' | 'accent' | 'alarm'): Cell {
    return this.atlas.cell(`l|${tone}|${text}`, (ratio) => {
      const width = this.widthOf(text)
      return rounded(
        ratio,
        width,
        LABEL_HEIGHT,
        (context) => {
          context.fillStyle = tone === 'plain' ? this.theme.plate : this.theme[tone]
          context.beginPath()
          context.roundRect(0, 0, width, LABEL_HEIGHT, 4)
          context.fill()
          context.fillStyle = tone === 'plain' ? this.theme.label : this.theme.on_tone
          context.font = LABEL_FONT
          context.textBaseline = 'middle'
          context.fillText(text, 5, LABEL_HEIGHT / 2 + 0.5)
        },
        [0, 0],
      )
    })
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
    this.cull(view)
    this.pixel_edge = (view.east - view.west) / Math.max(1, view.width_px)
    this.gather(view, focus, now_ms)
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
    for (let i = 0; i < this.drawn_count; i++) {
      const h = this.drawn[i]
      if (this.kind[h] === 2 || h === focus.selected || h === focus.hovered) this.pushOnTop(h, focus, now_ms)
    }
    this.placeLabels(view, focus, now_ms)
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

  /** Sorts what is in view into symbols of their own and clusters. */
  private gather(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const { store, visible, drawn } = this
    this.clusters = []
    this.drawn_count = 0
    if (!this.gathering || view.zoom >= CLUSTER_ZOOM) {
      drawn.set(visible.subarray(0, this.visible_count))
      this.drawn_count = this.visible_count
      return
    }
    const [wide, high] = [view.east - view.west, view.south - view.north]
    const tally = new Clusters(view.zoom, view.west - wide / 2, view.north - high / 2, 2 * wide, 2 * high)
    const { inside, kind, side, group } = this
    const { mercator } = store
    // The world copy of the middle, for all; who is on the other side of its edge is a copy away.
    const west = (view.west + view.east) / 2 - 0.5
    for (let i = 0; i < this.visible_count; i++) {
      const h = visible[i]
      inside[i] = 0
      if (kind[h] !== 1 || side[h] < 0 || h === focus.selected) continue
      const x = mercator[h * 4] + mercator[h * 4 + 2]
      const y = mercator[h * 4 + 1] + mercator[h * 4 + 3]
      inside[i] = tally.add(h, x - Math.floor(x - west), y, side[h], group[h], store.age(h, now_ms) !== 'fresh')
    }
    for (let i = 0; i < this.visible_count; i++) {
      if (!inside[i] || !tally.gathers(inside[i])) drawn[this.drawn_count++] = visible[i]
    }
    this.clusters = tally.gathered()
  }

  private pushClusters(): void {
    for (const one of this.clusters) {
      const cell = this.clusterCell(one)
      if (cell) this.batch.push(splitOf(one), 0, cell, one.old * 2 > one.count ? AGE_OPACITY.ageing : 1)
    }
  }

  private clusterCell(one: Cluster): Cell | null {
    const group = one.group ? this.groups[one.group - 1] : undefined
    return group ? this.symbolOf(group.sidc, group.affiliation) : this.symbol(one.first)
  }

  /** Handles within the view and half a screen round it, into `visible`. */
  private cull(view: SceneView): void {
    const { store, visible } = this
    const margin_x = (view.east - view.west) / 2
    const margin_y = (view.south - view.north) / 2
    const west = view.west - margin_x
    const width = view.east - view.west + 2 * margin_x
    const north = view.north - margin_y
    const south = view.south + margin_y
    const { placed, mercator, size } = store
    let count = 0
    for (let h = 0; h < size; h++) {
      if (!placed[h] || !this.kind[h]) continue
      const y = mercator[h * 4 + 1]
      if (y < north || y > south) continue
      if (width < 1) {
        const x = mercator[h * 4] - west
        if (x - Math.floor(x) > width) continue
      }
      visible[count++] = h
    }
    this.visible_count = count
  }

  /** The split mercator places where a drawing's name may stand. */
  private anchorsOf(meta: TrackMeta): Float32Array {
    const known = this.anchors.get(meta)
    if (known) return known
    const places = meta.geometry ? nameAnchors(meta.geometry) : []
    const split = new Float32Array(places.length * 4)
    places.forEach(([lon, lat], i) => writeSplit(split, i * 4, mercatorX(lon), mercatorY(lat)))
    this.anchors.set(meta, split)
    return split
  }

  /** Screen place of a split mercator place, on the world copy nearest to the view. */
  private screen(split: Float32Array, at: number, view: SceneView): [number, number] {
    let x = split[at] + split[at + 2]
    const middle = (view.west + view.east) / 2
    x += Math.round(middle - x)
    const y = split[at + 1] + split[at + 3]
    return [
      ((x - view.west) / (view.east - view.west)) * view.width_px,
      ((y - view.north) / (view.south - view.north)) * view.height_px,
    ]
  }

  private rank(h: number, focus: SceneFocus): number {
    const meta = this.store.meta[h]
    if (h === focus.selected || h === focus.hovered) return 0
    if (meta?.emergency) return 1
    // A label that stands keeps its place before new ones come, so labels do not flicker.
    const shown = this.labelled.has(h) ? 0 : 0.5
    const order = { alert: 2, unit: 3, platform: 4, place: 5, marker: 6 }[meta?.category ?? ''] ?? 7
    return order + shown
  }

  private placeLabels(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const { store } = this
    const room = new Occupancy(view.width_px, view.height_px)
    for (const part of view.covered) room.take(...part)
    const candidates: { h: number; x: number; y: number; rank: number }[] = []
    const crowded = this.drawn_count > LABEL_CROWD
    this.countClusters(view, room)
    for (let i = 0; i < this.drawn_count; i++) {
      const h = this.drawn[i]
      if (crowded && this.kind[h] !== 2 && h !== focus.selected && h !== focus.hovered) continue
      const cell = this.cellOf[h]
      if (!cell) continue
      const [x, y] = this.screen(store.mercator, h * 4, view)
      if (x < -40 || y < -40 || x > view.width_px + 40 || y > view.height_px + 40) continue
      // A little less than the symbol, so that its own label may touch it.
      room.take(x + cell.left + 7, y + cell.top + 7, cell.width - 14, cell.height - 14)
      if (candidates.length < LABEL_CANDIDATES || h === focus.selected || h === focus.hovered) {
        candidates.push({ h, x, y, rank: this.rank(h, focus) })
      }
    }
    candidates.sort((a, b) => a.rank - b.rank || a.h - b.h)
    const labelled = new Set<number>()
    this.nameDrawings(view, focus, room)
    for (const { h, x, y, rank } of candidates) {
      if (labelled.size >= LABEL_LIMIT) break
      const meta = store.meta[h]
      const symbol = this.cellOf[h]
      if (!meta || !symbol) continue
      const name = this.nameOf(meta)
      if (!name) continue
      // One emergency, one red label: that of the caller.
      if (h !== focus.selected && h !== focus.hovered && store.callerOf(h) !== null) continue
      const age = store.age(h, now_ms)
      const text = age === 'fresh' ? name : `${name} · ${ageRound(now_ms - store.observed_ms[h])}`
      const tone = meta.emergency ? 'alarm' : h === focus.selected ? 'accent' : 'plain'
      // Measured before it is drawn: a label that finds no room costs no place in the picture.
      const width = this.widthOf(text)
      const ringed = meta.emergency || h === focus.selected
      const below = ringed ? RING_RADIUS + 1 : symbol.top + symbol.height - 3
      const above = (ringed ? -RING_RADIUS - 1 : symbol.top + 3) - LABEL_HEIGHT
      const right = ringed ? RING_RADIUS + 2 : symbol.left + symbol.width - 2
      const left = (ringed ? -RING_RADIUS - 2 : symbol.left + 2) - width
      const spots: [number, number][] = [
        [-width / 2, below],
        [right, -LABEL_HEIGHT / 2],
        [left, -LABEL_HEIGHT / 2],
        [-width / 2, above],
      ]
      let spot = spots.find(([dx, dy]) => room.free(x + dx, y + dy, width, LABEL_HEIGHT))
      if (!spot && rank <= 1) spot = spots[0]
      if (!spot) continue
      room.take(x + spot[0] - 2, y + spot[1] - 1, width + 4, LABEL_HEIGHT + 2)
      const cell = this.label(text, tone)
      this.batch.push(
        store.mercator,
        h * 4,
        cell,
        age === 'stale' && tone === 'plain' ? 0.75 : 1,
        Math.round(spot[0]),
        Math.round(spot[1]),
      )
      labelled.add(h)
    }
    this.labelled = labelled
  }

  /** How many a cluster stands for, at its lower right; how many of them are old stands behind. */
  private countClusters(view: SceneView, room: Occupancy): void {
    for (const one of this.clusters) {
      const symbol = this.clusterCell(one)
      if (!symbol) continue
      const split = splitOf(one)
      const [x, y] = this.screen(split, 0, view)
      room.take(x + symbol.left + 4, y + symbol.top + 4, symbol.width - 8, symbol.height - 8)
      const group = one.group ? this.groups[one.group - 1] : undefined
      const text = `${group ? `${labelText(group.name)} ` : ''}×${one.count}${one.old ? ` (${one.old} ◷)` : ''}`
      // Counts change all the time: only one that finds room is written into the picture.
      const width = this.widthOf(text)
      const spots: [number, number][] = [[-width / 2, symbol.top + symbol.height - 3], [symbol.left + symbol.width - 2, -LABEL_HEIGHT / 2]]
      const spot = spots.find(([dx, dy]) => room.free(x + dx, y + dy, width, LABEL_HEIGHT))
      if (!spot) continue
      room.take(x + spot[0], y + spot[1], width, LABEL_HEIGHT)
      this.batch.push(split, 0, this.label(text, 'plain'), 1, Math.round(spot[0]), Math.round(spot[1]))
    }
  }

  private nameDrawings(view: SceneView, focus: SceneFocus, room: Occupancy): void {
    for (const h of this.drawings) {
      const meta = this.store.meta[h]
      if (!meta || this.hidden.has(meta.id) || labelsItself(meta)) continue
      const split = this.anchorsOf(meta)
      const name = this.nameOf(meta)
      if (!name) continue
      const cell = this.label(name, h === focus.selected ? 'accent' : 'plain')
      for (let at = 0; at < split.length; at += 4) {
        const [x, y] = this.screen(split, at, view)
        const [left, top] = [x - cell.width / 2, y - cell.height / 2]
        // Off the screen counts as taken; a name that hides a symbol is not worth it.
        if (!room.free(left, top, cell.width, cell.height)) continue
        room.take(left - 2, top - 1, cell.width + 4, cell.height + 2)
        this.batch.push(split, at, cell, 0.85, -cell.width / 2, -cell.height / 2)
        break
      }
    }
  }

  /** The handle nearest to a place, within `radius_px`. */
  pick(x: number, y: number, radius_px: number): number | null {
    const { store } = this
    const at = (h: number): [number, number] => [
      store.mercator[h * 4] + store.mercator[h * 4 + 2],
      store.mercator[h * 4 + 1] + store.mercator[h * 4 + 3],
    ]
    if (!this.grid) {
      // Built at the first question after a change: most beats are never asked.
      this.grid = new PickGrid(this.pixel_edge * 48)
      for (let i = 0; i < this.drawn_count; i++) this.grid.add(this.drawn[i], ...at(this.drawn[i]))
    }
    return this.grid.nearest(x - Math.floor(x), y, radius_px * this.pixel_edge, at)
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

function splitOf(one: Cluster): Float32Array {
  const split = new Float32Array(4)
  writeSplit(split, 0, one.x - Math.floor(one.x), one.y)
  return split
}
