import { afterEach, describe, expect, it, vi } from 'vitest'
import api from '../src/api.generated.ts?raw'
import en from '../src/patterns/texts/en.json'
import { boxOf, shareOf, strength } from '../src/patterns/heat'
import { areaOf, blankRule, draftOfArea, JUDGED_BY, missing, put, putEverywhere, Rules, shapesOf, taken, type RuleDraft } from '../src/patterns/rules'
import { fieldLabel, fieldSentence, sentences } from '../src/patterns/words'
import type { DrawnRoute, PatternSettings, Thresholds } from '../src/api.generated'
import type { Desk } from '../src/store/desk'

const say = (key: string, values: Record<string, string> = {}) => {
  const text = key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], en) as string
  return text.replace('{v}', values.v ?? '')
}

describe('what was measured', () => {
  it('is said in sentences with units', () => {
    expect(sentences({ speed_mps: 13795, limit_mps: 70, way_m: 413_000 }, say)).toEqual(['49662 km/h fast', 'nothing of its kind moves faster than 252 km/h', '413 km of way'])
    expect(sentences({ was_domain: 3, is_domain: 1 }, say)).toEqual(['was at sea', 'is in the air'])
  })
  it('leaves out what it has no sentence for', () => expect(sentences({ brightness_lx: 3 }, say)).toEqual([]))
  it('has a sentence for every threshold of the node', () => {
    const names = [...(/export interface Thresholds \{([^}]*)\}/.exec(api)?.[1] ?? '').matchAll(/(\w+)\??:/g)].map((found) => found[1])
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(sentences({ [name]: 1 }, say), name).toHaveLength(1)
  })
})

const limits = { stop_min: 10, land_mps: 70, meeting_mps: 1.2 } as Thresholds
const route = (name: string): DrawnRoute => ({ name, entities: ['a'], places: [[76, 43], [77, 43]], half_m: 500 })
const area = (name: string, own: Record<string, number> = { stop_min: 5 }) => ({ name, corners: [[76, 43], [77, 43], [77, 44]] as [number, number][], own })
const settings = (more: Partial<PatternSettings> = {}): PatternSettings => ({ thresholds: limits, off: [], areas: [], routes: [], ...more })
const titled = (list: readonly { name: string }[]) => list.map(({ name }) => name)

