/**
 * Labels where there is room: that of the selected symbol, which always stands, the counts of clusters, the names of
 * drawings, then those of symbols, best first.
 *
 * They go into the same batch as the symbols, after them. What is worked out for one picture is kept
 * for the next: a beat in which nothing changed its name makes no text and hardly an object.
 */
import type { TrackMeta } from '../api/types'
import type { TrackStore } from '../store/tracks'
import { ageRound, isStill } from '../time/age'
import type { Atlas, Cell } from './atlas'
import type { SpriteBatch } from './batch'
import type { Cluster, Group } from './cluster'
import { mercatorX, mercatorY, writeSplit } from './mercator'
import { amplifiers, anchorsOf, labelText, shownName } from './names'
import { Occupancy } from './occupancy'
import { LABEL_FONT, LABEL_HEIGHT, plate, RING_RADIUS } from './pictures'
import type { SceneFocus, SceneTheme, SceneView } from './seen'

/** More labels than this nobody reads. */
const LABEL_LIMIT = 300
const LABEL_CANDIDATES = 600
/** With more symbols than this on the screen only what is chosen or in need has a label. */
const LABEL_CROWD = 8000
/** No symbol reaches farther from its place, in CSS pixels. */
const REACH_PX = 40
/** Above every rank. */
const NOBODY = 255
/** So many texts are remembered; then all are forgotten at once. */
const TEXTS_MAX = 5000
/** Who is named first. Ageing goes before its kind: where it is now is a guess, and its label says since when. */
const RANK = { selected: 0, hovered: 1, emergency: 2, alert: 3, ageing: 4, friend: 5, hostile: 6, mover: 7, still: 8 } as const
/** Up to this rank a label stands, whether there is room or not. */
const RANK_FORCED = RANK.emergency
/** A label that slides along its symbol: so far from the middle beside it, so far beyond the middle above and below, in CSS pixels. */
const SLIDE_PX = 9

/** When a symbol is named, by what it is. */
export function namingRank({ emergency, category, affiliation }: Pick<TrackMeta, 'emergency' | 'category' | 'affiliation'>): number {
  if (emergency) return RANK.emergency
  if (category === 'alert') return RANK.alert
  if (isStill(category)) return RANK.still
  return affiliation === 'friend' ? RANK.friend : affiliation === 'hostile' ? RANK.hostile : RANK.mover
}

/** What stands on the map before its labels do. */
export interface Shown {
  /** Handles with a symbol of their own; only the first `drawn_count` count. */
  readonly drawn: Int32Array
  readonly drawn_count: number
  /** By handle. */
  readonly cellOf: readonly (Cell | undefined)[]
  readonly clusters: readonly Cluster[]
  /** Handles of the lines and areas that need a name. */
  readonly drawings: readonly number[]
  /** By handle, see `namingRank`. */
  readonly naming: Uint8Array
  /** Is this one to be named however crowded the screen is? */
  matters(h: number): boolean
  clusterCell(one: Cluster): Cell | null
  groupOf(one: Cluster): Group | undefined
  /** The unit above the one of this handle; undefined: there is none, or nobody knows. */
  higherOf(h: number): Group | undefined
}

interface Candidate {
  h: number
  x: number
  y: number
  rank: number
  /** Twice the rank, see `ranks`. */
  order: number
}
type Tone = 'plain' | 'accent' | 'alarm'
/** A label of a symbol at `x`, `y` of the screen, its corner `dx`, `dy` from there. */
interface Named {
  h: number
  x: number
  y: number
  dx: number
  dy: number
  width: number
  text: string
  tone: Tone
  /** It says all there is. */
  whole: boolean
  opacity: number
}
/** The text of a cluster; its cell only once it found room, and only in this generation of the atlas. */
interface Count {
  text: string
  width: number
  cell: Cell | null
  generation: number
}

export class Labels {
  /** Do labels say more than names where there is room? */
  full = false
  private labelled = new Set<number>()
  /** By place in `drawn`: twice the rank, 1 more for one without a label; NOBODY is not on the screen, or not to be named. */
  private ranks = new Uint8Array(0)
  private readonly anchors = new WeakMap<TrackMeta, Float32Array>()
  private readonly names = new WeakMap<TrackMeta, string>()
  private readonly widths = new Map<string, number>()
  /** Texts of clusters without a unit, by how many and how many of them are old. */
  private readonly counts = new Map<number, Count>()
  private readonly measure = document.createElement('canvas').getContext('2d')!
  private room = new Occupancy(0, 0)
  /** What `locate` and `findSpot` answered last: a place on the screen, and the corner of a label from there. */
  private x = 0
  private y = 0
  private dx = 0
  private dy = 0

  constructor(
    private readonly store: TrackStore,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
    private theme: SceneTheme,
  ) {}

