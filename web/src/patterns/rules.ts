/** When a movement is a pattern: the node's settings, the form that changes them, and their places on the map. */
import type { Feature, Position } from 'geojson'
import { ref, shallowRef } from 'vue'
import { ApiError, call } from '../api/client'
import type { AreaThresholds, DrawnRoute, PatternSettings, SettingsRow, StepTaken, Thresholds } from '../api.generated'
import type { Step } from '../shell/undo'
import type { Corner } from '../draw/geometry'
import type { Named } from '../staff/alerts/watch'
import type { Desk } from '../store/desk'
import { perDesk } from '../store/perDesk'

export type Tab = 'found' | 'heat' | 'rhythm' | 'rules'
export type Part = 'routes' | 'areas'
/** What a field for a number gives: a text while it is empty. */
export type Typed = number | ''
export type Kind = PatternSettings['off'][number]

/** The thresholds by the kind that they make; as the node's JUDGED_BY and SPEEDS have them. */
export const JUDGED_BY: Record<Kind, (keyof Thresholds)[]> = {
  stop: ['stop_radius_m', 'stop_min'],
  loiter: ['loiter_radius_m', 'loiter_min', 'loiter_turns', 'loiter_span_m'],
  meeting: ['meeting_m', 'meeting_mps', 'meeting_min'],
  co_travel: ['travel_m', 'travel_height_m', 'travel_mps', 'travel_deg', 'travel_min'],
  gap: ['gap_min', 'gap_intervals'],
  jump: ['air_mps', 'land_mps', 'sea_mps', 'other_mps'],
  too_fast: ['fast_air_mps', 'fast_land_mps', 'fast_sea_mps', 'fast_other_mps', 'fast_min'],
  two_places: ['twice_jumps', 'twice_min'],
  kind_change: [],
  deviation: ['off_route_min'],
}
const KMH = 3.6

/** Speeds stand in the form as on the rest of the page, in km/h; everything else as the node has it. */
const isSpeed = (name: string) => name.endsWith('_mps')
export const typedOf = (name: string, value: number): number => (isSpeed(name) ? Math.round(value * KMH * 100) / 100 : value)
export const valueOf = (name: string, typed: number): number => (isSpeed(name) ? Math.round((typed / KMH) * 1e6) / 1e6 : typed)

/** What stands in the form. `was`: the name it had; null for a new one. */
export type RuleDraft =
  | { part: 'routes'; was: string | null; name: string; places: Corner[]; who: Named[]; half_m: Typed }
  | { part: 'areas'; was: string | null; name: string; places: Corner[]; own: Record<string, Typed> }
  | { part: 'everywhere'; own: Record<string, Typed>; off: Kind[] }
/** What has a name and a place. */
export type PlacedDraft = Exclude<RuleDraft, { part: 'everywhere' }>

export function blankRule(part: Part): PlacedDraft {
  const base = { was: null, name: '', places: [] }
  return part === 'routes' ? { part, ...base, who: [], half_m: 500 } : { part, ...base, own: {} }
}
export function draftOfRoute(route: DrawnRoute, nameOf: (id: string) => string): RuleDraft {
  return { part: 'routes', was: route.name, name: route.name, places: [...route.places], who: route.entities.map((id) => ({ id, name: nameOf(id) })), half_m: route.half_m }
}
export function draftOfArea(area: AreaThresholds): RuleDraft {
  return { part: 'areas', was: area.name, name: area.name, places: [...area.corners], own: Object.fromEntries(Object.entries(area.own).map(([name, value]) => [name, typedOf(name, value)])) }
}

export function draftOfEverywhere({ thresholds, off }: PatternSettings): RuleDraft {
  return { part: 'everywhere', own: Object.fromEntries(Object.entries(thresholds).map(([name, value]) => [name, typedOf(name, value as number)])), off: [...off] }
}

/** The first thing that is missing, as a word of the catalogue; null when the node may have it. */
export function missing(draft: RuleDraft, now: PatternSettings): 'name' | 'taken' | 'way' | 'place' | 'who' | 'half' | 'own' | null {
  if (draft.part === 'everywhere') return null
  const name = draft.name.trim()
  if (!name) return 'name'
  if (now[draft.part].some((one) => one.name === name && name !== draft.was)) return 'taken'
  if (draft.part === 'routes') return draft.places.length < 2 ? 'way' : !draft.who.length ? 'who' : Number(draft.half_m) > 0 ? null : 'half'
  return draft.places.length < 3 ? 'place' : ownOf(draft.own).length ? null : 'own'
}
const ownOf = (own: Record<string, Typed>): [string, number][] => Object.entries(own).flatMap(([name, typed]) => (typed === '' ? [] : [[name, valueOf(name, typed)]]))

export function routeOf(draft: RuleDraft & { part: 'routes' }): DrawnRoute {
  return { name: draft.name.trim(), entities: draft.who.map((one) => one.id), places: draft.places, half_m: Number(draft.half_m) }
}
export function areaOf(draft: RuleDraft & { part: 'areas' }): AreaThresholds {
  return { name: draft.name.trim(), corners: draft.places, own: Object.fromEntries(ownOf(draft.own)) }
}

/** Takes the place of the one of that name, else stands at `at`, else at the end: of areas the first that holds a place counts. */
export function placed<T extends { name: string }>(list: readonly T[], one: T, name: string | null, at = list.length): T[] {
  const known = list.findIndex((other) => other.name === name)
  return known < 0 ? list.toSpliced(at, 0, one) : list.toSpliced(known, 1, one)
}
export const without = <T extends { name: string }>(list: readonly T[], name: string): T[] => list.filter((one) => one.name !== name)