describe('rules', () => {
  it('have a field for every threshold of the node, once', () => {
    const names = [...(/export interface Thresholds \{([^}]*)\}/.exec(api)?.[1] ?? '').matchAll(/(\w+)\??:/g)].map((found) => found[1])
    expect(Object.values(JUDGED_BY).flat().sort()).toEqual(names.sort())
  })
  it('label fields with units, and speeds with whom they are of', () => {
    expect(fieldLabel('stop_min', say)).toBe('at least … min long')
    expect(fieldLabel('fast_land_mps', say)).toBe('on land: its kind keeps up at most … km/h')
    expect(fieldSentence('land_mps', 70, say)).toBe('on land: nothing of its kind moves faster than 252 km/h')
  })
  it('are taken back without what others set meanwhile', () => {
    const now = settings({ routes: [route('A'), route('B')] })
    const { edit, back } = put(now, 'routes', { ...route('B2'), half_m: 80 }, 'B')
    expect(titled(edit(now).routes)).toEqual(['A', 'B2'])
    expect(back(edit({ ...now, routes: [...now.routes, route('C')] })).routes).toEqual([route('A'), route('B'), route('C')])
    const fresh = put(now, 'routes', route('D'), null)
    expect(titled(fresh.back(fresh.edit(now)).routes)).toEqual(['A', 'B'])
  })
  it('come back to their place: of areas the first that holds a place counts', () => {
    const now = settings({ areas: [area('A'), area('B'), area('C')] })
    const { edit, back } = taken(now, 'areas', 'B')
    expect(titled(edit(now).areas)).toEqual(['A', 'C'])
    expect(titled(back(edit(now)).areas)).toEqual(['A', 'B', 'C'])
  })
  it('change of what holds everywhere only what was changed', () => {
    const now = settings({ off: ['stop'] })
    const { edit, back } = putEverywhere(now, { part: 'everywhere', own: { stop_min: 4, land_mps: 252, meeting_mps: '' }, off: ['gap'] })
    const by_another = { ...now, thresholds: { ...limits, land_mps: 80 }, off: ['stop', 'jump'] as PatternSettings['off'] }
    expect(edit(by_another)).toEqual({ ...by_another, thresholds: { ...limits, stop_min: 4, land_mps: 80 }, off: ['jump', 'gap'] })
    expect(back(edit(by_another))).toEqual({ ...by_another, off: ['jump', 'stop'] })
  })
  it('say what is missing, in the order of the form', () => {
    const now = settings({ areas: [area('A')] })
    const draft = blankRule('areas') as RuleDraft & { part: 'areas' }
    expect(missing(draft, now)).toBe('name')
    draft.name = ' A '
    expect(missing(draft, now)).toBe('taken')
    draft.name = 'B'
    expect(missing(draft, now)).toBe('place')
    draft.places = area('B').corners
    expect(missing(draft, now)).toBe('own')
    draft.own = { land_mps: 36, stop_min: '' }
    expect(missing(draft, now)).toBe(null)
    expect(areaOf(draft)).toEqual({ ...area('B'), own: { land_mps: 10 } })
    expect(draftOfArea(area('B', { land_mps: 10 }))).toMatchObject({ was: 'B', own: { land_mps: 36 } })
  })
  it('lie on the map, the one that is written instead of the one that was', () => {
    const draft: RuleDraft = { part: 'routes', was: 'A', name: 'A2', places: [[179, 0], [-179, 0]], who: [], half_m: 500 }
    const shapes = shapesOf(settings({ routes: [route('A')], areas: [area('Z')] }), draft)
    expect(shapes.map((one) => [one.geometry.type, one.properties?.label, one.properties?.selected])).toEqual([
      ['Polygon', undefined, false], ['Point', 'Z', false], ['LineString', undefined, true], ['Point', 'A2', true],
    ])
    expect(shapes[2].geometry).toMatchObject({ coordinates: [[179, 0], [181, 0]] })
  })
})

describe('settings that two change at once', () => {
  afterEach(() => vi.unstubAllGlobals())
  it('keep what both did: who was slower does it again on top', async () => {
    let now = settings()
    let heads: string[] = ['h1']
    const posted: unknown[] = []
    const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
    vi.stubGlobal('fetch', async (_: string, options: RequestInit) => {
      if (options.method === 'GET') return answer(200, { ...now, heads })
      posted.push(JSON.parse(String(options.body)))
      if (posted.length === 1) {
        // Another was faster, between reading and writing.
        now = settings({ areas: [area('theirs')] })
        heads = ['h2']
        return answer(409, { error: { code: 'changed', reason: 'somebody has set them since' } })
      }
      return answer(201, { id: 'x', entry: 'y', state: 'set' })
    })
    const desk = { attempt: async (work: () => Promise<void>) => work().then(() => true) } as unknown as Desk
    const rules = new Rules(desk)
    const did = vi.fn()
    expect(await rules.change(put(settings(), 'areas', area('mine'), null), 'title', 'mine', did)).toBe(true)
    expect(posted).toMatchObject([{ seen: ['h1'] }, { seen: ['h2'], settings: { areas: [{ name: 'theirs' }, { name: 'mine' }] } }])
    expect(posted[1]).not.toHaveProperty('settings.heads')
    expect(rules.settings.value?.areas.map(({ name }) => name)).toEqual(['theirs', 'mine'])
    expect(did).toHaveBeenCalledOnce()
  })
})

describe('density', () => {
  it('shows nothing where nobody was, and the fullest cell most', () => {
    expect(strength(0)).toBe(0)
    expect(strength(1)).toBeGreaterThan(0.2)
    expect(strength(255)).toBe(1)
  })
  it('says the time that a shade stands for by the root it was made with', () => expect(shareOf(128)).toBeCloseTo(0.25, 2))
  it('asks for more than the view, and for nothing beyond the world', () => {
    expect(boxOf([10, 40, 20, 50])).toEqual([8, 38, 22, 52])
    expect(boxOf([-200, -80, 200, 84])).toEqual([-180, -84.9, 180, 84.9])
  })
})
