/**
 * Finds and sorts entities by any of their words, 100,000 of them within a frame or two.
 *
 * One folded text per entity is searched with `includes`; the order by kind and name is kept up as
 * names come, so that a search never sorts texts: it sorts numbers. Names are taken up in slices, so that
 * a picture that comes all at once does not stop the page: what waits is in no answer, and `behind` counts it.
 * A hit is explained by what people see of it: ids are looked at only when much of one is typed.
 */
import type { TrackMeta } from '../api/types'
import { fold } from '../geo/fold'
import { NO_ALTITUDE, NO_VALUE } from '../stream/frame'
import type { AgeState } from '../time/age'
import { principalName } from './names'
import type { TrackStore } from './tracks'

export { fold }

const ORDER: Record<string, number> = { alert: 0, unit: 1, platform: 2, track: 3, place: 4, marker: 5 }
const AGES: AgeState[] = ['fresh', 'ageing', 'stale']
/** Names taken up in one go: a tenth of what a task of the page may take on a laptop. */
export const SLICE = 4000
/** More than any handle, so that a sort key and a handle fit into one exact number. */
const STEP = 2 ** 22

/** What a list may be narrowed to; what is absent narrows nothing. */
export interface TrackFilter {
  text?: string
  /** West, south, east, north in degrees; west > east crosses 180 degrees. */
  area?: [number, number, number, number]
  kind?: string
  affiliation?: string
  source?: string
  /** Of whom the report is; the index must have been told whose sources are whose. */
  nation?: string
  age?: AgeState
}
/** In place of a nation: none is known. */
export const NO_NATION = '?'
export const COLUMNS = ['name', 'kind', 'affiliation', 'age', 'speed', 'altitude', 'source'] as const
export type Column = (typeof COLUMNS)[number]

/** What people read of an entity beside its name, by its source, kind and side alone; `version` changes when the same thing would be said in other words. */
export interface TrackWords {
  version(): string
  of(meta: TrackMeta): string
}
/** Fewer letters of an id are an accident: half of all short words are in one. */
export const ID_LETTERS = 8

/** The id, or so much of it, that a question is; null: it is a question for words. */
function idIn(text: string): string | null {
  const wanted = text.trim().toLowerCase()
  return wanted.length >= ID_LETTERS && /^[0-9a-z:._-]+$/.test(wanted) ? wanted : null
}

function rank(meta: TrackMeta): number {
  return meta.emergency ? 0 : (ORDER[meta.category] ?? 6) + 1
}

/** Numbers are padded, so that PATROL 2 stands before PATROL 10. `name`: folded. */
function sortKey(meta: TrackMeta, name: string): string {
  return rank(meta) + name.replace(/\d+/g, (digits) => digits.padStart(8, '0'))
}

/** Nothing that is said of it, and no place in the order, is another. */
function isCalledAlike(one: TrackMeta, other: TrackMeta): boolean {
  return (
    one.name === other.name && one.category === other.category && one.affiliation === other.affiliation &&
    one.source === other.source && Boolean(one.emergency) === Boolean(other.emergency)
  )
}
/** Sayings kept; more would be an index whose words are all different, which gains nothing by it. */
const SAID_LIMIT = 20_000

export class TrackIndex {
  private readonly known: (TrackMeta | undefined)[] = []
  private readonly words: string[] = []
  /** Folded names: they stay when the language changes. */
  private readonly names: string[] = []
  private readonly keys: string[] = []
  /** All handles with a name, emergencies first, then by kind and name. */
  private sorted: number[] = []
  /** Where a handle stands in `sorted`, and of which `sorted` that is true. */
  private place = new Uint32Array(0)
  private placed_of: number[] | null = null
  /** Entities whose names wait to be taken up; `goOn` takes the next. */
  behind = 0
  private version = -1
  private said_version = ''
  private readonly said_once = new Map<string, string>()

  /** Nation of a source, where it is known. */
  nations: ReadonlyMap<string, string> = new Map()
  /** Nations by callsign, as the order of battle has them: what it says of a unit goes before whose link brings it. */
  called: ReadonlyMap<string, string> = new Map()
  /** Nations by callsign of those of whom neither says one: that of the unit above, or of the command post of their team. */
  derived: ReadonlyMap<string, string> = new Map()

  constructor(
    private readonly store: TrackStore,
    private readonly said: TrackWords = { version: () => '', of: (meta) => principalName(meta.source, null) },
  ) {}

  /** Takes up what changed since the last time, a slice of it at most. */
  private update(): void {
    const { store, said } = this
    const said_version = said.version()
    if (this.version === store.meta_version && this.said_version === said_version) return
    if (this.said_version !== said_version) this.sayAnew()
    this.said_version = said_version
    this.version = store.meta_version
    this.take()
  }