  setTheme(theme: SceneTheme): void {
    this.theme = theme
  }

  /** Texts have other widths once their font has come. */
  forgetWidths(): void {
    this.widths.clear()
    this.counts.clear()
  }

  /** Pushes the labels of a view into the batch. */
  place(shown: Shown, view: SceneView, focus: SceneFocus, now_ms: number): void {
    this.room = this.room.cleared(view.width_px, view.height_px)
    for (const part of view.covered) this.room.take(...part)
    this.keepClear(focus, view)
    const candidates = this.candidates(shown, view, focus, now_ms)
    const labelled = new Set<number>()
    const named: Named[] = []
    const name = (one: Candidate, whole: boolean): void => {
      const label = this.nameSymbol(one, shown, focus, now_ms, whole)
      if (!label) return
      labelled.add(one.h)
      named.push(label)
    }
    this.keepClustersClear(shown, view)
    // What somebody has selected says all there is, and all others find room round it.
    const selected = candidates[0]?.rank === RANK.selected ? candidates.shift() : undefined
    if (selected) name(selected, this.full)
    this.countClusters(shown, view)
    this.nameDrawings(shown, view, focus)
    for (const one of candidates) {
      if (labelled.size >= LABEL_LIMIT) break
      name(one, false)
    }
    // Every name first: what is said beside one must not cost another its own.
    if (this.full) for (const one of named) if (!one.whole) this.amplify(one, shown)
    // The best last, which is on top.
    for (const { h, dx, dy, text, tone, opacity } of named.reverse()) this.batch.push(this.store.mercator, h * 4, this.label(text, tone), opacity, Math.round(dx), Math.round(dy))
    this.labelled = labelled
  }

  /** Nothing is written over the ring of the one that is selected: among gathered symbols it would not be seen. */
  private keepClear({ selected }: SceneFocus, view: SceneView): void {
    if (selected === null || !this.store.placed[selected] || !this.locate(this.store.mercator, selected * 4, view)) return
    // A little less than the ring, so that its own label may touch it.
    const half = RING_RADIUS - 3
    this.room.take(this.x - half, this.y - half, 2 * half, 2 * half)
  }

  /** Symbols on the screen that may be named, best first; all take their room, whether they are named or not. */
  private candidates(shown: Shown, view: SceneView, focus: SceneFocus, now_ms: number): Candidate[] {
    const last = this.survey(shown, view, focus, now_ms)
    const { ranks } = this
    const found: Candidate[] = []
    for (let i = 0; i < shown.drawn_count; i++) {
      if (ranks[i] > last) continue
      const h = shown.drawn[i]
      this.locate(this.store.mercator, h * 4, view)
      found.push({ h, x: this.x, y: this.y, order: ranks[i], rank: ranks[i] >> 1 })
    }
    return found.sort((a, b) => a.order - b.order || a.h - b.h).slice(0, LABEL_CANDIDATES)
  }

  /** Takes the room of all symbols and ranks them; answers the last rank (see `ranks`) that has a candidate. */
  private survey(shown: Shown, view: SceneView, focus: SceneFocus, now_ms: number): number {
    const { store, room } = this
    const crowded = shown.drawn_count > LABEL_CROWD
    if (this.ranks.length < shown.drawn_count) this.ranks = new Uint8Array(shown.drawn_count * 2)
    const { ranks } = this
    const counts = new Int32Array(NOBODY)
    for (let i = 0; i < shown.drawn_count; i++) {
      const h = shown.drawn[i]
      ranks[i] = NOBODY
      if (crowded && h !== focus.selected && h !== focus.hovered && !shown.matters(h)) continue
      const cell = shown.cellOf[h]
      if (!cell || !this.locate(store.mercator, h * 4, view)) continue
      // A little less than the symbol, so that its own label may touch it.
      room.take(this.x + cell.left + 7, this.y + cell.top + 7, cell.width - 14, cell.height - 14)
      // A label that stands keeps its place before new ones come, so labels do not flicker.
      ranks[i] = this.rank(h, shown.naming[h], focus, now_ms) * 2 + (this.labelled.has(h) ? 0 : 1)
      counts[ranks[i]]++
    }
    let last = 0
    for (let count = counts[0]; count < LABEL_CANDIDATES && last < NOBODY - 1; count += counts[last]) last++
    return last
  }

  private rank(h: number, naming: number, { selected, hovered }: SceneFocus, now_ms: number): number {
    if (h === selected) return RANK.selected
    if (h === hovered) return RANK.hovered
    return naming > RANK.ageing && !this.store.isFresh(h, now_ms) && this.store.age(h, now_ms) === 'ageing' ? RANK.ageing : naming
  }