export type Edit = (now: PatternSettings) => PatternSettings
/** An edit and its opposite, of whatever the settings are by then: what others set meanwhile stays. */
export interface Change {
  edit: Edit
  back: Edit
}
/** Both lists as named things: what is put into one comes from the same one. */
type Titled = { name: string }
export function put(now: PatternSettings, part: Part, one: DrawnRoute | AreaThresholds, was: string | null): Change {
  const list = (set: PatternSettings): readonly Titled[] => set[part]
  const before = list(now).find(({ name }) => name === was)
  const edit: Edit = (set) => ({ ...set, [part]: placed(list(set), one, was) })
  const back: Edit = (set) => ({ ...set, [part]: before ? placed(list(set), before, one.name) : without(list(set), one.name) })
  return { edit, back }
}
export function taken(now: PatternSettings, part: Part, name: string): Change {
  const list = (set: PatternSettings): readonly Titled[] => set[part]
  const at = list(now).findIndex((one) => one.name === name)
  const before = list(now)[at]
  return { edit: (set) => ({ ...set, [part]: without(list(set), name) }), back: (set) => (before ? { ...set, [part]: placed(list(set), before, name, at) } : set) }
}

/** Thresholds that are another number now, and kinds that are told or not told now; an empty field changes nothing. */
export function putEverywhere(now: PatternSettings, draft: RuleDraft & { part: 'everywhere' }): Change {
  const typed = ownOf(draft.own).filter(([name]) => draft.own[name] !== typedOf(name, now.thresholds[name as keyof Thresholds]))
  const before = typed.map(([name]) => [name, now.thresholds[name as keyof Thresholds]])
  const turn = (off: Kind[], from: Kind[], to: Kind[]) => [...off.filter((kind) => to.includes(kind) || !from.includes(kind)), ...to.filter((kind) => !from.includes(kind) && !off.includes(kind))]
  const write = (pairs: unknown[][], from: Kind[], to: Kind[]): Edit => (set) => ({ ...set, thresholds: { ...set.thresholds, ...Object.fromEntries(pairs as [string, number][]) }, off: turn(set.off, from, to) })
  return { edit: write(typed, now.off, draft.off), back: write(before, draft.off, now.off) }
}

const ROUTE_COLOUR = '#c792ea'
/** Routes and areas as shapes for the map, and the one that is being written. */
export function shapesOf(now: PatternSettings | null, writing: RuleDraft | null): Feature[] {
  const draft = writing?.part === 'everywhere' ? null : writing
  const looks = (selected: boolean) => ({ selected, opacity: 1, stroke: ROUTE_COLOUR })
  const lines = (now?.routes ?? []).map((one) => ({ part: 'routes' as Part, name: one.name, places: one.places }))
  const rings = (now?.areas ?? []).map((one) => ({ part: 'areas' as Part, name: one.name, places: one.corners }))
  const kept = [...lines, ...rings].filter((one) => !draft || one.part !== draft.part || one.name !== draft.was)
  const all = [...kept.map((one) => ({ ...one, selected: false })), ...(draft ? [{ ...draft, selected: true }] : [])]
  return all.flatMap(({ part, name, places, selected }): Feature[] => {
    if (places.length < (part === 'routes' ? 2 : 3)) return []
    const way = whole(places)
    const look = looks(selected)
    const shape: Feature = part === 'routes'
      ? { type: 'Feature', geometry: { type: 'LineString', coordinates: way }, properties: look }
      : { type: 'Feature', geometry: { type: 'Polygon', coordinates: [[...way, way[0]]] }, properties: { ...look, fill: ROUTE_COLOUR, fill_opacity: 0.1 } }
    return name ? [shape, { type: 'Feature', geometry: { type: 'Point', coordinates: way[0] }, properties: { ...look, label: name, angle: 0, anchor: 'bottom' } }] : [shape]
  })
}
/** Longitudes that run on over 180. */
function whole(places: readonly Corner[]): Position[] {
  let last = places[0][0]
  return places.map(([lon, lat]) => {
    last = lon + 360 * Math.round((last - lon) / 360)
    return [last, lat]
  })
}

export class Rules {
  readonly tab = ref<Tab>('found')
  readonly settings = shallowRef<PatternSettings | null>(null)
  /** Kept here: on a phone the form goes away while something is drawn. */
  readonly draft = ref<RuleDraft | null>(null)

  constructor(private readonly desk: Desk) {}

  async read(): Promise<void> {
    this.settings.value = await call<PatternSettings>('GET', '/pattern-settings')
  }
  /** Changes the newest settings, anew when somebody was faster; answers whether it worked, a refusal is shown. */
  private write(edit: Edit): Promise<boolean> {
    return this.desk.attempt(async () => {
      for (let tries = 3; tries; tries--) {
        const { heads, ...newest } = await call<SettingsRow>('GET', '/pattern-settings')
        const now = edit(newest)
        try {
          await call<StepTaken>('POST', '/pattern-settings', { settings: now, seen: heads })
          this.settings.value = now
          return
        } catch (error) {
          if (tries === 1 || !(error instanceof ApiError && error.code === 'changed')) throw error
        }
      }
    })
  }
  async change({ edit, back }: Change, title: string, name: string, did: (step: Step) => void): Promise<boolean> {
    const worked = await this.write(edit)
    if (worked) did({ title, words: { name }, undo: () => this.write(back), redo: () => this.write(edit) })
    return worked
  }
}

/** The rules of this desk. */
export const rulesOf = perDesk((desk) => new Rules(desk))