  /** Takes up the next slice of those that wait. */
  goOn(): void {
    if (this.behind) this.take()
  }

  private take(): void {
    const { store, known } = this
    const changed = new Set<number>()
    this.behind = 0
    const until = Math.max(store.meta.length, known.length)
    for (let h = 0; h < until; h++) {
      const meta = store.meta[h]
      const before = known[h]
      if (before === meta) continue
      if (changed.size >= SLICE) {
        this.behind++
        continue
      }
      known[h] = meta
      if (before && meta && isCalledAlike(before, meta)) continue
      changed.add(h)
      const name = meta ? fold(meta.name) : ''
      this.names[h] = name
      this.words[h] = meta ? `${name} ${this.saidOf(meta)}` : ''
      this.keys[h] = meta ? sortKey(meta, name) : ''
    }
    if (changed.size) this.sorted = this.merged(changed)
  }

  /** The kept order with those that changed in their new places, or out of it. */
  private merged(changed: ReadonlySet<number>): number[] {
    const { keys, known } = this
    const order = (a: number, b: number) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b)
    const fresh = [...changed].filter((h) => known[h]).sort(order)
    const merged: number[] = []
    let next = 0
    for (const h of this.sorted) {
      if (changed.has(h)) continue
      while (next < fresh.length && order(fresh[next], h) < 0) merged.push(fresh[next++])
      merged.push(h)
    }
    while (next < fresh.length) merged.push(fresh[next++])
    return merged
  }

  private places(): Uint32Array {
    if (this.placed_of === this.sorted) return this.place
    this.placed_of = this.sorted
    if (this.place.length < this.known.length) this.place = new Uint32Array(this.known.length * 2)
    this.sorted.forEach((h, at) => (this.place[h] = at))
    return this.place
  }

  /** The same things in other words; names and their order stay. */
  private sayAnew(): void {
    this.said_once.clear()
    this.known.forEach((meta, h) => {
      if (meta) this.words[h] = `${this.names[h]} ${this.saidOf(meta)}`
    })
  }

  /** What is said of all of one source, kind and side is put into words once: catalogues are slow, and there may be 100,000. */
  private saidOf(meta: TrackMeta): string {
    const key = `${meta.source}|${meta.category}|${meta.affiliation}`
    let words = this.said_once.get(key)
    if (words !== undefined) return words
    words = fold(this.said.of(meta))
    if (this.said_once.size < SAID_LIMIT) this.said_once.set(key, words)
    return words
  }

  /** Handles that pass the filter, emergencies first, then by kind and name; those that are `behind` are in none. */
  find(filter: TrackFilter, now_ms: number): readonly number[] {
    this.update()
    if (!this.behind && !Object.values(filter).some(Boolean)) return this.sorted
    const wanted = wordsOf(filter.text ?? '')
    const id = idIn(filter.text ?? '')
    const { store, words, known } = this
    const area = filter.area
    const found: number[] = []
    for (const h of this.sorted) {
      const meta = known[h]!
      // Changed or gone since: what was known of it is no answer.
      if (this.behind && store.meta[h] !== meta) continue
      if (filter.kind && meta.category !== filter.kind) continue
      if (filter.affiliation && meta.affiliation !== filter.affiliation) continue
      if (filter.source && meta.source !== filter.source) continue
      if (filter.nation && this.nationOf(meta) !== filter.nation) continue
      if (area && !(store.placed[h] && within(area, store.lat_deg[h], store.lon_deg[h]))) continue
      if (filter.age && store.age(h, now_ms) !== filter.age) continue
      if (holds(words[h], wanted) || (id && meta.id.toLowerCase().includes(id))) found.push(h)
    }
    return found
  }

  /** Was it found by its id alone? Nothing that people see would say why it is among the hits. */
  isFoundById(h: number, text: string): boolean {
    const id = idIn(text)
    return id !== null && !holds(this.words[h] ?? '', wordsOf(text)) && Boolean(this.known[h]?.id.toLowerCase().includes(id))
  }

  /** The sources there are, in the order of their names. */
  sources(): string[] {
    this.update()
    const found = new Set<string>()
    for (const h of this.sorted) found.add(this.known[h]!.source)
    return [...found].sort()
  }

  private nationOf(meta: TrackMeta): string {
    return this.called.get(meta.name) ?? this.nations.get(meta.source) ?? this.derived.get(meta.name) ?? NO_NATION
  }

  /** The nations of whoever is in the picture, in the order of their codes; `NO_NATION` stands last. */
  nationsSeen(): string[] {
    this.update()
    const seen = new Set(this.sorted.map((h) => this.nationOf(this.known[h]!)))
    const is_unknown = seen.delete(NO_NATION)
    return [...[...seen].sort(), ...(is_unknown ? [NO_NATION] : [])]
  }

  /** The same handles in the order of a column; what is unknown stands last, either way. */
  sort(handles: readonly number[], column: Column, down: boolean, now_ms: number): readonly number[] {
    this.update()
    const value = this.valueOf(column, now_ms)
    const place = this.places()
    const keys = new Float64Array(handles.length)
    const unknown: number[] = []
    let count = 0
    for (const h of handles) {
      const key = value(h)
      if (Number.isNaN(key)) unknown.push(h)
      // Ties stay in the order of names, whichever way the column goes.
      else keys[count++] = (down ? 2 ** 30 - key : key) * STEP + place[h]
    }
    const packed = keys.subarray(0, count).sort()
    const result: number[] = new Array<number>(count)
    for (let i = 0; i < count; i++) result[i] = this.sorted[packed[i] % STEP]
    return result.concat(unknown)
  }

  /** A whole number below 2^30 for each handle, NaN for unknown. */
  private valueOf(column: Column, now_ms: number): (h: number) => number {
    const { store, known } = this
    switch (column) {
      case 'name':
        return this.byName()
      case 'kind':
        return (h) => ORDER[known[h]!.category] ?? 6
      case 'affiliation':
        return ordinal(known, (meta) => meta.affiliation)
      case 'source':
        return ordinal(known, (meta) => meta.source)
      case 'age':
        // Milliseconds of a long stay in the picture would not fit; a tenth of a second is enough.
        return (h) => (store.observed_ms[h] > 0 ? Math.min(2 ** 30 - 1, Math.max(0, Math.round((now_ms - store.observed_ms[h]) / 100))) : NaN)
      case 'speed':
        return (h) => (store.placed[h] && store.speed_dmps[h] !== NO_VALUE ? store.speed_dmps[h] : NaN)
      case 'altitude':
        // From below the sea to space: never negative.
        return (h) => (store.placed[h] && store.alt_m[h] !== NO_ALTITUDE ? store.alt_m[h] + 40_000 : NaN)
    }
  }

  /** By name alone: the kept order is by kind first. */
  private byName(): (h: number) => number {
    if (this.named_of !== this.sorted) {
      this.named_of = this.sorted
      const { keys } = this
      const names: string[] = []
      for (const h of this.sorted) names[h] = keys[h].slice(1)
      // The kinds are sorted runs, which a merge sort only has to merge.
      const by_name = [...this.sorted].sort((a, b) => (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : 0))
      this.named = new Uint32Array(this.known.length)
      by_name.forEach((h, at) => (this.named[h] = at))
    }
    return (h) => this.named[h]
  }
  private named = new Uint32Array(0)
  private named_of: number[] | null = null
}