  /**
   * Finds room beside a symbol for its name, for all that is to be said when it is wanted `whole`.
   * Null: it has none, or there is no room.
   */
  private nameSymbol({ h, x, y, rank }: Candidate, shown: Shown, focus: SceneFocus, now_ms: number, whole: boolean): Named | null {
    const { store, room } = this
    const meta = store.meta[h]
    const name = meta && this.nameOf(meta)
    if (!name) return null
    const selected = h === focus.selected
    // One emergency, one red label: that of the caller.
    if (!selected && h !== focus.hovered && store.callerOf(h) !== null) return null
    const age = store.age(h, now_ms)
    const first = age === 'fresh' ? name : `${name} · ${ageRound(now_ms - store.observed_ms[h])}`
    const text = whole ? [first, ...this.partsOf(h, shown)].join(' · ') : first
    const tone = meta.emergency ? 'alarm' : selected ? 'accent' : 'plain'
    // Measured before it is drawn: a label that finds no room costs no place in the picture.
    const width = this.widthOf(text)
    if (!this.findSpot(x, y, width, shown.cellOf[h]!, Boolean(meta.emergency) || selected)) {
      if (rank > RANK_FORCED) return null
      this.dx = Math.max(2, Math.min(x - width / 2, room.width - width - 2)) - x
    }
    room.take(x + this.dx - 2, y + this.dy - 1, width + 4, LABEL_HEIGHT + 2)
    return { h, x, y, dx: this.dx, dy: this.dy, width, text, tone, whole, opacity: age === 'stale' && tone === 'plain' ? 0.75 : 1 }
  }

  /** Looks for room round a symbol: below it, right, left, above, then aside of its edges. False: there is none, and it answers with below. */
  private findSpot(x: number, y: number, width: number, symbol: Cell, ringed: boolean): boolean {
    const left = ringed ? -RING_RADIUS - 2 : symbol.left + 2
    const right = ringed ? RING_RADIUS + 2 : symbol.left + symbol.width - 2
    const above = (ringed ? -RING_RADIUS - 1 : symbol.top + 3) - LABEL_HEIGHT
    const below = ringed ? RING_RADIUS + 1 : symbol.top + symbol.height - 3
    const beside = -LABEL_HEIGHT / 2
    const found =
      this.fits(x, y, -width / 2, below, width) ||
      this.fits(x, y, right, beside, width) ||
      this.fits(x, y, left - width, beside, width) ||
      this.fits(x, y, -width / 2, above, width) ||
      this.fits(x, y, right, beside + SLIDE_PX, width) ||
      this.fits(x, y, right, beside - SLIDE_PX, width) ||
      this.fits(x, y, left - width, beside + SLIDE_PX, width) ||
      this.fits(x, y, left - width, beside - SLIDE_PX, width) ||
      this.fits(x, y, -SLIDE_PX, below, width) ||
      this.fits(x, y, SLIDE_PX - width, below, width) ||
      this.fits(x, y, -SLIDE_PX, above, width) ||
      this.fits(x, y, SLIDE_PX - width, above, width)
    if (!found) this.dy = below
    return found
  }

  private partsOf(h: number, shown: Shown): string[] {
    return amplifiers(this.store.meta[h]!, this.store.motion(h), shown.higherOf(h)?.name ?? null)
  }

  /** Says more than the name where there is still room beside it, as much as there is: the name stays where it is. */
  private amplify(one: Named, shown: Shown): void {
    const parts = this.partsOf(one.h, shown)
    for (let first = 0; first < parts.length; first++) {
      const text = [one.text, ...parts.slice(first)].join(' · ')
      const wider_px = this.widthOf(text) - one.width
      // Away from the symbol; a name above or below it has both sides.
      const beside = one.dx + one.width <= 0 ? [-wider_px] : one.dx >= 0 ? [wider_px] : [wider_px, -wider_px]
      const by_px = beside.find((by) => this.room.widen(one.x + one.dx - 2, one.y + one.dy - 1, one.width + 4, LABEL_HEIGHT + 2, by))
      if (by_px === undefined) continue
      if (by_px < 0) one.dx += by_px
      one.text = text
      return
    }
  }

  private keepClustersClear(shown: Shown, view: SceneView): void {
    for (const one of shown.clusters) {
      const symbol = shown.clusterCell(one)
      if (symbol && this.locate(one.split, 0, view)) this.room.take(this.x + symbol.left + 4, this.y + symbol.top + 4, symbol.width - 8, symbol.height - 8)
    }
  }

