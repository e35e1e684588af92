/** Watches as a form has them, alerts in their order, and the areas of watches as shapes for the map. */
import type { Feature, Position } from 'geojson'
import type { AlertRow, AreaWatch, SilenceWatch, WatchRow } from '../../api.generated'
import type { Corner } from '../../draw/geometry'
import { metres } from '../../geo/format'
import { dtg } from '../../time/dtg'

export const LEVELS = ['warning', 'caution', 'advisory'] as const
export type Level = (typeof LEVELS)[number]
export const TRIGGERS = ['enter', 'leave', 'dwell'] as const
export const SIDES = ['friend', 'hostile', 'neutral', 'unknown'] as const
export const KINDS = ['unit', 'platform', 'track'] as const

export interface Named {
  id: string
  name: string
}

/** A field for numbers gives a number as soon as there is one. */
export type Typed = string | number

/** What stands in the form; an empty text of a bound is none, and so is a time that is null. */
export interface WatchDraft {
  /** The watch that is being changed; null for a new one. */
  id: string | null
  heads: string[]
  kind: 'area' | 'silence'
  name: string
  level: Level
  corners: Corner[]
  triggers: (typeof TRIGGERS)[number][]
  dwell_min: Typed
  sides: string[]
  kinds: string[]
  who: Named[]
  low_m: Typed
  high_m: Typed
  from_ms: number | null
  until_ms: number | null
  every_min: Typed
  grace_min: Typed
}

export function blankDraft(kind: WatchDraft['kind']): WatchDraft {
  return {
    id: null, heads: [], kind, name: '', level: 'caution', corners: [], triggers: ['enter'], dwell_min: '10', sides: [], kinds: [], who: [],
    low_m: '', high_m: '', from_ms: null, until_ms: null, every_min: '15', grace_min: '5',
  }
}

const text = (value: number | null) => (value === null ? '' : String(value))
const number = (value: Typed) => (String(value).trim() === '' ? null : Number(value))

/** A watch as the form takes it up; `nameOf` says how an entity is called. */
export function draftOf(row: WatchRow, nameOf: (id: string) => string): WatchDraft {
  const { watch } = row
  const named = (id: string): Named => ({ id, name: nameOf(id) })
  const base = { ...blankDraft(watch.kind), id: row.id, heads: row.heads, name: watch.name, level: watch.level, from_ms: watch.from_ms, until_ms: watch.until_ms }
  if (watch.kind === 'silence') return { ...base, who: [named(watch.entity)], every_min: text(watch.every_min), grace_min: text(watch.grace_min) }
  return {
    ...base, corners: watch.corners, triggers: [...watch.triggers], dwell_min: text(watch.dwell_min), sides: [...watch.affiliations], kinds: [...watch.categories],
    who: watch.entities.map(named), low_m: text(watch.min_hae_m), high_m: text(watch.max_hae_m),
  }
}

export type Missing = 'name' | 'area' | 'trigger' | 'dwell' | 'who' | 'every' | 'order'

/** The first thing that is missing or wrong, as a word of the catalogue; null when the node may have it. */
export function missing(draft: WatchDraft): Missing | null {
  if (!draft.name.trim()) return 'name'
  if (draft.kind === 'silence') {
    if (draft.who.length !== 1) return 'who'
    if (!(Number(draft.every_min) > 0)) return 'every'
  } else {
    if (draft.corners.length < 3) return 'area'
    if (!draft.triggers.length) return 'trigger'
    // A stay of no minutes would tell of everybody inside at once.
    if (draft.triggers.includes('dwell') && !(Number(draft.dwell_min) >= 1)) return 'dwell'
  }
  return draft.from_ms !== null && draft.until_ms !== null && draft.until_ms <= draft.from_ms ? 'order' : null
}

/** The watch that a whole draft means. */
export function watchOf(draft: WatchDraft): AreaWatch | SilenceWatch {
  const base = { name: draft.name.trim(), level: draft.level, from_ms: draft.from_ms, until_ms: draft.until_ms }
  if (draft.kind === 'silence') return { kind: 'silence', ...base, entity: draft.who[0].id, every_min: Number(draft.every_min), grace_min: number(draft.grace_min) ?? 0 }
  return {
    kind: 'area', ...base, corners: draft.corners, triggers: draft.triggers, dwell_min: number(draft.dwell_min) ?? 0, affiliations: draft.sides, categories: draft.kinds,
    entities: draft.who.map((one) => one.id), min_hae_m: number(draft.low_m), max_hae_m: number(draft.high_m),
  }
}