/** The words of a question, folded. */
export function wordsOf(text: string): string[] {
  return fold(text).split(/\s+/).filter(Boolean)
}

export function holds(text: string, wanted: readonly string[]): boolean {
  for (const word of wanted) if (!text.includes(word)) return false
  return true
}

/** Few distinct texts, numbered in their order. */
function ordinal(known: readonly (TrackMeta | undefined)[], text: (meta: TrackMeta) => string): (h: number) => number {
  const texts = new Set<string>()
  for (const meta of known) if (meta) texts.add(text(meta))
  const order = new Map([...texts].sort().map((one, at) => [one, at]))
  return (h) => order.get(text(known[h]!)) ?? NaN
}

export function within([west, south, east, north]: [number, number, number, number], lat_deg: number, lon_deg: number): boolean {
  if (lat_deg < south || lat_deg > north) return false
  return west <= east ? lon_deg >= west && lon_deg <= east : lon_deg >= west || lon_deg <= east
}

/** How many of each age there are among the handles. */
export function ageCounts(store: TrackStore, handles: readonly number[], now_ms: number): Record<AgeState, number> {
  const counts = { fresh: 0, ageing: 0, stale: 0 }
  for (const h of handles) counts[store.age(h, now_ms)]++
  return counts
}

/** What the whole picture is worth, each entity in exactly one of them. */
export interface Worth {
  entities: number
  /** Reported within the last two minutes, or a thing that stays where it was put. */
  fresh: number
  /** A mover whose last report is older than that: where it is now is a guess. */
  ageing: number
  /** Past the time for which its reporter asked to be believed. */
  stale: number
}

/** `stood`: handles of those that another stands for; they are not counted. */
export function worthOf(store: TrackStore, now_ms: number, stood: ReadonlyMap<number, number> = new Map()): Worth {
  let [fresh, ageing, stale] = [0, 0, 0]
  const { meta } = store
  for (let h = 0; h < meta.length; h++) {
    if (!meta[h] || stood.has(h)) continue
    if (store.isFresh(h, now_ms)) fresh++
    else if (store.age(h, now_ms) === 'ageing') ageing++
    else stale++
  }
  return { entities: fresh + ageing + stale, fresh, ageing, stale }
}

export { AGES }