  /** How many a cluster stands for, at its lower right; how many of them are old stands behind. */
  private countClusters(shown: Shown, view: SceneView): void {
    const { room } = this
    for (const one of shown.clusters) {
      if (!this.locate(one.split, 0, view)) continue
      const symbol = shown.clusterCell(one)
      if (!symbol) continue
      const { x, y } = this
      // Counts change all the time: only one that finds room is written into the picture.
      const count = this.countOf(one, shown.groupOf(one))
      const { width } = count
      const isPlaced =
        this.fits(x, y, -width / 2, symbol.top + symbol.height - 3, width) ||
        this.fits(x, y, symbol.left + symbol.width - 2, -LABEL_HEIGHT / 2, width)
      if (!isPlaced) continue
      room.take(x + this.dx, y + this.dy, width, LABEL_HEIGHT)
      this.batch.push(one.split, 0, this.countCell(count), 1, Math.round(this.dx), Math.round(this.dy))
    }
  }

  private countOf(one: Cluster, group: Group | undefined): Count {
    const key = one.count * 0x400_0000 + one.old
    const known = group ? undefined : this.counts.get(key)
    if (known) return known
    const text = `${group ? `${labelText(group.name)} ` : ''}×${one.count}${one.old ? ` (${one.old} ◷)` : ''}`
    const count = { text, width: this.widthOf(text), cell: null, generation: -1 }
    if (this.counts.size > TEXTS_MAX) this.counts.clear()
    if (!group) this.counts.set(key, count)
    return count
  }

  private countCell(count: Count): Cell {
    if (!count.cell || count.generation !== this.atlas.generation) {
      count.cell = this.label(count.text, 'plain')
      // Read afterwards: a full atlas begins anew with this very cell.
      count.generation = this.atlas.generation
    }
    return count.cell
  }

  private nameDrawings(shown: Shown, view: SceneView, focus: SceneFocus): void {
    const { room } = this
    for (const h of shown.drawings) {
      const meta = this.store.meta[h]
      const name = meta && this.nameOf(meta)
      if (!name) continue
      const split = this.anchorsOf(meta)
      const cell = this.label(name, h === focus.selected ? 'accent' : 'plain')
      for (let at = 0; at < split.length; at += 4) {
        this.locate(split, at, view)
        const left = this.x - cell.width / 2
        const top = this.y - cell.height / 2
        // Off the screen counts as taken; a name that hides a symbol is not worth it.
        if (!room.free(left, top, cell.width, cell.height)) continue
        room.take(left - 2, top - 1, cell.width + 4, cell.height + 2)
        this.batch.push(split, at, cell, 0.85, -cell.width / 2, -cell.height / 2)
        break
      }
    }
  }

  /** Finds the screen place (`x`, `y`) of a split mercator place, on the world copy nearest to the view; false: nothing of its symbol is on the screen. */
  private locate(split: Float32Array, at: number, view: SceneView): boolean {
    let x = split[at] + split[at + 2]
    x += Math.round((view.west + view.east) / 2 - x)
    this.x = ((x - view.west) / (view.east - view.west)) * view.width_px
    this.y = ((split[at + 1] + split[at + 3] - view.north) / (view.south - view.north)) * view.height_px
    return this.x >= -REACH_PX && this.y >= -REACH_PX && this.x <= view.width_px + REACH_PX && this.y <= view.height_px + REACH_PX
  }

  /** Is there room for a label whose corner lies at `dx`, `dy` from the place? They are then kept. */
  private fits(x: number, y: number, dx: number, dy: number, width: number): boolean {
    this.dx = dx
    this.dy = dy
    return this.room.free(x + dx, y + dy, width, LABEL_HEIGHT)
  }

  /** The split mercator places where a drawing's name may stand. */
  private anchorsOf(meta: TrackMeta): Float32Array {
    const known = this.anchors.get(meta)
    if (known) return known
    const places = anchorsOf(meta)
    const split = new Float32Array(places.length * 4)
    places.forEach(([lon, lat], i) => writeSplit(split, i * 4, mercatorX(lon), mercatorY(lat)))
    this.anchors.set(meta, split)
    return split
  }

  private nameOf(meta: TrackMeta): string {
    let name = this.names.get(meta)
    if (name === undefined) this.names.set(meta, (name = shownName(meta)))
    return name
  }

  /** Width of a label in CSS pixels; measuring text is the dearest step, so it is remembered. */
  private widthOf(text: string): number {
    let width = this.widths.get(text)
    if (width === undefined) {
      if (this.widths.size > TEXTS_MAX) this.widths.clear()
      this.measure.font = LABEL_FONT
      width = Math.ceil(this.measure.measureText(text).width) + 10
      this.widths.set(text, width)
    }
    return width
  }

  private label(text: string, tone: Tone): Cell {
    return this.atlas.cell(`l|${tone}|${text}`, (ratio) => {
      const { theme } = this
      const [ground, ink] = tone === 'plain' ? [theme.plate, theme.label] : [theme[tone], theme.on_tone]
      return plate(ratio, text, this.widthOf(text), ground, ink)
    })
  }
}