const RANK: Record<Level, number> = { warning: 0, caution: 1, advisory: 2 }
/** Those that nobody has acknowledged first, the gravest of them on top, then the newest. */
export function ordered(alerts: readonly AlertRow[]): AlertRow[] {
  const open = (row: AlertRow) => Number(row.state !== 'raised')
  return [...alerts].sort((a, b) => open(a) - open(b) || RANK[a.level] - RANK[b.level] || b.since_ms - a.since_ms)
}

/** Heights and times within which a watch looks, the same in every language; empty when it has none. */
export function boundsOf(watch: AreaWatch | SilenceWatch): string[] {
  const span = <T>(from: T | null, until: T | null, say: (value: T) => string) => (from === null && until === null ? [] : [[from, until].map((value) => (value === null ? '…' : say(value))).join(' – ')])
  const heights = watch.kind === 'area' ? span(watch.min_hae_m, watch.max_hae_m, metres).map((said) => `${said} HAE`) : []
  return [...heights, ...span(watch.from_ms, watch.until_ms, dtg)]
}

/** Its reason stands: the one it is about is still in there, or still silent. */
export const isLive = (alert: AlertRow) => alert.state !== 'closed' && alert.over_at_ms === null

export const LEVEL_COLOURS: Record<Level, string> = { warning: '#ff5c5c', caution: '#ffb020', advisory: '#4aa8ff' }
const CALM = '#8fa1b3'
/** Level in the label, so that it is read without colour. */
const SIGNS: Record<Level, string> = { warning: '▲', caution: '◆', advisory: '●' }

/** The areas of watches; one with a live alert is lit in the colour of its gravest, a paused one hardly seen. */
export function areasOf(watches: readonly WatchRow[], alerts: readonly AlertRow[], draft: WatchDraft | null = null): Feature[] {
  const lit = new Map<string, Level>()
  for (const alert of alerts) {
    const known = lit.get(alert.watch)
    if (isLive(alert) && (!known || RANK[alert.level] < RANK[known])) lit.set(alert.watch, alert.level)
  }
  const features = watches.flatMap(({ id, watch, state }) => {
    if (watch.kind !== 'area' || id === draft?.id) return []
    const level = lit.get(id)
    const colour = level ? LEVEL_COLOURS[level] : CALM
    return areaOf(watch.corners, {
      label: level ? `${SIGNS[level]} ${watch.name}` : watch.name, selected: level !== undefined, opacity: state === 'paused' ? 0.45 : 1, stroke: colour, fill: colour, fill_opacity: level ? 0.28 : 0.05,
    })
  })
  const colour = LEVEL_COLOURS.advisory
  if (draft?.kind === 'area' && draft.corners.length > 2) features.push(...areaOf(draft.corners, { label: draft.name, selected: true, opacity: 1, stroke: colour, fill: colour, fill_opacity: 0.14 }))
  return features
}

function areaOf(corners: readonly Corner[], { label, ...look }: { label: string; selected: boolean; opacity: number; stroke: string; fill: string; fill_opacity: number }): Feature[] {
  const ring = whole(corners)
  const top = ring.reduce((best, at) => (at[1] > best[1] ? at : best))
  const shapes: Feature[] = [{ type: 'Feature', geometry: { type: 'Polygon', coordinates: [[...ring, ring[0]]] }, properties: look }]
  if (label) shapes.push({ type: 'Feature', geometry: { type: 'Point', coordinates: top }, properties: { ...look, label, angle: 0, anchor: 'bottom' } })
  return shapes
}

/** Longitudes that run on over 180, so that an area across it stays whole. */
function whole(corners: readonly Corner[]): Position[] {
  let last = corners[0][0]
  return corners.map(([lon, lat]) => {
    last = lon + 360 * Math.round((last - lon) / 360)
    return [last, lat]
  })
}
